/* The labels of an agent, "zone=a,disk=ssd", by which a campaign selects its agents. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#define LABELS_MAX_BYTES 500u
#define LABEL_MAX_BYTES 63u /* of a name or a value */

/* Names and values consist of letters, digits and -_./; pairs are separated by commas, no name occurs twice.
 * May be empty. */
MUST_CHECK bool labels_check(struct bytes labels, struct error *error);
/* Removes the next pair from `rest`; false at the end. The labels must have been checked. */
bool labels_next(struct bytes *rest, struct bytes *name, struct bytes *value);
/* Whether `labels` contain each pair of `wanted`. */
bool labels_have(struct bytes labels, struct bytes wanted);
