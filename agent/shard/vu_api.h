/* What the Lua functions of the agent may ask of a worker: whose turn it is, to end the turn with a wait, and
 * what surrounds the worker. */
#pragma once
#include "agent/shard/meter.h"
#include "agent/shard/vu.h"
#include "agent/shard/vu_batch.h"
#include "agent/shard/vu_events.h"
#include "agent/shard/vu_log.h"
#include "agent/shard/vu_socket.h"
#include "agent/shard/vu_stream.h"
#include "agent/shard/vu_trace.h"
#include "agent/shard/vu_websocket.h"

struct drivers;

/* Within a turn: the worker whose turn it is; raises where there is none (loading, or a coroutine that runs
 * outside a turn). `function` names the call. */
struct vu *vu_current(lua_State *lua, const char *function);
/* Raises `stopped` if the campaign is stopping and this phase gives way to that. */
void vu_check_stopped(lua_State *lua, struct vu *vu);
/* `text` is why; NULL or empty: what the campaign's stop said. */
int vu_raise_stopped(lua_State *lua, struct vu *vu, double waited_s, const char *text);
/* Ends the turn until vu_wake; then `go_on` is called. Raises where nothing can wait. */
int vu_yield(lua_State *lua, struct vu *vu, enum vu_wait wait, lua_KFunction go_on, lua_KContext context);
/* For a continuation: the wait is over. Raises `stopped` if the stop of the campaign has ended it, and an
 * error if another coroutine of the script has resumed this one. */
void vu_resumed(lua_State *lua, struct vu *vu, enum vu_wait wait);
/* Waits for this instant, where script_may_wait. */
int vu_sleep_until(lua_State *lua, struct vu *vu, uint64_t at_ns, lua_KFunction go_on);
/* From a hook between two instructions, in a coroutine that may yield: the turn ends, and goes on when the
 * others have had theirs. Raises where the campaign is stopping. */
void vu_give_way(lua_State *lua);
/* Before an act that others can see: true if the lease has run out since the turn began, because the process
 * was frozen or the script took long. Then the caller returns vu_await_lease, and `again` is called, with the
 * same stack, when there is a lease again. */
bool vu_has_no_lease(const struct vu *vu);
/* The same at an instant that clock_now_ns has just given. */
bool vu_has_no_lease_at(const struct vu *vu, uint64_t now_ns);
int vu_await_lease(lua_State *lua, struct vu *vu, lua_CFunction again);

/* Sends an operation of the worker to the coordinator; see runner_call. */
MUST_CHECK enum runner_call vu_call(struct vu *vu, const struct operation *operation, struct error *error);
/* Hands on what a failed step has left; what is too long, or more than a campaign may keep, is dropped. */
void vu_keep_artifact(const struct vu *vu, enum artifact_kind kind, struct bytes content);

/* Of its campaign, as it was started: the number of workers may have changed since. */
const struct campaign_options *vu_options(const struct vu *vu);
/* How many workers the campaign and the worker's room have, as the worker sees it in its step. */
uint32_t vu_worker_count(const struct vu *vu);
uint32_t vu_room_size(const struct vu *vu);
uint32_t vu_room(const struct vu *vu);
uint32_t vu_seat(const struct vu *vu);
/* Counts what the worker has drawn at random in its step, from 1: what is drawn depends on the seed, the
 * worker, the step and this alone. */
uint64_t vu_next_draw(struct vu *vu);
/* The agent's name. */
const char *vu_agent(const struct vu *vu);
/* When its turn began. */
uint64_t vu_turn_ns(const struct vu *vu);
/* Notes in the sample of a request whether its step had an instant at which it was to begin, and how late it
 * began if this is its first request. */
void vu_note_plan(struct vu *vu, struct request_sample *sample);
/* Whether its requests are logged, with vu_log_request. */
bool vu_has_log(const struct vu *vu);
/* Counts a request, or what tutti.time measures, with the worker's tags under its own. */
void vu_measure(const struct vu *vu, struct request_sample *sample);
/* The worker's tags, and over them these; NULL: none. */
struct tag_set vu_tags_under(const struct vu *vu, const struct tag_set *tags);
/* Where its figures are counted. */
struct meter *vu_meter(const struct vu *vu);
/* Of the campaign of the worker whose turn it is, for requests that do not say otherwise; NULL: nothing is
 * set, or it is nobody's turn. */
const struct http_tls *vu_current_tls(lua_State *lua);
/* Of its shard. */
struct http_engine *vu_http_engine(const struct vu *vu);
struct drivers *vu_drivers(const struct vu *vu);
