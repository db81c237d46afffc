/* The life of a virtual user: it moves through its phases, and each move's action is done here. */
#include "agent/shard/vu.h"

#include "agent/script/script_state.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu_batch.h"
#include "agent/shard/vu_coroutine.h"
#include "agent/shard/vu_result.h"
#include "agent/shard/vu_socket.h"
#include "agent/shard/vu_stream.h"
#include "agent/shard/vu_task.h"
#include "agent/shard/vu_websocket.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <lauxlib.h>
#include <time.h>

/* libuv's timers come up to a millisecond late, so a release is prepared earlier than that. */
#define RELEASE_LEAD_NS (2 * NS_PER_MS)
#define SPIN_NS (NS_PER_MS / 5)

static void vu_happen(struct vu *vu, enum vu_event event);

/* Sleeps until just before the instant, then polls the clock. */
static void await_instant(uint64_t at_ns)
{
    uint64_t now_ns = clock_now_ns();

    if (at_ns > now_ns + SPIN_NS && at_ns - now_ns < 2 * RELEASE_LEAD_NS) {
        struct timespec pause = {.tv_nsec = (long)(at_ns - now_ns - SPIN_NS)};
        nanosleep(&pause, NULL);
    }
    while (clock_now_ns() < at_ns && at_ns - now_ns < 2 * RELEASE_LEAD_NS) {
        ;
    }
}

static void vu_on_due(struct alarm *alarm, uint64_t now_ns)
{
    struct vu *vu = CONTAINER_OF(alarm, struct vu, alarm);

    turns_note_time(vu->campaign->queue.turns, now_ns);
    vu_happen(vu, VU_DUE);
}

void vu_release_at(struct vu *vu, uint64_t at_ns)
{
    vu->release_ns = at_ns;
    alarms_set(shard_alarms(vu->campaign->shard), &vu->alarm, at_ns - RELEASE_LEAD_NS);
}

struct vu *vu_new(struct shard_campaign *campaign, uint32_t id)
{
    struct vu *vu = MEMORY_NEW(struct vu);

    vu->campaign = campaign;
    vu->id = id;
    vu->slot = VU_NO_SLOT;
    vu->shared = MEMORY_NEW(struct vu_shared);
    vu->shared->main = vu;
    vu->shared->object_reference = LUA_NOREF;
    vu->shared->witness_reference = LUA_NOREF;
    vu->shared->closer_reference = LUA_NOREF;
    vu->shared->http_defaults = LUA_NOREF;
    alarm_init(&vu->alarm, vu_on_due);
    return vu;
}

struct vu *vu_new_task(const struct vu *like, uint8_t slot)
{
    struct vu *vu = MEMORY_NEW(struct vu);

    vu->campaign = like->campaign;
    vu->shared = like->shared;
    vu->id = like->id;
    vu->scenario = like->scenario;
    vu->slot = slot;
    alarm_init(&vu->alarm, vu_on_due);
    return vu;
}

/* The object may outlive the worker in a variable of the script: it then says so. */
static void vu_drop_object(struct vu *vu)
{
    lua_State *lua = vu->campaign->script->lua;

    if (vu->shared->object_reference == LUA_NOREF) {
        return;
    }
    lua_rawgeti(lua, LUA_REGISTRYINDEX, vu->shared->object_reference);
    *(struct vu **)lua_touserdata(lua, -1) = NULL;
    lua_pop(lua, 1);
    luaL_unref(lua, LUA_REGISTRYINDEX, vu->shared->object_reference);
    vu->shared->object_reference = LUA_NOREF;
}

static void vu_free_shared(struct vu *vu)
{
    struct vu_shared *shared = vu->shared;
    lua_State *lua = vu->campaign->script->lua;

    vu_tasks_drop(vu);
    vu_streams_drop(vu);
    vu_websockets_drop(vu);
    vu_sockets_drop(vu);
    http_client_free(&shared->http);
    vu_hooks(vu)->drop_drivers(vu);
    http_client_free(&shared->webdriver);
    vu_drop_object(vu);
    luaL_unref(lua, LUA_REGISTRYINDEX, shared->witness_reference);
    luaL_unref(lua, LUA_REGISTRYINDEX, shared->closer_reference);
    luaL_unref(lua, LUA_REGISTRYINDEX, shared->http_defaults);
    memory_free(shared);
}

/* What it waits for comes to nobody. */
static void vu_forget_wait(struct vu *vu)
{
    alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
    vu_forget_exchange(vu);
    vu->awaited_socket = NULL;
    vu_websocket_end_wait(vu);
    vu_hooks(vu)->forget_driver(vu);
    vu_drop_answer(vu);
    operation_free(&vu->parked);
    vu->wait = WAIT_NOTHING;
    vu->release_ns = 0;
}

const struct vu_hooks *vu_hooks(const struct vu *vu)
{
    return shard_settings(vu->campaign->shard)->hooks;
}

void vu_free(struct vu **pointer)
{
    struct vu *vu = *pointer;

    if (vu == NULL) {
        return;
    }
    vu_forget_wait(vu);
    turn_queue_remove(&vu->campaign->queue, vu);
    if (vu->slot == VU_NO_SLOT) {
        vu_free_shared(vu);
    }
    memory_free(vu->failure_text);
    memory_free(vu->failure_trace);
    memory_free(vu->failure_key);
    vu_coroutine_drop(vu);
    memory_free(vu);
    *pointer = NULL;
}

void vu_forget_exchange(struct vu *vu)
{
    vu->response = NULL;
    vu->awaited_stream = NULL;
    http_exchange_free(&vu->exchange);
    vu_batch_drop(vu);
}

void vu_drop_answer(struct vu *vu)
{
    shared_reply_release(&vu->answer);
}

bool vu_is_global(const struct vu *vu)
{
    return vu->shared->main == vu->campaign->global;
}

bool vu_gives_way(const struct vu *vu)
{
    return vu_phase_gives_way(vu->shared->main->phase);
}

void vu_wake(struct vu *vu, enum vu_wake wake)
{
    vu->wake = (uint8_t)wake;
    turn_queue_add(&vu->campaign->queue, vu);
}

static void vu_cancel_requests(struct vu *vu)
{
    vu_forget_exchange(vu);
    vu_websocket_end_wait(vu);
}

static enum vu_event vu_run(struct vu *vu)
{
    enum step_result result = STEP_OK;
    char *text = NULL;

    if (vu->is_cut_short) {
        vu->is_cut_short = false;
        return vu_result_count(vu, STEP_FAILED, vu_coroutine_describe_late(vu));
    }
    if (!vu_coroutine_run(vu, &result, &text)) {
        vu_tasks_note_wait(vu);
        return VU_NO_EVENT;
    }
    if (vu->slot == VU_NO_SLOT) {
        vu_tasks_end_phase(vu, &result, &text);
    }
    return vu_result_count(vu, result, text);
}

static enum vu_event vu_close_session(struct vu *vu)
{
    vu_tasks_end(vu);
    vu_forget_exchange(vu);
    vu_streams_drop(vu);
    vu_websockets_drop(vu);
    vu_sockets_drop(vu);
    http_client_free(&vu->shared->http);
    return vu_run(vu);
}

static enum vu_event vu_close_webdriver(struct vu *vu)
{
    vu_forget_exchange(vu);
    http_client_free(&vu->shared->webdriver);
    return vu_run(vu);
}

static enum vu_event vu_queue(struct vu *vu)
{
    turn_queue_add(&vu->campaign->queue, vu);
    return VU_NO_EVENT;
}

static enum vu_event vu_end_alarm(struct vu *vu)
{
    if (vu->release_ns != 0) {
        await_instant(vu->release_ns);
    }
    vu->release_ns = 0;
    vu->awaited_stream = NULL;
    vu->awaited_socket = NULL;
    vu_wake(vu, WAKE_DONE);
    return VU_NO_EVENT;
}

static enum vu_event vu_end_wait(struct vu *vu)
{
    if (vu->is_queued) {
        return VU_NO_EVENT;
    }
    if (vu->wait == WAIT_SLEEP || vu->wait == WAIT_SIGNAL || vu->wait == WAIT_TASK || vu->wait == WAIT_CALL) {
        alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
        vu_wake(vu, WAKE_STOPPED);
    } else if (vu->wait == WAIT_RESPONSE) {
        alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
        vu_cancel_requests(vu);
        vu_wake(vu, WAKE_STOPPED);
    } else if (vu->wait == WAIT_SOCKET) {
        alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
        vu->awaited_socket = NULL;
        vu_wake(vu, WAKE_STOPPED);
    } else if (vu->wait == WAIT_WEBSOCKET) {
        vu_websocket_end_wait(vu);
        alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
        vu_wake(vu, WAKE_STOPPED);
    } else if (vu->wait == WAIT_DRIVER) {
        vu_hooks(vu)->forget_driver(vu);
        vu_wake(vu, WAKE_STOPPED);
    }
    return VU_NO_EVENT;
}

/* The coroutine goes with all that it would go on with, so a wait that ends after all finds nobody. The
 * runner is told in a turn, as of everything that workers do: it is in the middle of a step of its own
 * now. */
static enum vu_event vu_abandon_setup(struct vu *vu)
{
    vu_tasks_drop(vu);
    vu_forget_wait(vu);
    vu_coroutine_drop(vu);
    vu->is_cut_short = true;
    return vu_queue(vu);
}

static enum vu_event vu_delay(struct vu *vu)
{
    alarms_set(shard_alarms(vu->campaign->shard), &vu->alarm,
               clock_now_ns() + (uint64_t)(vu_result_delay_s(vu) * 1e9));
    return VU_NO_EVENT;
}

static char *take_failure(struct vu *vu)
{
    char *text = vu->failure_text;

    vu->failure_text = NULL;
    return text;
}

static enum vu_event vu_report_setup(struct vu *vu)
{
    SCOPED(memory_free_at) char *text = take_failure(vu);

    shard_campaign_setup_done(vu->campaign, vu, text);
    return VU_NO_EVENT;
}

static enum vu_event vu_report_step(struct vu *vu)
{
    SCOPED(memory_free_at) char *text = take_failure(vu);

    /* A stop may have cut the delay short. */
    alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
    shard_campaign_step_done(vu->campaign, vu, vu->result, text);
    return VU_NO_EVENT;
}

static enum vu_event vu_report_torn_down(struct vu *vu)
{
    shard_campaign_torn_down(vu->campaign, vu);
    return VU_NO_EVENT;
}

static enum vu_event vu_report_global(struct vu *vu)
{
    SCOPED(memory_free_at) char *text = take_failure(vu);

    shard_campaign_global_done(vu->campaign, text);
    return VU_NO_EVENT;
}

/* The task may be gone after this. */
static enum vu_event vu_end_task(struct vu *vu)
{
    vu_task_end(vu);
    return VU_NO_EVENT;
}

static enum vu_event vu_do_nothing(struct vu *vu)
{
    (void)vu;
    return VU_NO_EVENT;
}

/* The one place where the phase changes. An action gives the event that follows from it at once; after
 * VU_NO_EVENT the vu may be gone. False if the event cannot happen in this phase: it is counted, and nothing
 * has changed. */
static bool vu_move(struct vu *vu, enum vu_event event, enum vu_event *next)
{
    static enum vu_event (*const ACTIONS[VU_ACTION_COUNT])(struct vu *) = {
        [VU_DO_NOTHING] = vu_do_nothing,
        [VU_DO_QUEUE] = vu_queue,
        [VU_DO_RUN] = vu_run,
        [VU_DO_WAKE] = vu_end_alarm,
        [VU_DO_END_WAIT] = vu_end_wait,
        [VU_DO_CUT_SHORT] = vu_abandon_setup,
        [VU_DO_DELAY] = vu_delay,
        [VU_DO_CLOSE_SESSION] = vu_close_session,
        [VU_DO_CLOSE_WEBDRIVER] = vu_close_webdriver,
        [VU_DO_REPORT_SETUP] = vu_report_setup,
        [VU_DO_REPORT_STEP] = vu_report_step,
        [VU_DO_REPORT_TORN_DOWN] = vu_report_torn_down,
        [VU_DO_REPORT_GLOBAL] = vu_report_global,
        [VU_DO_END_TASK] = vu_end_task,
    };
    const struct vu_move *move = vu_move_find(vu->phase, event);

    if (move == NULL) {
        vu->campaign->refused_events++;
        return false;
    }
    if (vu->phase != move->next) {
        vu->phase = (uint8_t)move->next;
        vu->is_begun = false;
    }
    *next = ACTIONS[move->action](vu);
    return true;
}

static void vu_happen(struct vu *vu, enum vu_event event)
{
    while (event != VU_NO_EVENT && vu_move(vu, event, &event)) {
        ;
    }
}

void vu_begin(struct vu *vu, enum vu_event begin, uint64_t step)
{
    enum vu_event next = VU_NO_EVENT;

    if (vu_move(vu, begin, &next)) {
        vu->step = step;
        vu->has_been_stopped = false;
        if (vu->slot == VU_NO_SLOT) {
            vu_tasks_begin_step(vu);
        }
    }
}

void vu_turn(struct vu *vu)
{
    vu_happen(vu, VU_TURN);
}

void vu_stop(struct vu *vu)
{
    if (vu->slot == VU_NO_SLOT) {
        vu_tasks_stop(vu);
    }
    vu_happen(vu, VU_STOP);
}

void vu_cut_short(struct vu *vu)
{
    vu_happen(vu, VU_LATE);
}
