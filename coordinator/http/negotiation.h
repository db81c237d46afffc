/* What a client says of the forms of an answer: which it can read, and which it has. Pure. */
#pragma once
#include "common/bytes.h"

#include <stdbool.h>

/* Whether an Accept-Encoding header takes gzip. */
bool accepts_gzip(struct bytes accept_encoding);
/* Whether an If-None-Match header has this entity tag, with its quotes, or "*". Compared weakly. */
bool etag_is_known(struct bytes if_none_match, const char *etag);
