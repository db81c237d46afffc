/* What an endpoint that an agent dials says: "tcp://HOST:PORT", or "tcp://FROM:PORT;HOST:PORT", where FROM is
 * the address to dial from. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Writes HOST as text, cut to `size`. */
void endpoint_host(const char *endpoint, char *host, size_t size);
/* The port to dial from; 0: the kernel chooses. */
uint16_t endpoint_source_port(const char *endpoint);
