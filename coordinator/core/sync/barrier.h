/* A named meeting point of some or all workers of a room within a step. Knows no network and no clock. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/sync/meeting.h"
#include "coordinator/core/sync/wait.h"

struct barrier {
    struct meeting meeting;
    uint32_t parties;   /* 0: all that are not past the step */
    uint32_t arrived;   /* including those whose wait has ended since */
    uint32_t ranked;    /* ranks assigned: including workers that were lost and arrive again */
    uint64_t *arrivals; /* their seats */
    bool is_open;       /* permanent: workers that arrive later pass through */
    bool is_overdue;    /* a wait has timed out that lets all who are present go on */
    bool is_at_once;    /* a worker requested an absolute instant */
    struct wait_list waits;
    /* When workers that were released at an instant acted, as far as they have reported. */
    uint32_t released;
    uint32_t reported;
    int64_t first_ns;
    int64_t last_ns;
};

MUST_CHECK struct barrier *barrier_new(uint32_t parties);
/* The name is freed by the step. */
void barrier_free(struct barrier *barrier);
size_t barrier_charge(uint32_t seats);

/* The rank of the arriving worker, from 1; 0 if this seat has arrived before. */
MUST_CHECK uint64_t barrier_arrive(struct barrier *barrier, uint32_t seat);
/* Undoes the arrival of this seat. */
void barrier_leave(struct barrier *barrier, uint32_t seat);
/* Opens it if enough have arrived, if all that have not are past the step, or if it is overdue. Returns
 * whether it is open. */
bool barrier_open(struct barrier *barrier);

/* `workers` workers acted within first…last. True if it was the last outstanding report; the spread is then
 * known. */
bool barrier_report(struct barrier *barrier, uint32_t workers, int64_t first_ns, int64_t last_ns);
