/* Takes endpoints apart. */
#include "agent/main/endpoint.h"

#include "common/bytes.h"

#include <stdlib.h>
#include <string.h>

void endpoint_host(const char *endpoint, char *host, size_t size)
{
    const char *from = strstr(endpoint, "://");
    const char *source = strchr(endpoint, ';');
    const char *port = strrchr(endpoint, ':');

    from = source != NULL ? source + 1 : from != NULL ? from + strlen("://") : endpoint;
    bytes_to_text(bytes_of(from, port > from ? (size_t)(port - from) : strlen(from)), host, size);
}

uint16_t endpoint_source_port(const char *endpoint)
{
    const char *end = strchr(endpoint, ';');
    const char *colon = end != NULL ? memrchr(endpoint, ':', (size_t)(end - endpoint)) : NULL;

    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}
