/* Addresses that the user has set for hosts, in place of those that a name server would give: entries
 * "HOST:PORT:ADDRESS[,ADDRESS…]" with white space between them. Pure. */
#pragma once
#include "common/address.h"
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_OVERRIDE_ADDRESSES 16u

/* `host` is "*" for each host. Both borrow from the text. */
struct host_override {
    struct bytes host;
    uint16_t port;
    struct bytes addresses;
};

/* Whether all entries can be read; no text at all is fine. */
bool host_overrides_check(struct bytes text, struct error *error);
/* Takes one entry off the start of a text that has been checked: false after the last. */
MUST_CHECK bool host_override_next(struct bytes *text, struct host_override *entry);
/* Takes one address off the start of an entry's list: false after the last. */
MUST_CHECK bool host_override_next_address(struct bytes *addresses, struct address *address);
/* The first entry for this host, in any case of letters, and port; false if there is none. */
MUST_CHECK bool host_override_find(struct bytes text, const char *host, uint16_t port,
                                   struct host_override *entry);
