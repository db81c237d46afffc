/* Responses that a worker reads while they come. */
#include "agent/shard/vu_stream.h"

#include "agent/shard/vu.h"

static void vu_stream_tell(struct vu_stream *stream)
{
    struct vu *vu = stream->vu;

    if (vu->awaited_stream == stream) {
        vu->awaited_stream = NULL;
        vu_wake(vu, WAKE_DONE);
    }
}

static void vu_stream_on_head(void *context, struct http_response *response)
{
    struct vu_stream *stream = context;

    stream->response = response;
    vu_stream_tell(stream);
}

static void vu_stream_on_progress(void *context)
{
    vu_stream_tell(context);
}

static void vu_stream_on_done(void *context, struct http_response *response)
{
    struct vu_stream *stream = context;

    stream->response = response;
    stream->is_done = true;
    vu_stream_tell(stream);
}

void vu_stream_open(struct vu *vu, struct vu_stream *stream, const struct http_request *request, bool is_read)
{
    struct http_request streamed = *request;

    streamed.on_head = is_read ? vu_stream_on_head : NULL;
    streamed.on_data = vu_stream_on_progress;
    streamed.on_room = vu_stream_on_progress;
    *stream = (struct vu_stream){.vu = vu, .next = vu->streams, .at = &vu->streams};
    if (stream->next != NULL) {
        stream->next->at = &stream->next;
    }
    vu->streams = stream;
    stream->exchange = http_start(vu->http, &streamed, vu_stream_on_done, stream);
}

void vu_stream_await(struct vu_stream *stream)
{
    stream->vu->awaited_stream = stream;
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
    *stream->at = stream->next;
    if (stream->next != NULL) {
        stream->next->at = stream->at;
    }
    http_exchange_free(&stream->exchange);
    stream->response = NULL;
    stream->vu = NULL;
}

void vu_streams_drop(struct vu *vu)
{
    while (vu->streams != NULL) {
        vu_stream_close(vu->streams);
    }
}
