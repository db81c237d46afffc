/* What the agents of a campaign have counted, added up. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "coordinator/core/report/report.h"
#include "proto/message/limits.h"
#include "proto/message/message.h"

/* Kinds of request, wait or error that are told apart; what comes beyond goes under STATISTICS_OTHER. */
#define STATISTICS_NAMES LIMIT_REQUEST_NAMES
#define STATISTICS_OTHER "(other)"

/* What all histograms may take together, but for their first few values; what is beyond is counted as the
 * largest that there is room for. */
#define STATISTICS_MAX_BYTES (64u * 1024u * 1024u)

struct campaign_statistics;

MUST_CHECK struct campaign_statistics *campaign_statistics_new(void);
void campaign_statistics_free(struct campaign_statistics **statistics);
/* So many steps ended, or may have begun, on an agent that cannot tell any more. */
void campaign_statistics_add_lost(struct campaign_statistics *statistics, uint64_t steps);
/* Adds what one agent counted since its last message. */
void campaign_statistics_merge(struct campaign_statistics *statistics, const struct statistics *from);
void campaign_statistics_add_error(struct campaign_statistics *statistics,
                                   const struct error_statistics *error);

uint64_t campaign_statistics_steps_ok(const struct campaign_statistics *statistics);
uint64_t campaign_statistics_steps_failed(const struct campaign_statistics *statistics);
/* Fills steps, requests, waits and errors of a report, in its order; borrowed until the next call. */
void campaign_statistics_report(struct campaign_statistics *statistics, struct campaign_report *report);

/* As bytes, and back: NULL, and `from` is broken, if they make no sense. */
void campaign_statistics_pack(const struct campaign_statistics *statistics, struct buffer *into);
MUST_CHECK struct campaign_statistics *campaign_statistics_unpack(struct unpack *from);
