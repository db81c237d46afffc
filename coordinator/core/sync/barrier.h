/* A named meeting point of some or all workers of a room within a step. Knows no network and no clock. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/sync/meeting.h"
#include "coordinator/core/sync/wait.h"

struct barrier {
    struct meeting meeting;
    uint32_t parties;   /* 0: all that are not past the step */
    uint32_t arrived;   /* also those whose wait has ended since */
    uint32_t ranked;    /* ranks that were given out: also to those who were lost and arrive again */
    uint64_t *arrivals; /* their seats */
    bool is_open;       /* stays so: whoever comes later goes through */
    bool is_at_once;    /* somebody asked for an absolute instant */
    struct wait_list waits;
    /* When those who were released at an instant acted, as far as they have said so. */
    uint32_t released;
    uint32_t reported;
    int64_t first_ns;
    int64_t last_ns;
};

MUST_CHECK struct barrier *barrier_new(uint32_t parties);
/* The name is the step's to free. */
void barrier_free(struct barrier *barrier);
size_t barrier_charge(uint32_t seats);

/* The rank of who arrives, from 1; 0 if this seat has arrived before. */
MUST_CHECK uint64_t barrier_arrive(struct barrier *barrier, uint32_t seat);
/* This seat has not arrived after all. */
void barrier_leave(struct barrier *barrier, uint32_t seat);
/* Opens it if enough have arrived, or if all that have not are past the step. Whether it is open. */
bool barrier_open(struct barrier *barrier);

/* So many workers acted within first…last. True when it was the last report that was due; the spread is then
 * known. */
bool barrier_report(struct barrier *barrier, uint32_t workers, int64_t first_ns, int64_t last_ns);
