/* Limits how many connections a listening socket of ZeroMQ has, closing it off in time. ZeroMQ has no limit
 * of its own: when it cannot accept because there is no descriptor left, it retries without a pause. So while
 * there are as many connections as the process can afford, the kernel drops new ones: clients retry by
 * themselves. */
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

/* How many connections may wait to be accepted, such that there is a descriptor for each. */
int socket_admission_backlog(void);

void socket_admission_init(struct socket_admission *admission);
/* `descriptor` listens from now on. */
void socket_admission_listening(struct socket_admission *admission, int descriptor);
/* Counts one more connection. Returns whether that closed off the listener. */
MUST_CHECK bool socket_admission_accepted(struct socket_admission *admission);
/* Counts one connection less. */
void socket_admission_disconnected(struct socket_admission *admission);
