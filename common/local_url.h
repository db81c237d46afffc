/* Whether a URL leads to this host. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether one like http://127.0.0.1:7441/path means this host, and which port of it. */
bool local_url_port(const char *url, uint16_t *port);
