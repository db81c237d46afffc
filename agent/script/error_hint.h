/* What the text of an error leaves out, and its stack or the options still tell. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <lua.h>

/* Whether tutti.target was used as if it had a value. */
MUST_CHECK bool error_hint_is_target(struct bytes text);
/* Whether an assert() without a message of its own has failed. */
MUST_CHECK bool error_hint_is_bare_assertion(struct bytes text);
/* Pushes the value that such an assertion is likely about: the last local variable, of the function that
 * raised the error, that is an object of ours that can show itself, such as a response. Gives its name;
 * pushes nothing and gives NULL if there is none. The stack of `lua` has to be as the error left it. */
const char *error_hint_push_witness(lua_State *lua);
