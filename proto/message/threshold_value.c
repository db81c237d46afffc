/* What a threshold says of names and values. Pure. */
#include "proto/message/threshold.h"

#include "common/buffer.h"
#include "common/compose.h"
#include "proto/message/tags.h"

#include <assert.h>
#include <string.h>

#define US_PER_MS 1e3
#define US_PER_S 1e6
#define US_PER_MINUTE 60e6

bool threshold_is_time(const struct threshold *threshold)
{
    return threshold->statistic >= THRESHOLD_QUANTILE;
}

/* Greedy with one way back: to the latest star, which then takes one character more. */
static bool pattern_matches(struct bytes pattern, struct bytes name)
{
    size_t in_pattern = 0;
    size_t in_name = 0;
    size_t star = SIZE_MAX;
    size_t after_star = 0;
    while (in_name < name.size) {
        if (in_pattern < pattern.size && pattern.data[in_pattern] == '*') {
            star = in_pattern++;
            after_star = in_name;
        } else if (in_pattern < pattern.size && pattern.data[in_pattern] == name.data[in_name]) {
            in_pattern++;
            in_name++;
        } else if (star != SIZE_MAX) {
            in_pattern = star + 1;
            in_name = ++after_star;
        } else {
            return false;
        }
    }
    while (in_pattern < pattern.size && pattern.data[in_pattern] == '*') {
        in_pattern++;
    }
    return in_pattern == pattern.size;
}

bool threshold_matches(const struct threshold *threshold, struct bytes name)
{
    if (threshold->is_pattern) {
        return pattern_matches(threshold->name, name);
    }
    return threshold->name.size == 0 || bytes_equal(threshold->name, name);
}

static_assert(THRESHOLD_TAGS_BYTES > TAG_NAME_BYTES + TAG_VALUE_BYTES + 1, "one tag has room");

/* As a threshold may spell it. */
static bool tag_value_needs_quotes(struct bytes value)
{
    return memchr(value.data, ',', value.size) != NULL || memchr(value.data, '}', value.size) != NULL;
}

struct bytes threshold_tags_text(const struct threshold *threshold, char text[THRESHOLD_TAGS_BYTES])
{
    bool is_combination = threshold->tag_count > 1;
    struct buffer whole;
    buffer_init_within(&whole, text, THRESHOLD_TAGS_BYTES);
    for (size_t i = 0; i < threshold->tag_count; i++) {
        const struct threshold_tag *tag = &threshold->tags[i];
        const char *quotes = is_combination && tag_value_needs_quotes(tag->value) ? "\"" : "";
        buffer_append_format(&whole, "%s%.*s=%s%.*s%s",
                             !is_combination ? ""
                             : i == 0        ? "{"
                                             : ",",
                             BYTES_FORMAT(tag->name), quotes, BYTES_FORMAT(tag->value), quotes);
    }
    if (is_combination) {
        buffer_append_string(&whole, "}");
    }
    return bytes_of_string(buffer_string(&whole));
}

bool threshold_holds(const struct threshold *threshold, double value)
{
    double limit = threshold->limit;
    switch (threshold->comparison) {
    case THRESHOLD_LESS:
        return value < limit;
    case THRESHOLD_AT_MOST:
        return value <= limit;
    case THRESHOLD_MORE:
        return value > limit;
    case THRESHOLD_AT_LEAST:
        return value >= limit;
    case THRESHOLD_EQUAL:
        return value == limit;
    case THRESHOLD_UNEQUAL:
        return value != limit;
    }
    return false;
}

static void describe_time(double us, char text[THRESHOLD_VALUE_BYTES])
{
    if (us < US_PER_MS) {
        compose(text, THRESHOLD_VALUE_BYTES, "%.3g µs", us);
    } else if (us < US_PER_S) {
        compose(text, THRESHOLD_VALUE_BYTES, "%.3g ms", us / US_PER_MS);
    } else if (us < US_PER_MINUTE) {
        compose(text, THRESHOLD_VALUE_BYTES, "%.3g s", us / US_PER_S);
    } else {
        compose(text, THRESHOLD_VALUE_BYTES, "%.0f s", us / US_PER_S);
    }
}

void threshold_describe(const struct threshold *threshold, double value, char text[THRESHOLD_VALUE_BYTES])
{
    switch (threshold->statistic) {
    case THRESHOLD_NUMBER:
        compose(text, THRESHOLD_VALUE_BYTES, "%.0f", value);
        return;
    case THRESHOLD_SHARE:
        /* What is nearly all, or nearly nothing, does not look as if it were. */
        compose(text, THRESHOLD_VALUE_BYTES, value > 99 && value < 100 ? "%.8g %%" : "%.4g %%", value);
        return;
    case THRESHOLD_RATE:
        compose(text, THRESHOLD_VALUE_BYTES, "%.4g/s", value);
        return;
    case THRESHOLD_QUANTILE:
    case THRESHOLD_MINIMUM:
    case THRESHOLD_MEAN:
    case THRESHOLD_MAXIMUM:
        describe_time(value, text);
        return;
    }
    assert(false);
}
