/* The error objects that API calls raise: tables that print as their message with file and line. */
#pragma once
#include "common/attributes.h"
#include "common/worker_set.h"

#include <lua.h>
#include <stdbool.h>

/* How the chunks of tutti.browser's sources are named: errors point to the script's lines, not to theirs. */
#define LUA_WEBDRIVER_CHUNKS "tutti.browser/"

struct lua_failure {
    const char *outcome; /* of a wait: "timeout", …; NULL otherwise */
    const char *kind;    /* of a request: "connect", …; NULL otherwise */
    double waited_s;
    const struct worker_set *missing; /* NULL: none */
    const char *message;
    bool is_stopped; /* by the end of the campaign: not a failure of the step */
};

/* Pushes the object; says where the nearest function of the script stands. */
void lua_failure_push(lua_State *lua, const struct lua_failure *failure);
/* Makes such an object of the table at `index`, which has its message and whatever fields. */
void lua_failure_adopt(lua_State *lua, int index);
/* lua_failure_push, then lua_error. The failure's texts have to live where a longjmp does not lose them. */
int lua_failure_raise(lua_State *lua, const struct lua_failure *failure);
/* Whether the value at `index` is an object that was made with is_stopped, whatever its fields say by now. */
bool lua_failure_is_stopped(lua_State *lua, int index);
/* "pad.lua:12: " of the nearest Lua function of the script on the stack, or "". */
void lua_push_where(lua_State *lua);
/* Like luaL_error, but with the nearest line of the script in front. */
int lua_misuse(lua_State *lua, const char *format, ...) PRINTF_LIKE(2, 3);
