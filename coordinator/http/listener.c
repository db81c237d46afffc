/* Addresses to listen on. */
#include "coordinator/http/listener.h"

#include "common/address.h"
#include "common/bytes.h"
#include "common/digits.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512
#define PORT_TEXT_BYTES 8
#define PORT_DIGITS 5
#define PORT_MAX 65535u

bool listener_parse(const char *text, struct listener_address *address, struct error *error)
{
    const char *colon = strrchr(text, ':');
    const char *end = colon != NULL ? colon + 1 : "";
    uint64_t port = PORT_MAX + 1;
    bool is_number = digits_read(&end, &port) && end - colon <= 1 + PORT_DIGITS;
    size_t host = colon != NULL ? (size_t)(colon - text) : 0;
    bool is_bracketed = host > 2 && text[0] == '[' && text[host - 1] == ']';
    bool is_plain =
        host > 0 && memchr(text, ':', host) == NULL && memchr(text, '/', host) == NULL && text[0] != '[';
    if (host >= LISTENER_HOST_BYTES || !(is_bracketed || is_plain) || !is_number || *end != '\0' ||
        port > PORT_MAX) {
        return error_set(error, "\"%.80s\" is not an address like 127.0.0.1:7441 or [::1]:7441", text);
    }
    size_t edge = is_bracketed ? 1 : 0;
    bytes_to_text(bytes_of(text + edge, host - 2 * edge), address->host, sizeof address->host);
    address->port = (uint16_t)port;
    return true;
}

static struct addrinfo *resolve(const struct listener_address *address, int *failure)
{
    char service[PORT_TEXT_BYTES];
    (void)snprintf(service, sizeof service, "%u", address->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *host = strcmp(address->host, "*") == 0 ? NULL : address->host;
    *failure = getaddrinfo(host, service, &hints, &found);
    return *failure == 0 ? found : NULL;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

bool listener_is_loopback(const struct listener_address *address)
{
    int failure = 0;
    struct addrinfo *found = resolve(address, &failure);
    bool is_all_loopback = found != NULL;
    for (const struct addrinfo *each = found; each != NULL; each = each->ai_next) {
        is_all_loopback = is_all_loopback && is_loopback(each->ai_addr);
    }
    if (found != NULL) {
        freeaddrinfo(found);
    }
    return is_all_loopback;
}

static bool listener_refuse(const struct listener_address *address, int number, struct error *error)
{
    switch (number) {
    case EADDRINUSE:
        return error_set(error, "port %u of %s is in use by another program", address->port, address->host);
    case EADDRNOTAVAIL:
        return error_set(error, "cannot listen on port %u of %s: this machine has no such address",
                         address->port, address->host);
    case EACCES:
        return error_set(error, "cannot listen on port %u of %s: not permitted", address->port,
                         address->host);
    default:
        return error_set_system(error, number, "cannot listen on port %u of %s", address->port,
                                address->host);
    }
}

/* Returns 0, or the error number. */
static int open_first(const struct addrinfo *found, int *descriptor)
{
    int yes = 1;
    *descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*descriptor < 0 || setsockopt(*descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(*descriptor, found->ai_addr, found->ai_addrlen) != 0 || listen(*descriptor, BACKLOG) != 0) {
        return errno;
    }
    return 0;
}

int listener_open(const struct listener_address *address, struct error *error)
{
    int failure = 0;
    int descriptor = -1;
    struct addrinfo *found = resolve(address, &failure);
    if (found == NULL) {
        (void)error_set(error, "cannot listen on %s: %s", address->host, gai_strerror(failure));
        return -1;
    }
    int number = open_first(found, &descriptor);
    freeaddrinfo(found);
    if (number == 0) {
        return descriptor;
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    (void)listener_refuse(address, number, error);
    return -1;
}

uint16_t listener_port(int descriptor)
{
    return address_local_port(descriptor);
}
