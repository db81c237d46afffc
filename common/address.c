/* Host addresses and networks. */
#include "common/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESS_MAPPED_BITS 96u
#define ADDRESS_BITS (ADDRESS_BYTES * 8u)
#define NETWORK_DIGITS 3u

static const uint8_t address_mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void address_map(struct address *address, const void *four)
{
    memcpy(address->bytes, address_mapped_prefix, sizeof address_mapped_prefix);
    memcpy(address->bytes + sizeof address_mapped_prefix, four, 4);
}

static bool address_is_mapped(const struct address *address)
{
    return memcmp(address->bytes, address_mapped_prefix, sizeof address_mapped_prefix) == 0;
}

bool address_parse(struct bytes text, struct address *address)
{
    char literal[ADDRESS_TEXT_BYTES];
    struct in_addr four;
    bool is_bracketed = text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';
    struct bytes inner = is_bracketed ? bytes_of(text.data + 1, text.size - 2) : text;
    if (inner.size == 0 || inner.size >= sizeof literal || memchr(inner.data, '\0', inner.size) != NULL) {
        return false;
    }
    memcpy(literal, inner.data, inner.size);
    literal[inner.size] = '\0';
    if (!is_bracketed && inet_pton(AF_INET, literal, &four) == 1) {
        address_map(address, &four);
        return true;
    }
    return inet_pton(AF_INET6, literal, address->bytes) == 1;
}

bool address_of_socket(const struct sockaddr *from, struct address *address)
{
    *address = (struct address){0};
    if (from->sa_family == AF_INET) {
        address_map(address, &((const struct sockaddr_in *)(const void *)from)->sin_addr);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        memcpy(address->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, ADDRESS_BYTES);
        return true;
    }
    return false;
}

size_t address_to_socket(const struct address *address, uint16_t port, struct sockaddr_storage *socket)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)socket;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)socket;

    memset(socket, 0, sizeof *socket);
    if (address_is_mapped(address)) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        memcpy(&four->sin_addr, address->bytes + sizeof address_mapped_prefix, sizeof four->sin_addr);
        return sizeof *four;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    memcpy(&six->sin6_addr, address->bytes, sizeof six->sin6_addr);
    return sizeof *six;
}

bool address_is_v4(const struct address *address)
{
    return address_is_mapped(address);
}

void address_text(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    bool is_v4 = address_is_mapped(address);
    const void *from = is_v4 ? address->bytes + sizeof address_mapped_prefix : address->bytes;

    if (inet_ntop(is_v4 ? AF_INET : AF_INET6, from, text, ADDRESS_TEXT_BYTES) == NULL) {
        text[0] = '\0';
    }
}

uint16_t address_local_port(int descriptor)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.v6 = {0}};
    socklen_t size = sizeof bound;
    int failure = getsockname(descriptor, &bound.any, &size);
    assert(failure == 0);
    (void)failure;
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}

bool address_equal(const struct address *left, const struct address *right)
{
    return memcmp(left->bytes, right->bytes, ADDRESS_BYTES) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const struct address six = {.bytes = {[ADDRESS_BYTES - 1] = 1}};
    return (address_is_mapped(address) && address->bytes[sizeof address_mapped_prefix] == 127) ||
           address_equal(address, &six);
}

/* The prefix length after the slash. */
static bool network_bits(struct bytes text, unsigned maximum, unsigned *bits)
{
    *bits = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        *bits = *bits * 10 + (unsigned)(text.data[i] - '0');
    }
    return text.size > 0 && text.size <= NETWORK_DIGITS && *bits <= maximum;
}

bool network_parse(struct bytes text, struct network *network, struct error *error)
{
    const uint8_t *slash = text.size > 0 ? memchr(text.data, '/', text.size) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - text.data) : text.size;
    bool is_good = address_parse(bytes_of(text.data, size), &network->address);
    unsigned before = is_good && address_is_mapped(&network->address) ? ADDRESS_MAPPED_BITS : 0;
    network->bits = ADDRESS_BITS;
    if (is_good && slash != NULL) {
        is_good =
            network_bits(bytes_of(slash + 1, text.size - size - 1), ADDRESS_BITS - before, &network->bits);
        network->bits += before;
    }
    return is_good || error_set(error, "\"%.*s\" is not an address or a network like 10.0.0.0/8",
                                (int)(text.size < ADDRESS_TEXT_BYTES ? text.size : ADDRESS_TEXT_BYTES),
                                text.size > 0 ? (const char *)text.data : "");
}

bool network_holds(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    return memcmp(network->address.bytes, address->bytes, whole) == 0 &&
           (rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0);
}

struct address network_pick(const struct network *network, uint64_t ordinal)
{
    struct address picked = network->address;
    unsigned free_bits = ADDRESS_BITS - network->bits;
    uint64_t number = free_bits < 64 ? ordinal & ((1ULL << free_bits) - 1) : ordinal;

    /* The host's part of what was written does not count: "10.0.0.5/28" begins at 10.0.0.0. */
    for (unsigned i = 0; i < ADDRESS_BYTES && free_bits > 0; i++) {
        unsigned bits = free_bits < 8 ? free_bits : 8;
        uint8_t *byte = &picked.bytes[ADDRESS_BYTES - 1 - i];
        uint64_t kept = (uint64_t)*byte >> bits << bits;
        *byte = (uint8_t)(kept | (number & 0xff));
        number >>= 8;
        free_bits -= bits;
    }
    return picked;
}
