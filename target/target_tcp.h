/* The plain TCP of the practice target: what comes goes back. One thread that serves all connections. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

struct target_tcp;

/* Of them at the same time; further ones are closed at once. */
#define TARGET_TCP_MAX_CONNECTIONS 4096u

/* Starts the thread. Takes `listener`, a socket that listens and does not block, also where it fails. */
MUST_CHECK struct target_tcp *target_tcp_new(int listener, struct error *error);
/* Closes all connections; may be called after target_tcp_new has failed. */
void target_tcp_free(struct target_tcp **tcp);
