/* A comparison for a person, a page or a program. */
#pragma once
#include "cli/compare/fail_if.h"
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

#include <jansson.h>

#define COMPARISON_TEXT_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* A run as it was named, and what it is. */
struct compared_run {
    struct bytes name; /* of its file, or the id of its campaign */
    const struct report_view *report;
    bool has_series;
};

/* A condition, and what came of it. */
struct judged_fail_if {
    struct fail_if condition;
    enum fail_if_outcome outcome;
    const struct compared_row *row; /* that decided; NULL: none */
};

struct comparison_view {
    const struct compared_run *base;
    size_t base_count;
    const struct compared_run *new;
    size_t new_count;
    struct comparison_settings settings;
    const struct comparison *comparison;
    const struct judged_fail_if *fail_ifs;
    size_t fail_if_count;
};

void comparison_text(const struct comparison_view *view, bool has_colour, struct buffer *text);
void comparison_markdown(const struct comparison_view *view, struct buffer *text);
/* For json_decref. */
MUST_CHECK json_t *comparison_json(const struct comparison_view *view);

/* What the views share. "http.p95", "request[login].p99" */
void comparison_append_name(struct buffer *text, const struct compared_row *row, enum measure_number number);
/* "worse: http.p95 +12 %, …": what has changed, the gravest first. */
void comparison_append_verdict(struct buffer *text, const struct comparison_view *view);
/* What the noise was found by, and what weakens the comparison: a line for each. */
void comparison_append_notes(struct buffer *text, const struct comparison_view *view);
/* "p95 > +10 %: failed: http.p95 +12 %" */
void comparison_append_fail_if(struct buffer *text, const struct judged_fail_if *judged);
#define COMPARISON_CELL_BYTES 40
/* Of a side that has it: "12.3 ms". */
void comparison_value(double value, enum measure_number number, char text[COMPARISON_CELL_BYTES]);
/* "+12.3 %", "−0.20 points" for shares of failures. */
void comparison_change(double change, enum measure_number number, char text[COMPARISON_CELL_BYTES]);
/* "±1.2 %"; "?" where it is not known. */
void comparison_noise(const struct compared *compared, enum measure_number number,
                      char text[COMPARISON_CELL_BYTES]);
