/* Judges values by the filters of a path. The parser bounds how deep expressions and queries are nested. */
#include "agent/script/limits.h"
#include "agent/script/lua_json.h"
#include "agent/script/lua_json_walk.h"

#include <lauxlib.h>
#include <string.h>

/* Pushes a list of what the query finds. */
static void filter_push_found(const struct json_walk *walk, const struct json_expression *query, int current)
{
    lua_pushvalue(walk->lua, query->is_absolute ? walk->root : current);
    json_walk_query(walk, query->first);
}

/* Replaces the list on top by its only element, or by nil. */
static void filter_take_only(lua_State *lua)
{
    if (lua_rawlen(lua, -1) == 1) {
        lua_rawgeti(lua, -1, 1);
    } else {
        lua_pushnil(lua);
    }
    lua_replace(lua, -2);
}

static lua_Integer filter_characters(struct bytes text)
{
    lua_Integer count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += (text.data[i] & 0xc0u) != 0x80;
    }
    return count;
}

/* Replaces the value on top by its length; nil if it has none. */
static void filter_take_length(lua_State *lua)
{
    size_t size = 0;
    if (lua_type(lua, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(lua, -1, &size);
        limits_charge(lua, size / JSON_WALK_INSTRUCTIONS);
        lua_pushinteger(lua, filter_characters(bytes_of(text, size)));
    } else if (!lua_istable(lua, -1)) {
        lua_pushnil(lua);
    } else if (lua_json_is_list(lua, lua_gettop(lua))) {
        lua_pushinteger(lua, (lua_Integer)lua_rawlen(lua, -1));
    } else {
        lua_Integer count = 0;
        for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1)) {
            limits_charge(lua, JSON_WALK_INSTRUCTIONS);
            count++;
        }
        lua_pushinteger(lua, count);
    }
    lua_replace(lua, -2);
}

static void filter_push_number(lua_State *lua, struct bytes text)
{
    lua_pushlstring(lua, (const char *)text.data, text.size);
    if (lua_stringtonumber(lua, lua_tostring(lua, -1)) == 0) {
        lua_pushnil(lua);
    }
    lua_replace(lua, -2);
}

/* Pushes the value of an expression; nil if it has none. */
static void filter_push_value(const struct json_walk *walk, uint16_t number, int current)
{
    lua_State *lua = walk->lua;
    const struct json_expression *expression = &walk->path->expressions[number];
    struct bytes text = json_path_bytes(walk->path, expression->text);
    luaL_checkstack(lua, LUA_MINSTACK, NULL);
    switch (expression->kind) {
    case JSON_VALUE_NUMBER:
        filter_push_number(lua, text);
        return;
    case JSON_VALUE_TEXT:
        lua_pushlstring(lua, (const char *)text.data, text.size);
        return;
    case JSON_VALUE_TRUE:
    case JSON_VALUE_FALSE:
        lua_pushboolean(lua, expression->kind == JSON_VALUE_TRUE);
        return;
    case JSON_VALUE_NULL:
        lua_pushlightuserdata(lua, lua_json_null());
        return;
    case JSON_VALUE_QUERY:
        filter_push_found(walk, expression, current);
        filter_take_only(lua);
        return;
    case JSON_VALUE_LENGTH:
        filter_push_value(walk, expression->left, current);
        filter_take_length(lua);
        return;
    case JSON_VALUE_COUNT:
        filter_push_found(walk, &walk->path->expressions[expression->left], current);
        lua_pushinteger(lua, (lua_Integer)lua_rawlen(lua, -1));
        lua_replace(lua, -2);
        return;
    case JSON_VALUE_OF:
        filter_push_found(walk, &walk->path->expressions[expression->left], current);
        filter_take_only(lua);
        return;
    default:
        lua_pushnil(lua);
        return;
    }
}

/* Appends the two values on top to the list of what has to be equal, and pops them. */
static void filter_note_pair(lua_State *lua, int pairs)
{
    lua_Integer size = (lua_Integer)lua_rawlen(lua, pairs);
    lua_rawseti(lua, pairs, size + 2);
    lua_rawseti(lua, pairs, size + 1);
}

/* Two tables, at `left` and after it: notes what has to be equal in them, unless they differ by themselves.
 */
static bool filter_open_pair(lua_State *lua, int left, int pairs)
{
    int right = left + 1;
    bool is_list = lua_json_is_list(lua, left);
    lua_Integer size = (lua_Integer)lua_rawlen(lua, left);
    lua_Integer members = 0;
    if (is_list != lua_json_is_list(lua, right) || size != (lua_Integer)lua_rawlen(lua, right)) {
        return false;
    }
    for (lua_Integer i = 1; is_list && i <= size; i++) {
        lua_rawgeti(lua, left, i);
        lua_rawgeti(lua, right, i);
        filter_note_pair(lua, pairs);
    }
    if (is_list) {
        return true;
    }
    for (lua_pushnil(lua); lua_next(lua, left); members++) {
        limits_charge(lua, JSON_WALK_INSTRUCTIONS);
        lua_pushvalue(lua, -2);
        lua_rawget(lua, right);
        filter_note_pair(lua, pairs);
    }
    for (lua_pushnil(lua); lua_next(lua, right); lua_pop(lua, 1)) {
        members--;
    }
    return members == 0;
}

/* Whether the two values on top are equal, as JSON. */
static bool filter_are_equal(lua_State *lua)
{
    bool are_equal = true;
    lua_newtable(lua); /* pairs that have to be equal too */
    lua_insert(lua, -3);
    int pairs = lua_gettop(lua) - 2;
    filter_note_pair(lua, pairs);
    for (lua_Integer left = 2; are_equal && left > 0; left = (lua_Integer)lua_rawlen(lua, pairs)) {
        limits_charge(lua, JSON_WALK_INSTRUCTIONS);
        lua_rawgeti(lua, pairs, left - 1);
        lua_rawgeti(lua, pairs, left);
        for (lua_Integer i = left; i > left - 2; i--) {
            lua_pushnil(lua);
            lua_rawseti(lua, pairs, i);
        }
        bool are_tables = lua_istable(lua, pairs + 1) && lua_istable(lua, pairs + 2);
        are_equal = lua_rawequal(lua, pairs + 1, pairs + 2) ||
                    (are_tables && filter_open_pair(lua, pairs + 1, pairs));
        lua_settop(lua, pairs);
    }
    lua_pop(lua, 1);
    return are_equal;
}

/* Whether the value at `left` is below the one at `right`: both are numbers, or both are texts. */
static bool filter_is_less(lua_State *lua, int left, int right)
{
    size_t sizes[2];
    if (lua_type(lua, left) == LUA_TNUMBER && lua_type(lua, right) == LUA_TNUMBER) {
        return lua_compare(lua, left, right, LUA_OPLT);
    }
    if (lua_type(lua, left) != LUA_TSTRING || lua_type(lua, right) != LUA_TSTRING) {
        return false;
    }
    const char *text = lua_tolstring(lua, left, &sizes[0]);
    const char *other = lua_tolstring(lua, right, &sizes[1]);
    return bytes_compare(bytes_of(text, sizes[0]), bytes_of(other, sizes[1])) < 0;
}

/* Pops the two values on top. */
static bool filter_compare(lua_State *lua, enum json_expression_kind kind)
{
    int left = lua_gettop(lua) - 1;
    bool is_more = kind == JSON_IS_MORE || kind == JSON_IS_AT_LEAST;
    bool is_ordered = kind != JSON_IS_EQUAL && kind != JSON_IS_UNEQUAL;
    bool is_strict = kind == JSON_IS_LESS || kind == JSON_IS_MORE;
    bool holds =
        is_ordered && (is_more ? filter_is_less(lua, left + 1, left) : filter_is_less(lua, left, left + 1));
    if (holds || is_strict) {
        lua_settop(lua, left - 1);
        return holds;
    }
    bool are_equal = filter_are_equal(lua);
    return kind == JSON_IS_UNEQUAL ? !are_equal : are_equal;
}

bool json_walk_holds(const struct json_walk *walk, uint16_t number, int current)
{
    const struct json_expression *expression = &walk->path->expressions[number];
    bool holds;
    limits_charge(walk->lua, JSON_WALK_INSTRUCTIONS);
    switch (expression->kind) {
    case JSON_IS_EITHER:
        return json_walk_holds(walk, expression->left, current) ||
               json_walk_holds(walk, expression->right, current);
    case JSON_IS_BOTH:
        return json_walk_holds(walk, expression->left, current) &&
               json_walk_holds(walk, expression->right, current);
    case JSON_IS_NOT:
        return !json_walk_holds(walk, expression->left, current);
    case JSON_IS_THERE:
        filter_push_found(walk, &walk->path->expressions[expression->left], current);
        holds = lua_rawlen(walk->lua, -1) > 0;
        lua_pop(walk->lua, 1);
        return holds;
    default:
        filter_push_value(walk, expression->left, current);
        filter_push_value(walk, expression->right, current);
        return filter_compare(walk->lua, expression->kind);
    }
}
