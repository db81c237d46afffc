/* What a campaign is to hold by changing the number of its workers. */
#include "proto/message/goal.h"

#include "common/compose.h"
#include "proto/message/limits.h"

#include <string.h>

#define GOAL_EXPECTED "a threshold with max=N, like \"http.p95 < 200ms;max=500\" or \"rate=50;max=500\""
/* What is left of the text for a threshold without words of ours. */
#define GOAL_VALUE_BYTES (GOAL_TEXT_BYTES - 60u)

static bool goal_refuse(struct error *error)
{
    return error_set(error, "goal: expected " GOAL_EXPECTED);
}

static struct bytes goal_trim(struct bytes text)
{
    while (text.size > 0 && text.data[0] == ' ') {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    return text;
}

/* Takes what comes before the first such character off `rest`, and the character. */
static struct bytes goal_take_part(struct bytes *rest, char separator)
{
    const uint8_t *found = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
    size_t size = found != NULL ? (size_t)(found - rest->data) : rest->size;
    struct bytes part = bytes_of(rest->data, size);
    size_t taken = found != NULL ? size + 1 : size;
    *rest = rest->size > 0 ? bytes_of(rest->data + taken, rest->size - taken) : *rest;
    return goal_trim(part);
}

static bool goal_is_number(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((text.data[i] < '0' || text.data[i] > '9') && text.data[i] != '.') {
            return false;
        }
    }
    return text.size > 0;
}

static bool goal_take_workers(struct bytes text, uint32_t *workers, struct error *error)
{
    uint64_t number = 0;
    bool is_good = text.size > 0 && text.size <= 7;
    for (size_t i = 0; is_good && i < text.size; i++) {
        is_good = text.data[i] >= '0' && text.data[i] <= '9';
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *workers = (uint32_t)number;
    return (is_good && number > 0 && number <= LIMIT_WORKERS) ||
           error_set(error, "goal: min and max are numbers of workers, from 1 to %u", LIMIT_WORKERS);
}

/* "p95=200ms", "rate=50": of all requests, and of steps. */
static bool goal_is_short(struct bytes name)
{
    bool is_quantile =
        name.size > 1 && name.data[0] == 'p' && goal_is_number(bytes_of(name.data + 1, name.size - 1));
    return is_quantile || bytes_equal_string(name, "mean") || bytes_equal_string(name, "rate");
}

static void goal_write(struct goal *goal, struct bytes name, struct bytes value)
{
    bool is_rate = bytes_equal_string(name, "rate");
    const char *unit = !goal_is_number(value) ? "" : is_rate ? "/s" : "s";
    if (is_rate) {
        compose(goal->text, sizeof goal->text, "steps.rate >= %.*s%s", BYTES_FORMAT(value), unit);
    } else {
        compose(goal->text, sizeof goal->text, "http.%.*s < %.*s%s", BYTES_FORMAT(name), BYTES_FORMAT(value),
                unit);
    }
}

static bool goal_take(struct bytes part, struct goal *goal, struct error *error)
{
    struct bytes value = part;
    struct bytes name = goal_take_part(&value, '=');
    value = goal_trim(value);
    if (bytes_equal_string(name, "min")) {
        return goal_take_workers(value, &goal->least, error);
    }
    if (bytes_equal_string(name, "max")) {
        return goal_take_workers(value, &goal->most, error);
    }
    if (goal->text[0] != '\0' || part.size > GOAL_VALUE_BYTES || !bytes_is_printable(part)) {
        return goal_refuse(error);
    }
    if (goal_is_short(name)) {
        goal_write(goal, name, value);
    } else {
        compose(goal->text, sizeof goal->text, "%.*s", BYTES_FORMAT(part));
    }
    return true;
}

static bool goal_finish(struct goal *goal, struct error *error)
{
    struct threshold threshold;
    if (goal->text[0] == '\0') {
        return goal_refuse(error);
    }
    if (!threshold_parse(bytes_of_string(goal->text), &threshold, error)) {
        return error_wrap(error, "goal \"%s\": ", goal->text);
    }
    if (threshold.is_abort || threshold.after_ms > 0 || threshold.statistic == THRESHOLD_NUMBER ||
        threshold.comparison == THRESHOLD_UNEQUAL) {
        return error_set(error, "goal \"%s\": a goal is a time, a share or a rate, without after and abort",
                         goal->text);
    }
    if (threshold.over_ms == 0) {
        char text[GOAL_TEXT_BYTES];
        compose(text, sizeof text, "%s over 10s", goal->text);
        compose(goal->text, sizeof goal->text, "%s", text);
    }
    if (goal->most == 0) {
        return error_set(error, "goal \"%s\": say with max=N how many workers there may be", goal->text);
    }
    return goal->least <= goal->most || error_set(error, "goal \"%s\": min is %u, more than max, which is %u",
                                                  goal->text, goal->least, goal->most);
}

bool goal_parse(struct bytes text, struct goal *goal, struct error *error)
{
    struct bytes rest = text;
    *goal = (struct goal){0};
    while (rest.size > 0) {
        struct bytes part = goal_take_part(&rest, ';');
        if (part.size > 0 && !goal_take(part, goal, error)) {
            return false;
        }
    }
    return goal_finish(goal, error);
}

bool goal_check(struct bytes text, struct error *error)
{
    struct goal goal;
    return text.size == 0 || goal_parse(text, &goal, error);
}
