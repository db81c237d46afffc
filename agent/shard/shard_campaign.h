/* A campaign on one shard: its runner, its script, its workers, its counters. */
#pragma once
#include "agent/core/batch/batcher.h"
#include "agent/core/runner/runner.h"
#include "agent/script/script_state.h"
#include "agent/shard/meter.h"
#include "agent/shard/shard_tls.h"
#include "agent/shard/turns.h"
#include "agent/shard/vu.h"
#include "agent/shard/vu_trace.h"

struct shard;

struct shard_campaign {
    struct shard *shard;
    struct shard_campaign *next;
    uint64_t id;
    struct deployment *deployment;
    const struct campaign_options *options;
    uint32_t room_size;
    struct worker_set own_workers; /* as deployed */
    struct runner *runner;         /* NULL: the script could not be loaded */
    struct batcher *batcher;       /* what the workers did this turn; NULL likewise */
    struct script *script;
    struct shard_tls tls;
    struct meter *meter;
    struct trace_source traces;
    struct vu **vus; /* by id; NULL if it is not of this shard, or has not begun */
    size_t vu_capacity;
    struct vu *global; /* runs the global fixture; NULL while there is none */
    enum global_phase global_phase;
    uint64_t serials;        /* of tasks and of calls, so far */
    uint32_t artifacts;      /* that have been handed on */
    uint64_t refused_events; /* that came to a vu in a phase where they cannot: a bug of the agent */
    bool is_stopping;
    char *stop_text;
    struct runner_effects effects;
    struct runner_effects call_effects; /* of calls by the script */
    struct alarm runner_alarm;
    struct alarm meter_alarm;
    uint64_t meter_origin_ns; /* statistics are of whole seconds since then */
    uint64_t metered_ns;      /* when they were last taken */
    uint64_t workers_told_ns; /* when listeners were last told how many run */
    struct turn_queue queue;  /* the workers that are queued for turns */
};

/* Loads the script, and posts NOTICE_DEPLOYED either way. */
MUST_CHECK struct shard_campaign *shard_campaign_new(struct shard *shard, const struct command *deploy);
/* At once, without fixtures. */
void shard_campaign_free(struct shard_campaign **campaign);
/* The shard ends: posts what was counted since the last whole second. */
void shard_campaign_leave(struct shard_campaign *campaign);
void shard_campaign_command(struct shard_campaign *campaign, const struct command *command);
/* Posts what its workers have done. */
void shard_campaign_post_gathered(struct shard_campaign *campaign);
/* Whether some of that has nothing to wait for. */
bool shard_campaign_is_urgent(const struct shard_campaign *campaign);
/* For how long its script has kept the thread in one piece since this was last asked; pieces too short to be
 * seen do not count. */
uint64_t shard_campaign_take_spent_ns(struct shard_campaign *campaign);

/* From the workers. `text` is why it failed; NULL if it did not. */
void shard_campaign_setup_done(struct shard_campaign *campaign, struct vu *vu, const char *text);
void shard_campaign_step_done(struct shard_campaign *campaign, struct vu *vu, enum step_result result,
                              const char *text);
void shard_campaign_torn_down(struct shard_campaign *campaign, struct vu *vu);
void shard_campaign_global_done(struct shard_campaign *campaign, const char *text);
/* A call of the script to the coordinator. */
MUST_CHECK enum runner_call shard_campaign_call(struct shard_campaign *campaign, struct vu *vu,
                                                const struct operation *operation, struct error *error);
/* Nobody waits for the answer to this call of the vu any more. */
void shard_campaign_give_up(struct shard_campaign *campaign, const struct vu *vu);
/* Of all that the worker does only the wait is left that the coordinator knows as `is_aside`. */
void shard_campaign_settle(struct shard_campaign *campaign, const struct vu *vu);
/* Posts what a failed step of the worker has left; more than a campaign may keep is dropped. */
void shard_campaign_keep_artifact(struct shard_campaign *campaign, const struct vu *vu,
                                  enum artifact_kind kind, struct bytes content);
/* Logs a line about a worker. */
void shard_campaign_complain(struct shard_campaign *campaign, const struct vu *vu, const char *what,
                             const char *text);
/* Logs why a step or fixture of the worker failed; with --verbose the traceback too, a line for each
 * function. */
void shard_campaign_complain_of_failure(struct shard_campaign *campaign, const struct vu *vu,
                                        const char *text);
