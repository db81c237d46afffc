/* The module `tutti.socketio`: its sources are those of agent/socketio, and stand on tutti.websocket and
 * tutti.http. Its tasks wait for each other by signals. */
#include "agent/lua/lua_socketio.h"

#include "agent/lua/lua_crypto.h"
#include "agent/lua/lua_http.h"
#include "agent/lua/lua_sources.h"
#include "agent/lua/lua_url.h"
#include "agent/lua/lua_websocket.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"
#include "agent/shard/vu_signal.h"
#include "agent/shard/vu_task.h"
#include "agent/socketio/sources.h"
#include "common/clock.h"

#include <lauxlib.h>

#define SIGNAL_METATABLE "tutti.signal"

/* Counts what has happened, so that a change between a look and the wait is not missed. */
struct lua_signal {
    uint64_t number;
    lua_Integer changes;
};

static struct lua_signal *signal_check(lua_State *lua)
{
    return luaL_checkudata(lua, 1, SIGNAL_METATABLE);
}

static int signal_new(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "tutti.socketio");
    struct lua_signal *signal = lua_newuserdatauv(lua, sizeof *signal, 0);

    *signal = (struct lua_signal){.number = vu_signal_new(vu)};
    (void)luaL_newmetatable(lua, SIGNAL_METATABLE);
    lua_setmetatable(lua, -2);
    return 1;
}

static int signal_changes(lua_State *lua)
{
    lua_pushinteger(lua, signal_check(lua)->changes);
    return 1;
}

static int signal_give(lua_State *lua)
{
    struct lua_signal *signal = signal_check(lua);

    signal->changes++;
    vu_signal_give(vu_current(lua, "tutti.socketio"), signal->number);
    return 0;
}

static int signal_on_given(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "tutti.socketio"), WAIT_SIGNAL);
    return 0;
}

static int signal_await(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "tutti.socketio");
    const struct lua_signal *signal = signal_check(lua);
    lua_Integer seen = luaL_checkinteger(lua, 2);
    double due_s = luaL_optnumber(lua, 3, 0);

    vu_check_stopped(lua, vu);
    uint64_t due_ns = due_s > 0 ? (uint64_t)(due_s * 1e9) : 0;
    if (signal->changes != seen || (due_ns > 0 && due_ns <= clock_now_ns())) {
        return 0;
    }
    if (script_may_wait(lua)) {
        vu_signal_await(vu, signal->number, due_ns);
    }
    return vu_yield(lua, vu, WAIT_SIGNAL, signal_on_given, 0);
}

static void socketio_add_module(lua_State *lua, const char *name, lua_CFunction open)
{
    lua_pushcfunction(lua, open);
    lua_call(lua, 0, 1);
    lua_setfield(lua, -2, name);
}

static void socketio_add_imports(lua_State *lua)
{
    socketio_add_module(lua, "crypto", luaopen_tutti_crypto);
    socketio_add_module(lua, "http", luaopen_tutti_http);
    socketio_add_module(lua, "url", luaopen_tutti_url);
    socketio_add_module(lua, "websocket", luaopen_tutti_websocket);
}

static const struct vu_task *socketio_check_task(lua_State *lua)
{
    return script_check_object(lua, 1, script_of(lua)->task_type, "tutti.task");
}

static int task_listen(lua_State *lua)
{
    const struct vu_task *task = socketio_check_task(lua);

    vu_task_set_listener(vu_current(lua, "tutti.socketio"), task, lua_toboolean(lua, 2));
    return 0;
}

static int task_is_running(lua_State *lua)
{
    const struct vu_task *task = socketio_check_task(lua);

    lua_pushboolean(lua, task->state == TASK_RUNNING);
    return 1;
}

/* signal()                      a new one
 * changes(signal)               how often it was given
 * give(signal)                  wakes the tasks of the worker that await it
 * await(signal, changes, due)   waits until it has been given more often than that, or it is due by
 *                               tutti.now() (nil: there is no limit); may end for other reasons as well
 * is_running(task)
 * listen(task, is_listener)     see vu_task_set_listener
 * send(websocket, text, bytes, …)  see lua_websocket_send_row */
static void socketio_push_native(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"signal", signal_new},
                                         {"changes", signal_changes},
                                         {"give", signal_give},
                                         {"await", signal_await},
                                         {"is_running", task_is_running},
                                         {"listen", task_listen},
                                         {"send", lua_websocket_send_row},
                                         {NULL, NULL}};

    luaL_newlib(lua, functions);
}

int luaopen_tutti_socketio(lua_State *lua)
{
    static const struct lua_sources module = {.module = "tutti.socketio",
                                              .first = "socketio",
                                              .sources = socketio_sources,
                                              .count = &socketio_source_count,
                                              .add_imports = socketio_add_imports,
                                              .push_native = socketio_push_native};

    return lua_sources_open(lua, &module);
}
