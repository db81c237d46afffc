/* `tutti report`: the report of a campaign on a coordinator. */
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/options/live_option.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "cli/remote/control_outputs.h"
#include "cli/view/json_file.h"
#include "cli/view/outputs.h"
#include "cli/view/report_text.h"
#include "cli/view/screen.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/report_json.h"

struct report_options {
    const char *json_path;
    struct output_paths outputs;
    struct control_options control;
};

/* clang-format off */
static const struct option report_options[] = {
    {.name = "json", .type = OPTION_TEXT, .offset = offsetof(struct report_options, json_path),
        .is_set_offset = SIZE_MAX, .argument = "FILE", .has_no_variable = true,
        .help = "write it to this file as JSON instead; - is standard output"},
    {.name = "csv", .type = OPTION_TEXT, .offset = offsetof(struct report_options, outputs.csv),
        .is_set_offset = SIZE_MAX, .argument = "DIR", .has_no_variable = true,
        .help = "write summary.csv, requests.csv, tags.csv and series.csv to this folder"},
    {.name = "markdown", .type = OPTION_TEXT, .offset = offsetof(struct report_options, outputs.markdown),
        .is_set_offset = SIZE_MAX, .argument = "FILE", .has_no_variable = true,
        .help = "write it to this file as Markdown"},
    {.name = "junit", .type = OPTION_TEXT, .offset = offsetof(struct report_options, outputs.junit),
        .is_set_offset = SIZE_MAX, .argument = "FILE", .has_no_variable = true,
        .help = "write verdict, scenarios, checks and thresholds to this file as JUnit's test cases"},
    HTML_OPTION(offsetof(struct report_options, outputs.html)),
    CONTROL_RETRY_OPTION(offsetof(struct report_options, control)),
    CONTROL_OPTIONS(offsetof(struct report_options, control))
};
/* clang-format on */

static enum exit_code print_report(const json_t *object)
{
    const struct screen_settings settings = {0};
    struct screen *screen = screen_new(&settings);
    SCOPED(report_view_free) struct report_view *report = report_json_read(object);
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, REPORT_TEXT_MAX_BYTES);
    report_text(report, screen_has_colour(screen), &text);
    screen_text(screen, buffer_bytes(&text));
    return exit_code_of_output(EXIT_CODE_PASSED, "report", screen_free(&screen));
}

static enum exit_code write_report(const char *path, const char *text)
{
    struct error error;
    SCOPED(json_file_close) struct json_file *file = json_file_open(path, &error);
    if (file == NULL || !json_file_write(file, text, &error)) {
        log_line(LOG_ERROR, "report", "%s", error.text);
        return EXIT_CODE_LOST;
    }
    return EXIT_CODE_PASSED;
}

/* The text is printed nevertheless. */
static enum exit_code write_outputs(const struct report_options *options, struct api_client *client,
                                    const json_t *object)
{
    struct error error;
    SCOPED(outputs_close) struct outputs *outputs = outputs_open(&options->outputs, &error);
    if (outputs == NULL || !control_outputs_write(outputs, client, object, &error)) {
        log_line(LOG_ERROR, "report", "%s", error.text);
        return EXIT_CODE_LOST;
    }
    return EXIT_CODE_PASSED;
}

static enum exit_code report(const struct report_options *options, uint64_t campaign)
{
    SCOPED(api_client_free) struct api_client *client = control_connect("report", &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    json_t *answer = NULL;
    SCOPED(memory_free_at) char *path = control_path(campaign, "/report");
    enum api_result result = control_ask("report", client, path, NULL, &answer);
    if (result != API_DONE) {
        return control_exit_code(result);
    }
    enum exit_code code;
    if (options->json_path != NULL) {
        SCOPED(memory_free_at) char *text = control_report_text(client, campaign, answer);
        code = write_report(options->json_path, text);
    } else {
        code = print_report(answer);
    }
    enum exit_code written = write_outputs(options, client, answer);
    json_decref(answer);
    code = code == EXIT_CODE_PASSED ? written : code;
    return code;
}

static int run_report(int argc, char **argv)
{
    struct report_options options = {.control.retry_ms = CONTROL_RETRY_MS};
    const char *word = NULL;
    size_t word_count = 0;
    uint64_t campaign = 0;
    if (!subcommand_parse(&report_subcommand, argc, argv, &options, &word, 1, &word_count) ||
        !control_parse_id("report", word, &campaign)) {
        return EXIT_CODE_USAGE;
    }
    return (int)report(&options, campaign);
}

const struct subcommand report_subcommand = {
    .name = "report",
    .usage = "ID [options]",
    .summary = "Prints the report of a campaign on a coordinator",
    .details =
        "The same as tutti run prints; for a campaign that is still running, its state so far. The exit\n"
        "code only says whether there was a report.\n",
    .examples = "  tutti report 7\n"
                "  tutti report 7 --json report.json\n"
                "  tutti report 7 --html report.html\n",
    .options = report_options,
    .option_count = sizeof report_options / sizeof report_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_report,
};
