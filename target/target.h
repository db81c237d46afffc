/* The practice target: a small HTTP server to try scripts on, with pads that know their version. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdint.h>

struct target;

/* Listens at `address` (NULL: 127.0.0.1) and answers from threads of its own, so that it can live beside any
 * event loop. Port 0 takes a free one. It accepts as many connections as the open-file limit of the process
 * has room for, 20,000 at most: whoever wants many raises that limit first. NULL if it cannot listen there.
 */
MUST_CHECK struct target *target_start(const char *address, uint16_t port, struct error *error);
uint16_t target_port(const struct target *target);
/* Closes every connection, also those that wait in /delay, and forgets the pads. */
void target_stop(struct target **target);
