/* The tasks of a worker. */
#include "agent/shard/vu_task.h"

#include "agent/script/script_state.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu_coroutine.h"
#include "common/memory.h"

#include <assert.h>
#include <lauxlib.h>

#define BITS 64u

static_assert(VU_TASKS_MAX <= sizeof((struct vu *)0)->awaited * 8, "a bit for each task");
static_assert(VU_TASKS_MAX < VU_NO_SLOT, "a slot for each task");

struct vu_tasks {
    size_t count;
    bool has_wait_aside; /* the coordinator takes the worker for one that can go on */
    struct vu *items[VU_TASKS_MAX];
};

/* The next one in a slot from `slot` on; NULL after the last. */
static struct vu *tasks_next(const struct vu *vu, unsigned slot)
{
    const struct vu_tasks *tasks = vu->shared->tasks;

    while (tasks != NULL && tasks->count > 0 && slot < VU_TASKS_MAX) {
        if (tasks->items[slot] != NULL) {
            return tasks->items[slot];
        }
        slot++;
    }
    return NULL;
}

static bool awaits(const struct vu *vu, const struct vu *task)
{
    return vu->wait == WAIT_TASK && (vu->awaited[task->slot / BITS] >> (task->slot % BITS) & 1u) != 0;
}

struct vu *vu_tasks_after(const struct vu *vu)
{
    return tasks_next(vu, vu->slot == VU_NO_SLOT ? 0 : vu->slot + 1u);
}

bool vu_tasks_have_room(const struct vu *vu)
{
    return vu->shared->tasks == NULL || vu->shared->tasks->count < VU_TASKS_MAX;
}

/* Pushes the script's object of a task whose coroutine is still there, on the state of the script. */
static struct vu_task *task_push_object(const struct vu *task)
{
    lua_State *lua = task->campaign->script->lua;

    lua_rawgetp(lua, LUA_REGISTRYINDEX, task->thread);
    return lua_touserdata(lua, -1);
}

void vu_task_start(struct vu *vu, lua_State *thread, bool is_kept)
{
    struct vu_shared *shared = vu->shared;
    uint8_t slot = 0;

    assert(vu_tasks_have_room(vu));
    if (shared->tasks == NULL) {
        shared->tasks = MEMORY_NEW(struct vu_tasks);
    }
    while (shared->tasks->items[slot] != NULL) {
        slot++;
    }
    struct vu *task = vu_new_task(shared->main, slot);
    shared->tasks->items[slot] = task;
    shared->tasks->count++;
    task->serial = ++vu->campaign->serials;
    task->is_kept = is_kept;
    task->thread = thread;
    *task_push_object(task) = (struct vu_task){.serial = task->serial, .slot = slot};
    lua_pop(vu->campaign->script->lua, 1);
    vu_begin(task, VU_BEGIN_TASK, shared->main->step);
    task->is_begun = true;
}

struct vu *vu_task_find(const struct vu *vu, const struct vu_task *object)
{
    const struct vu_tasks *tasks = vu->shared->tasks;
    struct vu *task = tasks != NULL ? tasks->items[object->slot] : NULL;

    return task != NULL && task->serial == object->serial ? task : NULL;
}

void vu_task_set_listener(struct vu *vu, const struct vu_task *object, bool is_listener)
{
    struct vu *task = vu_task_find(vu, object);

    if (task != NULL) {
        task->is_listener = is_listener;
    }
}

/* Out of its slot and away. */
static void task_remove(struct vu *task)
{
    struct vu_tasks *tasks = task->shared->tasks;

    tasks->items[task->slot] = NULL;
    tasks->count--;
    vu_free(&task);
}

void vu_task_claim(struct vu *vu, const struct vu_task *object)
{
    struct vu *task = vu_task_find(vu, object);

    if (task != NULL && task->phase == VU_IDLE) {
        task_remove(task);
    }
}

bool vu_task_depends_on(const struct vu *task, const struct vu *vu)
{
    uint64_t reached[2] = {0};
    uint64_t looked_at[2] = {0};
    bool is_new = true;

    reached[task->slot / BITS] |= (uint64_t)1 << (task->slot % BITS);
    while (is_new) {
        is_new = false;
        for (const struct vu *at = tasks_next(vu, 0); at != NULL; at = tasks_next(vu, at->slot + 1u)) {
            uint64_t bit = (uint64_t)1 << (at->slot % BITS);
            unsigned word = at->slot / BITS;
            if ((reached[word] & bit) == 0 || (looked_at[word] & bit) != 0) {
                continue;
            }
            if (at == vu) {
                return true;
            }
            looked_at[word] |= bit;
            is_new = true;
            for (unsigned i = 0; i < 2; i++) {
                reached[i] |= at->wait == WAIT_TASK ? at->awaited[i] : 0;
            }
        }
    }
    return false;
}

static void task_wake_waiter(struct vu *vu, const struct vu *task)
{
    if (awaits(vu, task)) {
        alarms_unset(shard_alarms(vu->campaign->shard), &vu->alarm);
        vu_wake(vu, WAKE_DONE);
    }
}

/* It is over, whichever way: those who wait for it look again. */
static void task_tell(struct vu *task)
{
    task_wake_waiter(task->shared->main, task);
    for (struct vu *at = tasks_next(task, 0); at != NULL; at = tasks_next(task, at->slot + 1u)) {
        task_wake_waiter(at, task);
    }
}

/* How it has ended. The value on top of the script's state is what is left of it; pops it. */
static struct vu_task *task_finish(struct vu *task, enum vu_task_state state)
{
    lua_State *lua = task->campaign->script->lua;
    struct vu_task *object = task_push_object(task);

    object->state = (uint8_t)state;
    object->ended = ++task->campaign->serials;
    lua_insert(lua, -2);
    lua_setiuservalue(lua, -2, VU_TASK_VALUE);
    lua_pop(lua, 1);
    return object;
}

void vu_task_release_thread(struct vu *task)
{
    lua_State *lua = task->campaign->script->lua;

    (void)task_push_object(task);
    lua_pushnil(lua);
    lua_setiuservalue(lua, -2, VU_TASK_THREAD);
    lua_pop(lua, 1);
}

void vu_task_keep_results(struct vu *task)
{
    lua_State *lua = task->campaign->script->lua;
    int count = lua_gettop(task->thread);

    if (count == 0) {
        lua_pushnil(lua);
    } else if (count == 1) {
        lua_xmove(task->thread, lua, 1);
    } else {
        lua_createtable(lua, count, 0);
        for (int i = count; i > 0; i--) {
            lua_xmove(task->thread, lua, 1);
            lua_rawseti(lua, -2, i);
        }
    }
    task_finish(task, TASK_DONE)->result_count = (uint32_t)count;
}

void vu_task_keep_error(struct vu *task)
{
    lua_State *lua = task->campaign->script->lua;

    lua_pushnil(lua);
    if (lua_checkstack(task->thread, 1)) {
        lua_pop(lua, 1);
        lua_pushvalue(task->thread, -1);
        lua_xmove(task->thread, lua, 1);
    }
    (void)task_finish(task, TASK_FAILED);
}

void vu_task_end(struct vu *task)
{
    struct vu *worker = task->shared->main;
    bool is_to_be_taken = task->result == STEP_FAILED;

    vu_coroutine_drop(task);
    task_tell(task);
    if (!is_to_be_taken) {
        task_remove(task);
    }
    vu_tasks_note_wait(worker);
}

static void task_forget_call(const struct vu *task)
{
    if (task->wait == WAIT_ANSWER && task->answer == NULL) {
        shard_campaign_give_up(task->campaign, task);
    }
}

static void task_cancelled(struct vu *task)
{
    lua_pushnil(task->campaign->script->lua);
    (void)task_finish(task, TASK_CANCELLED);
    task_forget_call(task);
    vu_coroutine_drop(task);
    task_tell(task);
    task_remove(task);
}

void vu_task_cancel(lua_State *lua, struct vu *task)
{
    if (task->is_ending || task->phase != VU_TASK) {
        return;
    }
    task->is_ending = true;
    (void)limits_close(lua, task->thread);
    task_cancelled(task);
}

void vu_time_tasks(struct vu *vu, uint64_t due_ns)
{
    vu->is_timed = due_ns != 0;
    if (vu->is_timed) {
        alarms_set(shard_alarms(vu->campaign->shard), &vu->alarm, due_ns);
    }
}

/* Whether it goes on without an answer of the coordinator. One that has failed is over. */
static bool task_moves(const struct vu *vu)
{
    if (vu->slot != VU_NO_SLOT && vu->phase != VU_TASK) {
        return false;
    }
    if (vu->is_queued) {
        return true;
    }
    if (vu->is_listener) {
        return false;
    }
    switch ((enum vu_wait)vu->wait) {
    case WAIT_TASK:
        return vu->is_timed;
    case WAIT_ANSWER:
        return !vu->waits_long || vu->answer != NULL;
    case WAIT_CALL:
        return !vu->waits_long;
    default:
        return true;
    }
}

bool vu_tasks_others_move(const struct vu *vu)
{
    if (vu->shared->tasks == NULL) {
        return false;
    }
    if (vu != vu->shared->main && task_moves(vu->shared->main)) {
        return true;
    }
    for (struct vu *at = tasks_next(vu, 0); at != NULL; at = tasks_next(vu, at->slot + 1u)) {
        if (at != vu && task_moves(at)) {
            return true;
        }
    }
    return false;
}

void vu_tasks_note_wait(struct vu *vu)
{
    struct vu_tasks *tasks = vu->shared->tasks;

    if (tasks == NULL || !tasks->has_wait_aside || task_moves(vu->shared->main) ||
        vu_tasks_others_move(vu->shared->main)) {
        return;
    }
    tasks->has_wait_aside = false;
    shard_campaign_settle(vu->campaign, vu);
}

void vu_tasks_note_aside(struct vu *vu)
{
    vu->shared->tasks->has_wait_aside = true;
}

static bool task_has_ticket(const struct vu *vu, uint64_t ticket)
{
    return vu->wait == WAIT_ANSWER && vu->answer == NULL && vu->ticket == ticket;
}

struct vu *vu_tasks_take_answer(struct vu *worker, uint64_t ticket, enum operation_kind kind)
{
    struct vu_tasks *tasks = worker->shared->tasks;
    struct vu *found = task_has_ticket(worker, ticket) ? worker : NULL;

    if (tasks == NULL) {
        return found;
    }
    if (operation_is_wait(kind)) {
        tasks->has_wait_aside = false;
    }
    if (worker->wait == WAIT_CALL) {
        vu_wake(worker, WAKE_DONE);
    }
    for (struct vu *at = tasks_next(worker, 0); at != NULL; at = tasks_next(worker, at->slot + 1u)) {
        if (at->wait == WAIT_CALL) {
            vu_wake(at, WAKE_DONE);
        }
        found = task_has_ticket(at, ticket) ? at : found;
    }
    return found;
}

/* Outside of any turn: cancels it, and runs what it has still to close. */
static void task_close(struct vu *task)
{
    task->is_ending = true;
    (void)vu_coroutine_close(task);
    task_cancelled(task);
}

/* The first failure becomes the step's, with its text and what the report groups it by. */
static void task_hand_over_failure(struct vu *task, enum step_result *result, char **text)
{
    struct vu *worker = task->shared->main;

    if (*result == STEP_OK) {
        *result = STEP_FAILED;
        *text = task->failure_text;
        memory_free(worker->failure_key);
        memory_free(worker->failure_trace);
        worker->failure_key = task->failure_key;
        worker->failure_trace = task->failure_trace;
        task->failure_text = NULL;
        task->failure_key = NULL;
        task->failure_trace = NULL;
    }
}

void vu_tasks_end_phase(struct vu *worker, enum step_result *result, char **text)
{
    struct vu *next;

    for (struct vu *at = tasks_next(worker, 0); at != NULL; at = next) {
        next = tasks_next(worker, at->slot + 1u);
        if (at->phase != VU_TASK) {
            task_hand_over_failure(at, result, text);
            task_remove(at);
        } else if (!at->is_kept) {
            task_close(at);
        }
    }
}

void vu_tasks_begin_step(struct vu *worker)
{
    for (struct vu *at = tasks_next(worker, 0); at != NULL; at = tasks_next(worker, at->slot + 1u)) {
        at->step = worker->step;
    }
}

void vu_tasks_stop(struct vu *worker)
{
    if (!vu_gives_way(worker)) {
        return;
    }
    for (struct vu *at = tasks_next(worker, 0); at != NULL; at = tasks_next(worker, at->slot + 1u)) {
        if (at->phase == VU_TASK) {
            vu_stop(at);
        }
    }
}

void vu_tasks_end(struct vu *worker)
{
    struct vu *next;

    for (struct vu *at = tasks_next(worker, 0); at != NULL; at = next) {
        next = tasks_next(worker, at->slot + 1u);
        if (at->phase == VU_TASK) {
            task_close(at);
        }
    }
    vu_tasks_drop(worker);
}

void vu_tasks_drop(struct vu *worker)
{
    struct vu *task;

    while ((task = tasks_next(worker, 0)) != NULL) {
        if (task->thread != NULL) {
            task_cancelled(task);
        } else {
            task_remove(task);
        }
    }
    memory_free(worker->shared->tasks);
    worker->shared->tasks = NULL;
}
