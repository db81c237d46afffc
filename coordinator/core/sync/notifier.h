/* The writer/reader meeting point of one step. Knows no network and no clock. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/sync/meeting.h"
#include "coordinator/core/sync/sighting.h"
#include "coordinator/core/sync/wait.h"

#define NOTIFIER_NOBODY UINT32_MAX

struct notifier {
    struct meeting meeting;
    bool is_written;
    bool is_declared;
    uint32_t declared; /* number of readers, if declared */
    uint32_t read;     /* distinct readers so far */
    uint32_t writer;   /* its seat; NOTIFIER_NOBODY while not written. It need not read what it has written */
    uint64_t *readers; /* their seats; NULL before the first */
    struct bytes payload;
    struct shared *shared; /* keeps it alive; NULL while not written */
    struct sighting sighting;
    /* Waits for the writer: of workers that are not past the step, and of those that are. A worker cannot go
     * past a step while it waits, except when its progress becomes known. */
    struct wait_list waits_within;
    struct wait_list waits_beyond;
    struct wait_list reader_waits;
};

MUST_CHECK struct notifier *notifier_new(void);
/* The name is freed by the step. */
void notifier_free(struct notifier *notifier, struct quota *quota);
/* Its maximum memory without a payload, for the quota. */
size_t notifier_charge(uint32_t seats);

/* False if a different number of readers was declared before; `declared` is that number. */
MUST_CHECK bool notifier_declare(struct notifier *notifier, uint32_t readers);
/* Counts the seat once however often it reads; false if it was counted before. */
bool notifier_read(struct notifier *notifier, uint32_t seat);
/* Undoes the reading of this seat. */
void notifier_unread(struct notifier *notifier, uint32_t seat);
/* The first call wins; false for a later one, which changes nothing. */
MUST_CHECK bool notifier_write(struct notifier *notifier, uint32_t seat, struct bytes payload);

/* Some worker is past the step without having written, and all others wait for this very writer. `is_within`:
 * for waits of workers that are not past the step, or for those of workers that are. */
bool notifier_is_short(const struct notifier *notifier, bool is_within);

/* What waits for the readers still wait for. */
struct notifier_pending {
    bool is_enough; /* the declared number has read */
    uint32_t count; /* seats that have neither read nor are past the step: 0, 1, or 2 for more */
    uint32_t seat;  /* the first of them */
};
struct notifier_pending notifier_pending(const struct notifier *notifier);
/* Whether the wait of this seat's worker is over: no other worker is still reading. */
bool notifier_is_read(const struct notifier_pending *pending, uint32_t seat);
