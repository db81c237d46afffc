/* Responses that a worker reads while they come. */
#include "agent/shard/vu_stream.h"

#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "common/clock.h"
#include "common/container.h"

static struct alarms *alarms_of(const struct vu_stream *stream)
{
    return shard_alarms(stream->vu->campaign->shard);
}

static void vu_stream_tell(struct vu_stream *stream)
{
    struct vu *vu = stream->vu;

    if (vu->awaited_stream == stream) {
        alarms_unset(alarms_of(stream), &stream->alarm);
        vu->awaited_stream = NULL;
        vu_wake(vu, WAKE_DONE);
    }
}

static void vu_stream_on_due(struct alarm *alarm, uint64_t now_ns)
{
    struct vu_stream *stream = CONTAINER_OF(alarm, struct vu_stream, alarm);

    (void)now_ns;
    stream->is_due = true;
    vu_stream_tell(stream);
}

static void vu_stream_on_head(void *context, struct http_response *response)
{
    struct vu_stream *stream = context;

    stream->head = *response;
    stream->response = &stream->head;
    vu_stream_tell(stream);
}

static void vu_stream_on_progress(void *context)
{
    vu_stream_tell(context);
}

static void vu_stream_on_done(void *context, struct http_response *response)
{
    struct vu_stream *stream = context;

    stream->end = response;
    if (stream->response == NULL) {
        stream->response = response;
    }
    vu_stream_tell(stream);
}

void vu_stream_open(struct vu *vu, struct vu_stream *stream, const struct http_request *request, bool is_read)
{
    struct http_request streamed = *request;

    streamed.on_head = is_read ? vu_stream_on_head : NULL;
    streamed.on_data = vu_stream_on_progress;
    streamed.on_room = vu_stream_on_progress;
    *stream = (struct vu_stream){.vu = vu,
                                 .next = vu->streams,
                                 .at = &vu->streams,
                                 .events = stream->events,
                                 .began_ns = clock_now_ns()};
    alarm_init(&stream->alarm, vu_stream_on_due);
    if (stream->next != NULL) {
        stream->next->at = &stream->next;
    }
    vu->streams = stream;
    stream->exchange = http_start(vu->http, &streamed, vu_stream_on_done, stream);
}

void vu_stream_await_until(struct vu_stream *stream, uint64_t due_ns)
{
    stream->is_due = false;
    stream->vu->awaited_stream = stream;
    if (due_ns > 0) {
        alarms_set(alarms_of(stream), &stream->alarm, due_ns);
    } else {
        alarms_unset(alarms_of(stream), &stream->alarm);
    }
}

void vu_stream_await(struct vu_stream *stream)
{
    vu_stream_await_until(stream, 0);
}

void vu_stream_close(struct vu_stream *stream)
{
    struct vu *vu = stream->vu;

    if (vu == NULL) {
        return;
    }
    if (vu->awaited_stream == stream) {
        vu->awaited_stream = NULL;
    }
    alarms_unset(alarms_of(stream), &stream->alarm);
    *stream->at = stream->next;
    if (stream->next != NULL) {
        stream->next->at = stream->at;
    }
    http_exchange_free(&stream->exchange);
    stream->response = NULL;
    stream->end = NULL;
    stream->vu = NULL;
}

void vu_streams_drop(struct vu *vu)
{
    while (vu->streams != NULL) {
        vu_stream_close(vu->streams);
    }
}
