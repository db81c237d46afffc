/* One request to the practice target: collecting its body, and the ways to answer it. */
#include "target/target_request.h"

#include "common/digits.h"
#include "common/memory.h"
#include "target/target_sockets.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 512

struct target_request *target_request_new(struct target_scene *scene, struct MHD_Connection *connection)
{
    struct target_request *request = MEMORY_NEW(struct target_request);
    request->scene = scene;
    request->connection = connection;
    buffer_init(&request->body, TARGET_MAX_BODY_BYTES);
    timer_init(&request->delay.timer);
    return request;
}

static void forget_body(struct target_request *request)
{
    atomic_fetch_sub(&request->scene->incoming_bytes, request->counted_bytes);
    request->counted_bytes = 0;
    buffer_finish(&request->body);
}

void target_request_free(struct target_request **request)
{
    if (*request != NULL) {
        forget_body(*request);
        session_release(&(*request)->session);
        if ((*request)->socket != NULL) {
            target_sockets_leave((*request)->scene->sockets, (*request)->socket);
        }
        memory_free(*request);
        *request = NULL;
    }
}

bool target_request_may_send_body(const struct target_request *request)
{
    const char *length = target_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t size = 0;
    if (length == NULL || target_number(length, 0, TARGET_MAX_BODY_BYTES, &size)) {
        return true;
    }
    /* A client that sends Expect: 100-continue has not sent the body yet and gets the answer at once. */
    return target_request_header(request, MHD_HTTP_HEADER_EXPECT) == NULL &&
           target_number(length, 0, TARGET_MAX_DISCARDED_BYTES, &size);
}

bool target_request_add(struct target_request *request, const char *data, size_t size)
{
    struct target_scene *scene = request->scene;
    if (request->refusal == 0) {
        request->counted_bytes += size;
        if (atomic_fetch_add(&scene->incoming_bytes, size) + size > TARGET_MAX_INCOMING_BYTES) {
            request->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
        } else if (!buffer_append(&request->body, data, size)) {
            request->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
        } else {
            return true;
        }
        forget_body(request);
    }
    request->discarded_bytes += size;
    return request->discarded_bytes <= TARGET_MAX_DISCARDED_BYTES;
}

const char *target_request_header(const struct target_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool target_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *number)
{
    uint64_t parsed;
    if (!digits_are(text, &parsed) || parsed < minimum || parsed > maximum) {
        return false;
    }
    *number = parsed;
    return true;
}

enum MHD_Result target_answer_shared(struct target_request *request, unsigned status,
                                     struct MHD_Response *response)
{
    return response != NULL ? MHD_queue_response(request->connection, status, response) : MHD_NO;
}

enum MHD_Result target_answer(struct target_request *request, unsigned status, struct MHD_Response *response)
{
    enum MHD_Result result = target_answer_shared(request, status, response);
    if (response != NULL) {
        MHD_destroy_response(response);
    }
    return result;
}

struct MHD_Response *target_text_response(const char *content_type, const char *text)
{
    /* The cast is safe: with MUST_COPY the library only reads. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    }
    return response;
}

enum MHD_Result target_answer_text(struct target_request *request, unsigned status, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return target_answer(request, status, target_text_response("text/plain; charset=utf-8", line));
}
