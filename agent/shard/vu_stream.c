/* Responses that a worker reads while they come. */
#include "agent/shard/vu_stream.h"

#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu_task.h"
#include "common/clock.h"

static void vu_stream_tell(struct vu_stream *stream)
{
    for (struct vu *vu = stream->vu; vu != NULL; vu = vu_tasks_after(vu)) {
        if (vu->awaited_stream == stream) {
            vu->awaited_stream = NULL;
            alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
            vu_wake(vu, WAKE_DONE);
        }
    }
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
    *stream = (struct vu_stream){.vu = vu->shared->main,
                                 .next = vu->shared->streams,
                                 .at = &vu->shared->streams,
                                 .events = stream->events,
                                 .began_ns = clock_now_ns()};
    if (stream->next != NULL) {
        stream->next->at = &stream->next;
    }
    vu->shared->streams = stream;
    stream->exchange = http_start(vu->shared->http, &streamed, vu_stream_on_done, stream);
}

void vu_stream_await_until(struct vu *vu, struct vu_stream *stream, uint64_t due_ns)
{
    vu->awaited_stream = stream;
    if (due_ns > 0) {
        alarms_set(shard_alarms(vu->campaign->shard), &vu->alarm, due_ns);
    }
}

void vu_stream_await(struct vu *vu, struct vu_stream *stream)
{
    vu_stream_await_until(vu, stream, 0);
}

void vu_stream_close(struct vu_stream *stream)
{
    if (stream->vu == NULL) {
        return;
    }
    vu_stream_tell(stream);
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
    while (vu->shared->streams != NULL) {
        vu_stream_close(vu->shared->streams);
    }
}
