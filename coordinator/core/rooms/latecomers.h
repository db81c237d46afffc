/* Who came last to the barriers and notifiers of a campaign, and how long others waited for it: by their
 * names. Pure. */
#pragma once
#include "common/pack.h"
#include "coordinator/core/report/report.h"

#define LATECOMERS_NAMES 100u /* of barriers and notifiers; further ones count under STATISTICS_OTHER */
#define LATECOMERS_WORKERS                                                                                   \
    1024u /* of a name; above, the half for whom others waited least count together                          \
           */
#define LATECOMERS_NOWHERE UINT32_MAX

struct latecomers;

MUST_CHECK struct latecomers *latecomers_new(void);
void latecomers_free(struct latecomers **latecomers);

/* A barrier has opened, a writer has written, or the last reader has read, after others had waited. */
struct late_arrival {
    enum operation_kind kind; /* of what the others waited in */
    struct bytes name;
    uint32_t worker;
    uint64_t waited_ns; /* the others, together */
};
void latecomers_add(struct latecomers *latecomers, const struct late_arrival *arrival);

/* Notes on which agent each of them is: the number of one, or LATECOMERS_NOWHERE. */
void latecomers_place(struct latecomers *latecomers,
                      uint32_t (*agent_of)(const void *context, uint32_t worker), const void *context);
/* Fills `last` of a report; borrowed until the next call. */
void latecomers_report(struct latecomers *latecomers, struct campaign_report *report);

/* As bytes, and back: incomplete if `from` is broken. */
void latecomers_pack(const struct latecomers *latecomers, struct buffer *into);
MUST_CHECK struct latecomers *latecomers_unpack(struct unpack *from);
