/* What a room knows of one step: who is past it, and where its workers meet in it. */
#pragma once
#include "common/attributes.h"
#include "common/text.h"
#include "coordinator/core/base/quota.h"

#include <stdint.h>

struct map;
struct step_state;

enum meeting_kind { MEETING_NOTIFIER, MEETING_BARRIER };

/* What notifiers and barriers have in common; embedded in both. */
struct meeting {
    enum meeting_kind kind;
    uint32_t nth; /* of a barrier; 0 for notifiers */
    struct step_state *at;
    struct text name;
    struct meeting *next; /* of the same step */
    bool is_dirty;        /* something happened that may end waits */
    struct meeting *next_dirty;
    size_t charge; /* what it took of the quota */
};

struct step_state {
    uint64_t step;
    uint32_t seats;
    size_t charge;        /* what it took of the quota, without its meetings */
    uint64_t *past;       /* the seats whose workers are past the step */
    uint32_t within;      /* workers that are not */
    uint32_t within_next; /* workers that are not past the step behind it; when none is left, this state goes
                           */
    bool is_dirty;        /* somebody went past it */
    uint32_t leaving;     /* of those who leave now, how many were past it already, and not past the next */
    struct meeting *first;
    struct meeting *last;
    uint32_t count;
    struct map *index; /* of the meetings, as soon as there are many */
};

MUST_CHECK struct step_state *step_state_new(uint64_t step, uint32_t seats);
/* With its meetings, whose charge goes back. */
void step_state_free(struct step_state **state, struct quota *quota);
size_t step_state_charge(uint32_t seats);

struct meeting *step_state_find(const struct step_state *state, enum meeting_kind kind, struct bytes name,
                                uint32_t nth);
/* Takes it. `meeting` has kind, nth, name. */
void step_state_add(struct step_state *state, struct meeting *meeting);
bool step_state_has_waits(const struct step_state *state);
bool meeting_has_waits(const struct meeting *meeting);
