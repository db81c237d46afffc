/* Tasks: coroutines of a worker that run beside its step. */
#pragma once
#include <lua.h>

/* Adds tutti.task, all, race and timeout to the table on top of the stack. */
void lua_task_open(lua_State *lua);
