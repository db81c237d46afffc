/* The statistics of a campaign: what its agents have counted, summed up. */
#pragma once
#include "common/attributes.h"
#include "common/map.h"
#include "common/pack.h"
#include "coordinator/core/report/report.h"
#include "proto/message/limits.h"
#include "proto/message/message.h"

/* Names of requests, waits or errors that are counted separately; further ones go under STATISTICS_OTHER. */
#define STATISTICS_NAMES LIMIT_REQUEST_NAMES
#define STATISTICS_OTHER "(other)"

/* Memory of all histograms together, apart from their first buckets; a value beyond it is counted in the
 * highest bucket that there is. */
#define STATISTICS_MAX_BYTES (64u * 1024u * 1024u)

struct campaign_statistics;
struct slice_totals;

MUST_CHECK struct campaign_statistics *campaign_statistics_new(void);
/* Counts by the combinations of tags that these thresholds name. Called once, before anything is counted. */
void campaign_statistics_keep_tags(struct campaign_statistics *statistics, struct bytes thresholds);
void campaign_statistics_free(struct campaign_statistics **statistics);
/* `steps` ended, or may have begun, on an agent that was lost before it reported them. */
void campaign_statistics_add_lost(struct campaign_statistics *statistics, uint64_t steps);
/* Arrivals of the plan that nobody has begun. */
void campaign_statistics_add_dropped(struct campaign_statistics *statistics, uint64_t arrivals);
/* Adds what one agent counted since its last message. */
void campaign_statistics_merge(struct campaign_statistics *statistics, const struct statistics *from);
void campaign_statistics_add_error(struct campaign_statistics *statistics,
                                   const struct error_statistics *error);

/* Of the errors of such a message, which was added: in which second since the workers began they happened, on
 * which agent. */
void campaign_statistics_note_errors(struct campaign_statistics *statistics, const struct statistics *from,
                                     uint64_t second, struct bytes agent);

/* Of the plan, begun or dropped. */
uint64_t campaign_statistics_arrivals(const struct campaign_statistics *statistics);
uint64_t campaign_statistics_steps_ok(const struct campaign_statistics *statistics);
uint64_t campaign_statistics_steps_failed(const struct campaign_statistics *statistics);
/* Fills only what is counted of all names together. */
void campaign_statistics_totals(const struct campaign_statistics *statistics, struct campaign_report *report);
/* What is counted of one name; NULL if nothing is. */
const struct request_report *campaign_statistics_request(const struct campaign_statistics *statistics,
                                                         struct bytes name, bool is_timing);
/* As the campaign has this tag of an agent; empty if it has none such. */
struct bytes campaign_statistics_tag(const struct campaign_statistics *statistics, struct bytes tag);
/* What is counted by tag, and in groups. */
const struct slice_totals *campaign_statistics_slices(const struct campaign_statistics *statistics);
/* One after the other, in no order; NULL after the last. The cursor begins zeroed. */
const struct request_report *campaign_statistics_next_request(const struct campaign_statistics *statistics,
                                                              struct map_cursor *cursor);
const struct wait_report *campaign_statistics_next_wait(const struct campaign_statistics *statistics,
                                                        struct map_cursor *cursor);
const struct check_report *campaign_statistics_next_check(const struct campaign_statistics *statistics,
                                                          struct map_cursor *cursor);
/* Fills steps, requests, waits and errors of a report, sorted; borrowed until the next call. */
void campaign_statistics_report(struct campaign_statistics *statistics, struct campaign_report *report);

/* As bytes, and back: NULL, and `from` is broken, if they are malformed. `thresholds` as before. */
void campaign_statistics_pack(const struct campaign_statistics *statistics, struct buffer *into);
MUST_CHECK struct campaign_statistics *campaign_statistics_unpack(struct unpack *from,
                                                                  struct bytes thresholds);
