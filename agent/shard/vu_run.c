/* Runs the phases of a worker, one turn of its coroutine at a time. */
#include "agent/script/lua_error.h"
#include "agent/script/picking.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/step_wrapper.h"
#include "agent/shard/vu.h"
#include "common/clock.h"
#include "common/duration.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <lauxlib.h>

#define DURATION_BYTES 40

static int fixture_of(const struct vu *vu)
{
    const int *fixtures = vu->campaign->script->fixtures;

    switch (vu->phase) {
    case VU_SETUP:
        return fixtures[FIXTURE_SETUP];
    case VU_SETUP_SESSION:
        return fixtures[FIXTURE_SETUP_SESSION];
    case VU_TEARDOWN_SESSION:
        return fixtures[FIXTURE_TEARDOWN_SESSION];
    case VU_WITNESS:
        return vu->witness_reference;
    case VU_CLOSING:
        return vu->closer_reference;
    case VU_TEARDOWN:
        return fixtures[FIXTURE_TEARDOWN];
    case VU_GLOBAL:
        return fixtures[vu->campaign->global_phase == GLOBAL_SETUP ? FIXTURE_GLOBAL_SETUP
                                                                   : FIXTURE_GLOBAL_TEARDOWN];
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

static bool enter_step(struct vu *vu)
{
    struct shard_campaign *campaign = vu->campaign;
    struct script *script = campaign->script;

    vu->step_began_ns = shard_turn_ns(campaign->shard);
    if (step_wrapper_is_needed(script)) {
        step_wrapper_push(vu->thread);
        return true;
    }
    if (!pick_scenario(script, campaign->options, vu->id, vu->step, &vu->scenario)) {
        return false;
    }
    lua_rawgeti(vu->thread, LUA_REGISTRYINDEX, script->scenarios[vu->scenario].function);
    return true;
}

/* Puts the function and its arguments on the coroutine's stack; false if there is nothing to run. `text` is
 * set where that is an error. */
static bool vu_turn_enter(struct vu *vu, int *arguments, const char **text)
{
    int fixture = fixture_of(vu);

    *text = NULL;
    *arguments = 0;
    if (vu->phase != VU_STEP && fixture == LUA_NOREF) {
        return false;
    }
    need_thread(vu);
    vu->is_begun = true;
    if (vu->phase == VU_STEP) {
        if (!enter_step(vu)) {
            *text = "no scenario can be picked: every one has weight 0";
            return false;
        }
    } else {
        lua_rawgeti(vu->thread, LUA_REGISTRYINDEX, fixture);
    }
    if (vu->phase != VU_GLOBAL) {
        vu_hooks(vu)->push_object(vu->thread, vu);
        *arguments = 1;
    }
    return true;
}

static const char *phase_prefix(const struct vu *vu)
{
    switch (vu->phase) {
    case VU_SETUP:
        return "setup: ";
    case VU_SETUP_SESSION:
        return "setup_session: ";
    case VU_TEARDOWN_SESSION:
        return "teardown_session: ";
    case VU_WITNESS:
        return "what the failed step has left: ";
    case VU_CLOSING:
        return "at the end of the worker: ";
    case VU_TEARDOWN:
        return "teardown: ";
    case VU_GLOBAL:
        return vu->campaign->global_phase == GLOBAL_SETUP ? "global_setup: " : "global_teardown: ";
    default:
        return "";
    }
}

static bool wants_witness(const struct vu *vu)
{
    const struct shard_campaign *campaign = vu->campaign;

    return vu->witness_reference != LUA_NOREF && !campaign->is_stopping &&
           campaign->artifacts < LIMIT_ARTIFACTS;
}

/* Whatever came of it, the step has failed. */
static bool end_witness(struct vu *vu, enum step_result result, const char *text)
{
    char *failure = vu->failure_text;

    if (result == STEP_FAILED) {
        shard_campaign_complain(vu->campaign, vu, "", text);
    }
    vu->failure_text = NULL;
    vu->phase = VU_IDLE;
    shard_campaign_step_done(vu->campaign, vu, STEP_FAILED, failure);
    memory_free(failure);
    return false;
}

static bool end_step(struct vu *vu, enum step_result result, const char *text)
{
    struct shard_campaign *campaign = vu->campaign;
    uint64_t now_ns = clock_now_ns();

    meter_step(campaign->meter, result, (now_ns - vu->step_began_ns) / 1000);
    if (result == STEP_FAILED) {
        meter_error(campaign->meter, bytes_of_string(text), vu->id, vu->step);
        if (campaign->options->verbosity > 0) {
            shard_campaign_complain(campaign, vu, "", text);
        }
        if (wants_witness(vu)) {
            vu->failure_text = memory_copy_string(text);
            vu->phase = VU_WITNESS;
            vu->is_begun = false;
            return true;
        }
    }
    double delay_s = campaign->script->scenarios[vu->scenario].delay_s;
    if (result == STEP_OK && delay_s > 0 && !campaign->is_stopping) {
        vu->phase = VU_STEP_DELAY;
        shard_set_alarm(campaign->shard, &vu->alarm, now_ns + (uint64_t)(delay_s * 1e9));
        return false;
    }
    if (result == STEP_OK && shard_is_queued(campaign->shard)) {
        /* Others may have been released together with this one: they go on before the books are kept. */
        vu->phase = VU_STEP_OVER;
        shard_queue(campaign->shard, vu);
        return false;
    }
    vu->phase = VU_IDLE;
    shard_campaign_step_done(campaign, vu, result, text);
    return false;
}

static bool end_teardown(struct vu *vu, const char *text)
{
    if (text != NULL) {
        shard_campaign_complain(vu->campaign, vu, "", text);
        meter_error(vu->campaign->meter, bytes_of_string(text), vu->id, vu->step);
    }
    if (vu->phase != VU_TEARDOWN) {
        if (vu->phase == VU_TEARDOWN_SESSION) {
            http_client_free(&vu->http);
        } else {
            http_client_free(&vu->webdriver);
        }
        vu->phase++;
        vu->is_begun = false;
        return true;
    }
    vu->phase = VU_IDLE;
    shard_campaign_torn_down(vu->campaign, vu);
    return false;
}

/* A worker that cannot begin counts as a failed step, so that --fail judges it too. */
static bool end_setup(struct vu *vu, enum step_result result, const char *text)
{
    if (text != NULL) {
        meter_error(vu->campaign->meter, bytes_of_string(text), vu->id, vu->step);
    }
    if (result == STEP_FAILED) {
        meter_step(vu->campaign->meter, result, 0);
    }
    if (text == NULL && vu->phase == VU_SETUP) {
        vu->phase = VU_SETUP_SESSION;
        vu->is_begun = false;
        return true;
    }
    vu->phase = VU_IDLE;
    shard_campaign_setup_done(vu->campaign, vu, text);
    return false;
}

/* The phase has ended, with `text` where it failed. Gives whether the next one follows in the same turn; else
 * the worker may be gone. */
static bool end_phase(struct vu *vu, enum step_result result, const char *text)
{
    char *prefixed = text != NULL ? memory_format("%s%s", phase_prefix(vu), text) : NULL;
    bool goes_on = false;

    switch (vu->phase) {
    case VU_SETUP:
    case VU_SETUP_SESSION:
        goes_on = end_setup(vu, result, prefixed);
        break;
    case VU_STEP:
        goes_on = end_step(vu, result, prefixed);
        break;
    case VU_WITNESS:
        goes_on = end_witness(vu, result, prefixed);
        break;
    case VU_TEARDOWN_SESSION:
    case VU_CLOSING:
    case VU_TEARDOWN:
        goes_on = end_teardown(vu, prefixed);
        break;
    case VU_GLOBAL:
        vu->phase = VU_IDLE;
        shard_campaign_global_done(vu->campaign, prefixed);
        break;
    default:
        assert(0 && "a phase that does not run");
    }
    memory_free(prefixed);
    return goes_on;
}

/* Runs what the coroutine has still to close. False where that had to be ended. */
static bool close_thread(struct vu *vu)
{
    struct limits *limits = &vu->campaign->script->limits;

    limits_enter(limits, vu->thread, LIMITS_CLOSE);
    (void)lua_resetthread(vu->thread);
    (void)limits_leave(limits);
    return limits->termination == TERMINATION_NONE;
}

/* Describes the error on the coroutine's stack, and makes the coroutine fit for the next phase. */
static char *take_error(struct vu *vu, bool *is_stopped)
{
    struct script *script = vu->campaign->script;
    lua_State *thread = vu->thread;
    bool is_budget = script->limits.termination == TERMINATION_BUDGET;
    char *text;

    *is_stopped = script->limits.termination == TERMINATION_STOPPED || lua_failure_is_stopped(thread, -1);
    if (vu->campaign->options->verbosity > 1) {
        luaL_traceback(script->lua, thread, NULL, 0);
    }
    const char *described = script_describe_error(script, thread);
    if (vu->campaign->options->verbosity > 1) {
        text = memory_format("%s\n%s", described, lua_tostring(script->lua, -1));
        lua_pop(script->lua, 1);
    } else {
        text = memory_copy_string(described);
    }
    if (is_budget || script->limits.has_killed || !close_thread(vu)) {
        vu_drop_thread(vu);
    } else {
        lua_settop(thread, 0);
    }
    return text;
}

/* True while it waits; otherwise `text` says how it failed, owned by the caller. */
static bool vu_turn_run(struct vu *vu, int arguments, enum step_result *result, char **text)
{
    struct script *script = vu->campaign->script;
    bool is_stopped = false;
    int results = 0;

    script->current = vu;
    script->is_waiting = false;
    if (vu->wait == WAIT_TURN) {
        vu->wait = WAIT_NOTHING;
        limits_go_on(&script->limits, vu->thread, &vu->used);
    } else {
        limits_enter(&script->limits, vu->thread, LIMITS_TURN);
    }
    int status = lua_resume(vu->thread, NULL, arguments, &results);
    vu->used = limits_leave(&script->limits);
    script->current = NULL;

    *text = NULL;
    *result = STEP_OK;
    if (status == LUA_YIELD && script->is_waiting) {
        return true;
    }
    vu->wait = WAIT_NOTHING;
    if (status == LUA_OK) {
        lua_settop(vu->thread, 0);
        return false;
    }
    if (status == LUA_YIELD) {
        lua_pushliteral(vu->thread, "attempt to yield from outside a coroutine");
    }
    *text = take_error(vu, &is_stopped);
    *result = is_stopped ? STEP_STOPPED : STEP_FAILED;
    return false;
}

static void end_late_setup(struct vu *vu)
{
    char within[DURATION_BYTES];

    duration_describe(vu->campaign->options->setup_timeout_ms, within, sizeof within);
    SCOPED(memory_free_at) char *text = memory_format("did not end within %s (--setup-timeout)", within);
    vu->is_cut_short = false;
    (void)end_phase(vu, STEP_FAILED, text);
}

void vu_turn(struct vu *vu)
{
    bool goes_on = vu->phase != VU_STEP_OVER;

    if (vu->is_cut_short) {
        end_late_setup(vu);
        return;
    }
    if (!goes_on) {
        vu->phase = VU_IDLE;
        shard_campaign_step_done(vu->campaign, vu, STEP_OK, NULL);
    }
    while (goes_on) {
        const char *refusal = NULL;
        char *text = NULL;
        int arguments = 0;
        enum step_result result = STEP_OK;

        if (!vu->is_begun && !vu_turn_enter(vu, &arguments, &refusal)) {
            goes_on = end_phase(vu, refusal != NULL ? STEP_FAILED : STEP_OK, refusal);
            continue;
        }
        if (vu_turn_run(vu, arguments, &result, &text)) {
            return;
        }
        goes_on = end_phase(vu, result, text);
        memory_free(text);
    }
}
