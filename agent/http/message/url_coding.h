/* Percent-encoding (RFC 3986 §2.1), and the pairs of a query as forms write them. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* What stays as it is in a path, and in a query or fragment; what is encoded already does. */
#define URL_KEPT_IN_PATH "/:@!$&'()*+,;=%"
#define URL_KEPT_IN_QUERY URL_KEPT_IN_PATH "?"

/* Everything but letters, digits, "-._~" and what is in `kept` becomes %XX. url_encode_to writes
 * url_encoded_size bytes, without a terminating zero. */
size_t url_encoded_size(struct bytes text, const char *kept);
void url_encode_to(char *into, struct bytes text, const char *kept);

/* Writes at most text.size bytes to `into`; a plus is a space where forms have written the text. False if a
 * percent sign is not followed by two hexadecimal digits. */
MUST_CHECK bool url_decode_to(char *into, struct bytes text, bool is_form, size_t *size);

/* Takes the next pair, "name=value", off the front of `query`: both still encoded. False if there is none. An
 * empty piece between two "&" is no pair. */
MUST_CHECK bool url_query_next(struct bytes *query, struct bytes *name, struct bytes *value);
