/* Runs the phases of a worker, one turn of its coroutine at a time. */
#include "agent/script/lua_error.h"
#include "agent/script/picking.h"
#include "agent/shard/driver.h"
#include "agent/shard/player.h"
#include "agent/shard/shard.h"
#include "agent/shard/stage.h"
#include "common/clock.h"
#include "common/duration.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <lauxlib.h>

#define DURATION_BYTES 40

static int fixture_of(const struct player *player)
{
    const int *fixtures = player->stage->script->fixtures;

    switch (player->phase) {
    case PLAYER_SETUP:
        return fixtures[FIXTURE_SETUP];
    case PLAYER_SETUP_SESSION:
        return fixtures[FIXTURE_SETUP_SESSION];
    case PLAYER_TEARDOWN_SESSION:
        return fixtures[FIXTURE_TEARDOWN_SESSION];
    case PLAYER_WITNESS:
        return player->witness_reference;
    case PLAYER_CLOSING:
        return player->closer_reference;
    case PLAYER_TEARDOWN:
        return fixtures[FIXTURE_TEARDOWN];
    case PLAYER_GLOBAL:
        return fixtures[player->stage->global_phase == GLOBAL_SETUP ? FIXTURE_GLOBAL_SETUP
                                                                    : FIXTURE_GLOBAL_TEARDOWN];
    default:
        return LUA_NOREF;
    }
}

static void need_thread(struct player *player)
{
    lua_State *lua = player->stage->script->lua;

    if (player->thread != NULL) {
        return;
    }
    player->thread = lua_newthread(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, player->thread);
}

static bool enter_step(struct player *player)
{
    struct stage *stage = player->stage;
    struct script *script = stage->script;

    player->step_began_ns = shard_turn_ns(stage->shard);
    if (driver_is_needed(script)) {
        driver_push(player->thread);
        return true;
    }
    if (!pick_scenario(script, stage->options, player->id, player->step, &player->scenario)) {
        return false;
    }
    lua_rawgeti(player->thread, LUA_REGISTRYINDEX, script->scenarios[player->scenario].function);
    return true;
}

/* Puts the function and its arguments on the coroutine's stack; false if there is nothing to run. `text` is
 * set where that is an error. */
static bool player_turn_enter(struct player *player, int *arguments, const char **text)
{
    int fixture = fixture_of(player);

    *text = NULL;
    *arguments = 0;
    if (player->phase != PLAYER_STEP && fixture == LUA_NOREF) {
        return false;
    }
    need_thread(player);
    player->is_begun = true;
    if (player->phase == PLAYER_STEP) {
        if (!enter_step(player)) {
            *text = "no scenario can be picked: every one has weight 0";
            return false;
        }
    } else {
        lua_rawgeti(player->thread, LUA_REGISTRYINDEX, fixture);
    }
    if (player->phase != PLAYER_GLOBAL) {
        player_hooks(player)->push_object(player->thread, player);
        *arguments = 1;
    }
    return true;
}

static const char *phase_prefix(const struct player *player)
{
    switch (player->phase) {
    case PLAYER_SETUP:
        return "setup: ";
    case PLAYER_SETUP_SESSION:
        return "setup_session: ";
    case PLAYER_TEARDOWN_SESSION:
        return "teardown_session: ";
    case PLAYER_WITNESS:
        return "what the failed step has left: ";
    case PLAYER_CLOSING:
        return "at the end of the worker: ";
    case PLAYER_TEARDOWN:
        return "teardown: ";
    case PLAYER_GLOBAL:
        return player->stage->global_phase == GLOBAL_SETUP ? "global_setup: " : "global_teardown: ";
    default:
        return "";
    }
}

static bool wants_witness(const struct player *player)
{
    const struct stage *stage = player->stage;

    return player->witness_reference != LUA_NOREF && !stage->is_stopping &&
           stage->artifacts < LIMIT_ARTIFACTS;
}

/* Whatever came of it, the step has failed. */
static bool end_witness(struct player *player, enum step_result result, const char *text)
{
    char *failure = player->failure_text;

    if (result == STEP_FAILED) {
        stage_complain(player->stage, player, "", text);
    }
    player->failure_text = NULL;
    player->phase = PLAYER_IDLE;
    stage_step_done(player->stage, player, STEP_FAILED, failure);
    memory_free(failure);
    return false;
}

static bool end_step(struct player *player, enum step_result result, const char *text)
{
    struct stage *stage = player->stage;
    uint64_t now_ns = clock_now_ns();

    meter_step(stage->meter, result, (now_ns - player->step_began_ns) / 1000);
    if (result == STEP_FAILED) {
        meter_error(stage->meter, bytes_of_string(text), player->id, player->step);
        if (stage->options->verbosity > 0) {
            stage_complain(stage, player, "", text);
        }
        if (wants_witness(player)) {
            player->failure_text = memory_copy_string(text);
            player->phase = PLAYER_WITNESS;
            player->is_begun = false;
            return true;
        }
    }
    double delay_s = stage->script->scenarios[player->scenario].delay_s;
    if (result == STEP_OK && delay_s > 0 && !stage->is_stopping) {
        player->phase = PLAYER_STEP_DELAY;
        shard_set_alarm(stage->shard, &player->alarm, now_ns + (uint64_t)(delay_s * 1e9));
        return false;
    }
    if (result == STEP_OK && shard_is_queued(stage->shard)) {
        /* Others may have been released together with this one: they go on before the books are kept. */
        player->phase = PLAYER_STEP_OVER;
        shard_queue(stage->shard, player);
        return false;
    }
    player->phase = PLAYER_IDLE;
    stage_step_done(stage, player, result, text);
    return false;
}

static bool end_teardown(struct player *player, const char *text)
{
    if (text != NULL) {
        stage_complain(player->stage, player, "", text);
        meter_error(player->stage->meter, bytes_of_string(text), player->id, player->step);
    }
    if (player->phase != PLAYER_TEARDOWN) {
        if (player->phase == PLAYER_TEARDOWN_SESSION) {
            http_client_free(&player->http);
        } else {
            http_client_free(&player->webdriver);
        }
        player->phase++;
        player->is_begun = false;
        return true;
    }
    player->phase = PLAYER_IDLE;
    stage_torn_down(player->stage, player);
    return false;
}

/* A worker that cannot begin counts as a failed step, so that --fail judges it too. */
static bool end_setup(struct player *player, enum step_result result, const char *text)
{
    if (text != NULL) {
        meter_error(player->stage->meter, bytes_of_string(text), player->id, player->step);
    }
    if (result == STEP_FAILED) {
        meter_step(player->stage->meter, result, 0);
    }
    if (text == NULL && player->phase == PLAYER_SETUP) {
        player->phase = PLAYER_SETUP_SESSION;
        player->is_begun = false;
        return true;
    }
    player->phase = PLAYER_IDLE;
    stage_setup_done(player->stage, player, text);
    return false;
}

/* The phase has ended, with `text` where it failed. Gives whether the next one follows in the same turn; else
 * the worker may be gone. */
static bool end_phase(struct player *player, enum step_result result, const char *text)
{
    char *prefixed = text != NULL ? memory_format("%s%s", phase_prefix(player), text) : NULL;
    bool goes_on = false;

    switch (player->phase) {
    case PLAYER_SETUP:
    case PLAYER_SETUP_SESSION:
        goes_on = end_setup(player, result, prefixed);
        break;
    case PLAYER_STEP:
        goes_on = end_step(player, result, prefixed);
        break;
    case PLAYER_WITNESS:
        goes_on = end_witness(player, result, prefixed);
        break;
    case PLAYER_TEARDOWN_SESSION:
    case PLAYER_CLOSING:
    case PLAYER_TEARDOWN:
        goes_on = end_teardown(player, prefixed);
        break;
    case PLAYER_GLOBAL:
        player->phase = PLAYER_IDLE;
        stage_global_done(player->stage, prefixed);
        break;
    default:
        assert(0 && "a phase that does not run");
    }
    memory_free(prefixed);
    return goes_on;
}

/* Runs what the coroutine has still to close. False where that had to be ended. */
static bool close_thread(struct player *player)
{
    struct limits *limits = &player->stage->script->limits;

    limits_enter(limits, player->thread, LIMITS_CLOSE);
    (void)lua_resetthread(player->thread);
    (void)limits_leave(limits);
    return limits->termination == TERMINATION_NONE;
}

/* Describes the error on the coroutine's stack, and makes the coroutine fit for the next phase. */
static char *take_error(struct player *player, bool *is_stopped)
{
    struct script *script = player->stage->script;
    lua_State *thread = player->thread;
    bool is_budget = script->limits.termination == TERMINATION_BUDGET;
    char *text;

    *is_stopped = script->limits.termination == TERMINATION_STOPPED || lua_failure_is_stopped(thread, -1);
    if (player->stage->options->verbosity > 1) {
        luaL_traceback(script->lua, thread, NULL, 0);
    }
    const char *described = script_describe_error(script, thread);
    if (player->stage->options->verbosity > 1) {
        text = memory_format("%s\n%s", described, lua_tostring(script->lua, -1));
        lua_pop(script->lua, 1);
    } else {
        text = memory_copy_string(described);
    }
    if (is_budget || script->limits.has_killed || !close_thread(player)) {
        player_drop_thread(player);
    } else {
        lua_settop(thread, 0);
    }
    return text;
}

/* True while it waits; otherwise `text` says how it failed, owned by the caller. */
static bool player_turn_run(struct player *player, int arguments, enum step_result *result, char **text)
{
    struct script *script = player->stage->script;
    bool is_stopped = false;
    int results = 0;

    script->current = player;
    script->is_waiting = false;
    if (player->wait == WAIT_TURN) {
        player->wait = WAIT_NOTHING;
        limits_go_on(&script->limits, player->thread, &player->used);
    } else {
        limits_enter(&script->limits, player->thread, LIMITS_TURN);
    }
    int status = lua_resume(player->thread, NULL, arguments, &results);
    player->used = limits_leave(&script->limits);
    script->current = NULL;

    *text = NULL;
    *result = STEP_OK;
    if (status == LUA_YIELD && script->is_waiting) {
        return true;
    }
    player->wait = WAIT_NOTHING;
    if (status == LUA_OK) {
        lua_settop(player->thread, 0);
        return false;
    }
    if (status == LUA_YIELD) {
        lua_pushliteral(player->thread, "attempt to yield from outside a coroutine");
    }
    *text = take_error(player, &is_stopped);
    *result = is_stopped ? STEP_STOPPED : STEP_FAILED;
    return false;
}

static void end_late_setup(struct player *player)
{
    char within[DURATION_BYTES];

    duration_describe(player->stage->options->setup_timeout_ms, within, sizeof within);
    SCOPED(memory_free_at) char *text = memory_format("did not end within %s (--setup-timeout)", within);
    player->is_cut_short = false;
    (void)end_phase(player, STEP_FAILED, text);
}

void player_turn(struct player *player)
{
    bool goes_on = player->phase != PLAYER_STEP_OVER;

    if (player->is_cut_short) {
        end_late_setup(player);
        return;
    }
    if (!goes_on) {
        player->phase = PLAYER_IDLE;
        stage_step_done(player->stage, player, STEP_OK, NULL);
    }
    while (goes_on) {
        const char *refusal = NULL;
        char *text = NULL;
        int arguments = 0;
        enum step_result result = STEP_OK;

        if (!player->is_begun && !player_turn_enter(player, &arguments, &refusal)) {
            goes_on = end_phase(player, refusal != NULL ? STEP_FAILED : STEP_OK, refusal);
            continue;
        }
        if (player_turn_run(player, arguments, &result, &text)) {
            return;
        }
        goes_on = end_phase(player, result, text);
        memory_free(text);
    }
}
