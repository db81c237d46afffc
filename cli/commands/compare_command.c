/* `tutti compare`: whether runs are better or worse than others, beyond noise. */
#include "cli/commands/subcommand.h"
#include "cli/compare/comparison_view.h"
#include "cli/options/control_options.h"
#include "cli/options/percent.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "cli/view/html_page.h"
#include "cli/view/json_file.h"
#include "cli/view/screen.h"
#include "cli/view/step_summary.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/report_json.h"
#include "coordinator/json/series_json.h"

#include <string.h>
#include <sys/stat.h>

#define COMPARE_MAX_RUNS 100u
#define COMPARE_PAGE_MAX_BYTES ((size_t)512 * 1024 * 1024)
#define BETWEEN_SIDES ":"
#define LEAST_LEVEL 0.5
#define DEFAULT_LEVEL 0.99
#define DEFAULT_TOLERANCE 0.02

struct compare_options {
    struct bytes fail_if;
    const char *json_path;
    const char *markdown_path;
    const char *html_path;
    double level;
    double tolerance;
    struct control_options control;
};

static bool compare_parse_level(const char *text, void *value, struct error *error)
{
    const double *level = value;
    return percent_parse(text, value, error) &&
           ((*level >= LEAST_LEVEL && *level < 1) ||
            error_set(error, "\"%.40s\" is not a level like 99%%, of 50%% to below 100%%", text));
}

#define COMPARE(field) .offset = offsetof(struct compare_options, field), .is_set_offset = SIZE_MAX
/* clang-format off */
static const struct option compare_options[] = {
    {.name = "fail-if", .type = OPTION_BYTES, COMPARE(fail_if), .argument = "CHANGE", .separator = ';',
        .maximum = FAIL_IF_MAX_BYTES, .check = fail_if_check, .has_no_variable = true,
        .help = "exit with 1 if this has changed beyond noise, such as \"p95 > +10%\", \"rate < -5%\" or "
                "\"request[login].failed > +1%\"; may be given several times"},
    {.name = "level", .type = OPTION_CUSTOM, COMPARE(level), .parse = compare_parse_level, .argument = "P%",
        .expected = "a percentage of 50% or more", .fallback = "99%", .has_no_variable = true,
        .help = "how sure it has to be that a change is none by chance"},
    {.name = "tolerance", .type = OPTION_CUSTOM, COMPARE(tolerance), .parse = percent_parse, .argument = "P%",
        .expected = "a percentage", .fallback = "2%", .has_no_variable = true,
        .help = "what changes less than this is the same"},
    {.name = "json", .type = OPTION_TEXT, COMPARE(json_path), .argument = "FILE", .has_no_variable = true,
        .help = "write it to this file as JSON instead; - is standard output"},
    {.name = "markdown", .type = OPTION_TEXT, COMPARE(markdown_path), .argument = "FILE", .has_no_variable = true,
        .help = "write it to this file as Markdown"},
    {.name = "html", .type = OPTION_TEXT, COMPARE(html_path), .argument = "FILE", .has_no_variable = true,
        .help = "write it to this file as a page that needs nothing else"},
    CONTROL_OPTIONS(offsetof(struct compare_options, control))
};
/* clang-format on */

/* The runs of the command line, and what has been read of them. */
struct compare {
    struct compare_options options;
    const char *words[COMPARE_MAX_RUNS + 1];
    size_t word_count;
    struct compared_run runs[COMPARE_MAX_RUNS];
    struct run_measures measures[COMPARE_MAX_RUNS];
    struct report_view *reports[COMPARE_MAX_RUNS];
    size_t run_count;
    size_t base_count;
    struct api_client *client; /* NULL until a campaign is asked for */
};

static bool compare_is_id(const char *word)
{
    return *word != '\0' && strspn(word, "0123456789") == strlen(word);
}

static void compare_take(struct compare *compare, const char *word, const json_t *report,
                         const json_t *series)
{
    size_t at = compare->run_count++;
    SCOPED(series_view_free) struct series_view *points = series_json_read(series);
    compare->reports[at] = report_json_read(report);
    compare->runs[at] = (struct compared_run){
        .name = bytes_of_string(word), .report = compare->reports[at], .has_series = points->points > 0};
    run_measures_init(&compare->measures[at], compare->reports[at], points);
}

/* What --json of `tutti run` has written. */
static bool compare_check(const json_t *report, struct error *error)
{
    bool is_report = json_is_object(json_object_get(report, "requests")) &&
                     json_is_object(json_object_get(report, "steps"));
    if (!is_report) {
        return error_set(error, "it is not a report as tutti run --json writes it");
    }
    return json_is_string(json_object_get(report, "verdict")) || error_set(error, "the run has not ended");
}

static enum exit_code compare_read_file(struct compare *compare, const char *path)
{
    struct error error;
    json_error_t reason;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        log_line(LOG_ERROR, "compare", "%s: it is a folder", path);
        return EXIT_CODE_USAGE;
    }
    json_t *report = json_load_file(path, 0, &reason);
    bool is_good = report != NULL;
    if (!is_good && reason.line > 0) {
        (void)error_set(&error, "line %d: %s", reason.line, reason.text);
    } else if (!is_good) {
        (void)error_set(&error, "%s", reason.text);
    }
    is_good = is_good && compare_check(report, &error);
    if (is_good) {
        compare_take(compare, path, report, json_object_get(report, "series"));
    } else {
        log_line(LOG_ERROR, "compare", "%s: %s", path, error.text);
    }
    json_decref(report);
    return is_good ? EXIT_CODE_PASSED : EXIT_CODE_USAGE;
}

static enum exit_code compare_ask(struct compare *compare, const char *word)
{
    uint64_t campaign = 0;
    if (!control_parse_id("compare", word, &campaign)) {
        return EXIT_CODE_USAGE;
    }
    if (compare->client == NULL) {
        compare->client = control_connect("compare", &compare->options.control);
    }
    if (compare->client == NULL) {
        return EXIT_CODE_USAGE;
    }
    json_t *report = NULL;
    SCOPED(memory_free_at) char *path = control_path(campaign, "/report");
    enum api_result result = control_ask("compare", compare->client, path, NULL, &report);
    if (result != API_DONE) {
        return control_exit_code(result);
    }
    struct error error;
    bool is_good = compare_check(report, &error);
    if (is_good) {
        json_t *series = control_series(compare->client, campaign);
        compare_take(compare, word, report, series);
        json_decref(series);
    } else {
        log_line(LOG_ERROR, "compare", "campaign %s: %s", word, error.text);
    }
    json_decref(report);
    return is_good ? EXIT_CODE_PASSED : EXIT_CODE_USAGE;
}

/* A : B, or one and another. */
static bool compare_divide(struct compare *compare, struct error *error)
{
    size_t at = 0;
    while (at < compare->word_count && strcmp(compare->words[at], BETWEEN_SIDES) != 0) {
        at++;
    }
    bool has_separator = at < compare->word_count;
    compare->base_count = has_separator ? at : 1;
    if (has_separator) {
        compare->word_count--;
        memmove(&compare->words[at], &compare->words[at + 1],
                (compare->word_count - at) * sizeof *compare->words);
    }
    if (!has_separator && compare->word_count > 2) {
        return error_set(error, "which of these are the base? Put a : between the two sides");
    }
    return (compare->base_count > 0 && compare->word_count > compare->base_count) ||
           error_set(error, "which runs? (see tutti help compare)");
}

static enum exit_code compare_read(struct compare *compare)
{
    enum exit_code code = EXIT_CODE_PASSED;
    for (size_t i = 0; i < compare->word_count && code == EXIT_CODE_PASSED; i++) {
        const char *word = compare->words[i];
        code = compare_is_id(word) ? compare_ask(compare, word) : compare_read_file(compare, word);
    }
    return code;
}

static bool compare_write_file(const char *path, const char *text)
{
    struct error error;
    SCOPED(json_file_close) struct json_file *file = json_file_open(path, &error);
    bool is_written = file != NULL && json_file_write(file, text, &error);
    if (!is_written) {
        log_line(LOG_ERROR, "compare", "%s", error.text);
    }
    return is_written;
}

static bool compare_write_markdown(const struct compare_options *options, const struct comparison_view *view)
{
    struct error error;
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, COMPARISON_TEXT_MAX_BYTES);
    comparison_markdown(view, &text);
    bool is_written =
        options->markdown_path == NULL || compare_write_file(options->markdown_path, buffer_string(&text));
    if (!step_summary_append(buffer_bytes(&text), &error)) {
        log_line(LOG_ERROR, "compare", "%s", error.text);
        is_written = false;
    }
    return is_written;
}

static bool compare_write_html(const struct compare_options *options, const struct comparison_view *view)
{
    SCOPED(buffer_finish) struct buffer page;
    buffer_init(&page, COMPARE_PAGE_MAX_BYTES);
    if (options->html_path == NULL) {
        return true;
    }
    json_t *object = comparison_json(view);
    SCOPED(memory_free_at) char *text = json_to_text(object, false);
    json_decref(object);
    html_page_comparison(text, &page);
    return compare_write_file(options->html_path, buffer_string(&page));
}

static enum exit_code compare_print(const struct comparison_view *view, enum exit_code code)
{
    const struct screen_settings settings = {0};
    struct screen *screen = screen_new(&settings);
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, COMPARISON_TEXT_MAX_BYTES);
    comparison_text(view, screen_has_colour(screen), &text);
    screen_text(screen, buffer_bytes(&text));
    return exit_code_of_output(code, "compare", screen_free(&screen));
}

/* The comparison is shown where it can be, also if a file cannot be written. */
static enum exit_code compare_show(const struct compare_options *options, const struct comparison_view *view,
                                   enum exit_code code)
{
    bool is_written = compare_write_markdown(options, view);
    is_written = compare_write_html(options, view) && is_written;
    if (options->json_path != NULL) {
        json_t *object = comparison_json(view);
        SCOPED(memory_free_at) char *text = json_to_text(object, true);
        json_decref(object);
        is_written = compare_write_file(options->json_path, text) && is_written;
    } else {
        code = compare_print(view, code);
    }
    return is_written ? code : exit_code_of_lost_results(code);
}

static enum exit_code compare_judge(const struct compare *compare)
{
    struct comparison comparison;
    const struct comparison_settings settings = {compare->options.level, compare->options.tolerance};
    const struct comparison_side base = {compare->measures, compare->base_count};
    const struct comparison_side new = {compare->measures + compare->base_count,
                                        compare->run_count - compare->base_count};
    comparison_init(&comparison, &base, &new, &settings);
    enum exit_code code = EXIT_CODE_PASSED;
    struct bytes rest = compare->options.fail_if;
    struct bytes one;
    size_t count = 0;
    SCOPED(memory_free_at)
    struct judged_fail_if *judged = memory_new(compare->options.fail_if.size + 1, sizeof *judged);
    while (thresholds_next(&rest, &one)) {
        struct judged_fail_if *next = &judged[count];
        if (fail_if_parse(one, &next->condition, NULL)) {
            next->outcome = fail_if_judge(&next->condition, &comparison, &next->row);
            code = fail_if_is_hit(next->outcome) ? EXIT_CODE_FAILED : code;
            count++;
        }
    }
    const struct comparison_view view = {.base = compare->runs,
                                         .base_count = compare->base_count,
                                         .new = compare->runs + compare->base_count,
                                         .new_count = new.count,
                                         .settings = settings,
                                         .comparison = &comparison,
                                         .fail_ifs = judged,
                                         .fail_if_count = count};
    code = compare_show(&compare->options, &view, code);
    comparison_finish(&comparison);
    return code;
}

static void compare_free(struct compare **at)
{
    struct compare *compare = *at;
    for (size_t i = 0; i < compare->run_count; i++) {
        run_measures_finish(&compare->measures[i]);
        report_view_free(&compare->reports[i]);
    }
    api_client_free(&compare->client);
    memory_free(compare);
    *at = NULL;
}

/* Each --fail-if counts: together they are one. */
static bool compare_parse(struct compare *compare, int argc, char **argv, char **joined)
{
    SCOPED(memory_free_at) char **given = memory_new((size_t)argc + 2, sizeof *given);
    SCOPED(memory_free_at) char *fail_ifs = NULL;
    memcpy(given, argv, (size_t)argc * sizeof *given);
    size_t count = sizeof compare_options / sizeof compare_options[0];
    if (!subcommand_parse(&compare_subcommand, argc, argv, &compare->options, compare->words,
                          COMPARE_MAX_RUNS + 1, &compare->word_count)) {
        return false;
    }
    fail_ifs = option_join(compare_options, count, &argc, given, &compare_options[0]);
    if (fail_ifs != NULL) {
        *joined = memory_copy_string(fail_ifs);
        compare->options.fail_if = bytes_of_string(*joined);
    }
    return true;
}

static int run_compare(int argc, char **argv)
{
    struct error error;
    SCOPED(compare_free) struct compare *compare = MEMORY_NEW(struct compare);
    SCOPED(memory_free_at) char *fail_ifs = NULL;
    compare->options.level = DEFAULT_LEVEL;
    compare->options.tolerance = DEFAULT_TOLERANCE;
    if (!compare_parse(compare, argc, argv, &fail_ifs)) {
        return EXIT_CODE_USAGE;
    }
    if (!compare_divide(compare, &error)) {
        log_line(LOG_ERROR, "compare", "%s", error.text);
        return EXIT_CODE_USAGE;
    }
    enum exit_code code = compare_read(compare);
    return (int)(code == EXIT_CODE_PASSED ? compare_judge(compare) : code);
}

const struct subcommand compare_subcommand = {
    .name = "compare",
    .usage = "BASE NEW | BASE… : NEW… [options]",
    .summary = "Compares reports of runs: better, worse, or the same within noise",
    .details =
        "Reports are files of --json, or ids of campaigns on a coordinator. Requests, timings, steps and\n"
        "times from edit to seen are compared by name: rate, failed, p50, p95 and p99. With four runs or\n"
        "more, noise is how much they differ; within a run, how much its seconds do. The exit code is 1 if\n"
        "a --fail-if is met, and 2 if a report cannot be read.\n",
    .examples = "  tutti compare main.json branch.json\n"
                "  tutti compare main-*.json : branch-*.json --fail-if 'p95 > +10%' --markdown compare.md\n"
                "  tutti compare main.json branch.json --html compare.html\n"
                "  tutti compare 7 9 --fail-if 'request[login].p99 > +50ms'\n",
    .options = compare_options,
    .option_count = sizeof compare_options / sizeof compare_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_compare,
};
