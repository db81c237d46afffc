/* Fills JSON objects where jansson cannot fail, and checks their keys. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes `value`, which is not NULL. */
void json_put(json_t *object, const char *key, json_t *value);
void json_put_count(json_t *object, const char *key, uint64_t count);
/* Microseconds, shown as milliseconds. */
void json_put_ms(json_t *object, const char *key, uint64_t microseconds);
/* Nanoseconds, shown as milliseconds. */
void json_put_ns_as_ms(json_t *object, const char *key, int64_t nanoseconds);
/* Nanoseconds, shown as seconds. */
void json_put_s(json_t *object, const char *key, uint64_t nanoseconds);
/* Under a key of any bytes, shown like a text. Takes `value`. */
void json_put_by_name(json_t *object, struct bytes name, json_t *value);
/* "clock": how far an agent's clock is ahead of ours; null where it is not known. */
void json_put_clock(json_t *object, bool has_clock, int64_t offset_ns, uint64_t uncertainty_ns);
/* "loop_lag_ms": how late event loops were. */
void json_put_lag(json_t *object, uint64_t p99_us, uint64_t maximum_us);
/* Any bytes; what is not UTF-8 and control characters are shown as \xNN, \n … */
void json_put_text(json_t *object, const char *key, struct bytes text);
MUST_CHECK json_t *json_text(struct bytes text);
/* As text for memory_free, with a newline at the end if it `is_indented`, else all in one line. */
MUST_CHECK char *json_to_text(const json_t *value, bool is_indented);

/* False if it has a key that is not among `keys`, which end with NULL; `what` is the object in words. */
MUST_CHECK bool json_check_keys(const json_t *object, const char *const *keys, const char *what,
                                struct error *error);
