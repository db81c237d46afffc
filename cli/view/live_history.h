/* The last minute of a campaign, second by second, and its picture in one line. Pure. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"
#include "coordinator/core/series/series_view.h"

#define LIVE_HISTORY_SECONDS 60u
/* Of a second of which nothing is known. */
#define LIVE_HISTORY_NONE (-1.0)

/* Zeroed to begin with. */
struct live_history {
    bool is_begun;
    uint64_t newest;                     /* the second that was heard of last, since the workers began */
    double rates[LIVE_HISTORY_SECONDS];  /* by second, in a ring: requests a second, or steps where there are
                                            none */
    double p95_us[LIVE_HISTORY_SECONDS]; /* of the requests of the last seconds, as the report has it */
    uint64_t seen_ns;                    /* when these counts were read: */
    uint64_t requests;
    uint64_t steps;
};

/* To be called each time that the report is new; the same second may come again. */
void live_history_add(struct live_history *history, const struct report_view *report);
/* What was counted before the first report that is seen; that one is taken as well. */
void live_history_seed(struct live_history *history, const struct series_view *series,
                       const struct report_view *report);
/* The highest of the minute; LIVE_HISTORY_NONE if nothing is known. */
double live_history_most(const double values[LIVE_HISTORY_SECONDS]);
/* Steps, or requests, in a second, over the last `seconds` that are known; 0 if none are. */
double live_history_rate(const struct live_history *history, uint64_t seconds);
/* Appends `columns` characters of eight heights, the newest one right; `columns` divides the minute. A space
 * is where nothing is known. */
void live_history_draw(const struct live_history *history, const double values[LIVE_HISTORY_SECONDS],
                       size_t columns, struct buffer *line);
