/* The sockets of curl's connections on the loop. Curl requests events again for every request; the poll of an
 * idle connection is left as it is, which saves two system calls each time, and notices what comes unasked.
 */
#pragma once
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct curl_socket;

struct curl_sockets {
    uv_loop_t *loop;
    struct curl_socket **items; /* indexed by descriptor */
    size_t capacity;
    uint64_t used_ns; /* in this turn of the loop */
    bool is_held;     /* no events are wanted, whatever curl has asked for */
    /* A socket is ready; `flags` are CURL_CSELECT_…. It may close sockets, this one too. */
    void (*on_ready)(void *context, curl_socket_t socket, int flags);
    void *context;
};

/* Those of one client. Zeroed: none. */
struct curl_socket_list {
    struct curl_socket *first;
};

void curl_sockets_init(struct curl_sockets *sockets, uv_loop_t *loop,
                       void (*on_ready)(void *context, curl_socket_t socket, int flags), void *context);
/* Curl has closed all of its sockets. */
void curl_sockets_finish(struct curl_sockets *sockets);
/* Before the loop looks at the sockets: for some of those that are ready at once on_ready comes in a later
 * turn, so that others have theirs. */
void curl_sockets_begin_turn(struct curl_sockets *sockets);
void curl_sockets_hold(struct curl_sockets *sockets);
void curl_sockets_go_on(struct curl_sockets *sockets);
/* Curl wants these CURL_POLL_… of a socket that is used for a request of `owner`. */
void curl_sockets_want(struct curl_sockets *sockets, struct curl_socket_list *owner, curl_socket_t socket,
                       int what);
/* Curl waits for nothing on it until it says so again. */
void curl_sockets_rest(struct curl_sockets *sockets, curl_socket_t socket);
/* A socket was made. Curl closes those that never connected without a word: what is known of the number was
 * of another one, and the loop no longer has it. */
void curl_sockets_opened(struct curl_sockets *sockets, curl_socket_t socket);
/* Whether it is of a connection that has not come about yet. */
bool curl_sockets_is_connecting(struct curl_sockets *sockets, curl_socket_t socket);
/* Closes it, and forgets it. */
int curl_sockets_close(struct curl_sockets *sockets, curl_socket_t socket);

/* Resets them at once: what is in the kernel's buffers is not sent, and nothing can be written any more. */
void curl_socket_list_reset(const struct curl_socket_list *list);
/* Resets idle ones on which something has come, were it the end: curl does not use those again. */
void curl_socket_list_drop_stale(const struct curl_socket_list *list);
/* Ends idle ones: curl closes them when it looks for a connection the next time. */
void curl_socket_list_hang_up(const struct curl_socket_list *list);
/* Whether one of them is not in use. */
bool curl_socket_list_has_idle(const struct curl_socket_list *list);
/* Their owner goes away. */
void curl_socket_list_finish(struct curl_socket_list *list);
