/* Tasks: coroutines of a worker that run beside its step. */
#include "agent/lua/lua_task.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_group.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_task.h"
#include "common/clock.h"

#include <lauxlib.h>
#include <string.h>

#define TASK_METATABLE "tutti.task"
#define LONGEST_TIMEOUT_S (365.0 * 86400)

/* What a call waits for. On the stack: a list of tasks, then the instant of its timeout in nanoseconds, 0 for
 * none. */
enum { AWAIT_TASKS = 1, AWAIT_DUE_NS };
enum await_mode {
    AWAIT_ONE, /* the only task of the list; gives its values */
    AWAIT_ALL, /* gives the first value of each */
    AWAIT_RACE /* gives the values of the first to end, and cancels the others */
};
static const char *const AWAIT_NAMES[] = {
    [AWAIT_ONE] = "task:wait", [AWAIT_ALL] = "tutti.all", [AWAIT_RACE] = "tutti.race"};

static struct vu_task *task_check(lua_State *lua, int index)
{
    return script_check_object(lua, index, script_of(lua)->task_type, TASK_METATABLE);
}

/* Pushes the object of a new task, the coroutine of which has the function at `function`. */
static void task_push(lua_State *lua, struct vu *vu, int function, bool is_kept)
{
    struct vu_task *task = lua_newuserdatauv(lua, sizeof *task, VU_TASK_VALUES);

    *task = (struct vu_task){.state = TASK_CANCELLED};
    luaL_setmetatable(lua, TASK_METATABLE);
    lua_State *thread = lua_newthread(lua);
    lua_setiuservalue(lua, -2, VU_TASK_THREAD);
    lua_group_inherit(lua, thread);
    lua_pushvalue(lua, function);
    lua_xmove(lua, thread, 1);
    lua_pushvalue(lua, -1);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, thread);
    vu_task_start(vu, thread, is_kept);
}

static struct vu *task_may_start(lua_State *lua, const char *function)
{
    struct vu *vu = vu_current(lua, function);

    vu_check_stopped(lua, vu);
    if (!vu_tasks_have_room(vu)) {
        lua_misuse(lua, "%s: a worker has at most %u tasks at once", function, VU_TASKS_MAX);
    }
    return vu;
}

/* tutti.task([{ keep = }, ] function) → a task */
static int task_new(lua_State *lua)
{
    static const char *const names[] = {"keep", NULL};
    bool is_kept = false;

    if (lua_gettop(lua) >= 2) {
        lua_call_check_options(lua, 1, "tutti.task", names);
        if (lua_istable(lua, 1)) {
            lua_option_get(lua, 1, "keep");
            is_kept = lua_toboolean(lua, -1);
            lua_pop(lua, 1);
        }
        lua_remove(lua, 1);
    }
    if (lua_type(lua, 1) != LUA_TFUNCTION) {
        return lua_misuse(lua, "tutti.task: expected a function, got a %s", luaL_typename(lua, 1));
    }
    task_push(lua, task_may_start(lua, "tutti.task"), 1, is_kept);
    return 1;
}

/* Pushes what the task at the top has returned, in its place. */
static int task_push_results(lua_State *lua)
{
    const struct vu_task *task = lua_touserdata(lua, -1);
    int count = (int)task->result_count;

    lua_getiuservalue(lua, -1, VU_TASK_VALUE);
    lua_remove(lua, -2);
    if (count == 1) {
        return 1;
    }
    luaL_checkstack(lua, count + 1, "too many results of a task");
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, -i, i);
    }
    return count;
}

static int task_raise(lua_State *lua, struct vu *vu, int index)
{
    const struct vu_task *task = lua_touserdata(lua, index);

    if (task->state == TASK_CANCELLED) {
        struct lua_failure failure = {.outcome = "cancelled", .message = "the task was cancelled"};
        return lua_failure_raise(lua, &failure);
    }
    vu_task_claim(vu, task);
    lua_getiuservalue(lua, index, VU_TASK_VALUE);
    return lua_error(lua);
}

/* What a cancelled task had to close may have had to be ended. */
static void task_check_termination(lua_State *lua)
{
    if (script_of(lua)->limits.termination != TERMINATION_NONE) {
        lua_misuse(lua, "what a cancelled task had to close took too long");
    }
}

static struct vu_task *await_task(lua_State *lua, lua_Integer i)
{
    lua_rawgeti(lua, AWAIT_TASKS, i);
    struct vu_task *task = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return task;
}

/* Those of the list that still run; the errors of the others are this call's. */
static void await_cancel_all(lua_State *lua, struct vu *vu)
{
    lua_Integer count = (lua_Integer)lua_rawlen(lua, AWAIT_TASKS);

    for (lua_Integer i = 1; i <= count; i++) {
        const struct vu_task *object = await_task(lua, i);
        struct vu *task = vu_task_find(vu, object);
        if (object->state == TASK_FAILED) {
            vu_task_claim(vu, object);
        } else if (task != NULL && task != vu) {
            vu_task_cancel(lua, task);
        }
    }
}

/* The first of the list to have ended in a way that ends the wait, or 0. */
static lua_Integer await_find(lua_State *lua, enum await_mode mode, bool *is_any_running)
{
    lua_Integer count = (lua_Integer)lua_rawlen(lua, AWAIT_TASKS);
    lua_Integer found = 0;
    uint64_t first = UINT64_MAX;

    *is_any_running = false;
    for (lua_Integer i = 1; i <= count; i++) {
        const struct vu_task *task = await_task(lua, i);
        *is_any_running = *is_any_running || task->state == TASK_RUNNING;
        bool is_end = task->state != TASK_RUNNING && (mode != AWAIT_ALL || task->state != TASK_DONE);
        if (is_end && task->ended < first) {
            found = i;
            first = task->ended;
        }
    }
    return found;
}

static int await_give_all(lua_State *lua)
{
    int count = (int)lua_rawlen(lua, AWAIT_TASKS);

    luaL_checkstack(lua, count + 4, "too many tasks");
    for (lua_Integer i = 1; i <= count; i++) {
        const struct vu_task *task = await_task(lua, i);
        lua_rawgeti(lua, AWAIT_TASKS, i);
        if (lua_getiuservalue(lua, -1, VU_TASK_VALUE) == LUA_TTABLE && task->result_count > 1) {
            lua_rawgeti(lua, -1, 1);
            lua_remove(lua, -2);
        }
        lua_remove(lua, -2);
    }
    return count;
}

static int await_go_on(lua_State *lua, int status, lua_KContext mode);

/* Waits until one of those that run has ended. */
static int await_yield(lua_State *lua, struct vu *vu, enum await_mode mode)
{
    lua_Integer count = (lua_Integer)lua_rawlen(lua, AWAIT_TASKS);
    uint64_t due_ns = (uint64_t)lua_tointeger(lua, AWAIT_DUE_NS);
    uint64_t awaited[2] = {0};

    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "%s: a call that waits is not possible here", AWAIT_NAMES[mode]);
    }
    for (lua_Integer i = 1; i <= count; i++) {
        const struct vu_task *object = await_task(lua, i);
        const struct vu *task = vu_task_find(vu, object);
        if (task == vu) {
            return lua_misuse(lua, "%s: a task cannot wait for itself", AWAIT_NAMES[mode]);
        }
        if (task == NULL && object->state == TASK_RUNNING) {
            return lua_misuse(lua, "%s: the task is another worker's", AWAIT_NAMES[mode]);
        }
        if (task != NULL && object->state == TASK_RUNNING) {
            if (vu_task_depends_on(task, vu)) {
                return lua_misuse(lua, "%s: the task waits for this one", AWAIT_NAMES[mode]);
            }
            awaited[object->slot / 64u] |= (uint64_t)1 << (object->slot % 64u);
        }
    }
    memcpy(vu->awaited, awaited, sizeof awaited);
    vu_time_tasks(vu, due_ns);
    return vu_yield(lua, vu, WAIT_TASK, await_go_on, (lua_KContext)mode);
}

static int await_raise_timeout(lua_State *lua, struct vu *vu)
{
    await_cancel_all(lua, vu);
    task_check_termination(lua);
    struct lua_failure failure = {.outcome = "timeout",
                                  .waited_s = (double)(clock_now_ns() - vu->wait_began_ns) / 1e9,
                                  .message = "tutti.timeout: the function has not ended in time"};
    return lua_failure_raise(lua, &failure);
}

static int await_look(lua_State *lua, struct vu *vu, enum await_mode mode)
{
    bool is_any_running;
    lua_Integer ended = await_find(lua, mode, &is_any_running);
    lua_Integer due_ns = lua_tointeger(lua, AWAIT_DUE_NS);

    if (ended == 0 && (is_any_running || mode != AWAIT_ALL)) {
        if (due_ns != 0 && (uint64_t)due_ns <= clock_now_ns()) {
            return await_raise_timeout(lua, vu);
        }
        return await_yield(lua, vu, mode);
    }
    if (ended == 0) {
        return await_give_all(lua);
    }
    lua_rawgeti(lua, AWAIT_TASKS, ended);
    const struct vu_task *task = lua_touserdata(lua, -1);
    if (mode != AWAIT_ONE) {
        await_cancel_all(lua, vu);
        task_check_termination(lua);
    }
    if (task->state != TASK_DONE) {
        return task_raise(lua, vu, lua_gettop(lua));
    }
    return task_push_results(lua);
}

static int await_go_on(lua_State *lua, int status, lua_KContext mode)
{
    struct vu *vu = vu_current(lua, AWAIT_NAMES[mode]);

    (void)status;
    vu_resumed(lua, vu, WAIT_TASK);
    return await_look(lua, vu, (enum await_mode)mode);
}

/* task:wait() → what its function returned */
static int task_wait(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "task:wait");

    (void)task_check(lua, 1);
    lua_settop(lua, 1);
    lua_createtable(lua, 1, 0);
    lua_insert(lua, 1);
    lua_rawseti(lua, 1, 1);
    lua_pushinteger(lua, 0);
    return await_look(lua, vu, AWAIT_ONE);
}

/* Puts a list of ours in place of the script's. */
static void await_read_list(lua_State *lua, enum await_mode mode)
{
    if (!lua_istable(lua, 1)) {
        lua_misuse(lua, "%s: expected a list of tasks, got a %s", AWAIT_NAMES[mode], luaL_typename(lua, 1));
    }
    size_t count = lua_rawlen(lua, 1);
    if (count > VU_TASKS_MAX || (count == 0 && mode == AWAIT_RACE)) {
        lua_misuse(lua, "%s: expected %s%u tasks", AWAIT_NAMES[mode],
                   mode == AWAIT_RACE ? "1 to " : "at most ", VU_TASKS_MAX);
    }
    lua_settop(lua, 1);
    lua_createtable(lua, (int)count, 0);
    for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
        lua_rawgeti(lua, 1, i);
        if (luaL_testudata(lua, -1, TASK_METATABLE) == NULL) {
            lua_misuse(lua, "%s: number %d of the list is not a task but a %s", AWAIT_NAMES[mode], (int)i,
                       luaL_typename(lua, -1));
        }
        lua_rawseti(lua, 2, i);
    }
    lua_replace(lua, 1);
    lua_pushinteger(lua, 0);
}

/* tutti.all { task, … } → the first value of each */
static int await_all(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "tutti.all");

    await_read_list(lua, AWAIT_ALL);
    return await_look(lua, vu, AWAIT_ALL);
}

/* tutti.race { task, … } → the values of the first to end */
static int await_race(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "tutti.race");

    await_read_list(lua, AWAIT_RACE);
    return await_look(lua, vu, AWAIT_RACE);
}

/* tutti.timeout(seconds, function) → what it returns */
static int await_timeout(lua_State *lua)
{
    double seconds = lua_type(lua, 1) == LUA_TNUMBER ? lua_tonumber(lua, 1) : -1;

    if (!(seconds >= 0 && seconds <= LONGEST_TIMEOUT_S)) {
        return lua_misuse(lua, "tutti.timeout: expected seconds, not negative");
    }
    if (lua_type(lua, 2) != LUA_TFUNCTION) {
        return lua_misuse(lua, "tutti.timeout: expected a function, got a %s", luaL_typename(lua, 2));
    }
    struct vu *vu = task_may_start(lua, "tutti.timeout");
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "tutti.timeout: a call that waits is not possible here");
    }
    lua_settop(lua, 2);
    lua_createtable(lua, 1, 0);
    task_push(lua, vu, 2, false);
    lua_rawseti(lua, 3, 1);
    lua_replace(lua, 1);
    uint64_t due_ns = clock_now_ns() + (uint64_t)(seconds * 1e9);
    lua_pushinteger(lua, (lua_Integer)due_ns);
    lua_replace(lua, 2);
    lua_settop(lua, 2);
    return await_look(lua, vu, AWAIT_ONE);
}

/* task:cancel() → whether it was running */
static int task_cancel(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "task:cancel");
    const struct vu_task *object = task_check(lua, 1);
    struct vu *task = vu_task_find(vu, object);

    if (task == vu) {
        return lua_misuse(lua, "task:cancel: a task cannot cancel itself: return from its function");
    }
    if (task == NULL && object->state == TASK_RUNNING) {
        return lua_misuse(lua, "task:cancel: the task is another worker's");
    }
    bool was_running = object->state == TASK_RUNNING;
    if (was_running) {
        vu_task_cancel(lua, task);
        task_check_termination(lua);
    }
    lua_pushboolean(lua, was_running);
    return 1;
}

static int task_to_string(lua_State *lua)
{
    static const char *const STATES[] = {[TASK_RUNNING] = "a task that runs",
                                         [TASK_DONE] = "a task that has ended",
                                         [TASK_FAILED] = "a task that has failed",
                                         [TASK_CANCELLED] = "a task that was cancelled"};

    lua_pushstring(lua, STATES[task_check(lua, 1)->state]);
    return 1;
}

static void task_open_metatable(lua_State *lua)
{
    luaL_newmetatable(lua, TASK_METATABLE);
    script_of(lua)->task_type = lua_topointer(lua, -1);
    lua_createtable(lua, 0, 2);
    lua_pushcfunction(lua, task_wait);
    lua_setfield(lua, -2, "wait");
    lua_pushcfunction(lua, task_cancel);
    lua_setfield(lua, -2, "cancel");
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, task_to_string);
    lua_setfield(lua, -2, "__tostring");
    lua_pushliteral(lua, "task");
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
}

void lua_task_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"task", task_new},
                                         {"all", await_all},
                                         {"race", await_race},
                                         {"timeout", await_timeout},
                                         {NULL, NULL}};

    task_open_metatable(lua);
    luaL_setfuncs(lua, functions, 0);
}
