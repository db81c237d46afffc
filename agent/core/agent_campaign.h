/* A campaign on an agent: which worker is on which shard, what the shards still owe, and what has
 * gathered. */
#pragma once
#include "agent/core/batch/batcher.h"
#include "agent/core/batch/command.h"
#include "agent/core/bundle/bundle_download.h"
#include "proto/message/load.h"

struct agent_campaign_shard {
    bool has_runner; /* it has been told to deploy */
    bool has_answered;
    bool has_failed; /* the script could not be loaded there */
    bool has_drained;
    bool is_finished;
    uint64_t workers;           /* that it was given */
    uint32_t running;           /* as it last said */
    uint32_t wanted[LOADS_MAX]; /* more workers of each load, that it was not given yet */
    bool has_asked;             /* for some of those, and waits for the answer of the coordinator */
};

/* A command that waits until the bundle is here. */
struct held_command {
    struct command *command;
    uint32_t shard;
};

/* Workers that begin their step when this message is acknowledged. */
struct announcement {
    uint64_t sequence;
    struct worker_set workers;
};

struct agent_campaign {
    uint64_t campaign;
    struct deployment *deployment;
    struct bundle_download *download; /* NULL once the bundle is here, or will not come */
    struct held_command *held;        /* in their order */
    size_t held_count;
    size_t held_capacity;
    uint32_t worker_limit; /* ids of the campaign are below */
    uint16_t *shard_of;    /* by worker id: shard + 1; 0 is nobody of ours */
    struct agent_campaign_shard *shards;
    uint32_t shard_count;
    uint32_t next_shard; /* where the next worker goes */
    uint64_t workers;    /* all that were given to us */
    struct batcher *batcher;
    char *deploy_failure; /* of the first shard that said why */
    bool is_asking;       /* the coordinator, for workers that shards want; it has not answered */
    uint32_t asked_load;  /* of this load, or of this one the last time */
    uint32_t grown_load;  /* that the workers are of which came last */
    bool is_draining;
    bool is_stopping;
    struct room_step *room_steps; /* of all shards, as they came */
    size_t room_step_count;
    size_t room_step_capacity;
    bool has_told_finished;
    uint64_t told_workers;              /* in that message */
    uint32_t artifacts;                 /* that were sent */
    struct announcement *announcements; /* not acknowledged yet, in their order */
    size_t announcement_count;
    size_t announcement_capacity;
};

/* Holds the deployment itself. */
MUST_CHECK struct agent_campaign *agent_campaign_new(struct deployment *deployment, uint32_t shard_count);
void agent_campaign_free(struct agent_campaign **campaign);

/* For the shards, once the bundle is here; takes the command. */
void agent_campaign_hold_command(struct agent_campaign *campaign, uint32_t shard, struct command *command);
/* Nothing can be run here, for this reason: no runner is made. */
void agent_campaign_give_up(struct agent_campaign *campaign, const char *why);

/* Workers have ids below this from now on; never fewer than before. */
void agent_campaign_extend(struct agent_campaign *campaign, uint32_t workers);
/* Whether all of them may be workers of this campaign. */
bool agent_campaign_knows(const struct agent_campaign *campaign, const struct worker_set *workers);
/* Deals workers to the shards that want some, and then in turn to those that have a runner; before any has
 * one, to all. Workers that were here before go to the same shard again. `sets`, one a shard, are filled. */
void agent_campaign_deal(struct agent_campaign *campaign, const struct worker_set *workers,
                         struct worker_set *sets);
/* One empty set for each shard; see agent_campaign_free_sets. */
MUST_CHECK struct worker_set *agent_campaign_new_sets(const struct agent_campaign *campaign);
void agent_campaign_free_sets(const struct agent_campaign *campaign, struct worker_set *sets);

/* Those of the operations that have to be acknowledged went with the message of this sequence number. */
void agent_campaign_announce(struct agent_campaign *campaign, uint64_t sequence,
                             const struct operation *operations, size_t count);
/* The next workers whose announcement is among those up to this sequence are dealt to their shards: `sets`,
 * one a shard, are filled. False if there are none. */
MUST_CHECK bool agent_campaign_take_known(struct agent_campaign *campaign, uint64_t acknowledged,
                                          struct worker_set *sets);

/* One COMMAND_REPLY for each shard that has workers of the reply, NULL for the others: `commands` has room
 * for all shards, which share one copy of the reply. Workers that are not ours are left out. */
void agent_campaign_split_reply(const struct agent_campaign *campaign, const struct reply *reply,
                                struct command **commands);

/* How many workers the coordinator is to be asked for, of the asked_load; the shards that want them wait for
 * its answer. Loads have their turns. */
uint32_t agent_campaign_ask(struct agent_campaign *campaign);

bool agent_campaign_has_deployed(const struct agent_campaign *campaign); /* every runner has answered */
bool agent_campaign_has_drained(const struct agent_campaign *campaign);
bool agent_campaign_has_finished(const struct agent_campaign *campaign);
uint32_t agent_campaign_running(const struct agent_campaign *campaign);

void agent_campaign_add_room_steps(struct agent_campaign *campaign, const struct room_step *steps,
                                   size_t count);
/* One for each room, the furthest; sorted by room. */
void agent_campaign_merge_room_steps(struct agent_campaign *campaign);
