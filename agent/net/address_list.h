/* Socket addresses of one host, in the order in which they are tried. Pure. */
#pragma once
#include "common/address.h"
#include "common/bytes.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_LIST_MAX 16u

struct net_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

struct address_list {
    struct net_address items[ADDRESS_LIST_MAX];
    uint32_t count;
};

socklen_t net_address_size(const struct net_address *address);
void net_address_set_port(struct net_address *address, uint16_t port);
/* "10.0.0.1:80" or "[::1]:80", always with its zero. */
void net_address_text(const struct net_address *address, char *text, size_t size);
/* A literal host; false for a name. The port is 0. */
bool net_address_parse(const char *host, struct net_address *address);

/* The port is 0. */
struct net_address net_address_of(const struct address *address);

/* Adds it, unless the list is full or holds it. */
void address_list_add(struct address_list *list, const struct net_address *address);
/* Removes those of the other family, unless no others are there. */
void address_list_keep_family(struct address_list *list, bool is_v4);
/* Puts them in the order of RFC 8305 §4: families in turn, beginning with that of the first. Within a family
 * the list is turned by `turn`, so that users with other numbers begin with other addresses. */
void address_list_arrange(struct address_list *list, uint32_t turn);
