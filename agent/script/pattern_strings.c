/* string.find, match, gmatch and gsub, as in the manual but within a budget. */
#include "agent/script/pattern.h"

#include "agent/script/limits.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

static void pattern_strings_prepare(lua_State *lua, struct pattern *pattern, int subject_index,
                                    int pattern_index)
{
    size_t subject_size;
    size_t size;

    pattern->lua = lua;
    pattern->steps = 0;
    pattern->subject = luaL_checklstring(lua, subject_index, &subject_size);
    pattern->subject_end = pattern->subject + subject_size;
    pattern->text = luaL_checklstring(lua, pattern_index, &size);
    pattern->text_end = pattern->text + size;
}

static bool take_anchor(struct pattern *pattern)
{
    if (pattern->text == pattern->text_end || *pattern->text != '^') {
        return false;
    }
    pattern->text++;
    return true;
}

/* From 0; past the end if the position is. */
static size_t start_position(lua_State *lua, int index, size_t size)
{
    lua_Integer position = luaL_optinteger(lua, index, 1);

    if (position > 0) {
        return (size_t)position - 1;
    }
    if (position == 0 || position < -(lua_Integer)size) {
        return 0;
    }
    return size - (size_t)-position;
}

static bool has_specials(const struct pattern *pattern)
{
    for (const char *at = pattern->text; at < pattern->text_end; at++) {
        if (strchr("^$*+?.([%-", *at) != NULL && *at) {
            return true;
        }
    }
    return false;
}

static int find_plain(lua_State *lua, const struct pattern *pattern, size_t start)
{
    const char *from = pattern->subject + start;
    size_t size = (size_t)(pattern->text_end - pattern->text);

    limits_charge(lua, (uint64_t)(pattern->subject_end - from) / 16);
    const char *found = memmem(from, (size_t)(pattern->subject_end - from), pattern->text, size);
    if (found == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushinteger(lua, found - pattern->subject + 1);
    lua_pushinteger(lua, found - pattern->subject + (lua_Integer)size);
    return 2;
}

static int find_or_match(lua_State *lua, bool is_find)
{
    struct pattern pattern;

    pattern_strings_prepare(lua, &pattern, 1, 2);
    size_t start = start_position(lua, 3, (size_t)(pattern.subject_end - pattern.subject));
    if (start > (size_t)(pattern.subject_end - pattern.subject)) {
        lua_pushnil(lua);
        return 1;
    }
    if (is_find && (lua_toboolean(lua, 4) || !has_specials(&pattern))) {
        return find_plain(lua, &pattern, start);
    }
    bool is_anchored = take_anchor(&pattern);
    const char *at = pattern.subject + start;
    do {
        const char *end = pattern_match(&pattern, at);
        if (end == NULL) {
            continue;
        }
        if (!is_find) {
            return pattern_push_captures(&pattern, at, end);
        }
        lua_pushinteger(lua, at - pattern.subject + 1);
        lua_pushinteger(lua, end - pattern.subject);
        return pattern_push_captures(&pattern, NULL, NULL) + 2;
    } while (at++ < pattern.subject_end && !is_anchored);
    lua_pushnil(lua);
    return 1;
}

static int string_find(lua_State *lua)
{
    return find_or_match(lua, true);
}

int pattern_string_match(lua_State *lua)
{
    return find_or_match(lua, false);
}

/* Subject, pattern, where to continue (from 0), where the last match ended (-1: none yet). */
static int next_match(lua_State *lua)
{
    struct pattern pattern;

    pattern_strings_prepare(lua, &pattern, lua_upvalueindex(1), lua_upvalueindex(2));
    const char *at = pattern.subject + lua_tointeger(lua, lua_upvalueindex(3));
    lua_Integer last = lua_tointeger(lua, lua_upvalueindex(4));
    for (; at <= pattern.subject_end; at++) {
        const char *end = pattern_match(&pattern, at);
        if (end == NULL || end - pattern.subject == last) {
            continue;
        }
        lua_pushinteger(lua, end - pattern.subject);
        lua_pushvalue(lua, -1);
        lua_replace(lua, lua_upvalueindex(3));
        lua_replace(lua, lua_upvalueindex(4));
        return pattern_push_captures(&pattern, at, end);
    }
    return 0;
}

static int string_gmatch(lua_State *lua)
{
    size_t size;

    luaL_checklstring(lua, 1, &size);
    luaL_checkstring(lua, 2);
    size_t start = start_position(lua, 3, size);
    lua_settop(lua, 2);
    lua_pushinteger(lua, (lua_Integer)(start > size ? size + 1 : start));
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, next_match, 4);
    return 1;
}

/* "%1 and %%" of gsub's third argument. */
static void add_template(struct pattern *pattern, luaL_Buffer *buffer, const char *start, const char *end)
{
    lua_State *lua = pattern->lua;
    size_t size;
    const char *template = lua_tolstring(lua, 3, &size);
    const char *template_end = template + size;

    limits_charge(lua, size / 16);
    for (const char *at = template; at < template_end; at++) {
        if (*at != '%') {
            luaL_addchar(buffer, *at);
            continue;
        }
        at++;
        if (at < template_end && *at == '%') {
            luaL_addchar(buffer, '%');
        } else if (at < template_end && *at == '0') {
            luaL_addlstring(buffer, start, (size_t)(end - start));
        } else if (at < template_end && *at >= '1' && *at <= '9') {
            pattern_push_capture(pattern, *at - '1', start, end);
            luaL_tolstring(lua, -1, NULL);
            lua_remove(lua, -2);
            luaL_addvalue(buffer);
        } else {
            luaL_error(lua, "invalid use of '%%' in replacement string");
        }
    }
}

/* Adds the replacement of the match; returns whether it differs from the match. */
static bool add_replacement(struct pattern *pattern, luaL_Buffer *buffer, const char *start, const char *end)
{
    lua_State *lua = pattern->lua;
    int type = lua_type(lua, 3);

    if (type != LUA_TFUNCTION && type != LUA_TTABLE) {
        add_template(pattern, buffer, start, end);
        return true;
    }
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(lua, 3);
        lua_call(lua, pattern_push_captures(pattern, start, end), 1);
    } else {
        pattern_push_capture(pattern, 0, start, end);
        lua_gettable(lua, 3);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        luaL_addlstring(buffer, start, (size_t)(end - start));
        return false;
    }
    if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    }
    luaL_addvalue(buffer);
    return true;
}

static int string_gsub(lua_State *lua)
{
    struct pattern pattern;
    luaL_Buffer buffer;
    lua_Integer count = 0;
    bool has_changed = false;

    pattern_strings_prepare(lua, &pattern, 1, 2);
    int type = lua_type(lua, 3);
    luaL_argexpected(
        lua, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
        "string/function/table");
    lua_Integer most = luaL_optinteger(lua, 4, pattern.subject_end - pattern.subject + 1);
    bool is_anchored = take_anchor(&pattern);
    const char *at = pattern.subject;
    const char *last = NULL;
    luaL_buffinit(lua, &buffer);
    while (count < most) {
        const char *end = pattern_match(&pattern, at);
        if (end != NULL && end != last) {
            count++;
            has_changed = add_replacement(&pattern, &buffer, at, end) || has_changed;
            at = last = end;
        } else if (at < pattern.subject_end) {
            luaL_addchar(&buffer, *at++);
        } else {
            break;
        }
        if (is_anchored) {
            break;
        }
    }
    if (!has_changed) {
        lua_pushvalue(lua, 1);
    } else {
        luaL_addlstring(&buffer, at, (size_t)(pattern.subject_end - at));
        luaL_pushresult(&buffer);
    }
    lua_pushinteger(lua, count);
    return 2;
}

void pattern_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"find", string_find},
                                         {"match", pattern_string_match},
                                         {"gmatch", string_gmatch},
                                         {"gsub", string_gsub},
                                         {NULL, NULL}};

    lua_getglobal(lua, LUA_STRLIBNAME);
    luaL_setfuncs(lua, functions, 0);
    lua_pop(lua, 1);
}
