/* The report of a campaign as JSON, and the file that it goes into. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/core/report.h"

/* The object of the report, as text for memory_free. `begun_wall_ns`: when the workers began, nanoseconds
 * since 1970; 0 if they never did. */
MUST_CHECK char *report_json(const struct campaign_report *report, uint64_t begun_wall_ns);

/* A file that is there whole or not at all: written beside its place under another name, then moved. */
struct json_file;
/* Opened before the run, so that a path that cannot be written is told at once. "-" is standard output. */
MUST_CHECK struct json_file *json_file_open(const char *path, struct error *error);
MUST_CHECK bool json_file_write(struct json_file *file, const char *text, struct error *error);
/* Without json_file_write nothing is left behind. */
void json_file_close(struct json_file **file);
