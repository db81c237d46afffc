/* `tutti status`: the campaigns of a coordinator, or the progress of one of them. */
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "cli/view/live_line.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/report_json.h"

#include "proto/message/labels.h"
#include "proto/message/limits.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX_BYTES (1024u * 1024u)
#define LINE_MAX_BYTES 4096u
#define SCRIPT_LEAST_COLUMNS 10u

struct status_options {
    bool is_json;
    bool is_wide;
    const char *name;
    struct option_texts labels;
    struct control_options control;
};

/* clang-format off */
static const struct option status_options[] = {
    CONTROL_JSON_OPTION(offsetof(struct status_options, is_json), "print the answer of the API"),
    CONTROL_WIDE_OPTION(offsetof(struct status_options, is_wide)),
    {.name = "name", .type = OPTION_TEXT, .offset = offsetof(struct status_options, name), .is_set_offset = SIZE_MAX,
     .minimum = 1, .maximum = LIMIT_NAME_BYTES, .argument = "NAME", .has_no_variable = true,
     .help = "list only campaigns of this name"},
    {.name = "label", .type = OPTION_TEXTS, .offset = offsetof(struct status_options, labels), .is_set_offset = SIZE_MAX,
     .check = labels_check, .argument = "KEY=VALUE", .has_no_variable = true, .minimum = 1, .maximum = LABELS_MAX_BYTES,
     .help = "list only campaigns with this label; may be given several times"},
    CONTROL_RETRY_OPTION(offsetof(struct status_options, control)),
    CONTROL_OPTIONS(offsetof(struct status_options, control))
};
/* clang-format on */

/* An ended campaign is shown by its verdict. */
static struct bytes state_of(const json_t *campaign)
{
    struct bytes verdict = json_get_text(campaign, "verdict");
    bool has_verdict = verdict.size > 0 && !bytes_equal_string(verdict, "none");
    return has_verdict ? verdict : json_get_text(campaign, "state");
}

static void add_started(struct table *table, const struct report_view *report)
{
    char text[FORMAT_BYTES] = "–";
    if (report->begun_wall_ns > 0) {
        format_wall_time(report->begun_wall_ns, clock_wall_ns(), text);
    }
    table_add(table, bytes_of_string(text));
}

/* Without the folders, which would leave no room for it. */
static struct bytes status_file_name(struct bytes path)
{
    size_t at = path.size;
    while (at > 0 && path.data[at - 1] != '/') {
        at--;
    }
    return bytes_of(path.data + at, path.size - at);
}

/* What is shown of each in the list. */
struct status_list {
    bool has_names;
    bool has_sizes; /* workers and agents */
    bool is_wide;   /* with the folders of scripts, and with labels */
};

static void add_campaign(struct table *table, const json_t *campaign, const struct status_list *shown)
{
    char text[FORMAT_BYTES];
    SCOPED(report_view_free) struct report_view *report = report_json_read(campaign);
    const json_t *steps = json_object_get(campaign, "steps");
    struct bytes script = json_get_text(campaign, "script");
    control_add_count(table, campaign, "campaign", false);
    table_add(table, shown->is_wide ? script : status_file_name(script));
    if (shown->has_names) {
        table_add(table, report->name);
    }
    table_add(table, state_of(campaign));
    if (shown->has_sizes) {
        control_add_count(table, campaign, "workers", true);
        control_add_count(table, campaign, "agents", true);
    }
    add_started(table, report);
    format_us(json_ns_of_s(json_object_get(campaign, "elapsed_s")) / 1000, text);
    table_add(table, bytes_of_string(text));
    control_add_count(table, steps, "ok", true);
    control_add_count(table, steps, "failed", true);
    if (shown->is_wide) {
        table_add(table, report->labels);
    }
}

static bool has_names(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_get_text(json_array_get(list, i), "name").size > 0) {
            return true;
        }
    }
    return false;
}

/* By its id, so by age. */
static int status_compare(const void *left, const void *right)
{
    const json_t *const *one = left;
    const json_t *const *other = right;
    uint64_t ids[] = {json_get_count(*one, "campaign"), json_get_count(*other, "campaign")};
    return ids[0] < ids[1] ? -1 : ids[0] > ids[1];
}

/* Where campaigns have names, these take the place of the numbers of workers and agents, unless there is room
 * for both. */
static void print_campaigns(const json_t *list, bool is_wide)
{
    static const char *const columns[] = {"id",      "<script", "<state", "workers", "agents",
                                          "started", "time",    "ok",     "failed",  NULL};
    static const char *const named[] = {"id",   "<script", "<name",  "<state", "started",
                                        "time", "ok",      "failed", NULL};
    static const char *const wide[] = {"id",      "<script", "<name", "<state", "workers", "agents",
                                       "started", "time",    "ok",    "failed", "<labels", NULL};
    size_t count = json_array_size(list);
    if (count == 0) {
        printf("no campaigns (tutti start SCRIPT starts one)\n");
        return;
    }
    bool are_named = has_names(list);
    const struct status_list shown = {
        .has_names = is_wide || are_named, .has_sizes = is_wide || !are_named, .is_wide = is_wide};
    const json_t **campaigns = memory_new(count, sizeof *campaigns);
    for (size_t i = 0; i < count; i++) {
        campaigns[i] = json_array_get(list, i);
    }
    qsort(campaigns, count, sizeof *campaigns, status_compare);
    SCOPED(table_finish) struct table table;
    table_init(&table, is_wide ? wide : are_named ? named : columns);
    table.least_text = SCRIPT_LEAST_COLUMNS;
    table.limit = is_wide ? 0 : TABLE_COLUMNS;
    for (size_t i = 0; i < count; i++) {
        add_campaign(&table, campaigns[i], &shown);
    }
    memory_free(campaigns);
    control_print_table(&table);
}

/* "started 14:03:22, running for 2 m 5 s", "started 14:03:22, ended 14:05:27" */
static void status_append_times(struct buffer *text, const struct report_view *report)
{
    char started[FORMAT_BYTES];
    char other[FORMAT_BYTES];
    uint64_t now_ns = clock_wall_ns();
    if (report->begun_wall_ns == 0) {
        buffer_append_string(text, report->has_ended ? "its workers did not begin\n" : "not started yet\n");
        return;
    }
    format_wall_time(report->begun_wall_ns, now_ns, started);
    if (report->has_ended) {
        format_wall_time(report->begun_wall_ns + report->running_ns, now_ns, other);
        buffer_append_format(text, "started %s, ended %s\n", started, other);
    } else {
        format_us(report->running_ns / 1000, other);
        buffer_append_format(text, "started %s, running for %s\n", started, other);
    }
}

static void append_live_line(struct buffer *text, const struct report_view *report)
{
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES);
    live_line_compose(report, &line);
    format_wrap(buffer_bytes(&line), TABLE_COLUMNS, 2, text);
    buffer_append_string(text, "\n");
}

static void append_names(struct buffer *text, const struct report_view *report)
{
    if (report->name.size > 0 || report->labels.size > 0) {
        buffer_append_string(text, "  ");
        escape_text(text, report->name);
        buffer_append_string(text, report->name.size > 0 && report->labels.size > 0 ? "  " : "");
        escape_text(text, report->labels);
        buffer_append_string(text, "\n");
    }
}

static void append_agent(struct buffer *text, const json_t *agent)
{
    char workers[FORMAT_BYTES];
    bool tells_running =
        json_object_get(agent, "workers_running") != NULL; /* an older coordinator does not */
    uint64_t count = json_get_count(agent, tells_running ? "workers_running" : "workers");
    format_count(count, workers);
    buffer_append_string(text, "  ");
    escape_text(text, json_get_text(agent, "name"));
    buffer_append_string(text, " on ");
    escape_text(text, json_get_text(agent, "host"));
    buffer_append_format(text, "  %s %s, ", workers, count == 1 ? "worker" : "workers");
    escape_text(text, json_get_text(agent, "state"));
    buffer_append_string(text, "\n");
}

static void print_campaign(const json_t *object)
{
    SCOPED(buffer_finish) struct buffer text;
    SCOPED(report_view_free) struct report_view *report = report_json_read(object);
    const json_t *agents = json_object_get(object, "agents");
    struct bytes reason = json_get_text(object, "reason");
    buffer_init(&text, TEXT_MAX_BYTES);
    buffer_append_format(&text, "campaign %" PRIu64 "  ", json_get_count(object, "campaign"));
    escape_text(&text, json_get_text(object, "script"));
    buffer_append_string(&text, "  ");
    escape_text(&text, state_of(object));
    buffer_append_string(&text, reason.size > 0 ? ": " : "");
    escape_text(&text, reason);
    buffer_append_string(&text, "\n");
    append_names(&text, report);
    status_append_times(&text, report);
    append_live_line(&text, report);
    for (size_t i = 0; i < json_array_size(agents); i++) {
        append_agent(&text, json_array_get(agents, i));
    }
    (void)fwrite(text.data, 1, text.size, stdout);
}

/* Printed as long as the failure lasts. */
static void print_journal(const json_t *journal)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, TEXT_MAX_BYTES);
    if (bytes_equal_string(json_get_text(journal, "state"), "failed")) {
        buffer_append_string(&text, "the journal has failed: ");
        escape_text(&text, json_get_text(journal, "reason"));
        buffer_append_string(&text, "; campaigns would not survive the coordinator\n");
        (void)fwrite(text.data, 1, text.size, stdout);
    }
}

/* As a part of a query. */
static void status_append_encoded(struct buffer *path, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        bool is_plain = isalnum(byte) || byte == '-' || byte == '_' || byte == '.';
        buffer_append_format(path, is_plain ? "%c" : "%%%02X", byte);
    }
}

/* Of the list; for memory_free. */
static char *status_list_path(const struct status_options *options)
{
    SCOPED(buffer_finish) struct buffer path;
    buffer_init(&path, TEXT_MAX_BYTES);
    buffer_append_string(&path, "/v1/campaigns");
    if (options->name != NULL) {
        buffer_append_string(&path, "?name=");
        status_append_encoded(&path, options->name);
    }
    for (size_t i = 0; i < options->labels.count; i++) {
        buffer_append_string(&path, i > 0 ? "%2C" : options->name != NULL ? "&label=" : "?label=");
        status_append_encoded(&path, options->labels.items[i]);
    }
    return memory_copy_string(buffer_string(&path));
}

static enum exit_code status(const struct status_options *options, bool is_one, uint64_t campaign)
{
    SCOPED(api_client_free) struct api_client *client = control_connect("status", &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    json_t *answer = NULL;
    SCOPED(memory_free_at)
    char *path = is_one ? control_path(campaign, "") : status_list_path(options);
    enum api_result result = control_ask("status", client, path, NULL, &answer);
    if (result == API_DONE && options->is_json) {
        control_print_json(answer);
    } else if (result == API_DONE && is_one) {
        print_campaign(answer);
    } else if (result == API_DONE) {
        print_campaigns(json_object_get(answer, "campaigns"), options->is_wide);
        print_journal(json_object_get(answer, "journal"));
    }
    json_decref(answer);
    return control_exit_code(result);
}

static int run_status(int argc, char **argv)
{
    struct status_options options = {.control.retry_ms = CONTROL_RETRY_MS};
    const char *word = NULL;
    size_t word_count = 0;
    uint64_t campaign = 0;
    if (!subcommand_parse(&status_subcommand, argc, argv, &options, &word, 1, &word_count) ||
        (word_count == 1 && !control_parse_id("status", word, &campaign))) {
        return EXIT_CODE_USAGE;
    }
    return (int)status(&options, word_count == 1, campaign);
}

const struct subcommand status_subcommand = {
    .name = "status",
    .usage = "[ID] [options]",
    .summary = "Lists the campaigns of a coordinator, or shows the state of one",
    .examples = "  tutti status\n"
                "  tutti status --name nightly --label team=web\n"
                "  tutti status 7\n"
                "  tutti status 7 --json | jq .steps\n",
    .options = status_options,
    .option_count = sizeof status_options / sizeof status_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_status,
};
