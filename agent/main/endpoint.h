/* What an endpoint that an agent dials says: "tcp://HOST:PORT", or "tcp://FROM:PORT;HOST:PORT", where FROM is
 * the address to dial from. */
#pragma once
#include "common/address.h"

#include <stddef.h>
#include <stdint.h>

/* Writes HOST as text, cut to `size`. */
void endpoint_host(const char *endpoint, char *host, size_t size);
/* The port of HOST. */
uint16_t endpoint_port(const char *endpoint);
/* The same endpoint with `address` in the place of HOST: what is dialled when HOST is a name. Cut to `size`.
 */
void endpoint_at(const char *endpoint, const struct address *address, char *text, size_t size);
/* The port to dial from; 0: the kernel chooses. */
uint16_t endpoint_source_port(const char *endpoint);
