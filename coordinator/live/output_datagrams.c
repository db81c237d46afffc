/* Batches of lines as datagrams of UDP. */
#include "coordinator/live/output_datagrams.h"

#include "common/memory.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct output_datagrams {
    int descriptor;
};

struct output_datagrams *output_datagrams_new(const struct output_target *target, struct error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(target->host, target->port, &hints, &found);
    if (code != 0) {
        error_set(error, "%s: %s", target->host, gai_strerror(code));
        return NULL;
    }
    int descriptor = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_open = descriptor >= 0 && connect(descriptor, found->ai_addr, found->ai_addrlen) == 0;
    int reason = errno;
    freeaddrinfo(found);
    if (!is_open) {
        error_set_system(error, reason, "%s", target->name);
        if (descriptor >= 0) {
            (void)close(descriptor);
        }
        return NULL;
    }
    struct output_datagrams *datagrams = MEMORY_NEW(struct output_datagrams);
    datagrams->descriptor = descriptor;
    return datagrams;
}

/* As many whole lines as fit; one that is longer than a datagram goes alone. */
static size_t output_lines_within(struct bytes lines)
{
    size_t end = 0;
    while (end < lines.size) {
        const uint8_t *found = memchr(lines.data + end, '\n', lines.size - end);
        size_t next = found != NULL ? (size_t)(found - lines.data) + 1 : lines.size;
        if (end > 0 && next - 1 > OUTPUT_DATAGRAM_BYTES) {
            break;
        }
        end = next;
    }
    return end;
}

enum output_result output_datagrams_send(struct output_datagrams *datagrams, struct bytes lines,
                                         struct error *error)
{
    enum output_result result = OUTPUT_TAKEN;
    while (lines.size > 0) {
        size_t size = output_lines_within(lines);
        size_t without_end = size - (lines.data[size - 1] == '\n');
        if (send(datagrams->descriptor, lines.data, without_end, MSG_NOSIGNAL) < 0) {
            error_set(error, "%s", strerror(errno));
            error->text[0] = (char)tolower((unsigned char)error->text[0]);
            result = OUTPUT_REFUSED;
        }
        lines = bytes_of(lines.data + size, lines.size - size);
    }
    return result;
}

void output_datagrams_free(struct output_datagrams **at)
{
    if (*at != NULL) {
        (void)close((*at)->descriptor);
        memory_free(*at);
        *at = NULL;
    }
}
