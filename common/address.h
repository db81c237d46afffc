/* Host addresses and networks, IPv4 and IPv6 alike. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

#define ADDRESS_BYTES 16
/* The longest IPv6 literal, with its zero. */
#define ADDRESS_TEXT_BYTES 64

struct sockaddr;
struct sockaddr_storage;

/* IPv4 is stored as ::ffff:a.b.c.d, so that each host has a single spelling. */
struct address {
    uint8_t bytes[ADDRESS_BYTES];
};

/* Parses a literal: "10.0.0.1", "::1", also in brackets. False for host names and anything else. */
MUST_CHECK bool address_parse(struct bytes text, struct address *address);
/* False if it is neither IPv4 nor IPv6; `address` is then all zero. */
bool address_of_socket(const struct sockaddr *from, struct address *address);
/* The other way; returns the size that is used. */
size_t address_to_socket(const struct address *address, uint16_t port, struct sockaddr_storage *socket);
bool address_is_v4(const struct address *address);
/* "10.0.0.1" or "::1", with its zero. */
void address_text(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
/* The port that a bound socket of IPv4 or IPv6 has. */
uint16_t address_local_port(int descriptor);
bool address_equal(const struct address *left, const struct address *right);
/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *address);

struct network {
    struct address address;
    unsigned bits; /* of ADDRESS_BYTES: 96 more than the written prefix length for IPv4 */
};

/* "10.0.0.0/8", "fd00::/8", or one address. */
MUST_CHECK bool network_parse(struct bytes text, struct network *network, struct error *error);
/* One of its addresses: that of this ordinal from 0, modulo how many there are. The first and the last count
 * like all others. */
struct address network_pick(const struct network *network, uint64_t ordinal);
bool network_holds(const struct network *network, const struct address *address);
