/* What a script says of a response: expect, fail, ok. */
#pragma once
#include <lua.h>

/* response:expect { status =, json =, body =, header =, max =, name =, fail = } → true, or false and why not
 */
int lua_expect(lua_State *lua);
/* response:fail(why), response:ok(): how the report counts the request */
int lua_expect_fail(lua_State *lua);
int lua_expect_ok(lua_State *lua);
