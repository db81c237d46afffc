/* Reads JSON that came from elsewhere. */
#include "coordinator/json/json_get.h"

#include "common/clock.h"

#include <math.h>

#define YEARS_S 1e10 /* longer than anything that is timed, and still within 64 bits of nanoseconds */

static uint64_t json_scaled(const json_t *value, double maximum, double scale)
{
    double number = json_number_value(value);
    if (!(number > 0)) {
        return 0;
    }
    return (uint64_t)llround(fmin(number, maximum) * scale);
}

uint64_t json_count_of(const json_t *value)
{
    json_int_t count = json_integer_value(value);
    return count > 0 ? (uint64_t)count : 0;
}

uint64_t json_us_of_ms(const json_t *value)
{
    return json_scaled(value, YEARS_S * 1e3 / 2, 1e3);
}

int64_t json_ns_of_ms(const json_t *value)
{
    double number = json_number_value(value);
    double most_ms = YEARS_S / 2 * 1e3;
    return (int64_t)llround(fmax(fmin(number, most_ms), -most_ms) * 1e6);
}

uint64_t json_ns_of_s(const json_t *value)
{
    return json_scaled(value, YEARS_S / 2, (double)NS_PER_S);
}

struct bytes json_get_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return bytes_of(json_string_value(value), json_string_length(value));
}

uint64_t json_get_count(const json_t *object, const char *key)
{
    return json_count_of(json_object_get(object, key));
}
