/* Looks a path up in a decoded JSON value. */
#include "agent/script/lua_json_path.h"

#include "agent/script/limits.h"
#include "agent/script/lua_json.h"

#include <lauxlib.h>

/* Charged for each value that is looked at. */
#define VISIT_INSTRUCTIONS 10u

/* Appends the value on top of the stack to the list at `list`, and pops it; nil is none. */
static void nodes_add(lua_State *lua, int list)
{
    limits_charge(lua, VISIT_INSTRUCTIONS);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
    } else {
        lua_rawseti(lua, list, (lua_Integer)lua_rawlen(lua, list) + 1);
    }
}

static void nodes_add_element(lua_State *lua, int node, int64_t index, int list)
{
    lua_rawgeti(lua, node, index + 1);
    nodes_add(lua, list);
}

static void nodes_add_slice(lua_State *lua, int node, const struct json_selector *selector, int list)
{
    struct json_slice slice = json_path_slice(selector, (int64_t)lua_rawlen(lua, node));
    int64_t at = slice.first;
    while ((slice.step > 0 && at < slice.past) || (slice.step < 0 && at > slice.past)) {
        nodes_add_element(lua, node, at, list);
        at += slice.step;
    }
}

static void nodes_add_children(lua_State *lua, int node, bool is_list, int list)
{
    if (is_list) {
        int64_t size = (int64_t)lua_rawlen(lua, node);
        for (int64_t i = 0; i < size; i++) {
            nodes_add_element(lua, node, i, list);
        }
        return;
    }
    for (lua_pushnil(lua); lua_next(lua, node);) {
        nodes_add(lua, list);
    }
}

/* Adds what one selector names in the value at `node`. */
static void nodes_select(lua_State *lua, const struct json_path *path, const struct json_selector *selector,
                         int node, int list)
{
    if (!lua_istable(lua, node)) {
        return;
    }
    bool is_list = lua_json_is_list(lua, node);
    struct bytes name = json_path_name(path, selector);
    switch (selector->kind) {
    case JSON_SELECT_NAME:
        if (!is_list) {
            lua_pushlstring(lua, (const char *)name.data, name.size);
            lua_rawget(lua, node);
            nodes_add(lua, list);
        }
        return;
    case JSON_SELECT_INDEX:
        if (is_list) {
            int64_t size = (int64_t)lua_rawlen(lua, node);
            nodes_add_element(lua, node, selector->index < 0 ? size + selector->index : selector->index,
                              list);
        }
        return;
    case JSON_SELECT_ALL:
        nodes_add_children(lua, node, is_list, list);
        return;
    case JSON_SELECT_SLICE:
        if (is_list) {
            nodes_add_slice(lua, node, selector, list);
        }
        return;
    }
}

/* Replaces the value on top by a list of it and all of its descendants, parents before children. */
static void nodes_with_descendants(lua_State *lua)
{
    lua_newtable(lua);
    lua_insert(lua, -2);
    int found = lua_gettop(lua) - 1;
    lua_newtable(lua); /* those that are still to be looked at, the next one last */
    lua_insert(lua, -2);
    int waiting = lua_gettop(lua) - 1;
    nodes_add(lua, waiting);
    for (lua_Integer left = 1; left > 0; left = (lua_Integer)lua_rawlen(lua, waiting)) {
        lua_rawgeti(lua, waiting, left);
        lua_pushnil(lua);
        lua_rawseti(lua, waiting, left);
        int node = lua_gettop(lua);
        if (lua_istable(lua, node)) {
            lua_newtable(lua);
            nodes_add_children(lua, node, lua_json_is_list(lua, node), node + 1);
            for (lua_Integer i = (lua_Integer)lua_rawlen(lua, node + 1); i > 0; i--) {
                lua_rawgeti(lua, node + 1, i);
                nodes_add(lua, waiting);
            }
            lua_pop(lua, 1);
        }
        nodes_add(lua, found);
    }
    lua_pop(lua, 1);
}

/* Adds what a segment names in the value on top of the stack, and pops it. */
static void nodes_apply(lua_State *lua, const struct json_path *path, const struct json_segment *segment,
                        int list)
{
    int node = lua_gettop(lua);
    if (segment->is_descendant) {
        nodes_with_descendants(lua);
        lua_Integer count = (lua_Integer)lua_rawlen(lua, node);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(lua, node, i);
            for (size_t j = 0; j < segment->count; j++) {
                nodes_select(lua, path, &path->selectors[segment->first + j], node + 1, list);
            }
            lua_pop(lua, 1);
        }
    } else {
        for (size_t j = 0; j < segment->count; j++) {
            nodes_select(lua, path, &path->selectors[segment->first + j], node, list);
        }
    }
    lua_settop(lua, node - 1);
}

void lua_json_path_find(lua_State *lua, const struct json_path *path)
{
    luaL_checkstack(lua, 16, NULL);
    lua_newtable(lua);
    lua_insert(lua, -2);
    int nodes = lua_gettop(lua) - 1;
    nodes_add(lua, nodes);
    for (size_t i = 0; i < path->segment_count; i++) {
        lua_newtable(lua);
        lua_Integer count = (lua_Integer)lua_rawlen(lua, nodes);
        for (lua_Integer j = 1; j <= count; j++) {
            lua_rawgeti(lua, nodes, j);
            nodes_apply(lua, path, &path->segments[i], nodes + 1);
        }
        lua_replace(lua, nodes);
    }
    if (path->is_singular) {
        lua_rawgeti(lua, nodes, 1);
        lua_replace(lua, nodes);
    } else {
        lua_json_push_list_type(lua);
        lua_setmetatable(lua, nodes);
    }
}
