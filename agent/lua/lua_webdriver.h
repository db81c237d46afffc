/* The agent's side of tutti.browser: what its Lua sources need that a script does not have. */
#pragma once
#include <lua.h>

/* Pushes a table of functions:
 *
 *   request(method, url, body, timeout, user, password)
 *                      status, body; or nil, kind, message. Waits; `body`, `user`, `password` may be nil
 *   wall()             seconds since 1970
 *   at_end(f)          runs f(worker) after the worker's teardown_session; the last one given counts
 *   on_failure(f)      runs f(worker) after each step of the worker that has failed; the last one given
 *                      counts
 *   keep(kind, bytes)  hands on what that has found: a "screenshot" or a "source"; too long ones are dropped
 *   decode_base64(text)  bytes, or nil
 *   encode_base64(bytes)
 *   is_root(), is_system_allowed() */
void lua_webdriver_push(lua_State *lua);
