/* table.concat, insert, move, remove, sort and unpack as in the manual: the library's own versions loop
 * inside C, where no hook runs, for as long as a script makes them. */
#include "agent/script/limits.h"
#include "agent/script/script_state.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>

/* Charged for one element, in instructions. */
#define ELEMENT_INSTRUCTIONS 4u

/* Their running time depends on the length, which must not be made up by the script. */
static lua_Integer length_of(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    if (luaL_getmetafield(lua, 1, "__len") != LUA_TNIL) {
        luaL_error(lua, "a table with __len is not allowed here");
    }
    return (lua_Integer)lua_rawlen(lua, 1);
}

static int table_length(lua_State *lua)
{
    lua_pushinteger(lua, length_of(lua));
    return 1;
}

static void add_field(lua_State *lua, luaL_Buffer *buffer, lua_Integer index)
{
    lua_geti(lua, 1, index);
    if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)index);
    }
    limits_charge(lua, ELEMENT_INSTRUCTIONS + lua_rawlen(lua, -1) / 16);
    luaL_addvalue(buffer);
}

static int table_concat(lua_State *lua)
{
    luaL_Buffer buffer;
    size_t size;
    lua_Integer last = length_of(lua);
    const char *separator = luaL_optlstring(lua, 2, "", &size);
    lua_Integer at = luaL_optinteger(lua, 3, 1);

    last = luaL_optinteger(lua, 4, last);
    lua_settop(lua, 4);
    luaL_buffinit(lua, &buffer);
    for (; at < last; at++) {
        add_field(lua, &buffer, at);
        luaL_addlstring(&buffer, separator, size);
    }
    if (at == last) {
        add_field(lua, &buffer, at);
    }
    luaL_pushresult(&buffer);
    return 1;
}

static void move_element(lua_State *lua, lua_Integer from, int into, lua_Integer to)
{
    limits_charge(lua, ELEMENT_INSTRUCTIONS);
    lua_geti(lua, 1, from);
    lua_seti(lua, into, to);
}

static int table_insert(lua_State *lua)
{
    lua_Integer end = (lua_Integer)((lua_Unsigned)length_of(lua) + 1);
    lua_Integer position = end;
    int count = lua_gettop(lua);

    if (count != 2 && count != 3) {
        return luaL_error(lua, "wrong number of arguments to 'insert'");
    }
    if (count == 3) {
        position = luaL_checkinteger(lua, 2);
        luaL_argcheck(lua, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
        for (lua_Integer at = end; at > position; at--) {
            move_element(lua, at - 1, 1, at);
        }
    }
    lua_pushvalue(lua, count);
    lua_seti(lua, 1, position);
    return 0;
}

static int table_remove(lua_State *lua)
{
    lua_Integer size = length_of(lua);
    lua_Integer position = luaL_optinteger(lua, 2, size);

    if (position != size) {
        luaL_argcheck(lua, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
    }
    lua_geti(lua, 1, position);
    for (; position < size; position++) {
        move_element(lua, position + 1, 1, position);
    }
    lua_pushnil(lua);
    lua_seti(lua, 1, position);
    return 1;
}

/* move(from, first, last, to, [into]) */
static int table_move(lua_State *lua)
{
    lua_Integer first = luaL_checkinteger(lua, 2);
    lua_Integer last = luaL_checkinteger(lua, 3);
    lua_Integer to = luaL_checkinteger(lua, 4);
    int into = lua_isnoneornil(lua, 5) ? 1 : 5;

    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checktype(lua, into, LUA_TTABLE);
    if (last >= first) {
        luaL_argcheck(lua, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        lua_Integer count = last - first + 1;
        luaL_argcheck(lua, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        if (to > last || to <= first || (into != 1 && !lua_compare(lua, 1, into, LUA_OPEQ))) {
            for (lua_Integer i = 0; i < count; i++) {
                move_element(lua, first + i, into, to + i);
            }
        } else {
            for (lua_Integer i = count - 1; i >= 0; i--) {
                move_element(lua, first + i, into, to + i);
            }
        }
    }
    lua_pushvalue(lua, into);
    return 1;
}

static int table_unpack(lua_State *lua)
{
    lua_Integer first = luaL_optinteger(lua, 2, 1);
    lua_Integer last = lua_isnoneornil(lua, 3) ? length_of(lua) : luaL_checkinteger(lua, 3);

    if (first > last) {
        return 0;
    }
    lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)first;
    if (count >= (lua_Unsigned)INT_MAX || !lua_checkstack(lua, (int)(count + 1))) {
        return luaL_error(lua, "too many results to unpack");
    }
    for (lua_Integer at = first; at < last; at++) {
        limits_charge(lua, ELEMENT_INSTRUCTIONS);
        lua_geti(lua, 1, at);
    }
    lua_geti(lua, 1, last);
    return (int)count + 1;
}

/* In Lua, so that the comparison can yield to others like everything else: runs of a few elements by
 * insertion sort, which are then merged. */
static const char sort_in_lua[] =
    "local length, type, error, RUN = ...\n"
    "local function sort_run(list, first, last, before)\n"
    "  for i = first + 1, last do\n"
    "    local item, at = list[i], i - 1\n"
    "    while at >= first and before(item, list[at]) do\n"
    "      list[at + 1] = list[at]\n"
    "      at = at - 1\n"
    "    end\n"
    "    list[at + 1] = item\n"
    "  end\n"
    "end\n"
    "local function merge(from, into, first, middle, last, before)\n"
    "  local left, right = first, middle + 1\n"
    "  for at = first, last do\n"
    "    if left <= middle and (right > last or not before(from[right], from[left])) then\n"
    "      into[at] = from[left]\n"
    "      left = left + 1\n"
    "    else\n"
    "      into[at] = from[right]\n"
    "      right = right + 1\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function is_less(a, b) return a < b end\n"
    "local function sort(list, before)\n"
    "  local count = length(list)\n"
    "  if count < 2 then return end\n"
    "  if before == nil then before = is_less\n"
    "  elseif type(before) ~= 'function' then\n"
    "    error(\"bad argument #2 to 'sort' (function expected, got \" .. type(before) .. ')', 2)\n"
    "  end\n"
    "  local from, into = {}, {}\n"
    "  for i = 1, count do from[i] = list[i] end\n"
    "  for first = 1, count, RUN do\n"
    "    local last = first + RUN - 1\n"
    "    sort_run(from, first, last < count and last or count, before)\n"
    "  end\n"
    "  local width = RUN\n"
    "  while width < count do\n"
    "    for first = 1, count, 2 * width do\n"
    "      local middle, last = first + width - 1, first + 2 * width - 1\n"
    "      if middle > count then middle = count end\n"
    "      merge(from, into, first, middle, last < count and last or count, before)\n"
    "    end\n"
    "    from, into = into, from\n"
    "    width = 2 * width\n"
    "  end\n"
    "  for i = 1, count do list[i] = from[i] end\n"
    "end\n"
    "return sort\n";

#define SORT_RUN 8

static void push_sort(lua_State *lua)
{
    if (luaL_loadbufferx(lua, sort_in_lua, sizeof sort_in_lua - 1, "=tutti.sort", "t") != LUA_OK) {
        lua_error(lua);
    }
    lua_pushcfunction(lua, table_length);
    lua_getglobal(lua, "type");
    lua_getglobal(lua, "error");
    lua_pushinteger(lua, SORT_RUN);
    lua_call(lua, 4, 1);
}

void table_functions_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"concat", table_concat}, {"insert", table_insert},
                                         {"move", table_move},     {"remove", table_remove},
                                         {"unpack", table_unpack}, {NULL, NULL}};

    lua_getglobal(lua, LUA_TABLIBNAME);
    luaL_setfuncs(lua, functions, 0);
    push_sort(lua);
    lua_setfield(lua, -2, "sort");
    lua_pop(lua, 1);
}
