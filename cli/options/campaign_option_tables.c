/* The options that a campaign has, as tables: what `tutti run` and `tutti start` share stands in one place.
 */
#include "cli/options/run_options.h"
#include "cli/options/start_options.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"

#include <stdlib.h>
#include <string.h>

#define AGENTS_MAX 1000u
#define DAY_MS (24u * 3600u * 1000u)
#define YEAR_MS (365ull * DAY_MS)

static const char *const on_loss_choices[] = {ON_LOSS_WORDS, NULL};
static const char *const on_deadlock_choices[] = {"stop", "fail", NULL};
static const char *const browser_choices[] = {"chromium", "firefox", "webkit", "remote", NULL};

static bool is_digits(const char *text, size_t size)
{
    return size > 0 && strspn(text, "0123456789") >= size;
}

/* "10" or "2.5%" */
static bool parse_fail(const char *text, void *value, struct error *error)
{
    struct fail_limit *limit = value;
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == '%') {
        char *end = NULL;
        double percent = strtod(text, &end);
        bool is_plain = strspn(text, "0123456789.") == length - 1;
        if (is_plain && end == text + length - 1 && percent >= 0 && percent <= 100) {
            *limit = (struct fail_limit){.percent = percent};
            return true;
        }
    } else if (is_digits(text, length) && length <= 18) {
        *limit = (struct fail_limit){.steps = strtoull(text, NULL, 10)};
        return true;
    }
    return error_set(error, "\"%.40s\" is neither a number of steps nor a percentage like 5%%", text);
}

static bool parse_words(const char *text, void *value, struct error *error)
{
    if (*text == '\0' || strlen(text) > LIMIT_NAME_BYTES) {
        return error_set(error, "must have 1 to %u characters", LIMIT_NAME_BYTES);
    }
    *(const char **)value = text;
    return true;
}

static bool parse_target(const char *text, void *value, struct error *error)
{
    if (*text == '\0' || strlen(text) > LIMIT_TEXT_BYTES) {
        return error_set(error, "must have 1 to %u characters", LIMIT_TEXT_BYTES);
    }
    *(const char **)value = text;
    return true;
}

static bool campaign_option_tables_parse_labels(const char *text, void *value, struct error *error)
{
    *(const char **)value = text;
    return labels_check(bytes_of_string(text), error);
}

#define FIELD(row, field)                                                                                    \
    .offset = offsetof(struct run_options, field), .is_set_offset = offsetof(struct run_options, is_set[row])

#define START_FIELD(field) .offset = offsetof(struct start_options, field), .is_set_offset = SIZE_MAX

/* clang-format off */
const struct option run_option_table[RUN_OPTION_COUNT] = {
#include "cli/options/campaign_options.inc"
    {.name = "agents", .type = OPTION_NUMBER, FIELD(RUN_AGENTS, agents), .minimum = 1,
        .maximum = AGENTS_MAX, .argument = "N", .help = "agent processes to start", .fallback = "2"},
    {.name = "shards", .type = OPTION_NUMBER, FIELD(RUN_SHARDS, shards), .minimum = 1,
        .maximum = LIMIT_SHARDS, .argument = "N", .help = "threads of each agent", .fallback = "1"},
    {.name = "turn-limit", .type = OPTION_DURATION, FIELD(RUN_TURN_LIMIT, turn_limit_ms), .minimum = 10,
        .maximum = LIMIT_TURN_MAX_MS, .argument = "TIME",
        .help = "processor time that a worker may use between two waits", .fallback = "2s"},
    {.name = "artifacts", .type = OPTION_CUSTOM, FIELD(RUN_ARTIFACTS, artifacts), .parse = parse_target,
        .argument = "DIR", .help = "where pictures and sources of browsers go when a step fails",
        .fallback = "tutti-artifacts/…"},
};

const struct option start_option_table[START_OPTION_COUNT] = {
#include "cli/options/campaign_options.inc"
    {.name = "wait", .type = OPTION_FLAG, START_FIELD(is_waiting),
        .help = "follow it to its end, report, and exit by its verdict"},
    {.name = "expect-agents", .type = OPTION_NUMBER, START_FIELD(expected_agents), .minimum = 1,
        .maximum = AGENTS_MAX, .argument = "N", .help = "begin when so many agents are there", .fallback = "1"},
    {.name = "deadline", .type = OPTION_DURATION, START_FIELD(deadline_ms), .minimum = 1, .maximum = YEAR_MS,
        .argument = "TIME", .help = "give up if they are not there by then", .fallback = "60s"},
    {.name = "on", .type = OPTION_CUSTOM, START_FIELD(labels), .parse = campaign_option_tables_parse_labels, .argument = "NAME=VALUE,…",
        .help = "only on agents with these labels (tutti agent --labels)"},
    CONTROL_OPTIONS(offsetof(struct start_options, control))
};
/* clang-format on */
