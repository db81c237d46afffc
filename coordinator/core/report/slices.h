/* What is counted by tag, and in groups, of a campaign: summed up over its agents. */
#pragma once
#include "common/map.h"
#include "common/pack.h"
#include "coordinator/core/report/report.h"
#include "proto/message/message.h"

struct slice_totals;

MUST_CHECK struct slice_totals *slice_totals_new(void);
/* Takes the combinations of tags that these thresholds name. Called once, before anything is counted. */
void slice_totals_keep(struct slice_totals *totals, struct bytes thresholds);
void slice_totals_free(struct slice_totals **totals);
/* `left_bytes`: by which the histograms may still grow. */
void slice_totals_merge(struct slice_totals *totals, const struct slice_statistics *from, size_t *left_bytes);

/* As the campaign has this tag of an agent: each of them may have had others. Empty if it is none, or a
 * combination that no threshold names. Lives as long as the totals. */
struct bytes slice_totals_tag(const struct slice_totals *totals, struct bytes tag);
/* What is counted of a kind under one name with one tag, which are as a report has them; NULL if nothing is.
 */
const struct slice_report *slice_totals_find(const struct slice_totals *totals,
                                             const struct slice_report *like);
/* One after the other, in no order; NULL after the last. The cursor begins zeroed. */
const struct slice_report *slice_totals_next(const struct slice_totals *totals, struct map_cursor *cursor);
/* Fills the slices of a report, sorted; borrowed until the next call. */
void slice_totals_report(struct slice_totals *totals, struct campaign_report *report);

void slice_totals_pack(const struct slice_totals *totals, struct buffer *into);
/* Into empty ones; `from` is broken if the bytes are malformed. */
void slice_totals_unpack(struct slice_totals *totals, struct unpack *from);
