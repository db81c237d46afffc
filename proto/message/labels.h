/* The labels of an agent, "zone=a,disk=ssd": what a campaign chooses agents by. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#define LABELS_MAX_BYTES 500u
#define LABEL_MAX_BYTES 63u /* of a name or a value */

/* Names and values of letters, digits and -_./ with commas between the pairs, no name twice; or nothing. */
MUST_CHECK bool labels_check(struct bytes labels, struct error *error);
/* Takes the next pair off `rest`; false at the end. Of labels that were checked. */
bool labels_next(struct bytes *rest, struct bytes *name, struct bytes *value);
/* Whether each pair of `wanted` is among them. */
bool labels_have(struct bytes labels, struct bytes wanted);
