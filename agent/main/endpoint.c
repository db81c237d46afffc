/* Takes endpoints apart. */
#include "agent/main/endpoint.h"

#include "common/bytes.h"

#include <stdio.h>
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

uint16_t endpoint_port(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');

    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

void endpoint_at(const char *endpoint, const struct address *address, char *text, size_t size)
{
    const char *scheme = strstr(endpoint, "://");
    const char *source = strchr(endpoint, ';');
    const char *host = source != NULL ? source + 1 : scheme != NULL ? scheme + strlen("://") : endpoint;
    const char *port = strrchr(endpoint, ':');
    bool is_v4 = address_is_v4(address);
    char literal[ADDRESS_TEXT_BYTES];

    address_text(address, literal);
    (void)snprintf(text, size, "%.*s%s%s%s%s", (int)(host - endpoint), endpoint, is_v4 ? "" : "[", literal,
                   is_v4 ? "" : "]", port > host ? port : "");
}

uint16_t endpoint_source_port(const char *endpoint)
{
    const char *end = strchr(endpoint, ';');
    const char *colon = end != NULL ? memrchr(endpoint, ':', (size_t)(end - endpoint)) : NULL;

    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}
