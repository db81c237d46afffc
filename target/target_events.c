/* /events: server-sent events at known intervals. */
#include "target/target_routes.h"

#include "common/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_EVENTS 100000u
#define MAX_EVENT_MS 60000u
#define DEFAULT_INTERVAL_MS 100u
#define EVENT_BYTES 160

/* The events of one response. */
struct event_feed {
    struct target_request *request;
    uint64_t next;
    uint64_t last;  /* of this response */
    uint64_t total; /* of all */
    uint64_t first_ms;
    uint64_t interval_ms;
    uint64_t retry_ms;
    bool has_begun;
    bool has_waited; /* for the next one */
};

static ssize_t feed_events(void *context, uint64_t position, char *chunk, size_t size)
{
    struct event_feed *feed = context;
    struct target_request *request = feed->request;
    uint64_t wait_ms = feed->has_begun ? feed->interval_ms : feed->first_ms;
    char text[EVENT_BYTES];

    (void)position;
    if (feed->next > feed->last) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (!feed->has_waited && wait_ms > 0) {
        feed->has_waited = true;
        bool is_suspended =
            delays_suspend(request->scene->delays, &request->delay, request->connection, wait_ms);
        return is_suspended ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
    }
    int length = feed->has_begun ? 0 : snprintf(text, sizeof text, "retry: %" PRIu64 "\n", feed->retry_ms);
    length += snprintf(text + length, sizeof text - (size_t)length,
                       "id: %" PRIu64 "\ndata: event %" PRIu64 " of %" PRIu64 "\n\n", feed->next, feed->next,
                       feed->total);
    assert(length > 0 && (size_t)length < sizeof text && (size_t)length <= size);
    memcpy(chunk, text, (size_t)length);
    feed->has_begun = true;
    feed->has_waited = false;
    feed->next++;
    return length;
}

static bool read_feed_number(const struct target_request *request, const char *name, uint64_t maximum,
                             uint64_t *number)
{
    const char *text = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);

    return text == NULL || target_number(text, 0, maximum, number);
}

static bool read_feed(struct target_request *request, struct event_feed *feed)
{
    const char *last_id = target_request_header(request, "Last-Event-ID");
    uint64_t before = 0;
    uint64_t cut = MAX_EVENTS;

    *feed = (struct event_feed){
        .request = request, .interval_ms = DEFAULT_INTERVAL_MS, .retry_ms = DEFAULT_INTERVAL_MS};
    if (!target_number(request->argument, 0, MAX_EVENTS, &feed->total) ||
        !read_feed_number(request, "interval", MAX_EVENT_MS, &feed->interval_ms) ||
        !read_feed_number(request, "retry", MAX_EVENT_MS, &feed->retry_ms) ||
        !read_feed_number(request, "cut", MAX_EVENTS, &cut)) {
        return false;
    }
    feed->first_ms = feed->interval_ms;
    if (!read_feed_number(request, "first", MAX_EVENT_MS, &feed->first_ms) ||
        (last_id != NULL && !target_number(last_id, 0, MAX_EVENTS, &before))) {
        return false;
    }
    feed->next = before + 1;
    feed->last = before + cut < feed->total ? before + cut : feed->total;
    return true;
}

enum MHD_Result target_answer_events(struct target_request *request)
{
    struct event_feed read;

    if (!read_feed(request, &read)) {
        return target_answer_text(request, MHD_HTTP_BAD_REQUEST,
                                  "/events/N takes a number up to %u, and ?interval=MS, first=MS, retry=MS "
                                  "and cut=N\n",
                                  MAX_EVENTS);
    }
    if (read.total > 0 && read.next > read.total) {
        return target_answer(request, MHD_HTTP_NO_CONTENT, target_text_response("text/plain", ""));
    }
    struct event_feed *feed = MEMORY_NEW(struct event_feed);
    *feed = read;
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, TARGET_CHUNK_BYTES,
                                                                      feed_events, feed, memory_free);
    if (response == NULL) {
        memory_free(feed);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return target_answer(request, MHD_HTTP_OK, response);
}
