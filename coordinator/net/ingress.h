/* The coordinator's door: who gets in by which key, who may speak for whom, and what was refused. Looks once
 * a second whether the list of keys has changed, and tells of refusals as often. */
#pragma once
#include "coordinator/net/credentials.h"
#include "coordinator/net/refusals.h"
#include "proto/socket/socket.h"

#include <stdint.h>
#include <uv.h>

struct ingress;

struct ingress_callbacks {
    /* The key of this incarnation was revoked: nothing of it is let in any more. It may still be told so. */
    void (*on_revoked)(void *context, uint64_t incarnation);
    void (*on_log)(void *context, enum log_level level, const char *text);
    void *context;
};

/* `gate` NULL: whoever comes gets in. Else taken. */
MUST_CHECK struct ingress *ingress_new(struct credentials **credentials,
                                       const struct ingress_callbacks *callbacks);
/* What the socket needs to ask us; NULL without keys. Borrowed until door_start. */
const struct socket_server_keys *ingress_keys(struct ingress *ingress);
/* The socket has its keys, and the loop will run. */
void ingress_start(struct ingress *ingress, uv_loop_t *loop);
/* Of one that was not started; NULL is tolerated. */
void ingress_free(struct ingress **ingress);
/* Of one that was. No callback but on_closed comes any more, and that when the memory has gone. */
void ingress_close(struct ingress **ingress, void (*on_closed)(void *context), void *context);

/* Whether the connection may speak for this incarnation, which is then reached by it. Sets `key_name`: who it
 * is by its key, empty without keys; borrowed until the loop runs on. */
MUST_CHECK bool ingress_lets_speak(struct ingress *ingress, uint64_t incarnation,
                                   const struct socket_sender *from, struct bytes *key_name);
/* By which connection it is reached; empty if by none. Borrowed until the next change. */
struct bytes ingress_route(const struct ingress *ingress, uint64_t incarnation);
void ingress_forget(struct ingress *ingress, uint64_t incarnation);

/* As socket_callbacks.on_trouble. */
void ingress_trouble(struct ingress *ingress, enum socket_trouble trouble, const char *address);
void ingress_refuse(struct ingress *ingress, enum refusal refusal);
const struct refusals *ingress_refusals(const struct ingress *ingress);
