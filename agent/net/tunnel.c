/* The handshake with an HTTP proxy that makes a tunnel of a connection. */
#include "agent/net/tunnel.h"

#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

#define END "\r\n\r\n"

void tunnel_init(struct tunnel *tunnel)
{
    *tunnel = (struct tunnel){.status = 0};
    buffer_init(&tunnel->head, TUNNEL_HEAD_MAX_BYTES);
}

void tunnel_finish(struct tunnel *tunnel)
{
    buffer_finish(&tunnel->head);
}

void tunnel_ask(struct buffer *into, const char *host, uint16_t port, const char *authorization)
{
    bool is_v6 = strchr(host, ':') != NULL;
    const char *open = is_v6 ? "[" : "";
    const char *close = is_v6 ? "]" : "";

    buffer_append_format(into, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n", open, host, close, port,
                         open, host, close, port);
    buffer_append_format(into, "User-Agent: tutti/" TUTTI_VERSION "\r\n");
    if (authorization != NULL) {
        buffer_append_format(into, "Proxy-Authorization: %s\r\n", authorization);
    }
    buffer_append_string(into, "\r\n");
}

/* "HTTP/1.1 200 …"; 0: it is nothing of the kind. */
static uint16_t tunnel_status_of(struct bytes head)
{
    static const char begin[] = "HTTP/1.";
    const uint8_t *at = head.data + sizeof begin - 1;
    unsigned status = 0;

    if (head.size < sizeof "HTTP/1.1 200\r\n" - 1 || memcmp(head.data, begin, sizeof begin - 1) != 0 ||
        at[0] < '0' || at[0] > '9' || at[1] != ' ' || (at[5] != ' ' && at[5] != '\r')) {
        return 0;
    }
    for (int i = 2; i < 5; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return 0;
        }
        status = status * 10 + (unsigned)(at[i] - '0');
    }
    return status >= 100 ? (uint16_t)status : 0;
}

/* Where the head ends, or its size. */
static size_t tunnel_end(struct bytes head)
{
    const uint8_t *found = memmem(head.data, head.size, END, sizeof END - 1);
    return found != NULL ? (size_t)(found - head.data) + sizeof END - 1 : head.size;
}

static enum tunnel_result tunnel_refuse(struct tunnel *tunnel)
{
    struct bytes head = buffer_bytes(&tunnel->head);
    const uint8_t *end = memchr(head.data, '\r', head.size);
    size_t size = end != NULL ? (size_t)(end - head.data) : 0;
    const size_t before = sizeof "HTTP/1.1 " - 1;

    if (tunnel->status == 0) {
        snprintf(tunnel->text, sizeof tunnel->text, "its answer is not HTTP");
        return TUNNEL_REFUSED;
    }
    char line[80];
    bytes_to_text(bytes_of(head.data + before, size - before), line, sizeof line);
    if (!bytes_is_printable(bytes_of_string(line))) {
        snprintf(line, sizeof line, "%u", tunnel->status);
    }
    snprintf(tunnel->text, sizeof tunnel->text, "it answered %s%s", line,
             tunnel->status == 407 ? " (proxy = \"http://user:password@host:port\")" : "");
    return TUNNEL_REFUSED;
}

enum tunnel_result tunnel_take(struct tunnel *tunnel, struct bytes data, size_t *used)
{
    size_t before = tunnel->head.size;
    size_t room = TUNNEL_HEAD_MAX_BYTES - before;
    size_t size = data.size < room ? data.size : room;

    (void)buffer_append(&tunnel->head, data.data, size);
    struct bytes head = buffer_bytes(&tunnel->head);
    size_t end = tunnel_end(head);
    bool is_whole =
        end >= sizeof END - 1 && memcmp(head.data + end - (sizeof END - 1), END, sizeof END - 1) == 0;
    *used = end - before;
    tunnel->head.size = end;
    if (!is_whole) {
        if (end < TUNNEL_HEAD_MAX_BYTES) {
            return TUNNEL_MORE;
        }
        snprintf(tunnel->text, sizeof tunnel->text, "the head of its answer is larger than %u bytes",
                 TUNNEL_HEAD_MAX_BYTES);
        return TUNNEL_REFUSED;
    }
    tunnel->status = tunnel_status_of(buffer_bytes(&tunnel->head));
    if (tunnel->status >= 200 && tunnel->status < 300) {
        return TUNNEL_OPEN;
    }
    if (tunnel->status >= 100 && tunnel->status < 200 && tunnel->status != 101) {
        tunnel->head.size = 0; /* it only informs: the answer is still to come */
        return TUNNEL_MORE;
    }
    return tunnel_refuse(tunnel);
}
