/* Queries a driver on this machine for its status until it answers. Never blocks. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>

struct probe {
    int socket; /* -1: none */
    bool has_asked;
    char answer[16];
    size_t size;
};

void probe_init(struct probe *probe);
void probe_close(struct probe *probe);
/* Advances by one step; call it again after a short while. True once "GET /status" was answered with 200. */
MUST_CHECK bool probe_step(struct probe *probe, unsigned port);
/* A port of loopback that was free a moment ago; 0: none. */
MUST_CHECK unsigned probe_free_port(void);
/* Whether loopback has IPv6: containers often have none. */
MUST_CHECK bool probe_has_ipv6(void);
