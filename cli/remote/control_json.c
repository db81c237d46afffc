/* Reads objects that came from elsewhere. */
#include "cli/remote/control_json.h"
#include "common/clock.h"

#include <math.h>

#define YEARS_S 1e10 /* longer than anything that is timed, and still within 64 bits of nanoseconds */

struct bytes control_json_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return bytes_of(json_string_value(value), json_string_length(value));
}

uint64_t control_json_count(const json_t *object, const char *key)
{
    json_int_t count = json_integer_value(json_object_get(object, key));
    return count > 0 ? (uint64_t)count : 0;
}

static uint64_t scaled(const json_t *value, double maximum, double scale)
{
    double number = json_number_value(value);
    if (!(number > 0)) {
        return 0;
    }
    return (uint64_t)llround(fmin(number, maximum) * scale);
}

uint64_t control_json_ms_as_us(const json_t *object, const char *key)
{
    return scaled(json_object_get(object, key), YEARS_S * 1e3 / 2, 1e3);
}

int64_t control_json_ms_as_ns(const json_t *object, const char *key)
{
    double number = json_number_value(json_object_get(object, key));
    double most_ms = YEARS_S / 2 * 1e3;
    return (int64_t)llround(fmax(fmin(number, most_ms), -most_ms) * 1e6);
}

uint64_t control_json_s_as_ns(const json_t *object, const char *key)
{
    return scaled(json_object_get(object, key), YEARS_S / 2, (double)NS_PER_S);
}
