/* The address of this machine that a connection comes from. */
#pragma once
#include "common/address.h"
#include "common/attributes.h"
#include "common/error.h"

/* Binds a socket that is about to connect. It has no port before it connects, so that a port that is in use
 * to one destination is free for another. Returns what the system said; 0: it is bound. */
int source_address_bind(int fd, const struct address *source);
/* Why the result of source_address_bind was not 0. */
void source_address_describe(const struct address *source, int number, char *text, size_t size);
/* Whether this machine has the address; false with an error that says that it does not. */
MUST_CHECK bool source_address_check(const struct address *source, struct error *error);
