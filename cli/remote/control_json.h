/* Reads objects that came from elsewhere: what is missing or of another type is empty, or 0. */
#pragma once
#include "common/bytes.h"

#include <jansson.h>
#include <stdint.h>

/* Borrowed from the object. */
struct bytes control_json_text(const json_t *object, const char *key);
/* A whole number that is not negative. */
uint64_t control_json_count(const json_t *object, const char *key);
/* Nanoseconds from a number of milliseconds, of either sign. */
int64_t control_json_ms_as_ns(const json_t *object, const char *key);
/* Microseconds from a number of milliseconds; nanoseconds from one of seconds. */
uint64_t control_json_ms_as_us(const json_t *object, const char *key);
uint64_t control_json_s_as_ns(const json_t *object, const char *key);
