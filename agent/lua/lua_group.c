/* Groups nest within a coroutine: which one it is in is kept beside it, in a table of the registry that does
 * not keep it alive. */
#include "agent/lua/lua_group.h"

#include "agent/script/lua_error.h"
#include "agent/shard/vu_api.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>

#define GROUPS_KEY "tutti.groups"

/* On the stack of a call: the whole name, the group around it or nil, and then the function. */
enum group_index { GROUP_NAME = 1, GROUP_AROUND, GROUP_FUNCTION };

/* Pushes the table: coroutine → name of its group. */
static void group_push_table(lua_State *lua)
{
    if (lua_getfield(lua, LUA_REGISTRYINDEX, GROUPS_KEY) == LUA_TTABLE) {
        return;
    }
    lua_pop(lua, 1);
    lua_newtable(lua);
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    lua_setmetatable(lua, -2);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, GROUPS_KEY);
}

/* The coroutine is in the group whose name, or nil, is at `index`. */
static void group_set(lua_State *lua, int index)
{
    group_push_table(lua);
    lua_pushthread(lua);
    lua_pushvalue(lua, index);
    lua_rawset(lua, -3);
    lua_pop(lua, 1);
}

/* Pushes the name of the coroutine's group, or nil. */
static void group_push(lua_State *lua)
{
    group_push_table(lua);
    lua_pushthread(lua);
    lua_rawget(lua, -2);
    lua_remove(lua, -2);
}

void lua_group_inherit(lua_State *lua, lua_State *thread)
{
    group_push(lua);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        return;
    }
    luaL_checkstack(thread, 4, NULL);
    lua_xmove(lua, thread, 1);
    group_set(thread, lua_gettop(thread));
    lua_pop(thread, 1);
}

/* What the end of the campaign has interrupted is neither good nor bad. */
static int group_on_end(lua_State *lua, int status, lua_KContext began_ns)
{
    const struct vu *vu = vu_current(lua, "tutti.group");
    bool is_ok = status == LUA_OK || status == LUA_YIELD;
    size_t size;
    const char *name = lua_tolstring(lua, GROUP_NAME, &size);

    group_set(lua, GROUP_AROUND);
    if (is_ok || !lua_failure_is_stopped(lua, -1)) {
        struct slice_sample sample = {.kind = SLICE_GROUP,
                                      .name = bytes_of(name, size),
                                      .tags = vu_tags_under(vu, NULL),
                                      .is_ok = is_ok,
                                      .has_time = true,
                                      .us = (clock_now_ns() - (uint64_t)began_ns) / 1000};
        meter_slice(vu_meter(vu), &sample);
    }
    return is_ok ? lua_gettop(lua) - GROUP_AROUND : lua_error(lua);
}

int lua_group(lua_State *lua)
{
    size_t size;

    vu_current(lua, "tutti.group");
    const char *name = luaL_checklstring(lua, 1, &size);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        return lua_misuse(lua, "tutti.group: a name is printable text of 1 to %u bytes", LIMIT_NAME_BYTES);
    }
    luaL_checkstack(lua, 8, NULL);
    group_push(lua);
    lua_insert(lua, GROUP_AROUND);
    if (!lua_isnil(lua, GROUP_AROUND)) {
        lua_pushfstring(lua, "%s / %s", lua_tostring(lua, GROUP_AROUND), name);
        lua_replace(lua, GROUP_NAME);
    }
    if (lua_rawlen(lua, GROUP_NAME) > LIMIT_NAME_BYTES) {
        return lua_misuse(lua, "tutti.group: with the groups around it the name has more than %u bytes",
                          LIMIT_NAME_BYTES);
    }
    group_set(lua, GROUP_NAME);
    lua_KContext began_ns = (lua_KContext)clock_now_ns();
    int status = lua_pcallk(lua, lua_gettop(lua) - GROUP_FUNCTION, LUA_MULTRET, 0, began_ns, group_on_end);
    return group_on_end(lua, status, began_ns);
}
