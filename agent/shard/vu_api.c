/* What the Lua functions see of the worker whose turn it is. */
#include "agent/shard/vu_api.h"

#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu_log.h"
#include "agent/shard/vu_task.h"
#include "common/clock.h"

#include <lauxlib.h>

struct vu *vu_current(lua_State *lua, const char *function)
{
    struct script *script = script_of(lua);

    if (script->current == NULL) {
        lua_misuse(lua, "%s: only within a scenario or a fixture", function);
    }
    return script->current;
}

int vu_raise_stopped(lua_State *lua, struct vu *vu, double waited_s, const char *text)
{
    const char *why = vu->campaign->stop_text;

    if (vu->has_been_stopped && vu_gives_way(vu)) {
        vu->campaign->script->limits.termination = TERMINATION_STOPPED;
    }
    vu->has_been_stopped = true;
    struct lua_failure failure = {
        .outcome = "stopped",
        .is_stopped = true,
        .waited_s = waited_s,
        .message = text != NULL && *text ? text : (why != NULL && *why ? why : "the campaign is stopping"),
    };
    return lua_failure_raise(lua, &failure);
}

static bool has_to_stop(const struct vu *vu)
{
    return vu->campaign->is_stopping && vu_gives_way(vu);
}

void vu_check_stopped(lua_State *lua, struct vu *vu)
{
    if (has_to_stop(vu)) {
        vu_raise_stopped(lua, vu, 0, NULL);
    }
}

int vu_yield(lua_State *lua, struct vu *vu, enum vu_wait wait, lua_KFunction go_on, lua_KContext context)
{
    struct script *script = vu->campaign->script;

    if (!script_may_wait(lua)) {
        return lua_misuse(
            lua, "a call that waits is not possible here (within a gsub, a metamethod or a require)");
    }
    vu->wait = (uint8_t)wait;
    vu->waiting = lua;
    /* What a call of the coordinator waits is measured; elsewhere it is only said. */
    vu->wait_began_ns = wait == WAIT_ANSWER ? clock_now_ns() : vu_turn_ns(vu);
    script->is_waiting = true;
    return lua_yieldk(lua, 0, context, go_on);
}

void vu_resumed(lua_State *lua, struct vu *vu, enum vu_wait wait)
{
    if (vu->wait != wait || vu->waiting != lua) {
        lua_misuse(lua, "a coroutine that waits was resumed by someone else");
    }
    vu->wait = WAIT_NOTHING;
    if (vu->wake == WAKE_STOPPED) {
        vu_raise_stopped(lua, vu, (double)(clock_now_ns() - vu->wait_began_ns) / 1e9, NULL);
    }
}

int vu_sleep_until(lua_State *lua, struct vu *vu, uint64_t at_ns, lua_KFunction go_on)
{
    alarms_set(shard_alarms(vu->campaign->shard), &vu->alarm, at_ns);
    return vu_yield(lua, vu, WAIT_SLEEP, go_on, 0);
}

void vu_give_way(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct vu *vu = script->current;

    if (has_to_stop(vu)) {
        /* It does not wait, so nothing else would tell it; raised in a hook, nothing of it may run again. */
        vu->has_been_stopped = true;
        script->limits.has_killed = true;
        vu_raise_stopped(lua, vu, 0, NULL);
    }
    vu->wait = WAIT_TURN;
    script->is_waiting = true;
    vu_wake(vu, WAKE_DONE);
    (void)lua_yield(lua, 0);
}

bool vu_has_no_lease(const struct vu *vu)
{
    return vu_has_no_lease_at(vu, clock_now_ns());
}

bool vu_has_no_lease_at(const struct vu *vu, uint64_t now_ns)
{
    return !shard_may_act(vu->campaign->shard, now_ns);
}

static int on_lease(lua_State *lua, int status, lua_KContext again)
{
    (void)status;
    vu_resumed(lua, vu_current(lua, "a call"), WAIT_LEASE);
    return ((lua_CFunction)again)(lua);
}

int vu_await_lease(lua_State *lua, struct vu *vu, lua_CFunction again)
{
    if (script_may_wait(lua)) {
        vu_wake(vu, WAKE_DONE); /* turns are given under a lease only */
    }
    return vu_yield(lua, vu, WAIT_LEASE, on_lease, (lua_KContext)again);
}

enum runner_call vu_call(struct vu *vu, const struct operation *operation, struct error *error)
{
    struct operation sent = *operation;

    vu->waits_long = operation_is_wait(operation->kind);
    sent.is_aside = vu->waits_long && vu_tasks_others_move(vu);
    enum runner_call call = shard_campaign_call(vu->campaign, vu, &sent, error);
    if (call == RUNNER_CALL_WAITS && sent.is_aside) {
        vu_tasks_note_aside(vu);
    }
    return call;
}

void vu_keep_artifact(const struct vu *vu, enum artifact_kind kind, struct bytes content)
{
    shard_campaign_keep_artifact(vu->campaign, vu, kind, content);
}

const struct campaign_options *vu_options(const struct vu *vu)
{
    return vu->campaign->options;
}

uint32_t vu_worker_count(const struct vu *vu)
{
    return runner_worker_count(vu->campaign->runner, vu->id);
}

uint32_t vu_room_size(const struct vu *vu)
{
    struct campaign_options now = *vu->campaign->options;

    now.workers = vu_worker_count(vu);
    return campaign_workers_of_room(&now, vu_room(vu));
}

uint32_t vu_room(const struct vu *vu)
{
    return vu->id / vu->campaign->room_size;
}

uint32_t vu_seat(const struct vu *vu)
{
    return vu->id % vu->campaign->room_size;
}

uint64_t vu_next_draw(struct vu *vu)
{
    if (vu->shared->drawn_step != vu->step) {
        vu->shared->drawn_step = vu->step;
        vu->shared->draws = 0;
    }
    return ++vu->shared->draws;
}

const char *vu_agent(const struct vu *vu)
{
    return shard_settings(vu->campaign->shard)->agent;
}

uint64_t vu_turn_ns(const struct vu *vu)
{
    return turns_began_ns(vu->campaign->queue.turns);
}

void vu_note_plan(struct vu *vu, struct request_sample *sample)
{
    sample->has_plan = vu->shared->main->phase == VU_STEP && vu->shared->main->intended_ns != 0;
    sample->late_us = sample->has_plan ? vu->shared->late_us : 0;
    vu->shared->late_us = 0;
}

bool vu_has_log(const struct vu *vu)
{
    return shard_settings(vu->campaign->shard)->request_log != NULL || vu_log_is_shown(vu);
}

struct tag_set vu_tags_under(const struct vu *vu, const struct tag_set *tags)
{
    struct tag_set all = vu->shared->tags;

    if (tags != NULL) {
        tag_set_overlay(&all, tags);
    }
    return all;
}

void vu_measure(const struct vu *vu, struct request_sample *sample)
{
    sample->tags = vu_tags_under(vu, &sample->tags);
    meter_request(vu_meter(vu), sample);
}

struct meter *vu_meter(const struct vu *vu)
{
    return vu->campaign->meter;
}

const struct http_tls *vu_current_tls(lua_State *lua)
{
    const struct vu *vu = script_of(lua)->current;

    return vu != NULL && vu->campaign->tls.is_given ? &vu->campaign->tls.tls : NULL;
}

struct http_engine *vu_http_engine(const struct vu *vu)
{
    return shard_http(vu->campaign->shard, vu->campaign->options->http_engine);
}

struct drivers *vu_drivers(const struct vu *vu)
{
    return shard_drivers(vu->campaign->shard);
}
