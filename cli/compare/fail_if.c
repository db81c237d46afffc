/* Reads and judges the changes at which a comparison fails. */
#include "cli/compare/fail_if.h"

#include "common/compose.h"
#include "common/digits.h"

#include <math.h>
#include <string.h>

#define NUMBER_BYTES 64u

/* The longer ones first. */
static const struct {
    const char *word;
    enum threshold_operator comparison;
} operators[] = {
    {"<=", THRESHOLD_AT_MOST}, {">=", THRESHOLD_AT_LEAST}, {"<", THRESHOLD_LESS}, {">", THRESHOLD_MORE}};

static const struct {
    const char *word;
    double us;
} time_units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};

static struct bytes fail_if_trim(struct bytes text)
{
    while (text.size > 0 && text.data[0] == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    return text;
}

static struct bytes fail_if_rest(struct bytes text, size_t from)
{
    return fail_if_trim(bytes_of(text.data + from, text.size - from));
}

static bool fail_if_refuse(const struct fail_if *condition, struct error *error, const char *expected)
{
    return error_set(error, "\"%.*s\": %s", BYTES_FORMAT(condition->text), expected);
}

static bool fail_if_find_number(struct bytes word, enum measure_number *number)
{
    for (int i = 0; i < MEASURE_NUMBERS; i++) {
        if (bytes_equal_string(word, measure_number_name((enum measure_number)i))) {
            *number = (enum measure_number)i;
            return true;
        }
    }
    return false;
}

/* Of kinds with the same word, the one of this form; else any with the word. */
static bool fail_if_find_kind(struct bytes word, enum measure_form form, enum measure_kind *kind)
{
    bool is_found = false;
    for (int i = 0; i < MEASURE_KINDS; i++) {
        enum measure_kind known = (enum measure_kind)i;
        bool is_like = bytes_equal_string(word, measure_kind_name(known));
        if (is_like && (!is_found || measure_form(known) == form)) {
            *kind = known;
            is_found = true;
        }
    }
    return is_found;
}

/* [NAME]; the name may have brackets of its own, so its end is the last one. */
static bool fail_if_read_name(struct fail_if *condition, struct bytes rest)
{
    if (rest.size < 3 || rest.data[rest.size - 1] != ']') {
        return false;
    }
    struct bytes name = bytes_of(rest.data + 1, rest.size - 2);
    bool is_quoted = name.size > 2 && name.data[0] == '"' && name.data[name.size - 1] == '"';
    condition->name.name = is_quoted ? bytes_of(name.data + 1, name.size - 2) : name;
    condition->name.is_pattern = !is_quoted && memchr(name.data, '*', name.size) != NULL;
    return true;
}

/* {TAG=VALUE,…}, as a threshold has it. */
static bool fail_if_read_tags(struct fail_if *condition, struct bytes metric, struct error *error)
{
    char text[FAIL_IF_MAX_BYTES];
    struct threshold threshold;
    struct error why;
    compose(text, sizeof text, "%.*s.count > 0", BYTES_FORMAT(metric));
    if (!threshold_parse(bytes_of_string(text), &threshold, &why)) {
        return fail_if_refuse(condition, error, why.text);
    }
    (void)threshold_tags_text(&threshold, condition->tags);
    return true;
}

static bool fail_if_read_rest(struct fail_if *condition, struct bytes metric, size_t word_bytes,
                              enum measure_form form, struct error *error)
{
    if (measure_form(condition->kind) != form) {
        bool has_names = measure_form(condition->kind) == MEASURE_NAMED;
        return fail_if_refuse(condition, error,
                              form == MEASURE_TAGGED ? "of tags, all requests are compared: http{TAG=VALUE}"
                              : has_names            ? "expected a name in [ ]"
                                                     : "it has no names");
    }
    if (form == MEASURE_TAGGED) {
        return fail_if_read_tags(condition, metric, error);
    }
    struct bytes rest = bytes_of(metric.data + word_bytes, metric.size - word_bytes);
    return form == MEASURE_ALONE || fail_if_read_name(condition, rest) ||
           fail_if_refuse(condition, error, "expected a name in [ ]");
}

/* "request[login].p95", "http{tier=gold}.failed", "steps.failed", "p95" */
static bool fail_if_read_metric(struct fail_if *condition, struct bytes text, struct error *error)
{
    size_t dot = text.size;
    while (dot > 0 && text.data[dot - 1] != '.') {
        dot--;
    }
    condition->kind = MEASURE_HTTP;
    if (!fail_if_find_number(bytes_of(text.data + dot, text.size - dot), &condition->number)) {
        return fail_if_refuse(condition, error, "expected one of count, rate, failed, p50, p95, p99");
    }
    if (dot == 0) {
        return true;
    }
    struct bytes metric = bytes_of(text.data, dot - 1);
    size_t size = 0;
    while (size < metric.size && metric.data[size] != '[' && metric.data[size] != '{') {
        size++;
    }
    enum measure_form form = size == metric.size        ? MEASURE_ALONE
                             : metric.data[size] == '[' ? MEASURE_NAMED
                                                        : MEASURE_TAGGED;
    if (!fail_if_find_kind(bytes_of(metric.data, size), form, &condition->kind)) {
        return fail_if_refuse(condition, error,
                              "expected http, request[NAME], http{TAG=VALUE}, record[NAME], group[NAME], "
                              "steps, scenario[NAME], waits[NAME], seen[NAME], checks, checks[NAME], "
                              "websocket[NAME] or messages[NAME]");
    }
    return fail_if_read_rest(condition, metric, size, form, error);
}

static bool fail_if_settle_unit(struct fail_if *condition, const char *unit)
{
    if (strcmp(unit, "%") == 0) {
        condition->is_relative = true;
        condition->limit /= 100;
        return true;
    }
    for (size_t i = 0; measure_is_time(condition->number) && i < sizeof time_units / sizeof *time_units;
         i++) {
        if (strcmp(unit, time_units[i].word) == 0) {
            condition->limit *= time_units[i].us;
            return true;
        }
    }
    return strcmp(unit, condition->number == MEASURE_RATE ? "/s" : "") == 0 &&
           (condition->number == MEASURE_RATE || condition->number == MEASURE_COUNT);
}

/* "+10%", "-5/s", "+50ms" */
static bool fail_if_read_limit(struct fail_if *condition, struct bytes text, struct error *error)
{
    char number[NUMBER_BYTES];
    const char *unit = number + 1;
    double limit = 0;
    if (text.size == 0 || (text.data[0] != '+' && text.data[0] != '-') || text.size >= sizeof number) {
        return fail_if_refuse(condition, error, "expected a change with its sign, such as +10% or -5%");
    }
    bytes_to_text(text, number, sizeof number);
    if (!digits_read_decimal(&unit, &limit)) {
        return fail_if_refuse(condition, error, "expected a number, such as +10%");
    }
    condition->limit = number[0] == '-' ? -limit : limit;
    while (*unit == ' ') {
        unit++;
    }
    return fail_if_settle_unit(condition, unit) ||
           fail_if_refuse(condition, error,
                          measure_is_time(condition->number) ? "expected % or a time, such as +10% or +50ms"
                          : condition->number == MEASURE_FAILED
                              ? "expected a change in per cent of all, such as +0.5%"
                              : "that is not a unit of this number");
}

bool fail_if_parse(struct bytes text, struct fail_if *condition, struct error *error)
{
    *condition = (struct fail_if){.text = fail_if_trim(text)};
    text = condition->text;
    /* A name may have any character: what compares follows the last one of them. */
    size_t at = text.size;
    while (at > 0 && text.data[at - 1] != '<' && text.data[at - 1] != '>') {
        at--;
    }
    if (at == 0) {
        return fail_if_refuse(condition, error, "expected a change such as p95 > +10%");
    }
    at--;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t size = strlen(operators[i].word);
        if (text.size - at >= size && memcmp(text.data + at, operators[i].word, size) == 0) {
            condition->comparison = operators[i].comparison;
            struct bytes metric = fail_if_trim(bytes_of(text.data, at));
            return fail_if_read_metric(condition, metric, error) &&
                   fail_if_read_limit(condition, fail_if_rest(text, at + size), error);
        }
    }
    return false;
}

bool fail_if_check(struct bytes text, struct error *error)
{
    struct bytes one;
    struct fail_if condition;
    size_t count = 0;
    while (thresholds_next(&text, &one)) {
        if (!fail_if_parse(one, &condition, error)) {
            return false;
        }
        count++;
    }
    return count > 0 || error_set(error, "expected a change such as p95 > +10%%");
}

const char *fail_if_outcome_name(enum fail_if_outcome outcome)
{
    static const char *const names[] = {[FAIL_IF_HELD] = "ok",
                                        [FAIL_IF_NOISE] = "within noise",
                                        [FAIL_IF_HIT] = "failed",
                                        [FAIL_IF_NOT_MEASURED] = "not measured"};
    return names[outcome];
}

bool fail_if_is_hit(enum fail_if_outcome outcome)
{
    return outcome == FAIL_IF_HIT || outcome == FAIL_IF_NOT_MEASURED;
}

static bool fail_if_holds(const struct fail_if *condition, const struct compared *compared)
{
    double change = condition->is_relative ? compared_change(compared, condition->number)
                                           : compared->new - compared->base;
    const struct threshold limit = {.comparison = condition->comparison, .limit = condition->limit};
    return threshold_holds(&limit, change);
}

static enum fail_if_outcome fail_if_judge_row(const struct fail_if *condition,
                                              const struct compared *compared)
{
    if (!compared->has_base || !compared->has_new) {
        return FAIL_IF_NOT_MEASURED;
    }
    if (!fail_if_holds(condition, compared)) {
        return FAIL_IF_HELD;
    }
    bool is_noise = compared->has_noise && fabs(compared->new - compared->base) <= compared->noise;
    return is_noise ? FAIL_IF_NOISE : FAIL_IF_HIT;
}

static bool fail_if_matches(const struct fail_if *condition, struct bytes name)
{
    return condition->kind == MEASURE_TAG ? bytes_equal_string(name, condition->tags)
                                          : threshold_matches(&condition->name, name);
}

enum fail_if_outcome fail_if_judge(const struct fail_if *condition, const struct comparison *comparison,
                                   const struct compared_row **row)
{
    /* From the mildest to the gravest. */
    static const int gravity[] = {
        [FAIL_IF_HELD] = 1, [FAIL_IF_NOISE] = 2, [FAIL_IF_NOT_MEASURED] = 3, [FAIL_IF_HIT] = 4};
    enum fail_if_outcome outcome = FAIL_IF_NOT_MEASURED;
    *row = NULL;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared_row *candidate = &comparison->rows[i];
        if (candidate->kind != condition->kind || !fail_if_matches(condition, candidate->name)) {
            continue;
        }
        enum fail_if_outcome here = fail_if_judge_row(condition, &candidate->numbers[condition->number]);
        if (*row == NULL || gravity[here] > gravity[outcome]) {
            outcome = here;
            *row = candidate;
        }
    }
    return outcome;
}
