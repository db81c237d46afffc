/* Looks a path up in a decoded JSON value. */
#include "agent/script/lua_json_path.h"

#include "agent/script/limits.h"
#include "agent/script/lua_json.h"
#include "agent/script/lua_json_walk.h"

#include <lauxlib.h>

/* Appends the value on top of the stack to the list at `list`, and pops it; nil is none. */
static void nodes_add(lua_State *lua, int list)
{
    limits_charge(lua, JSON_WALK_INSTRUCTIONS);
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

/* Adds the value on top if it passes the filter, and pops it. */
static void nodes_add_filtered(const struct json_walk *walk, const struct json_selector *selector, int list)
{
    if (!lua_isnil(walk->lua, -1) && json_walk_holds(walk, selector->expression, lua_gettop(walk->lua))) {
        nodes_add(walk->lua, list);
    } else {
        lua_pop(walk->lua, 1);
    }
}

static void nodes_filter(const struct json_walk *walk, const struct json_selector *selector, int node,
                         int list)
{
    lua_State *lua = walk->lua;
    if (lua_json_is_list(lua, node)) {
        lua_Integer size = (lua_Integer)lua_rawlen(lua, node);
        for (lua_Integer i = 1; i <= size; i++) {
            lua_rawgeti(lua, node, i);
            nodes_add_filtered(walk, selector, list);
        }
        return;
    }
    for (lua_pushnil(lua); lua_next(lua, node);) {
        nodes_add_filtered(walk, selector, list);
    }
}

/* Adds what one selector names in the value at `node`. */
static void nodes_select(const struct json_walk *walk, const struct json_selector *selector, int node,
                         int list)
{
    lua_State *lua = walk->lua;
    if (!lua_istable(lua, node)) {
        return;
    }
    bool is_list = lua_json_is_list(lua, node);
    struct bytes name = json_path_bytes(walk->path, selector->name);
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
    case JSON_SELECT_FILTER:
        nodes_filter(walk, selector, node, list);
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

static void nodes_select_all(const struct json_walk *walk, const struct json_segment *segment, int node,
                             int list)
{
    const struct json_selector *selectors = walk->path->selectors;
    for (uint16_t i = segment->first; i != JSON_PATH_END; i = selectors[i].next) {
        nodes_select(walk, &selectors[i], node, list);
    }
}

/* Adds what a segment names in the value on top of the stack, and pops it. */
static void nodes_apply(const struct json_walk *walk, const struct json_segment *segment, int list)
{
    lua_State *lua = walk->lua;
    int node = lua_gettop(lua);
    if (segment->is_descendant) {
        nodes_with_descendants(lua);
        lua_Integer count = (lua_Integer)lua_rawlen(lua, node);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(lua, node, i);
            nodes_select_all(walk, segment, node + 1, list);
            lua_pop(lua, 1);
        }
    } else {
        nodes_select_all(walk, segment, node, list);
    }
    lua_settop(lua, node - 1);
}

void json_walk_query(const struct json_walk *walk, uint16_t first)
{
    lua_State *lua = walk->lua;
    const struct json_segment *segments = walk->path->segments;
    luaL_checkstack(lua, LUA_MINSTACK, NULL);
    lua_newtable(lua);
    lua_insert(lua, -2);
    int nodes = lua_gettop(lua) - 1;
    nodes_add(lua, nodes);
    for (uint16_t i = first; i != JSON_PATH_END; i = segments[i].next) {
        lua_newtable(lua);
        lua_Integer count = (lua_Integer)lua_rawlen(lua, nodes);
        for (lua_Integer j = 1; j <= count; j++) {
            lua_rawgeti(lua, nodes, j);
            nodes_apply(walk, &segments[i], nodes + 1);
        }
        lua_replace(lua, nodes);
    }
}

void lua_json_path_find(lua_State *lua, const struct json_path *path)
{
    struct json_walk walk = {.lua = lua, .path = path, .root = lua_gettop(lua)};
    luaL_checkstack(lua, LUA_MINSTACK, NULL);
    lua_pushvalue(lua, walk.root);
    json_walk_query(&walk, path->first);
    lua_replace(lua, walk.root);
    if (path->is_singular) {
        lua_rawgeti(lua, walk.root, 1);
        lua_replace(lua, walk.root);
    } else {
        lua_json_push_list_type(lua);
        lua_setmetatable(lua, walk.root);
    }
}
