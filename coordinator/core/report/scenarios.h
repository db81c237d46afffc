/* The steps of a campaign by scenario. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "coordinator/core/report/report.h"
#include "proto/message/message.h"

struct scenario_totals;

MUST_CHECK struct scenario_totals *scenario_totals_new(void);
void scenario_totals_free(struct scenario_totals **totals);
/* `left_bytes` as of histogram_merge_within. */
void scenario_totals_merge(struct scenario_totals *totals, const struct scenario_statistics *from,
                           size_t *left_bytes);
/* Fills the scenarios of a report, sorted by name; borrowed until the next call. */
void scenario_totals_report(struct scenario_totals *totals, struct campaign_report *report);

void scenario_totals_pack(const struct scenario_totals *totals, struct buffer *into);
/* Adds what was packed. */
void scenario_totals_unpack(struct scenario_totals *totals, struct unpack *from);
