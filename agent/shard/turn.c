/* What the API functions need of the worker whose turn it is: to end the turn, and to take note of how it
 * goes on. */
#include "agent/script/lua_error.h"
#include "agent/shard/player.h"
#include "agent/shard/shard.h"
#include "agent/shard/stage.h"
#include "common/clock.h"

#include <lauxlib.h>

struct player *player_current(lua_State *lua, const char *function)
{
    struct script *script = script_of(lua);

    if (script->current == NULL) {
        lua_misuse(lua, "%s: only within a scenario or a fixture", function);
    }
    return script->current;
}

static bool gives_way(const struct player *player)
{
    return player->phase != PLAYER_TEARDOWN_SESSION && player->phase != PLAYER_CLOSING &&
           player->phase != PLAYER_TEARDOWN &&
           !(player->phase == PLAYER_GLOBAL && player->stage->global_phase == GLOBAL_TEARDOWN);
}

int player_raise_stopped(lua_State *lua, struct player *player, double waited_s, const char *text)
{
    const char *why = player->stage->stop_text;

    if (player->has_been_stopped && gives_way(player)) {
        player->stage->script->limits.termination = TERMINATION_STOPPED;
    }
    player->has_been_stopped = true;
    struct lua_failure failure = {
        .outcome = "stopped",
        .is_stopped = true,
        .waited_s = waited_s,
        .message = text != NULL && *text ? text : (why != NULL && *why ? why : "the campaign is stopping"),
    };
    return lua_failure_raise(lua, &failure);
}

void player_check_stopped(lua_State *lua, struct player *player)
{
    if (player->stage->is_stopping && gives_way(player)) {
        player_raise_stopped(lua, player, 0, NULL);
    }
}

int player_yield(lua_State *lua, struct player *player, enum player_wait wait, lua_KFunction go_on,
                 lua_KContext context)
{
    struct script *script = player->stage->script;

    if (!script_may_wait(lua)) {
        return lua_misuse(lua,
                          "a call that waits cannot be made here (within a gsub, a metamethod or a require)");
    }
    player->wait = (uint8_t)wait;
    player->waiting = lua;
    player->wait_began_ns = clock_now_ns();
    script->is_waiting = true;
    return lua_yieldk(lua, 0, context, go_on);
}

void player_give_way(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct player *player = script->current;

    if (player->stage->is_stopping && gives_way(player)) {
        /* It does not wait, so nothing else would tell it; raised in a hook, nothing of it may run again. */
        player->has_been_stopped = true;
        script->limits.has_killed = true;
        player_raise_stopped(lua, player, 0, NULL);
    }
    player->wait = WAIT_TURN;
    script->is_waiting = true;
    player_wake(player, WAKE_DONE);
    (void)lua_yield(lua, 0);
}

bool player_has_no_lease(const struct player *player)
{
    return !shard_may_act(player->stage->shard);
}

static int on_lease(lua_State *lua, int status, lua_KContext again)
{
    (void)status;
    player_resumed(lua, player_current(lua, "a call"), WAIT_LEASE);
    return ((lua_CFunction)again)(lua);
}

int player_await_lease(lua_State *lua, struct player *player, lua_CFunction again)
{
    if (script_may_wait(lua)) {
        player_wake(player, WAKE_DONE); /* turns are given under a lease only */
    }
    return player_yield(lua, player, WAIT_LEASE, on_lease, (lua_KContext)again);
}

void player_resumed(lua_State *lua, struct player *player, enum player_wait wait)
{
    if (player->wait != wait || player->waiting != lua) {
        lua_misuse(lua, "a coroutine that waits was resumed by someone else");
    }
    player->wait = WAIT_NOTHING;
    if (player->wake == WAKE_STOPPED) {
        player_raise_stopped(lua, player, (double)(clock_now_ns() - player->wait_began_ns) / 1e9, NULL);
    }
}
