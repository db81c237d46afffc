/* What a request says of where it goes and where it comes from: the host that it means, the page that sent
 * it, the client that a proxy speaks for. */
#pragma once
#include "common/address.h"

#include <stddef.h>

#define HOST_NAMES_MAX 32u
#define HOST_NAME_BYTES 256u
#define TRUSTED_PROXIES_MAX 32u

/* By which a coordinator is called. All that means loopback counts without being here. */
struct host_names {
    size_t count;
    char names[HOST_NAMES_MAX][HOST_NAME_BYTES]; /* lower case; names or literals of addresses */
};

/* Names or addresses without a port, one or several with commas between them. */
MUST_CHECK bool host_names_add(struct host_names *names, struct bytes list, struct error *error);
/* Whether `host`, a header, means us: a loopback address, localhost, one of these names, or the address by
 * which the client reached us (`local`), each with any port. */
bool host_is_ours(struct bytes host, const struct host_names *names, const struct address *local);

/* Whether a header Origin names the very place that the header Host does. The scheme does not count: what
 * is https may be a proxy's. */
bool origin_is_host(struct bytes origin, struct bytes host);
/* Whether a header Sec-Fetch-Site says that no page of elsewhere is the cause. */
bool fetch_site_is_own(struct bytes site);
/* Whether a header Content-Type says JSON. */
bool content_type_is_json(struct bytes type);

struct trusted_proxies {
    size_t count;
    struct network networks[TRUSTED_PROXIES_MAX];
};

/* One or several with commas between them. */
MUST_CHECK bool trusted_proxies_add(struct trusted_proxies *proxies, struct bytes list, struct error *error);
bool trusted_proxies_hold(const struct trusted_proxies *proxies, const struct address *address);
/* Whom a trusted proxy speaks for: the last address in X-Forwarded-For (where that is empty, in Forwarded)
 * that is not one of a trusted proxy itself. `peer`, where nothing of that can be read. */
struct address forwarded_client(const struct trusted_proxies *proxies, const struct address *peer,
                                struct bytes x_forwarded_for, struct bytes forwarded);
