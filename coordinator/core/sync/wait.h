/* The waits of a campaign: which worker waits for what, and until when. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/timers.h"
#include "proto/message/operation.h"

struct notifier;
struct barrier;
struct variable;
struct wait;

/* In the order in which they began. */
struct wait_list {
    struct wait *first;
    struct wait *last;
    uint32_t count;
};

struct wait {
    struct wait_list *list; /* that it stands in, which belongs to what it waits for */
    struct wait *previous;
    struct wait *next;
    struct timer timer;
    enum operation_kind kind;
    uint32_t worker;
    uint32_t room; /* ROOM_CAMPAIGN for a variable of the campaign */
    uint32_t call;
    uint64_t timeout_ms;
    uint64_t rank; /* barrier: from 1, in order of arrival */
    /* Counts the waits that can be part of a deadlock, of a room or of the campaign's scope; NULL for one
     * that cannot, since it has a timeout of its own or its worker has ended. */
    uint32_t *tally;
    bool is_strict;
    bool is_stuck; /* found to be part of a deadlock, and about to end by it */
    union {
        struct notifier *notifier;
        struct barrier *barrier;
        struct variable *variable;
    };
};

struct waits {
    struct wait **by_worker; /* NULL until the first wait */
    uint32_t worker_count;
    uint32_t count;
    uint32_t tallied; /* how many have a tally */
    struct timers *timers;
    struct wait *spare; /* memory of waits that are over, for the next ones */
    uint32_t spare_count;
};

void waits_init(struct waits *waits, uint32_t worker_count);
void waits_extend(struct waits *waits, uint32_t worker_count);
/* Waits that are still there are simply forgotten; their lists are not touched. */
void waits_finish(struct waits *waits);
/* The wait that the worker is in, or NULL. */
struct wait *waits_of(const struct waits *waits, uint32_t worker);
/* The worker, which is not waiting yet, waits from now on: a copy of what `like` says, at the end of `list`.
 */
struct wait *waits_begin(struct waits *waits, uint64_t now_ns, struct wait_list *list,
                         const struct wait *like);
/* Likewise, for a copy of waits that are there already: its timer is not set. */
struct wait *waits_put(struct waits *waits, struct wait_list *list, const struct wait *like);
/* It is over; frees it. */
void waits_end(struct waits *waits, struct wait *wait);
/* GET_OR_MAKE, WAIT_SET and WAIT_CHANGED. */
bool wait_is_for_variable(const struct wait *wait);
/* To the end of another list of the same thing. */
void wait_move(struct wait *wait, struct wait_list *list);
/* One that has timed out, or NULL. It still stands in its list. */
struct wait *waits_take_due(struct waits *waits, uint64_t now_ns);
