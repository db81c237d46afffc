/* What the API functions need of the worker whose turn it is: to end the turn, and to take note of how it
 * goes on. */
#include "agent/script/lua_error.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
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

static bool gives_way(const struct vu *vu)
{
    return vu->phase != VU_TEARDOWN_SESSION && vu->phase != VU_CLOSING && vu->phase != VU_TEARDOWN &&
           !(vu->phase == VU_GLOBAL && vu->campaign->global_phase == GLOBAL_TEARDOWN);
}

int vu_raise_stopped(lua_State *lua, struct vu *vu, double waited_s, const char *text)
{
    const char *why = vu->campaign->stop_text;

    if (vu->has_been_stopped && gives_way(vu)) {
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

void vu_check_stopped(lua_State *lua, struct vu *vu)
{
    if (vu->campaign->is_stopping && gives_way(vu)) {
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
    vu->wait_began_ns = clock_now_ns();
    script->is_waiting = true;
    return lua_yieldk(lua, 0, context, go_on);
}

void vu_give_way(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct vu *vu = script->current;

    if (vu->campaign->is_stopping && gives_way(vu)) {
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
    return !shard_may_act(vu->campaign->shard);
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
