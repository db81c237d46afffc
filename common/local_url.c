/* Whether a URL leads to this host. */
#include "common/local_url.h"

#include "common/address.h"
#include "common/digits.h"

#include <string.h>
#include <strings.h>

#define PORT_DIGITS 5
#define PORT_MAX 65535u

static size_t local_url_host(const char *host)
{
    return *host == '[' ? strcspn(host, "]") + (strchr(host, ']') != NULL) : strcspn(host, ":/");
}

bool local_url_port(const char *url, uint16_t *port)
{
    const char *host = strstr(url, "://");
    if (host == NULL) {
        return false;
    }
    host += strlen("://");
    size_t size = local_url_host(host);
    const char *rest = host + size;
    bool has_port = *rest == ':';
    uint64_t number = 0;
    const char *digits = rest + 1;
    rest = has_port ? digits : rest;
    bool is_port = has_port && digits_read(&rest, &number) && rest - digits <= PORT_DIGITS && number > 0 &&
                   number <= PORT_MAX;
    if ((*rest != '\0' && *rest != '/') || has_port != is_port) {
        return false;
    }
    uint64_t usual = strncmp(url, "https:", strlen("https:")) == 0 ? 443 : 80;
    *port = (uint16_t)(has_port ? number : usual);
    struct address address;
    struct bytes name = bytes_of(host, size);
    return address_parse(name, &address)
               ? address_is_loopback(&address)
               : size == strlen("localhost") && strncasecmp(host, "localhost", size) == 0;
}
