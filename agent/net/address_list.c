/* Socket addresses of one host. */
#include "agent/net/address_list.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES (INET6_ADDRSTRLEN + 1)

socklen_t net_address_size(const struct net_address *address)
{
    return address->any.sa_family == AF_INET6 ? (socklen_t)sizeof address->v6 : (socklen_t)sizeof address->v4;
}

void net_address_set_port(struct net_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6) {
        address->v6.sin6_port = htons(port);
    } else {
        address->v4.sin_port = htons(port);
    }
}

/* Without the terminating zero. */
static size_t write_decimal(char *text, unsigned number)
{
    char digits[12];
    size_t start = sizeof digits;

    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(text, digits + start, sizeof digits - start);
    return sizeof digits - start;
}

/* Every connection has one of these: without the formatting of stdio, which takes longer than the rest of
 * what we do for a connection. */
static void write_v4(const struct net_address *address, char *text, size_t size)
{
    uint8_t parts[4];
    char whole[sizeof "255.255.255.255:65535"];
    size_t end = 0;

    memcpy(parts, &address->v4.sin_addr, sizeof parts);
    for (size_t i = 0; i < sizeof parts; i++) {
        end += write_decimal(whole + end, parts[i]);
        whole[end++] = i + 1 < sizeof parts ? '.' : ':';
    }
    end += write_decimal(whole + end, ntohs(address->v4.sin_port));
    end = end < size ? end : size - 1;
    memcpy(text, whole, end);
    text[end] = 0;
}

void net_address_text(const struct net_address *address, char *text, size_t size)
{
    char host[TEXT_BYTES] = "?";

    if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
        snprintf(text, size, "[%s]:%u", host, ntohs(address->v6.sin6_port));
    } else {
        write_v4(address, text, size);
    }
}

bool net_address_parse(const char *host, struct net_address *address)
{
    struct net_address read = {0};

    if (inet_pton(AF_INET, host, &read.v4.sin_addr) == 1) {
        read.any.sa_family = AF_INET;
    } else if (inet_pton(AF_INET6, host, &read.v6.sin6_addr) == 1) {
        read.any.sa_family = AF_INET6;
    } else {
        return false;
    }
    *address = read;
    return true;
}

struct net_address net_address_of(const struct address *address)
{
    struct net_address made = {0};
    struct sockaddr_storage socket;
    size_t size = address_to_socket(address, 0, &socket);

    memcpy(&made, &socket, size);
    return made;
}

static bool is_same(const struct net_address *left, const struct net_address *right)
{
    if (left->any.sa_family != right->any.sa_family) {
        return false;
    }
    return left->any.sa_family == AF_INET6
               ? memcmp(&left->v6.sin6_addr, &right->v6.sin6_addr, sizeof left->v6.sin6_addr) == 0 &&
                     left->v6.sin6_scope_id == right->v6.sin6_scope_id
               : left->v4.sin_addr.s_addr == right->v4.sin_addr.s_addr;
}

void address_list_add(struct address_list *list, const struct net_address *address)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (is_same(&list->items[i], address)) {
            return;
        }
    }
    if (list->count < ADDRESS_LIST_MAX) {
        list->items[list->count++] = *address;
    }
}

void address_list_keep_family(struct address_list *list, bool is_v4)
{
    struct address_list kept = {.count = 0};

    for (uint32_t i = 0; i < list->count; i++) {
        if ((list->items[i].any.sa_family == AF_INET) == is_v4) {
            kept.items[kept.count++] = list->items[i];
        }
    }
    if (kept.count > 0) {
        *list = kept;
    }
}

/* Those of one family, turned; gives how many. */
static uint32_t pick_family(const struct address_list *list, bool is_first_family, uint32_t turn,
                            struct net_address *into)
{
    struct net_address found[ADDRESS_LIST_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if ((list->items[i].any.sa_family == list->items[0].any.sa_family) == is_first_family) {
            found[count++] = list->items[i];
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        into[i] = found[(i + turn % count) % count];
    }
    return count;
}

void address_list_arrange(struct address_list *list, uint32_t turn)
{
    struct net_address first[ADDRESS_LIST_MAX];
    struct net_address second[ADDRESS_LIST_MAX];

    if (list->count < 2) {
        return;
    }
    uint32_t first_count = pick_family(list, true, turn, first);
    uint32_t second_count = pick_family(list, false, turn, second);

    list->count = 0;
    for (uint32_t i = 0; i < first_count || i < second_count; i++) {
        if (i < first_count) {
            list->items[list->count++] = first[i];
        }
        if (i < second_count) {
            list->items[list->count++] = second[i];
        }
    }
}
