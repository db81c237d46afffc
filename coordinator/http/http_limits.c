/* Closes connections of the HTTP server that are too many, or take too long. */
#include "coordinator/http/http_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Longer than any response that is written directly to a socket. */
#define DISMISSAL_BYTES 512
/* Maximum sleep, so that the timer, which uv counts in whole milliseconds, is never late by more. */
#define DEADLINE_SLACK_MS 1u

uint64_t http_now_ms(const struct http *http)
{
    uv_update_time(http->timer.loop);
    return uv_now(http->timer.loop);
}

/* Closes it, with one line of JSON if it can still be read. */
static void http_dismiss(struct http_client *http_client, unsigned status, const char *json)
{
    char text[DISMISSAL_BYTES];
    int descriptor = http_client_descriptor(http_client);
    enum http_client_state state = http_client_state(http_client);
    if (state == HTTP_CLIENT_CALLING || state == HTTP_CLIENT_SENDING) {
        int size = snprintf(text, sizeof text,
                            "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            status, MHD_get_reason_phrase_for(status), strlen(json), json);
        assert(size > 0 && (size_t)size < sizeof text);
        (void)send(descriptor, text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    http_client_dismiss(http_client);
    (void)shutdown(descriptor, SHUT_RDWR);
}

static void http_dismiss_one_too_many(struct http_client *http_client)
{
    http_dismiss(http_client, MHD_HTTP_SERVICE_UNAVAILABLE,
                 "{\"error\":\"too many connections; try again\"}");
}

static void http_on_deadline(uv_timer_t *timer)
{
    struct http *http = (struct http *)timer->data;
    struct http_client *http_client = NULL;
    while ((http_client = http_clients_overdue(http->http_clients, http_now_ms(http))) != NULL) {
        if (http_client_is_turned_away(http_client)) {
            http_dismiss_one_too_many(http_client);
        } else {
            http_dismiss(http_client, MHD_HTTP_REQUEST_TIMEOUT, "{\"error\":\"the request took too long\"}");
        }
    }
    http_arm_deadline(http);
}

void http_arm_deadline(struct http *http)
{
    uint64_t due_ms = http_clients_due_ms(http->http_clients);
    if (due_ms == UINT64_MAX) {
        (void)uv_timer_stop(&http->deadline);
        return;
    }
    uint64_t now_ms = http_now_ms(http);
    (void)uv_timer_start(&http->deadline, http_on_deadline,
                         due_ms > now_ms ? due_ms - now_ms + DEADLINE_SLACK_MS : 0, 0);
}

void http_on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                        enum MHD_ConnectionNotificationCode code)
{
    struct http *http = (struct http *)context;
    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        http_clients_leave(http->http_clients, (struct http_client **)socket_context);
        return;
    }
    struct http_client *victim = NULL;
    struct address peer;
    int descriptor = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    (void)address_of_socket(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, &peer);
    *socket_context = http_clients_come(http->http_clients, &peer, descriptor, http_now_ms(http), &victim);
    if (victim != NULL) {
        http_dismiss_one_too_many(victim);
    }
}
