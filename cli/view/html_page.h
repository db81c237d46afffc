/* A report, or a comparison of reports, as one page that needs nothing else. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report/artifacts.h"

/* What pictures of failed steps may take in a page; those that no room is left for are counted. */
#define HTML_PICTURES_MAX_BYTES ((size_t)8 * 1024 * 1024)

/* `json` is a report with its series. Of the artifacts, which are in the order of the report's, pictures are
 * shown. */
void html_page_report(const char *json, const struct artifact *artifacts, size_t artifact_count,
                      struct buffer *text);
/* `json` is what tutti compare --json writes. */
void html_page_comparison(const char *json, struct buffer *text);
