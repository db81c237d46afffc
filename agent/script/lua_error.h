/* The error objects that API calls raise: tables that print as their message with file and line. */
#pragma once
#include "common/attributes.h"
#include "common/worker_set.h"

#include <lua.h>
#include <stdbool.h>

/* Chunk names of sources of ours begin so ("tutti.browser/pages.lua"): errors point to the script's lines,
 * not to theirs. */
#define LUA_SOURCES_CHUNKS "tutti."
/* Those of sources between whose instructions no other task has its turn. */
#define LUA_UNDIVIDED_CHUNKS "tutti.socketio/"

struct lua_failure {
    const char *outcome; /* of a wait: "timeout", …; NULL otherwise */
    const char *kind;    /* of a request: "connect", …; NULL otherwise */
    uint32_t status;     /* of a proxy that has refused; 0: none */
    const char *phase;   /* of a request, in which it failed: "connect", …; NULL: none */
    const char *group;   /* what the report groups it by, beside where it was raised; NULL: its text */
    double waited_s;
    const struct worker_set *missing; /* NULL: none */
    uint64_t arrived;                 /* at a barrier, of so many parties; 0: of something else */
    uint64_t parties;
    const char *message;
    bool is_by_loss; /* of a wait: only because others were lost with their agent */
    bool is_stopped; /* caused by the end of the campaign: not a failure of the step */
};

/* Pushes the object, with the location of the innermost function of the script. */
void lua_failure_push(lua_State *lua, const struct lua_failure *failure);
/* Makes the table at `index`, which has a message and possibly other fields, such an object. */
void lua_failure_adopt(lua_State *lua, int index);
/* lua_failure_push, then lua_error. The failure's texts must be in memory that survives a longjmp. */
int lua_failure_raise(lua_State *lua, const struct lua_failure *failure);
/* Where it was raised and its group, if the value at `index` is an object that has one; NULL for others.
 * Owned by the caller. */
MUST_CHECK char *lua_failure_copy_group(lua_State *lua, int index);
/* Whether the value at `index` is an object created with is_stopped, whatever its fields are now. */
bool lua_failure_is_stopped(lua_State *lua, int index);
/* Whether it is one created with is_by_loss. */
bool lua_failure_is_by_loss(lua_State *lua, int index);
/* "pad.lua:12: " of the innermost Lua function of the script on the stack, or "". */
void lua_push_where(lua_State *lua);
/* Like luaL_error, but prefixed with the innermost line of the script. */
int lua_misuse(lua_State *lua, const char *format, ...) PRINTF_LIKE(2, 3);
