/* Reads JSON that came from elsewhere: what is missing or of another type is empty, or 0. */
#pragma once
#include "common/bytes.h"

#include <jansson.h>
#include <stdint.h>

/* An integer that is not negative. NULL is tolerated in all of these. */
uint64_t json_count_of(const json_t *value);
/* Microseconds from a number of milliseconds; nanoseconds from one of seconds. */
uint64_t json_us_of_ms(const json_t *value);
uint64_t json_ns_of_s(const json_t *value);
/* Nanoseconds from a number of milliseconds, of either sign. */
int64_t json_ns_of_ms(const json_t *value);

/* Of a key of the object. Borrowed from it. */
struct bytes json_get_text(const json_t *object, const char *key);
uint64_t json_get_count(const json_t *object, const char *key);
