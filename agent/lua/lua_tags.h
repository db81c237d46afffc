/* Tags as a script gives them: a table of NAME = VALUE, worker:tag. */
#pragma once
#include "common/bytes.h"
#include "proto/message/tags.h"

#include <lua.h>

/* Reads the table at `index`; raises what is wrong with it, with the name of the call. While the script loads
 * it is only checked. */
struct tag_set lua_tags_read(lua_State *lua, int index, const char *function);
/* worker:tag(name, value) */
int lua_tags_of_worker(lua_State *lua);

/* What is kept of a request until it is counted: the name that the script has given, and its tags. Pushes
 * it: nil, the name, or a string that holds both. The name is at `name`, or nil. */
void lua_tags_push_label(lua_State *lua, int name, const struct tag_set *tags);
/* Empty if the script has given none. */
struct bytes lua_tags_label_name(lua_State *lua, int index);
struct tag_set lua_tags_label_tags(lua_State *lua, int index);
