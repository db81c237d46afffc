/* The coordinator's door: who gets in by which key, who may speak for whom, and what was refused. Looks once
 * a second whether the list of keys has changed, and tells of refusals as often. */
#pragma once
#include "coordinator/net/gate.h"
#include "coordinator/net/refusals.h"
#include "proto/socket/socket.h"

#include <stdint.h>
#include <uv.h>

struct door;

struct door_callbacks {
    /* The key of this incarnation was revoked: nothing of it is let in any more. It may still be told so. */
    void (*on_revoked)(void *context, uint64_t incarnation);
    void (*on_log)(void *context, enum log_level level, const char *text);
    void *context;
};

/* `gate` NULL: whoever comes gets in. Else taken. */
MUST_CHECK struct door *door_new(struct gate **gate, const struct door_callbacks *callbacks);
/* What the socket needs to ask us; NULL without keys. Borrowed until door_start. */
const struct socket_server_keys *door_keys(struct door *door);
/* The socket has its keys, and the loop will run. */
void door_start(struct door *door, uv_loop_t *loop);
/* Of one that was not started; NULL is tolerated. */
void door_free(struct door **door);
/* Of one that was. No callback but on_closed comes any more, and that when the memory has gone. */
void door_close(struct door **door, void (*on_closed)(void *context), void *context);

/* Whether the connection may speak for this incarnation, which is then reached by it. Sets `key_name`: who it
 * is by its key, empty without keys; borrowed until the loop runs on. */
MUST_CHECK bool door_lets_speak(struct door *door, uint64_t incarnation, const struct socket_sender *from,
                                struct bytes *key_name);
/* By which connection it is reached; empty if by none. Borrowed until the next change. */
struct bytes door_route(const struct door *door, uint64_t incarnation);
void door_forget(struct door *door, uint64_t incarnation);

void door_trouble(struct door *door, enum socket_trouble trouble);
void door_refuse(struct door *door, enum refusal refusal);
const struct refusals *door_refusals(const struct door *door);
