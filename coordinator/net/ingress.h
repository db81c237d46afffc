/* Access control of the agents' port: which keys are accepted, which connection may speak for which agent,
 * and what was refused. Once a second it checks whether the list of keys has changed, and reports
 * refusals. */
#pragma once
#include "coordinator/net/credentials.h"
#include "coordinator/net/refusals.h"
#include "proto/socket/socket.h"

#include <stdint.h>
#include <uv.h>

struct ingress;

struct ingress_callbacks {
    /* The key of this incarnation was revoked: no frame of it is accepted any more. It may still be told
     * so. */
    void (*on_revoked)(void *context, uint64_t incarnation);
    void (*on_log)(void *context, enum log_level level, const char *text);
    void *context;
};

/* NULL: every connection is accepted. Else ownership is taken. */
MUST_CHECK struct ingress *ingress_new(struct credentials **credentials,
                                       const struct ingress_callbacks *callbacks);
/* The socket's callback to check keys; NULL without keys. Borrowed until ingress_start. */
const struct socket_server_keys *ingress_keys(struct ingress *ingress);
/* The socket has its keys, and the loop is about to run. */
void ingress_start(struct ingress *ingress, uv_loop_t *loop);
/* For one that was not started; NULL is tolerated. */
void ingress_free(struct ingress **ingress);
/* For one that was started. There are no more callbacks but on_closed, which is called when the memory has
 * been freed. */
void ingress_close(struct ingress **ingress, void (*on_closed)(void *context), void *context);

/* Whether the connection may speak for this incarnation, which is then reached through it. Sets `key_name` to
 * the name of its key, empty without keys; borrowed until the loop continues. */
MUST_CHECK bool ingress_lets_speak(struct ingress *ingress, uint64_t incarnation,
                                   const struct socket_sender *from, struct bytes *key_name);
/* The connection through which it is reached; empty if there is none. Borrowed until the next change. */
struct bytes ingress_route(const struct ingress *ingress, uint64_t incarnation);
void ingress_forget(struct ingress *ingress, uint64_t incarnation);

/* As socket_callbacks.on_trouble. */
void ingress_trouble(struct ingress *ingress, enum socket_trouble trouble, const char *address);
void ingress_refuse(struct ingress *ingress, enum refusal refusal);
const struct refusals *ingress_refusals(const struct ingress *ingress);
