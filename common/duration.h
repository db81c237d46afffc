/* Durations as people write them: 10, 10s, 250ms, 5m, 5m30s, 1h, 1.5s. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdint.h>

/* A bare number is seconds. Several parts go from the larger unit to the smaller; only the last may have a
 * fraction. At most 365 days; finer than a millisecond is refused. */
MUST_CHECK bool duration_parse(const char *text, uint64_t *milliseconds, struct error *error);
/* "850 ms", "2.5 s", "3 m 20 s"; without milliseconds from one minute on. */
void duration_describe(uint64_t milliseconds, char *text, unsigned size);
