/* The files that a report is also written to. */
#include "cli/view/outputs.h"

#include "cli/view/html_page.h"
#include "cli/view/json_file.h"
#include "cli/view/report_csv.h"
#include "cli/view/report_junit.h"
#include "cli/view/report_markdown.h"
#include "cli/view/step_summary.h"
#include "common/memory.h"

#include <errno.h>
#include <sys/stat.h>

#define OUTPUT_MAX_BYTES ((size_t)512 * 1024 * 1024)
#define FOLDER_MODE 0777

/* What is written to each. */
static void append_junit(const struct output_content *content, struct buffer *text)
{
    report_junit(content->report, text);
}

static void append_markdown(const struct output_content *content, struct buffer *text)
{
    report_markdown(content->report, text);
}

static void append_html(const struct output_content *content, struct buffer *text)
{
    html_page_report(content->json, content->artifacts, content->artifact_count, text);
}

static void append_csv_summary(const struct output_content *content, struct buffer *text)
{
    report_csv_summary(content->report, text);
}

static void append_csv_requests(const struct output_content *content, struct buffer *text)
{
    report_csv_requests(content->report, text);
}

static void append_csv_tags(const struct output_content *content, struct buffer *text)
{
    report_csv_tags(content->report, text);
}

static void append_csv_series(const struct output_content *content, struct buffer *text)
{
    report_csv_series(content->series, text);
}

enum output {
    OUTPUT_MARKDOWN,
    OUTPUT_JUNIT,
    OUTPUT_HTML,
    OUTPUT_SUMMARY,
    OUTPUT_REQUESTS,
    OUTPUT_TAGS,
    OUTPUT_SERIES,
    OUTPUT_COUNT
};

static const struct {
    const char *in_folder; /* its name in the folder of CSV; NULL: it has a path of its own */
    void (*append)(const struct output_content *content, struct buffer *text);
} OUTPUTS[OUTPUT_COUNT] = {
    [OUTPUT_MARKDOWN] = {NULL, append_markdown},
    [OUTPUT_JUNIT] = {NULL, append_junit},
    [OUTPUT_HTML] = {NULL, append_html},
    [OUTPUT_SUMMARY] = {"summary.csv", append_csv_summary},
    [OUTPUT_REQUESTS] = {"requests.csv", append_csv_requests},
    [OUTPUT_TAGS] = {"tags.csv", append_csv_tags},
    [OUTPUT_SERIES] = {"series.csv", append_csv_series},
};

struct outputs {
    struct json_file *files[OUTPUT_COUNT]; /* NULL: not wanted */
    bool has_step_summary;
};

static bool outputs_open_folder(struct outputs *outputs, const char *folder, struct error *error)
{
    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        return error_set_system(error, errno, "--csv: the folder %s cannot be created", folder);
    }
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        if (OUTPUTS[i].in_folder != NULL) {
            SCOPED(memory_free_at) char *path = memory_format("%s/%s", folder, OUTPUTS[i].in_folder);
            outputs->files[i] = json_file_open(path, error);
            if (outputs->files[i] == NULL) {
                return error_wrap(error, "--csv: ");
            }
        }
    }
    return true;
}

static bool outputs_open_file(struct outputs *outputs, enum output output, const char *path,
                              const char *option, struct error *error)
{
    if (path == NULL) {
        return true;
    }
    outputs->files[output] = json_file_open(path, error);
    return outputs->files[output] != NULL || error_wrap(error, "%s: ", option);
}

struct outputs *outputs_open(const struct output_paths *paths, struct error *error)
{
    struct outputs *outputs = MEMORY_NEW(struct outputs);
    outputs->has_step_summary = !paths->is_without_summary && step_summary_is_wanted();
    if (!outputs_open_file(outputs, OUTPUT_MARKDOWN, paths->markdown, "--markdown", error) ||
        !outputs_open_file(outputs, OUTPUT_JUNIT, paths->junit, "--junit", error) ||
        !outputs_open_file(outputs, OUTPUT_HTML, paths->html, "--html", error) ||
        (paths->csv != NULL && !outputs_open_folder(outputs, paths->csv, error))) {
        outputs_close(&outputs);
    }
    return outputs;
}

bool outputs_want_series(const struct outputs *outputs)
{
    return outputs->files[OUTPUT_SERIES] != NULL || outputs_want_json(outputs);
}

bool outputs_want_json(const struct outputs *outputs)
{
    return outputs->files[OUTPUT_HTML] != NULL;
}

bool outputs_write(struct outputs *outputs, const struct output_content *content, struct error *error)
{
    bool is_written = true;
    struct error own;
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        bool is_for_summary = i == OUTPUT_MARKDOWN && outputs->has_step_summary;
        if (outputs->files[i] == NULL && !is_for_summary) {
            continue;
        }
        SCOPED(buffer_finish) struct buffer text;
        buffer_init(&text, OUTPUT_MAX_BYTES);
        OUTPUTS[i].append(content, &text);
        bool is_good =
            outputs->files[i] == NULL || json_file_write(outputs->files[i], buffer_string(&text), &own);
        is_good = (!is_for_summary || step_summary_append(buffer_bytes(&text), &own)) && is_good;
        if (!is_good && is_written) {
            *error = own;
        }
        is_written = is_written && is_good;
    }
    return is_written;
}

void outputs_close(struct outputs **at)
{
    struct outputs *outputs = *at;
    if (outputs == NULL) {
        return;
    }
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        json_file_close(&outputs->files[i]);
    }
    memory_free(outputs);
    *at = NULL;
}
