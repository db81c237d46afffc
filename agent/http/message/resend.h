/* What of a request is sent once more: after a connection that broke, and to where a redirect leads. Pure. */
#pragma once
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a second time does no more than the first (RFC 9110 section 9.2.2), as far as the method says. */
bool resend_is_harmless(const char *method);
/* Whether an answer of this status leads elsewhere by its Location. */
bool resend_is_redirect(uint32_t status);
/* Whether what is redirected becomes a GET without a body (RFC 9110 section 15.4, and what browsers make of a
 * POST). */
bool resend_becomes_get(uint32_t status, const char *method);
/* Fields that describe a body: they go when the body does. */
bool resend_leaves_with_body(struct bytes name);
/* Fields that are meant for one origin alone. */
bool resend_leaves_with_origin(struct bytes name);
