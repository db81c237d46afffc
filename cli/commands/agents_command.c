/* `tutti agents`: which agents have joined a coordinator. */
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "proto/message/labels.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB (1024.0 * 1024)
#define GIB (1024.0 * MIB)
#define GAUGE_COLUMNS 5
#define US_PER_MS 1000u
#define LEFT_SHOWN_MS 60000u
#define LOST_SHOWN_MS 3600000u
#define NUMBER_DIGITS 18u
#define TEXT_LEAST_COLUMNS 10u

struct agents_options {
    bool is_json;
    bool is_wide;
    bool is_all;
    struct control_options control;
};

/* clang-format off */
static const struct option agents_options[] = {
    CONTROL_JSON_OPTION(offsetof(struct agents_options, is_json), "print the answer of the API"),
    {.name = "all", .type = OPTION_FLAG, .offset = offsetof(struct agents_options, is_all),
        .is_set_offset = SIZE_MAX, .help = "also those that left a minute ago, or were lost an hour ago"},
    CONTROL_WIDE_OPTION(offsetof(struct agents_options, is_wide)),
    CONTROL_RETRY_OPTION(offsetof(struct agents_options, control)),
    CONTROL_OPTIONS(offsetof(struct agents_options, control))
};
/* clang-format on */

static void add_campaigns(struct table *table, const json_t *list)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 256);
    for (size_t i = 0; i < json_array_size(list); i++) {
        buffer_append_format(&text, "%s%lld", i > 0 ? ", " : "",
                             (long long)json_integer_value(json_array_get(list, i)));
    }
    table_add(table, text.size > 0 ? buffer_bytes(&text) : bytes_of_string("none"));
}

static void add_percent(struct table *table, const json_t *object, const char *key)
{
    char text[FORMAT_BYTES];
    (void)snprintf(text, sizeof text, "%.0f %%", json_number_value(json_object_get(object, key)) * 100);
    table_add(table, bytes_of_string(text));
}

/* Of the shard whose loop is latest. */
static void add_lag(struct table *table, const json_t *loops)
{
    char text[FORMAT_BYTES];
    uint64_t worst_us = 0;
    for (size_t i = 0; i < json_array_size(loops); i++) {
        const json_t *lag = json_object_get(json_array_get(loops, i), "loop_lag_ms");
        uint64_t lag_us = json_us_of_ms(json_object_get(lag, "p99"));
        worst_us = lag_us > worst_us ? lag_us : worst_us;
    }
    format_us(worst_us, text);
    table_add(table, bytes_of_string(text));
}

/* "+3.00 s ± 40 µs" */
static void add_clock(struct table *table, const json_t *clock)
{
    char offset[FORMAT_BYTES];
    char uncertainty[FORMAT_BYTES];
    char text[3 * FORMAT_BYTES] = "unknown";
    int64_t offset_ns = json_ns_of_ms(json_object_get(clock, "offset_ms"));
    if (json_is_object(clock)) {
        format_us((uint64_t)(offset_ns < 0 ? -offset_ns : offset_ns) / 1000, offset);
        format_us(json_us_of_ms(json_object_get(clock, "uncertainty_ms")), uncertainty);
        (void)snprintf(text, sizeof text, "%s%s ± %s", offset_ns < 0 ? "−" : "+", offset, uncertainty);
    }
    table_add(table, bytes_of_string(text));
}

static void add_gauges(struct table *table, const json_t *gauges)
{
    char text[FORMAT_BYTES];
    if (!json_is_object(gauges)) {
        for (int column = 0; column < GAUGE_COLUMNS; column++) {
            table_add(table, bytes_of_string("–"));
        }
        return;
    }
    add_percent(table, gauges, "cpu");
    add_percent(table, gauges, "host_cpu");
    (void)snprintf(text, sizeof text, "%.0f MiB",
                   json_number_value(json_object_get(gauges, "memory_bytes")) / MIB);
    table_add(table, bytes_of_string(text));
    add_lag(table, json_object_get(gauges, "loops"));
    add_clock(table, json_object_get(gauges, "clock"));
}

static void add_labels(struct table *table, const json_t *labels)
{
    SCOPED(buffer_finish) struct buffer text;
    const char *name = NULL;
    json_t *value = NULL;
    buffer_init(&text, LABELS_MAX_BYTES);
    json_object_foreach((json_t *)(uintptr_t)labels, name, value)
    {
        const char *words = json_string_value(value);
        buffer_append_format(&text, "%s%s=%s", text.size > 0 ? "," : "", name, words != NULL ? words : "?");
    }
    table_add(table, text.size > 0 ? buffer_bytes(&text) : bytes_of_string("none"));
}

static void add_heard(struct table *table, const json_t *agent)
{
    table_add_us(table, json_get_count(agent, "heard_ms_ago") * US_PER_MS);
}

/* All that is known of it. */
static void agents_command_add_wide(struct table *table, const json_t *agent)
{
    char text[FORMAT_BYTES];
    table_add(table, json_get_text(agent, "name"));
    table_add(table, json_get_text(agent, "host"));
    table_add(table, json_get_text(agent, "version"));
    control_add_count(table, agent, "pid", false);
    table_add(table, json_get_text(agent, "state"));
    control_add_count(table, agent, "cores", true);
    (void)snprintf(text, sizeof text, "%.1f GiB",
                   json_number_value(json_object_get(agent, "memory_bytes")) / GIB);
    table_add(table, bytes_of_string(text));
    control_add_count(table, agent, "shards", true);
    control_add_count(table, agent, "workers", true);
    if (json_is_integer(json_object_get(agent, "capacity"))) {
        control_add_count(table, agent, "capacity", true);
    } else {
        table_add(table, bytes_of_string("any"));
    }
    add_labels(table, json_object_get(agent, "labels"));
    add_campaigns(table, json_object_get(agent, "campaigns"));
    add_heard(table, agent);
    add_gauges(table, json_object_get(agent, "gauges"));
}

/* What fits a terminal that nobody has widened. */
static void agents_command_add_agent(struct table *table, const json_t *agent)
{
    const json_t *gauges = json_object_get(agent, "gauges");
    table_add(table, json_get_text(agent, "name"));
    table_add(table, json_get_text(agent, "host"));
    table_add(table, json_get_text(agent, "state"));
    control_add_count(table, agent, "workers", true);
    if (json_is_object(gauges)) {
        add_percent(table, gauges, "cpu");
        add_lag(table, json_object_get(gauges, "loops"));
    } else {
        table_add(table, bytes_of_string("–"));
        table_add(table, bytes_of_string("–"));
    }
    add_heard(table, agent);
    add_campaigns(table, json_object_get(agent, "campaigns"));
}

/* The number that begins at `at`, as long as there are digits; up to the one after the last. */
static uint64_t agents_command_number(struct bytes name, size_t *at)
{
    uint64_t number = 0;
    for (size_t digits = 0; *at < name.size && isdigit(name.data[*at]) && digits < NUMBER_DIGITS; digits++) {
        number = number * 10 + (uint64_t)(name.data[(*at)++] - '0');
    }
    return number;
}

/* By their names, and by the numbers in them: agent-2 before agent-10. */
static int agents_command_compare(const void *left, const void *right)
{
    const json_t *const *one = left;
    const json_t *const *other = right;
    struct bytes names[] = {json_get_text(*one, "name"), json_get_text(*other, "name")};
    size_t at[] = {0, 0};
    while (at[0] < names[0].size && at[1] < names[1].size) {
        uint8_t bytes[] = {names[0].data[at[0]], names[1].data[at[1]]};
        if (isdigit(bytes[0]) && isdigit(bytes[1])) {
            uint64_t numbers[] = {agents_command_number(names[0], &at[0]),
                                  agents_command_number(names[1], &at[1])};
            if (numbers[0] != numbers[1]) {
                return numbers[0] < numbers[1] ? -1 : 1;
            }
        } else if (bytes[0] != bytes[1]) {
            return bytes[0] < bytes[1] ? -1 : 1;
        } else {
            at[0]++;
            at[1]++;
        }
    }
    return bytes_compare(names[0], names[1]);
}

/* An agent that has gone is news for a while. */
static bool agents_command_is_news(const json_t *agent)
{
    struct bytes state = json_get_text(agent, "state");
    uint64_t gone_ms = json_get_count(agent, "heard_ms_ago");
    return !(bytes_equal_string(state, "left") && gone_ms > LEFT_SHOWN_MS) &&
           !(bytes_equal_string(state, "lost") && gone_ms > LOST_SHOWN_MS);
}

/* In order; `*count` is how many there are. For memory_free. */
static const json_t **agents_command_choose(const json_t *list, bool is_all, size_t *count)
{
    const json_t **agents = memory_new(json_array_size(list) + 1, sizeof *agents);
    *count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *agent = json_array_get(list, i);
        if (is_all || agents_command_is_news(agent)) {
            agents[(*count)++] = agent;
        }
    }
    qsort(agents, *count, sizeof *agents, agents_command_compare);
    return agents;
}

static void agents_command_tell_hidden(size_t count)
{
    if (count > 0) {
        printf("%zu more %s gone (--all)\n", count, count == 1 ? "has" : "have");
    }
}

static void print_agents(const json_t *list, const struct agents_options *options)
{
    static const char *const wide[] = {"agent",    "<host",      "<version",  "pid",     "<state",
                                       "cores",    "memory",     "shards",    "workers", "capacity",
                                       "<labels",  "<campaigns", "heard ago", "cpu",     "host cpu",
                                       "resident", "lag",        "clock",     NULL};
    static const char *const columns[] = {"agent", "<host",     "<state",     "workers", "cpu",
                                          "lag",   "heard ago", "<campaigns", NULL};
    size_t count = 0;
    SCOPED(memory_free_at) const json_t **agents = agents_command_choose(list, options->is_all, &count);
    bool is_wide = options->is_wide;
    if (count == 0) {
        printf("no agents (tutti agent --coordinator tcp://HOST:7440 joins one)\n");
        agents_command_tell_hidden(json_array_size(list));
        return;
    }
    SCOPED(table_finish) struct table table;
    table_init(&table, is_wide ? wide : columns);
    table.limit = is_wide ? 0 : TABLE_COLUMNS; /* wide: programs read it by lines */
    table.least_text = TEXT_LEAST_COLUMNS;
    for (size_t i = 0; i < count; i++) {
        (is_wide ? agents_command_add_wide : agents_command_add_agent)(&table, agents[i]);
    }
    control_print_table(&table);
    if (!is_wide) {
        agents_command_tell_hidden(json_array_size(list) - count);
    }
}

static int run_agents(int argc, char **argv)
{
    struct agents_options options = {.control.retry_ms = CONTROL_RETRY_MS};
    size_t word_count = 0;
    if (!subcommand_parse(&agents_subcommand, argc, argv, &options, NULL, 0, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    SCOPED(api_client_free) struct api_client *client = control_connect("agents", &options.control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    json_t *answer = NULL;
    enum api_result result = control_ask("agents", client, "/v1/agents", NULL, &answer);
    if (result == API_DONE && options.is_json) {
        control_print_json(answer);
    } else if (result == API_DONE) {
        print_agents(json_object_get(answer, "agents"), &options);
    }
    json_decref(answer);
    return (int)control_exit_code(result);
}

const struct subcommand agents_subcommand = {
    .name = "agents",
    .usage = "[options]",
    .summary = "Lists the agents of a coordinator",
    .examples = "  tutti agents\n"
                "  tutti agents --wide\n"
                "  tutti agents --json | jq -r '.agents[] | select(.state == \"lost\").name'\n",
    .options = agents_options,
    .option_count = sizeof agents_options / sizeof agents_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_agents,
};
