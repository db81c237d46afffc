/* The address of this machine that a connection comes from. */
#include "agent/base/source_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int source_address_bind(int fd, const struct address *source)
{
    struct sockaddr_storage socket;
    socklen_t size = (socklen_t)address_to_socket(source, 0, &socket);
    const int yes = 1;

    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    return bind(fd, (const struct sockaddr *)&socket, size) == 0 ? 0 : errno;
}

void source_address_describe(const struct address *source, int number, char *text, size_t size)
{
    char name[ADDRESS_TEXT_BYTES];

    address_text(source, name);
    if (number == EADDRNOTAVAIL) {
        snprintf(text, size, "this machine does not have the address %s (--source)", name);
    } else {
        snprintf(text, size, "bind to %s (--source): %s", name, strerror(number));
    }
}

bool source_address_check(const struct address *source, struct error *error)
{
    int fd = socket(address_is_v4(source) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int number = fd < 0 ? errno : source_address_bind(fd, source);
    char text[160];

    if (fd >= 0) {
        close(fd);
    }
    if (number == 0) {
        return true;
    }
    source_address_describe(source, number, text, sizeof text);
    return error_set(error, "%s", text);
}
