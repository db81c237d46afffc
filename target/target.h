/* The practice target: a small HTTP server to try scripts on, with versioned pads. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdint.h>

struct target;

/* Listens at `address` (NULL: 127.0.0.1) and answers from its own threads, so that it can run beside any
 * event loop. Port 0 selects a free one. It accepts as many connections as the open-file limit of the process
 * allows, at most 20,000: raise that limit first if you need many. NULL if it cannot listen there. */
MUST_CHECK struct target *target_start(const char *address, uint16_t port, struct error *error);
/* The same with its plain TCP at `tcp_port`, which GET /tcp tells; 0: a free one, as target_start has it. */
MUST_CHECK struct target *target_start_with_tcp(const char *address, uint16_t port, uint16_t tcp_port,
                                                struct error *error);
uint16_t target_port(const struct target *target);
/* Closes every connection, including those waiting in /delay, and forgets the pads. */
void target_stop(struct target **target);
