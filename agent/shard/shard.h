/* A shard of an agent: a loop, on a thread of its own or on the agent's, its HTTP engine, and the campaigns
 * whose workers it runs. */
#pragma once
#include "agent/core/batch/command.h"
#include "agent/http/engine.h"
#include "agent/shard/mailbox.h"
#include "common/attributes.h"
#include "common/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct alarms;
struct drivers;
struct memory_account;
struct net;
struct pulse;
struct request_log;
struct script_library;
struct starter_link;
struct turns;
struct vu_hooks;
struct vu_websockets;

struct shard_settings {
    uint32_t index;
    uv_loop_t *loop;   /* the agent's, to run on; NULL: it has a thread and a loop of its own */
    const char *agent; /* its name */
    bool is_system_allowed;
    bool is_quiet;
    uint64_t memory_limit_bytes;
    uint64_t instruction_limit;
    uint64_t turn_limit_ms; /* of a worker's turn, in processor time; 0: the default */
    uint32_t driver_starts; /* browsers that may start at the same time; 0: one for each core */
    const struct request_log *request_log; /* NULL: requests are not logged */
    struct pulse *pulse;                   /* for a watchdog; NULL: none */
    struct starter_link *starter;          /* starts browsers; NULL: there can be none */
    const struct script_library *library;  /* what scripts can require */
    const struct vu_hooks *hooks;
    struct mailbox *notices;                 /* to the agent: tagged with `index` */
    const _Atomic(uint64_t) *lease_until_ns; /* workers act only before it */
};

struct shard;
/* NULL with an error if there is no thread to be had, or no descriptor. */
MUST_CHECK struct shard *shard_start(const struct shard_settings *settings, struct error *error);
/* Takes the command. From the agent's thread. */
void shard_command(struct shard *shard, struct command *command);
/* The same for many (struct command *), in their order: the shard is woken once. */
void shard_commands(struct shard *shard, void *const *commands, size_t count);
/* There is another lease: workers that wait for one look again. From the agent's thread. */
void shard_nudge(struct shard *shard);
/* Drops all campaigns and joins the thread; on the agent's loop, the memory goes with the close callbacks. */
void shard_stop(struct shard **shard);

/* For what runs on the shard's own thread. */
const struct shard_settings *shard_settings(const struct shard *shard);
struct alarms *shard_alarms(struct shard *shard);
struct turns *shard_turns(struct shard *shard);
struct http_engine *shard_http(struct shard *shard, enum http_engine_kind kind);
/* What has its connections beside those of HTTP. */
struct net *shard_net(struct shard *shard);
struct memory_account *shard_memory(struct shard *shard);
/* Made at the first call. */
struct drivers *shard_drivers(struct shard *shard);
/* Made at the first call. */
struct vu_websockets *shard_websockets(struct shard *shard);
/* Whether the agent's lease holds at this moment. */
bool shard_may_act(const struct shard *shard, uint64_t now_ns);
/* Takes the notice. It leaves with others: at the end of the turn, or some milliseconds later while workers
 * have turns. */
void shard_post(struct shard *shard, struct notice **notice);
/* What is posted in this turn leaves at its end, even while workers have turns. */
void shard_hurry(struct shard *shard);
/* Posts the lag of the loop since the last time. `campaign`: which one begins or ends now; 0: none. */
void shard_post_loop(struct shard *shard, uint64_t campaign);
