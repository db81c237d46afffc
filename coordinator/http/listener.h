/* Addresses to listen on: parsing them, whether they are local to this machine, and opening their socket. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdint.h>

#define LISTENER_HOST_BYTES 256

struct listener_address {
    char host[LISTENER_HOST_BYTES]; /* without brackets; "*" for all */
    uint16_t port;
};

/* "127.0.0.1:7441", "[::1]:7441", "*:7441", a name and a port; port 0 selects a free one. */
MUST_CHECK bool listener_parse(const char *text, struct listener_address *address, struct error *error);
/* Whether only this machine can reach it. A name must resolve to such addresses only. */
bool listener_is_loopback(const struct listener_address *address);
/* A non-blocking listening descriptor, or -1. */
MUST_CHECK int listener_open(const struct listener_address *address, struct error *error);
/* The actual port of a descriptor. */
uint16_t listener_port(int descriptor);
