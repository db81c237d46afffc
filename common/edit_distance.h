/* How much two words differ, for suggestions. */
#pragma once
#include "common/bytes.h"

#define EDIT_DISTANCE_MAX_BYTES 64u

/* How many letters have to be inserted, deleted or replaced to turn one into the other; `right` has at most
 * EDIT_DISTANCE_MAX_BYTES. */
size_t edit_distance(struct bytes left, struct bytes right);
