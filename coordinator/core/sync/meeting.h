/* What a room knows of one step: which workers are past it, and where its workers meet in it. */
#pragma once
#include "common/attributes.h"
#include "common/text.h"
#include "coordinator/core/base/quota.h"

#include <stdint.h>

struct map;
struct step_state;

enum meeting_kind { MEETING_NOTIFIER, MEETING_BARRIER };

/* Common to notifiers and barriers; embedded in both. */
struct meeting {
    enum meeting_kind kind;
    uint32_t nth; /* of a barrier; 0 for notifiers */
    struct step_state *at;
    struct text name;
    struct meeting *next; /* of the same step */
    bool is_dirty;        /* something happened that may end waits */
    bool is_signalled;    /* since it was settled, a worker has arrived or read: */
    uint32_t last_seat;   /* the latest one */
    struct meeting *next_dirty;
    size_t charge; /* charged to the quota */
};

struct step_state {
    uint64_t step;
    uint32_t seats;
    uint32_t last_past;   /* the latest one to go past it, */
    uint64_t passed_in;   /* in this settling of the room; 0: not known */
    size_t charge;        /* charged to the quota, without its meetings */
    uint64_t *past;       /* seats whose workers are past the step */
    uint32_t within;      /* number of workers that are not */
    uint32_t within_next; /* workers that are not past the following step; when none is left, this state is
                             freed */
    bool is_dirty;        /* a worker went past it */
    uint32_t leaving; /* of the workers leaving now, how many were already past it, and not past the next */
    struct meeting *first;
    struct meeting *last;
    uint32_t count;
    struct map *index; /* of the meetings, once there are many */
};

MUST_CHECK struct step_state *step_state_new(uint64_t step, uint32_t seats);
/* With its meetings, whose charges are returned. */
void step_state_free(struct step_state **state, struct quota *quota);
size_t step_state_charge(uint32_t seats);

struct meeting *step_state_find(const struct step_state *state, enum meeting_kind kind, struct bytes name,
                                uint32_t nth);
/* Takes ownership of it. `meeting` has kind, nth, name. */
void step_state_add(struct step_state *state, struct meeting *meeting);
bool step_state_has_waits(const struct step_state *state);
bool meeting_has_waits(const struct meeting *meeting);
/* The worker in this seat has arrived, or read. */
void meeting_signal(struct meeting *meeting, uint32_t seat);
#define MEETING_NOBODY UINT32_MAX
/* Who has come last, or gone past the step without coming, in this settling of its room. MEETING_NOBODY if
 * neither is why it ends, but say fewer readers than before. */
uint32_t meeting_last_seat(const struct meeting *meeting, uint64_t settling);
