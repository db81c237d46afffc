/* Reads a threshold. Pure. */
#include "proto/message/threshold_reading.h"

#include "common/digits.h"
#include "proto/message/limits.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The longer ones first. */
static const struct {
    const char *word;
    enum threshold_operator comparison;
} OPERATORS[] = {{"<=", THRESHOLD_AT_MOST}, {">=", THRESHOLD_AT_LEAST}, {"==", THRESHOLD_EQUAL},
                 {"!=", THRESHOLD_UNEQUAL}, {"<", THRESHOLD_LESS},      {">", THRESHOLD_MORE},
                 {"=", THRESHOLD_EQUAL}};

static const struct {
    const char *word;
    double us;
} TIME_UNITS[] = {{"us", 1}, {"µs", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}};

static bool threshold_read_operator(struct threshold_reading *reading, struct threshold *threshold)
{
    reading_skip_space(reading);
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++) {
        size_t size = strlen(OPERATORS[i].word);
        if (reading->text.size - reading->at >= size &&
            memcmp(reading->text.data + reading->at, OPERATORS[i].word, size) == 0) {
            reading->at += size;
            threshold->comparison = OPERATORS[i].comparison;
            return true;
        }
    }
    return reading_refuse(reading, reading->at, "expected one of < <= > >= = !=");
}

static bool threshold_read_time_unit(struct bytes unit, double *us)
{
    for (size_t i = 0; i < COUNT_OF(TIME_UNITS); i++) {
        if (bytes_equal_string(unit, TIME_UNITS[i].word)) {
            *us = TIME_UNITS[i].us;
            return true;
        }
    }
    return false;
}

/* The unit says what a count is: a number, a share of all, or a rate. */
static bool threshold_settle_unit(const struct threshold_reading *reading, size_t at, struct bytes unit,
                                  struct threshold *threshold)
{
    double us = 1;
    if (threshold_is_time(threshold)) {
        bool is_known = threshold_read_time_unit(unit, &us);
        threshold->limit *= us;
        return is_known || reading_refuse(reading, at, "a time needs a unit, such as 200ms or 1.5s");
    }
    bool is_count = threshold->statistic == THRESHOLD_NUMBER;
    if (bytes_equal_string(unit, "%") && is_count && threshold->count != THRESHOLD_ALL &&
        threshold->count != THRESHOLD_DIVERGED) {
        threshold->statistic = THRESHOLD_SHARE;
        return threshold->limit <= 100 || reading_refuse(reading, at, "more than 100 %%");
    }
    if (bytes_equal_string(unit, "/s")) {
        threshold->statistic = THRESHOLD_RATE;
        return true;
    }
    return unit.size == 0 ||
           reading_refuse(reading, at, "%.*s is not a unit of this number", BYTES_FORMAT(unit));
}

static bool threshold_belongs_to_unit(uint8_t byte)
{
    return reading_is_letter(byte) || byte == '%' || byte == '/';
}

static bool threshold_read_number(struct threshold_reading *reading, double *number)
{
    char words[THRESHOLD_NUMBER_BYTES];
    const char *digits = words;
    size_t start = reading->at;
    struct bytes text = reading_take(reading, reading_is_of_number);
    bytes_to_text(text, words, sizeof words);
    bool is_good = text.size > 0 && text.size < sizeof words && reading_is_digit(text.data[0]) &&
                   digits_read_decimal(&digits, number) && *digits == '\0';
    struct bytes given = reading_word_at(reading, start);
    return is_good || (given.size == 0
                           ? reading_refuse(reading, start, "expected a number")
                           : reading_refuse(reading, start, "\"%.*s\" is not a number", BYTES_FORMAT(given)));
}

static bool threshold_read_limit(struct threshold_reading *reading, struct threshold *threshold)
{
    reading_skip_space(reading);
    size_t start = reading->at;
    if (!threshold_read_number(reading, &threshold->limit)) {
        return false;
    }
    size_t after_number = reading->at;
    double us = 1;
    reading_skip_space(reading);
    struct bytes unit = reading_take(reading, threshold_belongs_to_unit);
    bool is_apart = reading->at - unit.size > after_number;
    if (is_apart && !threshold_read_time_unit(unit, &us) && !bytes_equal_string(unit, "%") &&
        !bytes_equal_string(unit, "/s")) {
        reading->at = after_number; /* "over", for example */
        unit.size = 0;
    }
    return threshold_settle_unit(reading, start, unit, threshold);
}

static bool threshold_read_duration(struct threshold_reading *reading, const char *word,
                                    uint64_t *milliseconds)
{
    reading_skip_space(reading);
    size_t start = reading->at;
    double number = 0;
    double us = 0;
    if (!threshold_read_number(reading, &number)) {
        return false;
    }
    struct bytes unit = reading_take(reading, reading_is_letter);
    if (!threshold_read_time_unit(unit, &us) || number * us < 1e6 ||
        number * us > (double)LIMIT_DURATION_MS * 1e3) {
        return reading_refuse(reading, start, "%s is a time of at least a second, such as 30s or 1m", word);
    }
    *milliseconds = (uint64_t)(number * us / 1e3);
    return true;
}

static bool threshold_read_word(struct threshold_reading *reading, struct threshold *threshold)
{
    size_t start = reading->at;
    struct bytes word = reading_take(reading, reading_is_letter);
    if (bytes_equal_string(word, "over") && threshold->over_ms == 0) {
        return threshold_read_duration(reading, "over", &threshold->over_ms) &&
               (threshold->over_ms <= THRESHOLD_MAX_OVER_MS ||
                reading_refuse(reading, start, "a window is at most an hour"));
    }
    if (bytes_equal_string(word, "after") && threshold->after_ms == 0) {
        return threshold_read_duration(reading, "after", &threshold->after_ms);
    }
    if (bytes_equal_string(word, "abort") && !threshold->is_abort) {
        threshold->is_abort = true;
        return true;
    }
    struct bytes given = reading_word_at(reading, start);
    return reading_refuse(reading, start, "\"%.*s\": expected over TIME, after TIME or abort, each once",
                          BYTES_FORMAT(given));
}

/* A number that only grows is too small at first. */
static bool threshold_check_abort(const struct threshold_reading *reading, const struct threshold *threshold)
{
    bool is_lower_bound =
        threshold->comparison == THRESHOLD_MORE || threshold->comparison == THRESHOLD_AT_LEAST;
    bool is_count = threshold->statistic == THRESHOLD_NUMBER || threshold->statistic == THRESHOLD_RATE;
    return !threshold->is_abort || !is_count || !is_lower_bound || threshold->over_ms > 0 ||
           reading_refuse(reading, 0, "abort would end it at once: this begins at 0; say over TIME");
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && reading_is_space(text.data[0])) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && reading_is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

bool threshold_parse(struct bytes text, struct threshold *threshold, struct error *error)
{
    struct threshold_reading reading = {.text = trim(text), .error = error};
    *threshold = (struct threshold){.text = reading.text};
    if (!bytes_is_printable(reading.text)) {
        return error_set(error, "column 1: it is not printable text");
    }
    if (!threshold_read_subject(&reading, threshold) || !threshold_read_operator(&reading, threshold) ||
        !threshold_read_limit(&reading, threshold)) {
        return false;
    }
    for (reading_skip_space(&reading); reading.at < reading.text.size; reading_skip_space(&reading)) {
        if (!threshold_read_word(&reading, threshold)) {
            return false;
        }
    }
    return threshold_check_abort(&reading, threshold);
}
