/* /socket.io/ by requests: polls, what is sent, and the handshakes of both transports. */
#include "common/digits.h"
#include "target/target_routes.h"
#include "target/target_sessions.h"

#include <string.h>

#define PAYLOAD_MAX_BYTES (SESSION_MAX_UNSENT_BYTES * 2u)
#define LONGEST_MS 3600000u
#define SEPARATOR 0x1e

static const char *session_argument(const struct target_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result refuse_session(struct target_request *request, int code, const char *why)
{
    return target_answer_text(request, MHD_HTTP_BAD_REQUEST, "{\"code\":%d,\"message\":\"%s\"}", code, why);
}

static bool session_time(const struct target_request *request, const char *name, uint64_t fallback_ms,
                         uint64_t *time_ms)
{
    const char *text = session_argument(request, name);
    *time_ms = fallback_ms;
    return text == NULL || target_number(text, 1, LONGEST_MS, time_ms);
}

/* The version, the intervals and the session of the query; false: it was answered, with `result`. */
static bool session_identify(struct target_request *request, enum MHD_Result *result)
{
    const char *version = session_argument(request, "EIO");
    const char *sid = session_argument(request, "sid");
    if (version == NULL || (strcmp(version, "3") != 0 && strcmp(version, "4") != 0)) {
        *result = refuse_session(request, 5, "Unsupported protocol version");
        return false;
    }
    request->plan.version = version[0] == '3' ? 3 : 4;
    if (!session_time(request, "interval", SESSION_INTERVAL_MS, &request->plan.interval_ms) ||
        !session_time(request, "timeout", SESSION_TIMEOUT_MS, &request->plan.timeout_ms)) {
        *result = refuse_session(request, 3, "interval and timeout are milliseconds");
        return false;
    }
    if (sid == NULL) {
        return true;
    }
    request->session = sessions_find(request->scene->sessions, sid);
    if (request->session == NULL || session_version(request->session) != request->plan.version) {
        *result = refuse_session(request, 1, "Session ID unknown");
        return false;
    }
    return true;
}

static enum MHD_Result answer_payload(struct target_request *request)
{
    struct buffer payload SCOPED(buffer_finish);
    buffer_init(&payload, PAYLOAD_MAX_BYTES);
    session_take_payload(request->session, &payload);
    struct MHD_Response *response =
        target_text_response("text/plain; charset=UTF-8", buffer_string(&payload));
    return target_answer(request, MHD_HTTP_OK, response);
}

static enum MHD_Result answer_poll(struct target_request *request)
{
    if (request->session == NULL) {
        request->session = sessions_open(request->scene->sessions, &request->plan);
    }
    if (request->session == NULL) {
        return MHD_NO;
    }
    switch (session_poll(request->session, request->connection)) {
    case SESSION_POLL_WAITS:
        request->has_waited = true;
        return MHD_YES;
    case SESSION_POLL_TWICE:
        return refuse_session(request, 3, "a poll waits already");
    case SESSION_POLL_READY:
        break;
    }
    return answer_payload(request);
}

enum MHD_Result target_answer_session_get(struct target_request *request)
{
    const char *transport = session_argument(request, "transport");
    enum MHD_Result result = MHD_YES;
    if (request->has_waited) {
        return answer_payload(request);
    }
    if (!session_identify(request, &result)) {
        return result;
    }
    request->plan.is_websocket = transport != NULL && strcmp(transport, "websocket") == 0;
    if (request->plan.is_websocket) {
        return target_answer_socket(request);
    }
    if (transport == NULL || strcmp(transport, "polling") != 0) {
        return refuse_session(request, 0, "Transport unknown");
    }
    return answer_poll(request);
}

/* Moves `rest` past a packet of version 4, and gives that; false: there is none after the separator. */
static bool split_packet(struct bytes *rest, struct bytes *packet)
{
    const uint8_t *end = memchr(rest->data, SEPARATOR, rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    *packet = bytes_of(rest->data, size);
    size += end != NULL ? 1 : 0;
    *rest = bytes_of(rest->data + size, rest->size - size);
    return end == NULL || rest->size > 0;
}

/* The same of version 3, where its length in units of UTF-16 stands before it; false: it does not. */
static bool split_counted_packet(struct bytes *rest, struct bytes *packet)
{
    uint64_t units = 0;
    size_t at = 0;
    while (at < rest->size && at < 9 && rest->data[at] >= '0' && rest->data[at] <= '9') {
        units = units * 10 + (rest->data[at++] - (uint64_t)'0');
    }
    if (at == 0 || at >= rest->size || rest->data[at] != ':') {
        return false;
    }
    size_t begin = ++at;
    while (at < rest->size && (units > 0 || (rest->data[at] & 0xC0u) == 0x80u)) {
        uint8_t byte = rest->data[at++];
        uint64_t width = (byte & 0xC0u) == 0x80u ? 0 : (byte >= 0xF0u ? 2 : 1);
        units -= width < units ? width : units;
    }
    *packet = bytes_of(rest->data + begin, at - begin);
    *rest = bytes_of(rest->data + at, rest->size - at);
    return units == 0;
}

enum MHD_Result target_answer_session_post(struct target_request *request)
{
    enum MHD_Result result = MHD_YES;
    struct bytes rest = buffer_bytes(&request->body);
    struct bytes packet = {0};
    bool is_right = rest.size > 0;
    if (!session_identify(request, &result)) {
        return result;
    }
    if (request->session == NULL) {
        return refuse_session(request, 1, "Session ID unknown");
    }
    while (is_right && rest.size > 0) {
        is_right = (request->plan.version == 3 ? split_counted_packet : split_packet)(&rest, &packet) &&
                   session_receive(request->session, packet);
        is_right = is_right || (packet.size == 1 && packet.data[0] == '1'); /* the client's goodbye */
    }
    if (!is_right) {
        session_end(request->session);
        return refuse_session(request, 3, "Bad request");
    }
    return target_answer(request, MHD_HTTP_OK, target_text_response("text/html", "ok"));
}
