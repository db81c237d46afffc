/* Runs the function of a worker's phase, one turn of its coroutine at a time. */
#include "agent/shard/vu_coroutine.h"

#include "agent/script/error_key.h"
#include "agent/script/lua_error.h"
#include "agent/script/picking.h"
#include "agent/script/script_state.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/step_wrapper.h"
#include "agent/shard/vu_task.h"
#include "common/duration.h"
#include "common/memory.h"

#include <lauxlib.h>

#define DURATION_BYTES 40
#define NO_SCENARIO "no scenario can be picked: every one has weight 0"

/* What the text of an error begins with, in each phase that runs something. */
static const char *const PREFIXES[VU_PHASE_COUNT] = {
    [VU_SETUP] = "setup: ",
    [VU_SETUP_SESSION] = "setup_session: ",
    [VU_STEP] = "",
    [VU_WITNESS] = "what the failed step has left: ",
    [VU_TEARDOWN_SESSION] = "teardown_session: ",
    [VU_CLOSING] = "at the end of the worker: ",
    [VU_TEARDOWN] = "teardown: ",
    [VU_GLOBAL_SETUP] = "global_setup: ",
    [VU_GLOBAL_TEARDOWN] = "global_teardown: ",
    [VU_TASK] = "in a task: ",
};

/* What runs in the phase, but for a step: a reference into the registry, or LUA_NOREF. */
static int function_of_phase(const struct vu *vu)
{
    const int *fixtures = vu->campaign->script->fixtures;

    switch ((enum vu_phase)vu->phase) {
    case VU_SETUP:
        return fixtures[FIXTURE_SETUP];
    case VU_SETUP_SESSION:
        return fixtures[FIXTURE_SETUP_SESSION];
    case VU_WITNESS:
        return vu->shared->witness_reference;
    case VU_TEARDOWN_SESSION:
        return fixtures[FIXTURE_TEARDOWN_SESSION];
    case VU_CLOSING:
        return vu->shared->closer_reference;
    case VU_TEARDOWN:
        return fixtures[FIXTURE_TEARDOWN];
    case VU_GLOBAL_SETUP:
        return fixtures[FIXTURE_GLOBAL_SETUP];
    case VU_GLOBAL_TEARDOWN:
        return fixtures[FIXTURE_GLOBAL_TEARDOWN];
    default:
        return LUA_NOREF;
    }
}

static void need_thread(struct vu *vu)
{
    lua_State *lua = vu->campaign->script->lua;

    if (vu->thread != NULL) {
        return;
    }
    vu->thread = lua_newthread(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, vu->thread);
}

void vu_coroutine_drop(struct vu *vu)
{
    lua_State *lua = vu->campaign->script->lua;

    if (vu->thread == NULL) {
        return;
    }
    if (vu->slot != VU_NO_SLOT) {
        vu_task_release_thread(vu);
    }
    lua_pushnil(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, vu->thread);
    vu->thread = NULL;
}

/* False where no scenario can be picked. */
static bool push_step(struct vu *vu)
{
    struct shard_campaign *campaign = vu->campaign;
    struct script *script = campaign->script;

    vu->step_began_ns = turns_began_ns(campaign->queue.turns);
    if (vu->intended_ns != 0) {
        bool is_late = vu->step_began_ns > vu->intended_ns;
        vu->shared->late_us = is_late ? (vu->step_began_ns - vu->intended_ns) / 1000 : 0;
        meter_late(campaign->meter, vu->shared->late_us, vu->is_arrival);
    }
    if (step_wrapper_is_needed(script)) {
        step_wrapper_push(vu->thread);
        return true;
    }
    struct picking step = {.worker = vu->id, .step = vu->step, .load = vu->load};
    if (!pick_scenario(script, campaign->options, &step, &vu->scenario)) {
        return false;
    }
    lua_rawgeti(vu->thread, LUA_REGISTRYINDEX, script->scenarios[vu->scenario].function);
    return true;
}

/* Puts the phase's function and its arguments on the coroutine's stack. False if there is nothing to run;
 * `result` is a failure where that is one. */
static bool enter_phase(struct vu *vu, int *arguments, enum step_result *result)
{
    int function = function_of_phase(vu);

    if (vu->phase != VU_STEP && function == LUA_NOREF) {
        return false;
    }
    need_thread(vu);
    vu->is_begun = true;
    if (vu->phase != VU_STEP) {
        lua_rawgeti(vu->thread, LUA_REGISTRYINDEX, function);
    } else if (!push_step(vu)) {
        *result = STEP_FAILED;
        return false;
    }
    if (!vu_is_global(vu)) {
        vu_hooks(vu)->push_object(vu->thread, vu);
        *arguments = 1;
    }
    return true;
}

bool vu_coroutine_close(struct vu *vu)
{
    struct script *script = vu->campaign->script;
    struct limits *limits = &script->limits;

    script->current = vu;
    limits_enter(limits, vu->thread, LIMITS_CLOSE);
    (void)lua_resetthread(vu->thread);
    (void)limits_leave(limits);
    script->current = NULL;
    return limits->termination == TERMINATION_NONE;
}

static bool is_stop(const struct script *script, lua_State *thread)
{
    return script->limits.termination == TERMINATION_STOPPED || lua_failure_is_stopped(thread, -1);
}

/* What the report groups the failure by. Takes the error's group, which may be NULL. */
static void keep_key(struct vu *vu, char *group, const char *described)
{
    const char *prefix = PREFIXES[vu->phase];
    char folded[ERROR_KEY_MAX_BYTES];

    if (group == NULL) {
        error_key_fold(bytes_of_string(described), folded, sizeof folded);
    }
    memory_free(vu->failure_key);
    vu->failure_key = memory_format("%s%s", prefix, group != NULL ? group : folded);
    memory_free(group);
}

/* Where the error came from, for who asked for more than its text. */
static void keep_trace(struct vu *vu)
{
    lua_State *lua = vu->campaign->script->lua;

    memory_free(vu->failure_trace);
    vu->failure_trace = NULL;
    if (vu->campaign->options->verbosity > 0) {
        luaL_traceback(lua, vu->thread, NULL, 0);
        vu->failure_trace = memory_copy_string(lua_tostring(lua, -1));
        lua_pop(lua, 1);
    }
}

/* Describes the error on the coroutine's stack, and makes the coroutine fit for the next phase. */
static char *take_error(struct vu *vu, enum step_result *result)
{
    struct script *script = vu->campaign->script;
    lua_State *thread = vu->thread;
    const char *prefix = PREFIXES[vu->phase];
    bool is_budget = script->limits.termination == TERMINATION_BUDGET;

    *result = is_stop(script, thread) ? STEP_STOPPED : STEP_FAILED;
    vu->is_failure_by_loss = lua_failure_is_by_loss(thread, -1);
    char *group = lua_failure_copy_group(thread, -1);
    if (vu->slot != VU_NO_SLOT) {
        vu_task_keep_error(vu);
    }
    keep_trace(vu);
    const char *described = script_describe_error(script, thread);
    keep_key(vu, group, described);
    char *text = memory_format("%s%s", prefix, described);
    if (is_budget || script->limits.has_killed || !vu_coroutine_close(vu)) {
        vu_coroutine_drop(vu);
    } else {
        lua_settop(thread, 0);
    }
    return text;
}

/* Gives what lua_resume does. */
static int resume_thread(struct vu *vu, int arguments, int *results)
{
    struct script *script = vu->campaign->script;

    script->current = vu;
    script->is_waiting = false;
    if (vu->wait == WAIT_TURN) {
        vu->wait = WAIT_NOTHING;
        limits_go_on(&script->limits, vu->thread, &vu->used);
    } else {
        limits_enter(&script->limits, vu->thread, LIMITS_TURN);
    }
    int status = lua_resume(vu->thread, NULL, arguments, results);
    vu->used = limits_leave(&script->limits);
    script->current = NULL;
    return status;
}

bool vu_coroutine_run(struct vu *vu, enum step_result *result, char **text)
{
    int arguments = 0;
    int results = 0;

    *result = STEP_OK;
    *text = NULL;
    if (!vu->is_begun && !enter_phase(vu, &arguments, result)) {
        *text = *result == STEP_FAILED ? memory_copy_string(NO_SCENARIO) : NULL;
        return true;
    }
    int status = resume_thread(vu, arguments, &results);
    if (status == LUA_YIELD && vu->campaign->script->is_waiting) {
        return false;
    }
    vu->wait = WAIT_NOTHING;
    if (status == LUA_OK) {
        if (vu->slot != VU_NO_SLOT) {
            vu_task_keep_results(vu); /* takes them */
        } else {
            lua_pop(vu->thread, results);
        }
        return true;
    }
    if (status == LUA_YIELD) {
        lua_pushliteral(vu->thread, "attempt to yield from outside a coroutine");
    }
    *text = take_error(vu, result);
    return true;
}

char *vu_coroutine_describe_late(const struct vu *vu)
{
    char within[DURATION_BYTES];

    duration_describe(vu->campaign->options->setup_timeout_ms, within, sizeof within);
    return memory_format("%sdid not end within %s (--setup-timeout)", PREFIXES[vu->phase], within);
}
