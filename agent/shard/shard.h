/* A thread of an agent, or the only one's part in the agent's own: its loop, its HTTP engine, and the
 * campaigns whose workers it runs. */
#pragma once
#include "agent/core/batch/command.h"
#include "agent/http/engine.h"
#include "agent/shard/alarm.h"
#include "agent/shard/mailbox.h"
#include "common/attributes.h"
#include "common/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct drivers;
struct memory_account;
struct vu;
struct vu_hooks;
struct pulse;
struct script_library;
struct shard_campaign;
struct starter_link;

struct shard_settings {
    uint32_t index;
    uv_loop_t *loop;   /* of the agent, to run on; NULL: a thread and a loop of its own */
    const char *agent; /* its name */
    bool is_system_allowed;
    bool is_quiet;
    uint64_t memory_limit_bytes;
    uint64_t instruction_limit;
    uint64_t turn_limit_ms;               /* of a worker's turn, in processor time; 0: the default */
    uint32_t driver_starts;               /* browsers that may come up at once; 0: one for each core */
    struct pulse *pulse;                  /* for a watchdog; NULL: none */
    struct starter_link *starter;         /* of browsers; NULL: none can be started */
    const struct script_library *library; /* what scripts can require */
    const struct vu_hooks *hooks;
    struct mailbox *notices;                 /* to the agent: tagged with `index` */
    const _Atomic(uint64_t) *lease_until_ns; /* workers act only before */
};

struct shard;
/* NULL with an error if there is no thread to be had, or no descriptor. */
MUST_CHECK struct shard *shard_start(const struct shard_settings *settings, struct error *error);
/* Hands a command over; taken. From the agent's thread. */
void shard_command(struct shard *shard, struct command *command);
/* The same for many (struct command *), in their order: the shard is woken once. */
void shard_commands(struct shard *shard, void *const *commands, size_t count);
/* The lease is another: workers that wait for one look again. */
void shard_nudge(struct shard *shard);
/* Drops all campaigns and joins the thread. On the agent's loop: the memory goes with its close callbacks. */
void shard_stop(struct shard **shard);

/* For what runs on the shard's own thread. */
const struct shard_settings *shard_settings(const struct shard *shard);
/* Made when first asked for. */
struct drivers *shard_drivers(struct shard *shard);
struct http_engine *shard_http(struct shard *shard);
struct memory_account *shard_memory(struct shard *shard);
void shard_set_alarm(struct shard *shard, struct alarm *alarm, uint64_t due_ns);
void shard_unset_alarm(struct shard *shard, struct alarm *alarm);
/* Takes the notice. */
void shard_post(struct shard *shard, struct notice **notice);
/* How the loop was since the last time. `campaign`: which one begins or ends now; 0 for none. */
void shard_post_loop(struct shard *shard, uint64_t campaign);
/* What is posted this turn leaves at its end, whoever else has turns. */
void shard_hurry(struct shard *shard);
/* It is the worker's turn as soon as the lease allows it. */
void shard_queue(struct shard *shard, struct vu *vu);
/* Whether the agent's lease holds at this moment. */
bool shard_may_act(const struct shard *shard);
/* When the present turn of a worker began. */
uint64_t shard_turn_ns(const struct shard *shard);
/* Whether it is anybody's turn. */
bool shard_is_queued(const struct shard *shard);
void shard_unqueue(struct shard *shard, struct vu *vu);
/* Once, before any of its workers is queued. */
void shard_init_campaign(struct shard_campaign *campaign);
