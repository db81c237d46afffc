/* How many connections a listening socket of ZeroMQ has, and a door that closes in time. ZeroMQ has no limit
 * of its own: where it cannot accept for want of a descriptor it tries again without a pause. So while there
 * are as many as the process can afford, the kernel drops what comes: those who dial try again by themselves.
 */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>

struct socket_admission {
    int listener; /* borrowed from ZeroMQ; -1 before it listens */
    size_t open;
    size_t capacity;
    bool is_shut;
};

/* How many connections may wait to be accepted; as a descriptor is there for each. */
int socket_admission_backlog(void);

void socket_admission_init(struct socket_admission *admission);
/* `descriptor` listens from now on. */
void socket_admission_listening(struct socket_admission *admission, int descriptor);
/* One more. Whether the door has been shut by that. */
MUST_CHECK bool socket_admission_accepted(struct socket_admission *admission);
/* One less. */
void socket_admission_disconnected(struct socket_admission *admission);
