/* A request that fits one packet, and the first line of its response. */
#include "agent/browser/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* geckodriver requires the port in the Host header. */
static const char request_format[] =
    "GET /status HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n";
static const char answer[] = "HTTP/1.1 200";

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

void probe_init(struct probe *probe)
{
    *probe = (struct probe){.socket = -1};
}

void probe_close(struct probe *probe)
{
    if (probe->socket >= 0) {
        (void)close(probe->socket);
    }
    probe_init(probe);
}

static void probe_begin(struct probe *probe, unsigned port)
{
    struct sockaddr_in address = loopback(port);

    probe->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe->socket >= 0 &&
        connect(probe->socket, (const struct sockaddr *)&address, sizeof address) != 0 &&
        errno != EINPROGRESS) {
        probe_close(probe);
    }
}

static void probe_ask(struct probe *probe, unsigned port)
{
    char request[sizeof request_format + 8];
    int size = snprintf(request, sizeof request, request_format, port);
    struct pollfd writable = {.fd = probe->socket, .events = POLLOUT};

    if (poll(&writable, 1, 0) <= 0) {
        return;
    }
    if (send(probe->socket, request, (size_t)size, MSG_NOSIGNAL) == (ssize_t)size) {
        probe->has_asked = true;
    } else {
        probe_close(probe);
    }
}

static bool listen_to(struct probe *probe)
{
    ssize_t size =
        recv(probe->socket, probe->answer + probe->size, sizeof probe->answer - probe->size, MSG_DONTWAIT);

    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (size <= 0) {
        probe_close(probe);
        return false;
    }
    probe->size += (size_t)size;
    if (probe->size < sizeof answer - 1) {
        return false;
    }
    bool is_ready = memcmp(probe->answer, answer, sizeof answer - 1) == 0;
    probe_close(probe);
    return is_ready;
}

bool probe_step(struct probe *probe, unsigned port)
{
    if (probe->socket < 0) {
        probe_begin(probe, port);
    }
    if (probe->socket >= 0 && !probe->has_asked) {
        probe_ask(probe, port);
    }
    return probe->socket >= 0 && probe->has_asked && listen_to(probe);
}

unsigned probe_free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    unsigned port = 0;
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (taken >= 0 && bind(taken, (const struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(taken, (struct sockaddr *)&address, &size) == 0) {
        port = ntohs(address.sin_port);
    }
    if (taken >= 0) {
        (void)close(taken);
    }
    return port;
}

bool probe_has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int taken = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has_it = taken >= 0 && bind(taken, (const struct sockaddr *)&address, sizeof address) == 0;

    if (taken >= 0) {
        (void)close(taken);
    }
    return has_it;
}
