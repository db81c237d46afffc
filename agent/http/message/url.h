/* URLs of http and https (RFC 3986, and what browsers make of sloppy ones: spaces and other bytes that a URL
 * must not hold are percent-encoded). Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

#define URL_MAX_BYTES (64u * 1024u)
#define URL_HOST_MAX_BYTES 255u

struct url {
    char *text;            /* the whole, as it is asked for: without a fragment, or the user and password */
    bool is_tls;           /* https */
    bool is_literal;       /* the host is an address, not a name */
    bool has_default_port; /* 80 or 443 */
    uint16_t port;
    char host[URL_HOST_MAX_BYTES + 1]; /* in lower case and ASCII (IDNA); an IPv6 address without brackets */
    struct bytes authority;            /* "host" or "host:port", for the Host field; borrows from `text` */
    struct bytes target;               /* path and query, at least "/"; borrows from `text` */
    char *user;                        /* percent-decoded; NULL: none */
    char *password;
};

/* False with an error that names what is wrong with it. `url` is written on success only; url_finish frees.
 */
MUST_CHECK bool url_parse(struct bytes text, struct url *url, struct error *error);
/* The same of a reference that is relative to `base` (RFC 3986 §5.2). */
MUST_CHECK bool url_resolve(const struct url *base, struct bytes reference, struct url *url,
                            struct error *error);
/* Whether it begins with no scheme. */
bool url_is_relative(struct bytes reference);
/* Zeroed is fine too. */
void url_finish(struct url *url);

/* Whether both have the same scheme, host and port. */
bool url_is_same_origin(const struct url *left, const struct url *right);
/* The path alone, without the query. */
struct bytes url_path(const struct url *url);
