/* What an agent tells the runner of a shard, and what a runner tells its agent. Both travel between threads,
 * so each owns all that it points to, except deployment and reply, which are counted. */
#pragma once
#include "agent/core/bundle/deployment.h"
#include "common/attributes.h"
#include "common/text.h"
#include "proto/message/campaign.h"
#include "proto/message/message.h"
#include "proto/message/operation.h"
#include "proto/message/statistics.h"

#include <stdbool.h>

enum command_kind {
    COMMAND_DEPLOY,      /* load the script; `workers` will be yours */
    COMMAND_GLOBAL,      /* run a global fixture (first shard only) */
    COMMAND_BEGIN,       /* at_ns: this agent's clock, 0 for at once */
    COMMAND_ASSIGN,      /* more workers, or some that have ended once more, from first_step on; `is_answer`:
                            no more of those that were wanted will come */
    COMMAND_REPLY,       /* `reply` to `workers`; its at_ns is this agent's clock */
    COMMAND_SYNCHRONISE, /* `rooms` */
    COMMAND_DRAIN,
    COMMAND_RUN_UNTIL,  /* `room_steps` */
    COMMAND_ROOMS_DONE, /* `rooms` */
    COMMAND_STOP,       /* `text`: why */
    COMMAND_FORGET,     /* drop everything of the campaign at once, without fixtures */
    COMMAND_SCALE,      /* `worker_count`, and `room_steps`: where that begins later than now */
    COMMAND_PACE,       /* `pace`; its rooms are `room_steps`, its starts `starts` */
    COMMAND_KNOWN,      /* `workers`: the coordinator knows that they begin their step */
};

struct command {
    enum command_kind kind;
    uint64_t campaign;
    struct deployment *deployment; /* DEPLOY */
    struct worker_set workers;     /* DEPLOY, ASSIGN, KNOWN; REPLY: whom of this shard it answers */
    struct worker_set rooms;
    uint64_t first_step;
    bool is_answer;
    uint32_t worker_count;
    uint32_t load; /* SCALE: that the new ones are of; ASSIGN: that is answered for */
    struct pace pace;
    enum global_phase phase;
    uint64_t at_ns;
    uint64_t from_plan_ns;      /* BEGIN: arrivals before that are others' */
    struct shared_reply *reply; /* held */
    uint64_t *ranks; /* REPLY to a barrier: of each of `workers`; NULL: they follow the reply's rank */
    struct room_step *room_steps;
    size_t room_step_count;
    struct room_step *starts;
    size_t start_count;
    char *text;
};
MUST_CHECK struct command *command_new(enum command_kind kind, uint64_t campaign);
void command_free(struct command **command);

enum notice_kind {
    NOTICE_DEPLOYED,    /* is_ok, text */
    NOTICE_GLOBAL_DONE, /* phase, is_ok, text */
    NOTICE_OPERATION,   /* `operation`; its instants are this agent's clock */
    NOTICE_DRAINED,     /* room_steps: of each synchronising room, the furthest step begun here */
    NOTICE_FAILURE,     /* worker, step, text: with --exception */
    NOTICE_WANTED,      /* `wanted`: so many more workers could begin. Answered by COMMAND_ASSIGN */
    NOTICE_STATISTICS,  /* `statistics`; its instant is this agent's clock */
    NOTICE_ARTIFACT,    /* `artifact`, a whole one */
    NOTICE_LOOP, /* `loop`, `lag_us`: how the shard's loop was; the campaign that begins or ends now, or 0 */
    NOTICE_FINISHED, /* every worker of this runner is torn down; comes again if more were assigned */
};

struct notice {
    enum notice_kind kind;
    uint64_t campaign;
    bool is_ok;
    enum global_phase phase;
    struct operation *operation; /* owned, deep */
    struct room_step *room_steps;
    size_t room_step_count;
    uint32_t wanted;
    uint32_t load;                  /* WANTED: that they are for */
    struct failure failure;         /* text points to `text` */
    struct statistics *statistics;  /* owned, deep */
    struct artifact_piece artifact; /* at most LIMIT_ARTIFACT_BYTES: */
    struct text content;            /* of the artifact, which has a view of it */
    struct loop_gauges loop;
    struct histogram *lag_us;  /* owned */
    uint64_t finished_workers; /* FINISHED: all that this runner was ever given */
    char *text;
};
MUST_CHECK struct notice *notice_new(enum notice_kind kind, uint64_t campaign);
void notice_free(struct notice **notice);
