/* What a simulated campaign is made of: options, the programs of its workers, the faults of its world.
 * Everything is drawn from the seed, or given by a story. */
#pragma once
#include "common/random.h"
#include "proto/message/campaign.h"

#include <stdbool.h>
#include <stdint.h>

#define PLAN_WORKERS 32u
#define PLAN_HOSTS 4u
#define PLAN_SHARDS 2u
#define PLAN_ROOMS 16u
#define PLAN_STEPS 12u /* of a program; after them it begins again */
#define PLAN_ACTS 8u   /* of a step */
#define PLAN_NAMES 2u  /* of notifiers and of barriers */
#define PLAN_FAULTS 8u
#define PLAN_KILLS 3u
#define PLAN_SCALES 4u

enum act_kind {
    ACT_WRITTEN,
    ACT_READ,
    ACT_WAIT_WRITER,
    ACT_WAIT_READERS,
    ACT_BARRIER,
    ACT_DECLARE,
    ACT_WRONG_SIGNAL, /* `written` on another step: has to be refused */
    ACT_FAIL,
    ACT_SLEEP,
    ACT_INCR,
    ACT_CAS,
    ACT_GET_OR_MAKE,
    ACT_SET,
    ACT_GET,
    ACT_DELETE,
    ACT_WAIT_SET,
    ACT_WAIT_CHANGED,
    ACT_LOAD, /* of the server that the plan has */
    ACT_KIND_COUNT
};
const char *act_name(enum act_kind kind);

struct act {
    enum act_kind kind;
    uint8_t name;
    int8_t back; /* how many steps ago; negative for future steps */
    bool is_strict;
    bool is_caught; /* the step continues if the call raises */
    bool is_at_once;
    uint8_t on_timeout; /* enum barrier_timeout */
    bool is_campaign;   /* scope of a variable */
    bool makes_badly;   /* the factory fails */
    uint32_t count;     /* parties, readers; milliseconds of a sleep or of a factory */
    uint32_t timeout_ms;
    uint32_t aside_ms; /* of a wait: for so long another task of the worker moves; 0: none does */
    bool gives_up;     /* it is cancelled when that is over */
};

struct step_plan {
    uint8_t count;
    struct act acts[PLAN_ACTS];
};

enum fault_kind {
    FAULT_CRASH,       /* the process dies */
    FAULT_CRASH_KNOWN, /* ... and the coordinator is told */
    FAULT_LEAVE,       /* it is told to end, and says goodbye */
    FAULT_FREEZE,      /* it gets no events for a while, but its clock advances */
    FAULT_CUT_UP,      /* nothing gets from it to the coordinator for a while */
    FAULT_CUT_DOWN,    /* the other direction */
    FAULT_CUT,         /* both directions */
    FAULT_KIND_COUNT
};
const char *fault_name(enum fault_kind kind);

struct fault {
    enum fault_kind kind;
    uint8_t host;
    uint64_t at_ns;  /* since the campaign was created */
    uint64_t for_ns; /* how long; of a crash or goodbye: until the process starts again, 0 for never */
};

/* The coordinator's process dies and another one continues. */
struct kill {
    uint64_t at_ns;         /* since the campaign was created */
    uint64_t for_ns;        /* until it is back */
    uint32_t after_steps;   /* of those of its steps that have effects, from then on */
    bool is_before_journal; /* that step is not in the journal, else it is */
    bool is_torn;           /* half of it is */
    uint32_t sent;          /* how many effects of that step were still seen */
};

/* The number of workers is changed. */
struct scaling {
    uint64_t at_ns; /* since the campaign was created */
    uint32_t workers;
};

/* What workers load: up to so many at once get what they want in a step of so long. With more of them the
 * others of them are refused, or all wait. */
struct played_server {
    uint32_t capacity; /* 0: there is none */
    uint32_t step_ms;
    bool is_refusing;
    uint32_t wanted; /* workers that would make the rate of the goal, if it served as many */
};

struct plan {
    const char *shape; /* which generator made it */
    struct campaign_options options;
    uint32_t hosts;
    uint32_t shards;
    uint32_t agents;   /* required by the campaign */
    uint32_t capacity; /* of each agent; 0: any number of workers */
    uint32_t step_count;
    struct step_plan steps[PLAN_WORKERS][PLAN_STEPS];
    uint32_t unfit_workers; /* a bit for each whose setup fails */
    bool is_script_broken;  /* it fails to load */
    bool is_global_broken;  /* global_setup fails */
    uint64_t stop_after_ns; /* the campaign is stopped; 0: it is not */
    bool is_stop_at_once;
    struct fault faults[PLAN_FAULTS];
    uint32_t fault_count;
    struct kill kills[PLAN_KILLS];
    uint32_t kill_count;
    struct scaling scales[PLAN_SCALES];
    uint32_t scale_count;
    struct played_server server;
    char goal[64]; /* the text of the one of its options */
    char rate[16]; /* likewise */

    /* So many times all meet at the same moment, and the messages are counted; 0: they are not. */
    uint32_t rounds;

    /* The network. */
    bool is_ordered; /* frames in one direction do not overtake each other, as with TCP */
    uint64_t least_delay_ns;
    uint64_t most_delay_ns;
    double loss;                     /* fraction of the frames that are lost */
    double repeat;                   /* fraction of the frames that arrive twice */
    uint64_t troubled_ns;            /* loss ends this long after the campaign was created */
    uint64_t least_mailbox_delay_ns; /* between the threads of a host */
    uint64_t most_mailbox_delay_ns;
    uint64_t most_act_delay_ns;
    uint64_t least_act_delay_ns;
    bool has_offsets; /* clocks of the hosts differ */
};

const struct step_plan *plan_step(const struct plan *plan, uint32_t worker, uint64_t step);
/* The highest number of workers that it ever has. */
uint32_t plan_most_workers(const struct plan *plan);
/* Whether the number of workers changes. */
bool plan_may_scale(const struct plan *plan);
/* Whether network and hosts are free of faults. */
bool plan_is_calm(const struct plan *plan);
/* The same, except for kills of the coordinator that are short enough to go unnoticed. */
bool plan_is_survivable(const struct plan *plan);

/* For people: what the plan is. */
void plan_print(const struct plan *plan);
/* Fills the plan from the seed. */
void plan_draw(struct plan *plan, struct random *random);
/* The same for a campaign that looks for its number of workers. */
void plan_draw_search(struct plan *plan, struct random *random);
/* The same for one whose steps begin by a rate. */
void plan_draw_arrivals(struct plan *plan, struct random *random);
/* Options that most plans share. */
void plan_begin(struct plan *plan, uint32_t workers, uint64_t runs, uint32_t hosts);
void plan_add(struct plan *plan, uint32_t worker, uint32_t step, struct act act);
