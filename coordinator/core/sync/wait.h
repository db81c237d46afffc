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
    struct wait_list *list; /* the list that it is in, which belongs to what it waits for */
    struct wait *previous;
    struct wait *next;
    struct timer timer;
    enum operation_kind kind;
    uint32_t worker;
    uint32_t room; /* ROOM_CAMPAIGN for a variable of the campaign */
    uint32_t call;
    uint64_t timeout_ms;
    uint64_t rank; /* barrier: rank in order of arrival, from 1 */
    /* The count of waits that can be part of a deadlock, of a room or of the campaign's scope; NULL for one
     * that cannot, since it has a timeout of its own, its worker has ended or can go on without it. */
    uint32_t *tally;
    bool is_strict;
    enum barrier_timeout on_timeout;
    bool has_own_timeout;
    bool is_aside; /* its worker can go on without it, and it does not end with the worker's step */
    bool is_stuck; /* found to be part of a deadlock, which is about to end it */
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
    struct wait *spare; /* waits that are over, for reuse */
    uint32_t spare_count;
};

void waits_init(struct waits *waits, uint32_t worker_count);
void waits_extend(struct waits *waits, uint32_t worker_count);
/* Waits that still exist are simply forgotten; their lists are not touched. */
void waits_finish(struct waits *waits);
/* The current wait of the worker, or NULL. */
struct wait *waits_of(const struct waits *waits, uint32_t worker);
/* The worker, which must not be waiting, waits from now on: a copy of `like`, appended to `list`. */
struct wait *waits_begin(struct waits *waits, uint64_t now_ns, struct wait_list *list,
                         const struct wait *like);
/* The same, for a copy of existing waits: its timer is not set. */
struct wait *waits_put(struct waits *waits, struct wait_list *list, const struct wait *like);
/* Ends and frees it. */
void waits_end(struct waits *waits, struct wait *wait);
/* How long it has waited. */
uint64_t wait_waited_ns(const struct wait *wait, uint64_t now_ns);
/* GET_OR_MAKE, WAIT_SET and WAIT_CHANGED. */
bool wait_is_for_variable(const struct wait *wait);
/* It can be part of a deadlock from now on. */
void waits_tally(struct waits *waits, struct wait *wait, uint32_t *tally);
/* Moves it to the end of another list of the same thing. */
void wait_move(struct wait *wait, struct wait_list *list);
/* One that has timed out, or NULL. It is still in its list. */
struct wait *waits_take_due(struct waits *waits, uint64_t now_ns);
