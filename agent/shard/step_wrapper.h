/* Runs the steps of scripts that have a scenario_picker or listen to events; other scripts do without. */
#pragma once
#include "agent/script/script_state.h"

/* Before the functions below, outside of any turn. */
void step_wrapper_open(struct script *script);
bool step_wrapper_is_needed(const struct script *script);
/* Pushes the function that runs a step: it takes the worker. */
void step_wrapper_push(lua_State *lua);
/* Whether listeners have to be told of requests. */
bool step_wrapper_has_listeners(const struct script *script);
/* Pushes the function that takes (raw, worker, method, url, options), where raw(method, url, options) makes
 * the request, and tells the listeners before and after it. */
void step_wrapper_push_request(lua_State *lua);
/* Pushes the same of several at once: it takes (raw, worker, items), where raw(items) makes the requests. */
void step_wrapper_push_batch(lua_State *lua);
