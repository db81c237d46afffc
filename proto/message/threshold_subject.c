/* What a threshold is about: the left side of its operator. Pure. */
#include "proto/message/threshold_reading.h"

#include "common/buffer.h"
#include "common/digits.h"
#include "proto/message/limits.h"
#include "proto/message/tags.h"

#include <assert.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define COUNTS_OF_REQUESTS (1u << THRESHOLD_ALL | 1u << THRESHOLD_OK | 1u << THRESHOLD_FAILED)

static const struct threshold_metric_row METRICS[] = {
    {"http", THRESHOLD_HTTP, false, false, true, true, COUNTS_OF_REQUESTS, NULL},
    {"request", THRESHOLD_REQUEST, true, true, true, true, COUNTS_OF_REQUESTS, NULL},
    {"record", THRESHOLD_RECORD, true, true, true, true, COUNTS_OF_REQUESTS, NULL},
    {"steps", THRESHOLD_STEPS, false, false, false, true,
     COUNTS_OF_REQUESTS | 1u << THRESHOLD_STOPPED | 1u << THRESHOLD_LOST, NULL},
    {"checks", THRESHOLD_CHECKS, false, true, true, false, COUNTS_OF_REQUESTS, "ok"},
    {"waits", THRESHOLD_WAITS, false, true, false, true,
     COUNTS_OF_REQUESTS | 1u << THRESHOLD_STOPPED | 1u << THRESHOLD_TIMEOUT | 1u << THRESHOLD_SHORT |
         1u << THRESHOLD_DEADLOCK,
     NULL},
    {"response", THRESHOLD_RESPONSE, false, true, false, true, 1u << THRESHOLD_ALL, NULL},
    {"dropped", THRESHOLD_DROPPED, false, false, false, false, 1u << THRESHOLD_FAILED, "failed"},
    {"seen", THRESHOLD_SEEN, false, true, false, true, 1u << THRESHOLD_ALL | 1u << THRESHOLD_DIVERGED, NULL},
    {"group", THRESHOLD_GROUP, true, true, true, true, COUNTS_OF_REQUESTS, NULL},
};
static_assert(COUNT_OF(METRICS) == THRESHOLD_METRICS, "one row for each metric");

static const char *const COUNT_WORDS[THRESHOLD_COUNTS] = {
    [THRESHOLD_ALL] = "count",         [THRESHOLD_OK] = "ok",
    [THRESHOLD_FAILED] = "failed",     [THRESHOLD_STOPPED] = "stopped",
    [THRESHOLD_LOST] = "lost",         [THRESHOLD_TIMEOUT] = "timeout",
    [THRESHOLD_SHORT] = "short",       [THRESHOLD_DEADLOCK] = "deadlock",
    [THRESHOLD_DIVERGED] = "diverged",
};

static const struct {
    const char *word;
    enum threshold_statistic statistic;
} TIME_WORDS[] = {{"min", THRESHOLD_MINIMUM}, {"mean", THRESHOLD_MEAN}, {"max", THRESHOLD_MAXIMUM}};

static bool threshold_belongs_to_statistic(uint8_t byte)
{
    return reading_is_letter(byte) || reading_is_of_number(byte);
}

/* What people write who leave the metric out, or use k6's names. */
static const struct {
    const char *beginning;
    const char *ours;
} FOREIGN_METRICS[] = {
    {"http_req_failed", "http.failed < 1%"},
    {"http_req", "http.p95 < 200ms"},
    {"iteration", "steps.p95 < 2s"},
    {"fail", "http.failed < 1%"},
    {"error", "http.failed < 1%"},
    {"p(", "http.p95 < 200ms"},
    {"p9", "http.p95 < 200ms"},
    {"p5", "http.p50 < 200ms"},
    {"avg", "http.mean < 200ms"},
    {"mean", "http.mean < 200ms"},
    {"max", "http.max < 200ms"},
    {"rate", "http.rate > 50/s"},
};

/* NULL: nothing resembles it. */
static const char *threshold_example_of(struct bytes word)
{
    for (size_t i = 0; i < COUNT_OF(FOREIGN_METRICS); i++) {
        size_t size = strlen(FOREIGN_METRICS[i].beginning);
        if (word.size >= size && memcmp(word.data, FOREIGN_METRICS[i].beginning, size) == 0) {
            return FOREIGN_METRICS[i].ours;
        }
    }
    return NULL;
}

static bool threshold_read_metric(struct threshold_reading *reading, struct threshold *threshold)
{
    size_t start = reading->at;
    struct bytes word = reading_take(reading, reading_is_letter);
    for (size_t i = 0; i < COUNT_OF(METRICS); i++) {
        if (bytes_equal_string(word, METRICS[i].word)) {
            reading->row = &METRICS[i];
            threshold->metric = METRICS[i].metric;
            return true;
        }
    }
    char list[THRESHOLD_LIST_BYTES] = "";
    struct buffer names;
    buffer_init_within(&names, list, sizeof list);
    for (size_t i = 0; i < COUNT_OF(METRICS); i++) {
        buffer_append_format(&names, "%s%s", i == 0 ? "" : ", ", METRICS[i].word);
    }
    struct bytes given = reading_word_at(reading, start);
    const char *example = threshold_example_of(given);
    return reading_refuse(reading, start, "\"%.*s\" is none of %s%s%s", BYTES_FORMAT(given), list,
                          example != NULL ? "; write it like " : "", example != NULL ? example : "");
}

/* From the opening bracket on, up to the one that closes it; `["a]b"]` may have any but a quote. */
static bool threshold_read_name(struct threshold_reading *reading, struct threshold *threshold)
{
    size_t start = reading->at;
    if (reading_peek(reading) != '[') {
        return !reading->row->needs_name || reading_refuse(reading, start, "%s needs a name: %s[NAME]",
                                                           reading->row->word, reading->row->word);
    }
    if (!reading->row->may_have_name) {
        return reading_refuse(reading, start, "%s takes no name", reading->row->word);
    }
    reading->at++;
    bool is_quoted = reading_peek(reading) == '"';
    reading->at += is_quoted ? 1 : 0;
    const uint8_t *from = reading->text.data + reading->at;
    const uint8_t *end = memchr(from, is_quoted ? '"' : ']', reading->text.size - reading->at);
    size_t size = end != NULL ? (size_t)(end - from) : 0;
    reading->at += size + (is_quoted ? 1 : 0);
    if (end == NULL || reading_peek(reading) != ']') {
        return reading_refuse(reading, start, "the bracket is not closed");
    }
    reading->at++;
    threshold->name = bytes_of(from, size);
    threshold->is_pattern = !is_quoted && memchr(from, '*', size) != NULL;
    if (size == 0 || size > LIMIT_NAME_BYTES) {
        return reading_refuse(reading, start, "a name has 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    return true;
}

static bool threshold_is_of_tag_value(uint8_t byte)
{
    return byte != '}' && byte != ',';
}

static bool threshold_is_of_tag_name(uint8_t byte)
{
    return tag_name_is_good(bytes_of(&byte, 1));
}

/* After the equals sign; in quotes it may have any character but a quote. */
static bool threshold_read_tag_value(struct threshold_reading *reading, struct bytes *value)
{
    size_t start = reading->at;
    if (reading_peek(reading) == '"') {
        const uint8_t *from = reading->text.data + ++reading->at;
        const uint8_t *end = memchr(from, '"', reading->text.size - reading->at);
        if (end == NULL) {
            return reading_refuse(reading, start, "the quotes are not closed");
        }
        *value = bytes_of(from, (size_t)(end - from));
        reading->at += value->size + 1;
    } else {
        *value = reading_take(reading, threshold_is_of_tag_value);
    }
    return tag_value_is_good(*value) ||
           reading_refuse(reading, start, "the value of a tag has 1 to %u bytes", TAG_VALUE_BYTES);
}

/* By the order of names. */
static bool threshold_add_tag(const struct threshold_reading *reading, size_t start,
                              const struct threshold_tag *tag, struct threshold *threshold)
{
    size_t at = threshold->tag_count;
    if (at == TAG_NAMES) {
        return reading_refuse(reading, start, "more than %u tags", TAG_NAMES);
    }
    while (at > 0 && bytes_compare(threshold->tags[at - 1].name, tag->name) > 0) {
        threshold->tags[at] = threshold->tags[at - 1];
        at--;
    }
    if (at > 0 && bytes_equal(threshold->tags[at - 1].name, tag->name)) {
        return reading_refuse(reading, start, "the tag %.*s has a value already", BYTES_FORMAT(tag->name));
    }
    threshold->tags[at] = *tag;
    threshold->tag_count++;
    return true;
}

/* "tier=gold", which belongs to what begins at `start`. */
static bool threshold_read_tag(struct threshold_reading *reading, size_t start, struct threshold *threshold)
{
    struct threshold_tag tag = {.name = reading_take(reading, threshold_is_of_tag_name)};
    if (!tag_name_is_good(tag.name) || reading_peek(reading) != '=') {
        return reading_refuse(reading, start, "a tag is {NAME=VALUE}, such as {tier=gold}");
    }
    reading->at++;
    return threshold_read_tag_value(reading, &tag.value) &&
           threshold_add_tag(reading, start, &tag, threshold);
}

static bool threshold_check_tags(const struct threshold_reading *reading, size_t start,
                                 const struct threshold *threshold)
{
    size_t size = threshold->tag_count + 1; /* of the text of a combination: braces and commas */
    for (size_t i = 0; i < threshold->tag_count; i++) {
        size += threshold->tags[i].name.size + threshold->tags[i].value.size + sizeof "=\"\"" - 1;
    }
    return threshold->tag_count == 1 || size < THRESHOLD_TAGS_BYTES ||
           reading_refuse(reading, start, "several tags have at most %d bytes together",
                          THRESHOLD_TAGS_BYTES - 1);
}

/* "{tier=gold}" or "{tier=gold,region=eu}", where it is given. */
static bool threshold_read_tags(struct threshold_reading *reading, struct threshold *threshold)
{
    size_t start = reading->at;
    if (reading_peek(reading) != '{') {
        return true;
    }
    if (!reading->row->may_have_tag) {
        return reading_refuse(reading, start, "%s is not counted by tag", reading->row->word);
    }
    do {
        reading->at++;
        reading_skip_space(reading);
        if (!threshold_read_tag(reading, threshold->tag_count == 0 ? start : reading->at, threshold)) {
            return false;
        }
    } while (reading_peek(reading) == ',');
    if (reading_peek(reading) != '}') {
        return reading_refuse(reading, start, "the brace is not closed");
    }
    reading->at++;
    return threshold_check_tags(reading, start, threshold);
}

/* "p95", "p99.9": above 0, at most 100. */
static bool threshold_read_quantile(struct bytes word, double *quantile)
{
    char text[THRESHOLD_NUMBER_BYTES];
    const char *digits = text;
    double percent = 0;
    if (word.size < 2 || word.size >= sizeof text || word.data[0] != 'p' || !reading_is_digit(word.data[1])) {
        return false;
    }
    bytes_to_text(bytes_of(word.data + 1, word.size - 1), text, sizeof text);
    bool is_number = digits_read_decimal(&digits, &percent) && *digits == '\0';
    *quantile = percent / 100;
    return is_number && percent > 0 && percent <= 100;
}

static bool threshold_find_statistic(const struct threshold_metric_row *row, struct bytes word,
                                     struct threshold *threshold)
{
    threshold->statistic = THRESHOLD_NUMBER;
    for (int count = 0; count < THRESHOLD_COUNTS; count++) {
        if ((row->counts & 1u << count) != 0 && bytes_equal_string(word, COUNT_WORDS[count])) {
            threshold->count = (enum threshold_count)count;
            return true;
        }
    }
    if (bytes_equal_string(word, "rate")) {
        threshold->statistic = THRESHOLD_RATE;
        threshold->count = (row->counts & 1u << THRESHOLD_ALL) != 0 ? THRESHOLD_ALL : THRESHOLD_FAILED;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(TIME_WORDS) && row->has_times; i++) {
        if (bytes_equal_string(word, TIME_WORDS[i].word)) {
            threshold->statistic = TIME_WORDS[i].statistic;
            return true;
        }
    }
    threshold->statistic = THRESHOLD_QUANTILE;
    return row->has_times && threshold_read_quantile(word, &threshold->quantile);
}

static bool threshold_refuse_statistic(const struct threshold_reading *reading, size_t at, struct bytes word)
{
    char list[THRESHOLD_LIST_BYTES] = "";
    struct buffer words;
    buffer_init_within(&words, list, sizeof list);
    for (int count = 0; count < THRESHOLD_COUNTS; count++) {
        if ((reading->row->counts & 1u << count) != 0) {
            buffer_append_format(&words, "%s, ", COUNT_WORDS[count]);
        }
    }
    buffer_append_string(&words,
                         reading->row->has_times ? "rate, min, mean, max, and p50, p95, p99.9 …" : "rate");
    if (word.size == 0) {
        return reading_refuse(reading, at, "which number of %s? It has %s", reading->row->word, list);
    }
    return reading_refuse(reading, at, "%s has no \"%.*s\"; it has %s", reading->row->word,
                          BYTES_FORMAT(word), list);
}

static bool threshold_read_statistic(struct threshold_reading *reading, struct threshold *threshold)
{
    size_t start = reading->at;
    if (reading_peek(reading) != '.') {
        struct bytes fallback = bytes_of_string(reading->row->fallback);
        bool is_found = fallback.size > 0 && threshold_find_statistic(reading->row, fallback, threshold);
        return is_found || threshold_refuse_statistic(reading, start, bytes_of("", 0));
    }
    reading->at++;
    struct bytes word = reading_take(reading, threshold_belongs_to_statistic);
    if (word.size > THRESHOLD_WORD_BYTES) {
        word.size = THRESHOLD_WORD_BYTES;
    }
    return threshold_find_statistic(reading->row, word, threshold) ||
           threshold_refuse_statistic(reading, start + 1, word);
}

bool threshold_read_subject(struct threshold_reading *reading, struct threshold *threshold)
{
    return threshold_read_metric(reading, threshold) && threshold_read_name(reading, threshold) &&
           threshold_read_tags(reading, threshold) && threshold_read_statistic(reading, threshold);
}
