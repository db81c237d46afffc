/* The module `tutti`: what a script registers, and what it may call. */
#include "agent/lua/lua_tutti.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_check.h"
#include "agent/lua/lua_data.h"
#include "agent/lua/lua_env.h"
#include "agent/lua/lua_group.h"
#include "agent/lua/lua_http_defaults.h"
#include "agent/lua/lua_tags.h"
#include "agent/lua/lua_task.h"
#include "agent/lua/lua_variables.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_options.h"
#include "agent/script/script_state.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_SLEEP_S (365.0 * 86400)
/* The reader may be slow, and the thread waits for it. */
#define LONGEST_LINE 65536u

static struct script *loading(lua_State *lua, const char *function)
{
    struct script *script = script_of(lua);

    if (!script->is_loading) {
        lua_misuse(lua, "%s: only while the script loads", function);
    }
    return script;
}

/* weight and delay: numbers that are not negative. */
static double scenario_option(lua_State *lua, const char *scenario, const char *name, double fallback)
{
    double number = fallback;

    if (lua_option_get(lua, 2, name) != LUA_TNIL) {
        number = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : -1;
        if (!(number >= 0 && number <= 1e9)) {
            lua_misuse(lua, "scenario \"%s\": %s is a number that is not negative, got %s", scenario, name,
                       luaL_tolstring(lua, -1, NULL));
        }
    }
    lua_pop(lua, 1);
    return number;
}

/* tutti.scenario(name, [{weight=, delay=},] function) */
static int add_scenario(lua_State *lua)
{
    static const char *const names[] = {"weight", "delay", NULL};
    struct script *script = loading(lua, "tutti.scenario");
    size_t size = 0;
    double weight = 1;
    double delay_s = 0;

    if (lua_type(lua, 1) != LUA_TSTRING) {
        return lua_misuse(lua, "tutti.scenario: expected a name, got a %s", luaL_typename(lua, 1));
    }
    const char *name = lua_tolstring(lua, 1, &size);
    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        return lua_misuse(lua, "tutti.scenario: a name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    if (lua_gettop(lua) >= 3 || lua_istable(lua, 2)) {
        lua_call_check_options(lua, 2, "tutti.scenario", names);
        if (lua_istable(lua, 2)) {
            weight = scenario_option(lua, name, "weight", weight);
            delay_s = scenario_option(lua, name, "delay", delay_s);
        }
        lua_remove(lua, 2);
    }
    if (lua_type(lua, 2) != LUA_TFUNCTION) {
        return lua_misuse(lua, "scenario \"%s\": expected a function, got a %s", name, luaL_typename(lua, 2));
    }
    if (script_find_scenario(script, name, size) != NULL) {
        return lua_misuse(lua, "scenario \"%s\": there is one of that name already", name);
    }
    lua_settop(lua, 2);
    int function = luaL_ref(lua, LUA_REGISTRYINDEX);
    script->scenarios = memory_reserve(script->scenarios, &script->scenario_capacity,
                                       script->scenario_count + 1, sizeof *script->scenarios);
    script->scenarios[script->scenario_count++] = (struct scenario){
        .name = memory_copy_string(name), .weight = weight, .delay_s = delay_s, .function = function};
    return 0;
}

/* tutti.setup(function) and its siblings; which one is the upvalue. */
static int add_fixture(lua_State *lua)
{
    enum fixture fixture = (enum fixture)lua_tointeger(lua, lua_upvalueindex(1));
    struct script *script = loading(lua, fixture_name(fixture));
    int *reference = &script->fixtures[fixture];

    if (lua_type(lua, 1) != LUA_TFUNCTION) {
        return lua_misuse(lua, "tutti.%s: expected a function, got a %s", fixture_name(fixture),
                          luaL_typename(lua, 1));
    }
    lua_settop(lua, 1);
    if (fixture == FIXTURE_EVENTS) {
        if (*reference == LUA_NOREF) {
            lua_newtable(lua);
            *reference = luaL_ref(lua, LUA_REGISTRYINDEX);
        }
        lua_rawgeti(lua, LUA_REGISTRYINDEX, *reference);
        lua_pushvalue(lua, 1);
        lua_rawseti(lua, 2, (lua_Integer)lua_rawlen(lua, 2) + 1);
        return 0;
    }
    if (*reference != LUA_NOREF) {
        return lua_misuse(lua, "tutti.%s: there is one already", fixture_name(fixture));
    }
    if (fixture == FIXTURE_SETUP) {
        lua_http_wrap_setup(lua);
    }
    *reference = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

static int on_slept(lua_State *lua, int status, lua_KContext context)
{
    (void)status, (void)context;
    vu_resumed(lua, vu_current(lua, "tutti.sleep"), WAIT_SLEEP);
    return 0;
}

static int sleep_for(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "tutti.sleep");
    double seconds = luaL_checknumber(lua, 1);

    if (!(seconds >= 0 && seconds <= LONGEST_SLEEP_S)) {
        return lua_misuse(lua, "tutti.sleep: expected seconds, not negative");
    }
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "tutti.sleep: a call that waits is not possible here");
    }
    return vu_sleep_until(lua, vu, clock_now_ns() + (uint64_t)(seconds * 1e9), on_slept);
}

static int now(lua_State *lua)
{
    lua_pushnumber(lua, (double)clock_now_ns() / 1e9);
    return 1;
}

/* The name stays at index 1; the results follow. */
static int on_timed(lua_State *lua, int status, lua_KContext began_ns)
{
    struct vu *vu = vu_current(lua, "tutti.time");
    bool is_ok = status == LUA_OK || status == LUA_YIELD;
    size_t size;
    const char *name = lua_tolstring(lua, 1, &size);

    struct request_sample sample = {.name = bytes_of(name, size),
                                    .is_timing = true,
                                    .is_ok = is_ok,
                                    .latency_us = (clock_now_ns() - (uint64_t)began_ns) / 1000};
    vu_measure(vu, &sample);
    if (!is_ok) {
        return lua_error(lua);
    }
    return lua_gettop(lua) - 1;
}

/* tutti.time(name, function, …) → what the function gives */
static int time_call(lua_State *lua)
{
    size_t size;

    vu_current(lua, "tutti.time");
    const char *name = luaL_checklstring(lua, 1, &size);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        return lua_misuse(lua, "tutti.time: a name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    lua_KContext began_ns = (lua_KContext)clock_now_ns();
    int status = lua_pcallk(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0, began_ns, on_timed);
    return on_timed(lua, status, began_ns);
}

/* tutti.record(name, seconds [, { ok, at }]) */
static int record_time(lua_State *lua)
{
    static const char *const options[] = {"ok", "at", "tags", NULL};
    struct vu *vu = vu_current(lua, "tutti.record");
    size_t size;
    const char *name = luaL_checklstring(lua, 1, &size);
    double seconds = luaL_checknumber(lua, 2);
    uint32_t given = lua_call_check_options(lua, 3, "tutti.record", options);
    double late_s = 0;
    bool is_ok = true;

    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        return lua_misuse(lua, "tutti.record: a name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    if (!(seconds >= 0 && seconds <= LONGEST_SLEEP_S)) {
        return lua_misuse(lua, "tutti.record: expected seconds, not negative");
    }
    if ((given & 1u) != 0) {
        is_ok = lua_option_get(lua, 3, "ok") == LUA_TNIL || lua_toboolean(lua, -1);
    }
    if ((given & 2u) != 0) {
        if (lua_option_get(lua, 3, "at") != LUA_TNUMBER) {
            return lua_misuse(lua, "tutti.record: at is an instant, like one of tutti.now");
        }
        late_s = (double)clock_now_ns() / 1e9 - seconds - lua_tonumber(lua, -1);
    }
    struct request_sample sample = {
        .name = bytes_of(name, size),
        .is_timing = true,
        .is_ok = is_ok,
        .latency_us = (uint64_t)(seconds * 1e6),
        .has_plan = (given & 2u) != 0,
        .late_us = late_s > 0 && late_s <= LONGEST_SLEEP_S ? (uint64_t)(late_s * 1e6) : 0};
    if ((given & 4u) != 0 && lua_option_get(lua, 3, "tags") != LUA_TNIL) {
        sample.tags = lua_tags_read(lua, lua_gettop(lua), "tutti.record");
    }
    vu_measure(vu, &sample);
    return 0;
}

/* Writes a line in one piece, so that lines of several shards do not mix. */
int lua_print(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct vu *vu = script->current;
    int count = lua_gettop(lua);
    luaL_Buffer line;

    if (script->is_quiet) {
        return 0;
    }
    /* A reader takes it for the output of a live worker. */
    if (vu != NULL && vu_has_no_lease(vu)) {
        if (lua == vu->thread && script_may_wait(lua)) {
            return vu_await_lease(lua, vu, lua_print);
        }
        return lua_misuse(lua, "print: the agent has lost its lease");
    }
    luaL_buffinit(lua, &line);
    if (vu != NULL && !vu_is_global(vu)) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "[%u] ", vu->id);
        luaL_addstring(&line, prefix);
    }
    for (int i = 1; i <= count; i++) {
        if (i > 1) {
            luaL_addchar(&line, '\t');
        }
        luaL_tolstring(lua, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_addchar(&line, '\n');
    luaL_pushresult(&line);
    size_t size;
    const char *text = lua_tolstring(lua, -1, &size);
    if (size > LONGEST_LINE) {
        fwrite(text, 1, LONGEST_LINE - 1, stdout);
        fputc('\n', stdout);
    } else {
        fwrite(text, 1, size, stdout);
    }
    fflush(stdout);
    return 0;
}

static void open_fixtures(lua_State *lua)
{
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        lua_pushinteger(lua, i);
        lua_pushcclosure(lua, add_fixture, 1);
        lua_setfield(lua, -2, fixture_name((enum fixture)i));
    }
}

/* tutti.target is looked up on demand: the script's own options may set it while it loads. From then on it is
 * a field. */
static int lua_tutti_get_field(lua_State *lua)
{
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : NULL;
    const struct script *script = script_of(lua);

    if (name == NULL || strcmp(name, "target") != 0 || script->target == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushstring(lua, script->target);
    if (!script->is_loading && lua_istable(lua, 1)) {
        lua_pushvalue(lua, 2);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, 1);
    }
    return 1;
}

int luaopen_tutti(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"options", script_set_options},
        {"load", script_add_load},
        {"data", lua_data_new},
        {"http_defaults", lua_http_set_defaults},
        {"scenario", add_scenario},
        {"sleep", sleep_for},
        {"now", now},
        {"time", time_call},
        {"record", record_time},
        {"group", lua_group},
        {"print", lua_print},
        {"check", lua_check},
        {"thresholds", lua_check_set_thresholds},
        {NULL, NULL},
    };

    luaL_newlib(lua, functions);
    open_fixtures(lua);
    lua_data_open(lua);
    lua_variables_open_campaign(lua);
    lua_task_open(lua);
    lua_env_open(lua);
    lua_createtable(lua, 0, 2);
    lua_pushcfunction(lua, lua_tutti_get_field);
    lua_setfield(lua, -2, "__index");
    lua_pushliteral(lua, "tutti");
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    return 1;
}
