/* The files that a report is also written to: CSV, JUnit, Markdown, HTML. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"

/* NULL: not wanted. */
struct output_paths {
    const char *csv; /* a folder */
    const char *markdown;
    const char *junit;
    const char *html;
    bool is_without_summary; /* not the summary of a step of GitHub Actions either */
};

struct output_content {
    const struct report_view *report;
    const struct series_view *series;
    const char *json; /* the report with its series; for outputs_want_json alone */
    const struct artifact *artifacts;
    size_t artifact_count;
};

struct outputs;

/* To be called before a run, so that what cannot be written is an error at once; the folder is made. The
 * summary of a step of GitHub Actions is written to as well, where the environment names one. */
MUST_CHECK struct outputs *outputs_open(const struct output_paths *paths, struct error *error);
/* Whether one of them needs the series; or is made from JSON. */
bool outputs_want_series(const struct outputs *outputs);
bool outputs_want_json(const struct outputs *outputs);
/* All that can be written is, also where another cannot. False with the first error. */
MUST_CHECK bool outputs_write(struct outputs *outputs, const struct output_content *content,
                              struct error *error);
/* Without outputs_write no file is left. NULLs the pointer; NULL is tolerated. */
void outputs_close(struct outputs **outputs);
