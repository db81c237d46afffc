/* The numbers of a campaign second by second: in total, by request name, by scenario, by tag. Seconds are
 * counted from when the workers began, by the coordinator's clock. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/pack.h"
#include "coordinator/core/series/series_group.h"
#include "proto/message/message.h"

/* With this many points, two become one: a point stands for 1, 2, 4, … seconds, the same in all rows. */
#define SERIES_POINTS 3600u
/* Names that have a row of their own in a group; the others share SERIES_OTHER. */
#define SERIES_NAMES 512u
#define SERIES_OTHER "(other)"
/* Of the packed points of all rows together: with more, two points become one likewise. */
#define SERIES_MAX_BYTES ((size_t)96 * 1024 * 1024)

struct series;

MUST_CHECK struct series *series_new(void);
void series_free(struct series **series);

/* What an agent counted within this second. A second before the open ones is corrected; the caller bounds how
 * far ahead one may be. */
void series_add_statistics(struct series *series, uint64_t second, const struct statistics *from);
/* Requests of those statistics with a tag, which is the campaign's own: an agent may have another for it. */
void series_add_tagged(struct series *series, uint64_t second, struct bytes tag,
                       const struct slice_statistics *from);
/* Workers that were running at some time of this second. */
void series_add_workers(struct series *series, uint64_t second, uint32_t workers);
/* Of one agent. */
void series_add_gauges(struct series *series, uint64_t second, const struct gauges *gauges);
void series_add_lost(struct series *series, uint64_t second, uint64_t steps);
/* Counts one sighting. */
void series_add_seen(struct series *series, uint64_t second, uint64_t seen_us);

/* Of all requests together, within a few seconds. */
struct series_recent {
    uint64_t seconds; /* 0: there is none yet */
    uint64_t requests;
    uint64_t failed;
    uint64_t messages; /* of WebSockets, in and out */
    uint64_t p50_us;
    uint64_t p95_us;
    uint64_t p99_us;
};
/* Of the latest SERIES_RECENT_S seconds of which every agent has reported, `running_ns` after the workers
 * began: what happened within a second arrives within the next. */
#define SERIES_RECENT_S 10u
struct series_recent series_recent(const struct series *series, uint64_t running_ns);

/* The seconds that are kept by themselves: from `first` up to the one before `end`. */
struct series_seconds {
    uint64_t first;
    uint64_t end;
};
struct series_seconds series_open_seconds(const struct series *series);
/* Those of the open seconds of which every agent has reported, `running_ns` after the workers began; all of
 * them once they have ended. */
struct series_seconds series_settled_seconds(const struct series *series, uint64_t running_ns,
                                             bool has_ended);
/* Changes whenever something is added to this second, which is open. Not kept over a restart. */
uint64_t series_second_revision(const struct series *series, uint64_t second);

/* How many seconds a point stands for, and how many points each row has; the last one may be incomplete. */
uint64_t series_point_s(const struct series *series);
uint64_t series_points(const struct series *series);
/* Bytes of the packed points. */
size_t series_bytes(const struct series *series);

/* As bytes, and back: NULL, and `from` is broken, if they are malformed. */
void series_pack(const struct series *series, struct buffer *into);
MUST_CHECK struct series *series_unpack(struct unpack *from);
