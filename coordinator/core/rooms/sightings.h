/* How long edits took until others saw them, and whether they saw the same: for a whole campaign, by the
 * names of its notifiers. */
#pragma once
#include "common/pack.h"
#include "coordinator/core/report/report.h"
#include "coordinator/core/sync/sighting.h"

#define SIGHTINGS_NAMES                                                                                      \
    100u /* names that are counted separately; the rest is counted under STATISTICS_OTHER */
#define SIGHTINGS_LAST 1024u   /* workers per name that are counted as the last to see */
#define SIGHTINGS_EXAMPLES 10u /* divergent steps per name that are reported in full */
#define SIGHTINGS_PARTS 4u     /* kinds of browsers per name that are counted apart, too */
#define SIGHTINGS_BROWSER_BYTES 32u

struct sightings;

MUST_CHECK struct sightings *sightings_new(void);
void sightings_free(struct sightings **sightings);

/* The edit of a step begins; the first reported instant counts. */
void sightings_edit(struct sightings *sightings, struct sighting *sighting, struct bytes name,
                    const struct instant *instant, struct quota *quota);
/* How a worker saw it for the first time. */
struct seen {
    uint32_t worker;
    struct instant instant; /* at_ns 0: not known */
    bool is_at_once;        /* it was already there at the first look, so the instant says nothing */
    struct bytes browser;   /* with which; empty: none, or not told */
};
void sightings_seen(struct sightings *sightings, struct sighting *sighting, struct bytes name,
                    const struct seen *seen, struct quota *quota);
/* A worker reported what it saw. */
void sightings_compare(struct sightings *sightings, struct sighting *sighting, struct bytes name,
                       uint32_t worker, struct bytes digest, struct quota *quota);
/* The step is over. `payload`, as it was written, is empty if nothing was. */
void sightings_close(struct sightings *sightings, const struct sighting *sighting, uint32_t room,
                     uint64_t step, struct bytes payload);

/* A sighting, at the instant when it was seen by the coordinator's clock. */
struct seen_note {
    int64_t at_ns;
    uint64_t seen_us;
};
/* Those since the last call, `*count` of them. Borrowed until the next sighting. */
const struct seen_note *sightings_take_notes(struct sightings *sightings, size_t *count);

/* Number of steps whose readers did not all see the same, of all names; `first` is the first one, of notifier
 * `name`. */
uint64_t sightings_diverged(const struct sightings *sightings, struct bytes *name,
                            const struct divergence **first);
/* Fills `seen` of a report; borrowed until the next call. */
void sightings_report(struct sightings *sightings, struct campaign_report *report);

/* As bytes, and back: incomplete if `from` is broken. */
void sightings_pack(const struct sightings *sightings, struct buffer *into);
MUST_CHECK struct sightings *sightings_unpack(struct unpack *from);
/* The one that a sighting with this notifier belongs to, or NULL. */
void sightings_pack_total(const struct seen_total *total, struct buffer *into);
MUST_CHECK struct seen_total *sightings_unpack_total(const struct sightings *sightings, struct unpack *from);
/* Of browsers that are counted apart in it; 0 for NULL. */
uint32_t sightings_part_count(const struct seen_total *total);
