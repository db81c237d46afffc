/* Walking through a decoded JSON value as a path says: for the files that it is made of. */
#pragma once
#include "agent/script/json_path.h"

#include <lua.h>

struct json_walk {
    lua_State *lua;
    const struct json_path *path;
    int root; /* where the whole value is on the stack */
};

/* Charged for each value that is looked at, in instructions of the script. */
#define JSON_WALK_INSTRUCTIONS 10u

/* Replaces the value on top of the stack by a list of what these segments name in it. */
void json_walk_query(const struct json_walk *walk, uint16_t first);
/* Whether the value at `current` passes a filter. Leaves the stack as it is. */
bool json_walk_holds(const struct json_walk *walk, uint16_t expression, int current);
