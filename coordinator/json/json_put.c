/* Fills JSON objects, and checks their keys. */
#include "coordinator/json/json_put.h"

#include "common/clock.h"
#include "common/escape.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX_BYTES 8192u
#define REAL_DIGITS 9
#define NAMED_BYTES 40
#define US_PER_MS 1000.0

void json_put(json_t *object, const char *key, json_t *value)
{
    int result = json_object_set_new(object, key, value);
    assert(result == 0);
    (void)result;
}

void json_put_count(json_t *object, const char *key, uint64_t count)
{
    json_put(object, key, json_integer((json_int_t)count));
}

void json_put_ms(json_t *object, const char *key, uint64_t microseconds)
{
    json_put(object, key, json_real((double)microseconds / US_PER_MS));
}

void json_put_ns_as_ms(json_t *object, const char *key, int64_t nanoseconds)
{
    json_put(object, key, json_real((double)nanoseconds / (double)NS_PER_MS));
}

void json_put_s(json_t *object, const char *key, uint64_t nanoseconds)
{
    json_put(object, key, json_real((double)nanoseconds / (double)NS_PER_S));
}

void json_put_by_name(json_t *object, struct bytes name, json_t *value)
{
    json_t *text = json_text(name);
    json_put(object, json_string_value(text), value);
    json_decref(text);
}

/* The offset is held as ours minus the agent's, and shown as the agent's minus ours. */
void json_put_clock(json_t *object, bool has_clock, int64_t offset_ns, uint64_t uncertainty_ns)
{
    json_t *clock = has_clock ? json_object() : json_null();
    if (has_clock) {
        bool is_extreme = offset_ns == INT64_MIN;
        uint64_t most_ns = INT64_MAX;
        json_put_ns_as_ms(clock, "offset_ms", is_extreme ? INT64_MAX : -offset_ns);
        json_put_ns_as_ms(clock, "uncertainty_ms",
                          (int64_t)(uncertainty_ns < most_ns ? uncertainty_ns : most_ns));
    }
    json_put(object, "clock", clock);
}

void json_put_lag(json_t *object, uint64_t p99_us, uint64_t maximum_us)
{
    json_t *lag = json_object();
    json_put_ms(lag, "p99", p99_us);
    json_put_ms(lag, "max", maximum_us);
    json_put(object, "loop_lag_ms", lag);
}

/* jansson refuses what is not UTF-8, so it is escaped first. */
json_t *json_text(struct bytes text)
{
    SCOPED(buffer_finish) struct buffer escaped;
    buffer_init(&escaped, TEXT_MAX_BYTES);
    escape_text(&escaped, text);
    return json_stringn(buffer_string(&escaped), escaped.size);
}

void json_put_text(json_t *object, const char *key, struct bytes text)
{
    json_put(object, key, json_text(text));
}

char *json_to_text(const json_t *value, bool is_indented)
{
    size_t layout = JSON_ENCODE_ANY | (is_indented ? JSON_INDENT(2) : JSON_COMPACT);
    char *text = json_dumps(value, layout | JSON_REAL_PRECISION(REAL_DIGITS));
    assert(text != NULL);
    char *copy = memory_format("%s%s", text, is_indented ? "\n" : "");
    free(text);
    return copy;
}

static bool is_among(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0) {
            return true;
        }
    }
    return false;
}

bool json_check_keys(const json_t *object, const char *const *keys, const char *what, struct error *error)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!is_among(key, keys)) {
            return error_set(error, "%s: \"%.*s\" is not known here", what, NAMED_BYTES, key);
        }
    }
    return true;
}
