/* The shape of a campaign's load, as its options spell it: rates, stages and think times. */
#include "proto/message/load_text.h"

#include "common/digits.h"
#include "common/duration.h"
#include "common/random.h"
#include "common/time_units.h"
#include "proto/message/limits.h"

#include <math.h>
#include <string.h>

#define LOAD_NUMBER_BYTES 32u
#define LOAD_PI 3.14159265358979323846
/* A draw of the normal or exponential law is cut off so many means, or deviations, away. */
#define LOAD_FARTHEST 40.0

static bool load_refuse(struct bytes text, const char *what, const char *expected, struct error *error)
{
    if (!bytes_is_printable(text)) {
        return error_set(error, "%s: expected %s", what, expected);
    }
    return error_set(error, "%s \"%.*s\": expected %s", what, (int)(text.size < 60 ? text.size : 60),
                     (const char *)text.data, expected);
}

/* Digits, with at most one point among them. */
static bool load_parse_number(struct bytes text, double *number)
{
    char words[LOAD_NUMBER_BYTES];
    const char *digits = words;
    if (text.size == 0 || text.size >= sizeof words) {
        return false;
    }
    bytes_to_text(text, words, sizeof words);
    return digits_read_decimal(&digits, number) && digits == words + text.size;
}

static bool load_parse_duration(struct bytes text, uint64_t *milliseconds)
{
    char words[LOAD_NUMBER_BYTES];
    if (text.size == 0 || text.size >= sizeof words) {
        return false;
    }
    bytes_to_text(text, words, sizeof words);
    return duration_parse(words, milliseconds, NULL) && *milliseconds <= LIMIT_DURATION_MS;
}

/* Takes what comes before the first of these characters off `rest`, and the character. */
static struct bytes load_take_part(struct bytes *rest, const char *separators)
{
    const char *data = rest->data != NULL ? (const char *)rest->data : "";
    size_t size = 0;
    while (size < rest->size && strchr(separators, data[size]) == NULL) {
        size++;
    }
    struct bytes part = bytes_of(data, size);
    size_t taken = size < rest->size ? size + 1 : size;
    *rest = bytes_of(data + taken, rest->size - taken);
    return part;
}

static bool load_take_rate(struct bytes text, double *per_s)
{
    struct bytes rest = text;
    struct bytes number = load_take_part(&rest, "/");
    double unit_s = 0;
    if (bytes_equal_string(rest, "s")) {
        unit_s = 1;
    } else if (bytes_equal_string(rest, "m")) {
        unit_s = 60;
    } else if (bytes_equal_string(rest, "h")) {
        unit_s = 3600;
    }
    if (unit_s == 0 || !load_parse_number(number, per_s)) {
        return false;
    }
    *per_s /= unit_s;
    return *per_s <= LOAD_RATE_MAX;
}

bool load_parse_rate(struct bytes text, double *per_s, struct error *error)
{
    return load_take_rate(text, per_s) ||
           load_refuse(text, "rate", "a number with its unit, like 50/s, 30/m or 2/h, at most 1000000/s",
                       error);
}

static bool load_take_stage(struct bytes text, struct load_stages *stages)
{
    struct bytes rest = text;
    struct bytes length = load_take_part(&rest, ":");
    bool is_rate = rest.size > 0 && memchr(rest.data, '/', rest.size) != NULL;
    struct load_stage stage = {0};
    if (stages->count == LOAD_STAGES_MAX || (stages->count > 0 && is_rate != stages->are_rates) ||
        !load_parse_duration(length, &stage.length_ms)) {
        return false;
    }
    bool is_good = is_rate ? load_take_rate(rest, &stage.target) : load_parse_number(rest, &stage.target);
    if (!is_good || (!is_rate && (stage.target > LIMIT_WORKERS || stage.target != floor(stage.target)))) {
        return false;
    }
    stages->are_rates = is_rate;
    stages->length_ms += stage.length_ms;
    stages->items[stages->count++] = stage;
    return stages->length_ms <= LIMIT_DURATION_MS;
}

bool load_parse_stages(struct bytes text, struct load_stages *stages, struct error *error)
{
    static const char expected[] = "at most 32 of TIME:WORKERS or of TIME:RATE, like 30s:100,2m:100,30s:0 or "
                                   "30s:50/s,1m:50/s";
    struct bytes rest = text;
    *stages = (struct load_stages){0};
    while (rest.size > 0) {
        struct bytes part = load_take_part(&rest, ", ");
        if (part.size > 0 && !load_take_stage(part, stages)) {
            return load_refuse(part, "stage", expected, error);
        }
    }
    return (stages->count > 0 && stages->length_ms > 0) || load_refuse(text, "stages", expected, error);
}

static bool load_take_law(struct bytes text, struct think_time *think)
{
    struct bytes rest = text;
    struct bytes word = load_take_part(&rest, ":");
    bool has_second = true;
    if (load_parse_duration(text, &think->first_ms)) {
        think->law = THINK_CONSTANT;
        return true;
    }
    if (bytes_equal_string(word, "uniform")) {
        think->law = THINK_UNIFORM;
    } else if (bytes_equal_string(word, "normal")) {
        think->law = THINK_NORMAL;
    } else if (bytes_equal_string(word, "exponential")) {
        think->law = THINK_EXPONENTIAL;
        has_second = false;
    } else {
        return false;
    }
    struct bytes first = load_take_part(&rest, ":");
    bool is_good = load_parse_duration(first, &think->first_ms) &&
                   (has_second ? load_parse_duration(rest, &think->second_ms) : rest.size == 0);
    return is_good && (think->law != THINK_UNIFORM || think->first_ms <= think->second_ms);
}

bool load_parse_think(struct bytes text, struct think_time *think, struct error *error)
{
    *think = (struct think_time){0};
    return load_take_law(text, think) ||
           load_refuse(text, "think time",
                       "TIME, uniform:SHORTEST:LONGEST, normal:MEAN:DEVIATION or exponential:MEAN", error);
}

bool load_check_rate(struct bytes text, struct error *error)
{
    double per_s;
    return text.size == 0 || load_parse_rate(text, &per_s, error);
}

bool load_check_stages(struct bytes text, struct error *error)
{
    struct load_stages stages;
    return text.size == 0 || load_parse_stages(text, &stages, error);
}

bool load_check_think(struct bytes text, struct error *error)
{
    struct think_time think;
    return text.size == 0 || load_parse_think(text, &think, error);
}

static double load_draw(const struct think_time *think, struct random *random)
{
    double first = (double)think->first_ms;
    double second = (double)think->second_ms;
    double drawn = random_unit(random);
    switch (think->law) {
    case THINK_CONSTANT:
        return first;
    case THINK_UNIFORM:
        return first + drawn * (second - first);
    case THINK_NORMAL: {
        double radius = sqrt(-2 * log(1 - drawn));
        return first + second * radius * cos(2 * LOAD_PI * random_unit(random));
    }
    case THINK_EXPONENTIAL:
        drawn = -log(1 - drawn);
        return first * (drawn < LOAD_FARTHEST ? drawn : LOAD_FARTHEST);
    case THINK_NONE:
        break;
    }
    return 0;
}

uint64_t think_draw_ns(const struct think_time *think, uint64_t seed, uint32_t worker, uint64_t step)
{
    struct random random;
    random_seed(&random,
                seed ^ (0x7468696e6bull + worker * 0x9e3779b97f4a7c15ull) ^ (step * 0xd1b54a32d192ed03ull));
    double drawn_ms = load_draw(think, &random);
    return drawn_ms > 0 ? (uint64_t)(drawn_ms * (double)NS_PER_MS) : 0;
}
