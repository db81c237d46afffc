/* Where a request goes and where it comes from: the host that it is addressed to, the page that sent it, the
 * client that a proxy speaks for. */
#pragma once
#include "common/address.h"

#include <stddef.h>

#define HOST_NAMES_MAX 32u
#define HOST_NAME_BYTES 256u
#define TRUSTED_PROXIES_MAX 32u

/* The names of a coordinator. Everything that means loopback is accepted without being listed. */
struct host_names {
    size_t count;
    char names[HOST_NAMES_MAX][HOST_NAME_BYTES]; /* lower case; names or address literals */
};

/* Names or addresses without a port, one or several separated by commas. */
MUST_CHECK bool host_names_add(struct host_names *names, struct bytes list, struct error *error);
/* Whether `host`, a Host header, means us: a loopback address, localhost, one of these names, or the address
 * at which the client reached us (`local`), each with any port. */
bool host_is_ours(struct bytes host, const struct host_names *names, const struct address *local);

/* Whether an Origin header names the same host and port as the Host header. The scheme is ignored: https may
 * be terminated by a proxy. */
bool origin_is_host(struct bytes origin, struct bytes host);
/* Whether a Sec-Fetch-Site header says that the request was not caused by a page of another site. */
bool fetch_site_is_own(struct bytes site);
/* Whether a Content-Type header says JSON. */
bool content_type_is_json(struct bytes type);

struct trusted_proxies {
    size_t count;
    struct network networks[TRUSTED_PROXIES_MAX];
};

/* One or several separated by commas. */
MUST_CHECK bool trusted_proxies_add(struct trusted_proxies *proxies, struct bytes list, struct error *error);
bool trusted_proxies_hold(const struct trusted_proxies *proxies, const struct address *address);
/* The client of a trusted proxy: the last address in X-Forwarded-For (if that is empty, in Forwarded) that is
 * not itself a trusted proxy; `peer` if none can be read. */
struct address forwarded_client(const struct trusted_proxies *proxies, const struct address *peer,
                                struct bytes x_forwarded_for, struct bytes forwarded);
