/* Tags as a script gives them. */
#include "agent/lua/lua_tags.h"

#include "agent/lua/lua_worker.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"

#include <lauxlib.h>
#include <string.h>

/* Begins a label that has tags: no name has such a byte. */
#define LABEL_TAGGED '\1'
#define LABEL_NAME (1 + sizeof(struct tag_set))

static struct bytes tags_check_name(lua_State *lua, int index, const char *function)
{
    size_t size = 0;
    const char *name = lua_type(lua, index) == LUA_TSTRING ? lua_tolstring(lua, index, &size) : NULL;

    if (!tag_name_is_good(bytes_of(name, size))) {
        lua_misuse(lua, "%s: the name of a tag is 1 to %u letters, digits, '_', '-' and '.'", function,
                   TAG_NAME_BYTES);
    }
    return bytes_of(name, size);
}

/* The value on top of the stack, which becomes its text. */
static struct bytes tags_check_value(lua_State *lua, const char *function)
{
    size_t size = 0;

    if (lua_isboolean(lua, -1)) {
        lua_pushstring(lua, lua_toboolean(lua, -1) ? "true" : "false");
        lua_replace(lua, -2);
    }
    const char *value = lua_tolstring(lua, -1, &size);
    if (!tag_value_is_good(bytes_of(value, size))) {
        lua_misuse(lua, "%s: the value of a tag is a number, true, false, or printable text of 1 to %u bytes",
                   function, TAG_VALUE_BYTES);
    }
    return bytes_of(value, size);
}

struct tag_set lua_tags_read(lua_State *lua, int index, const char *function)
{
    const struct vu *vu = script_of(lua)->current;
    struct tag_set set = {0};

    if (!lua_istable(lua, index)) {
        lua_misuse(lua, "%s: tags is a table of NAME = VALUE, not a %s", function, luaL_typename(lua, index));
    }
    lua_option_check_plain(lua, index, function);
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
        struct bytes name = tags_check_name(lua, lua_gettop(lua) - 1, function);
        struct bytes value = tags_check_value(lua, function);
        if (vu != NULL) {
            tag_set_put(&set, tag_table_note(meter_tags(vu_meter(vu)), name, value));
        }
    }
    return set;
}

int lua_tags_of_worker(lua_State *lua)
{
    static const char function[] = "worker:tag";
    struct vu *vu = lua_worker_check(lua, function);
    struct tag_table *table = meter_tags(vu_meter(vu));

    lua_settop(lua, 3);
    struct bytes name = tags_check_name(lua, 2, function);
    if (lua_isnil(lua, 3)) {
        tag_table_remove(table, name, &vu->shared->tags);
    } else {
        struct bytes value = tags_check_value(lua, function);
        tag_set_put(&vu->shared->tags, tag_table_note(table, name, value));
    }
    return 0;
}

void lua_tags_push_label(lua_State *lua, int name, const struct tag_set *tags)
{
    char label[LABEL_NAME + LIMIT_NAME_BYTES];
    size_t size = 0;

    if (tag_set_is_empty(tags)) {
        lua_pushvalue(lua, name);
        return;
    }
    const char *text = lua_type(lua, name) == LUA_TSTRING ? lua_tolstring(lua, name, &size) : "";
    label[0] = LABEL_TAGGED;
    memcpy(label + 1, tags, sizeof *tags);
    memcpy(label + LABEL_NAME, text, size);
    lua_pushlstring(lua, label, LABEL_NAME + size);
}

static bool label_is_tagged(lua_State *lua, int index, struct bytes *label)
{
    size_t size = 0;
    const char *text = lua_type(lua, index) == LUA_TSTRING ? lua_tolstring(lua, index, &size) : "";

    *label = bytes_of(text, size);
    return text[0] == LABEL_TAGGED;
}

struct bytes lua_tags_label_name(lua_State *lua, int index)
{
    struct bytes label;

    if (label_is_tagged(lua, index, &label)) {
        return bytes_of(label.data + LABEL_NAME, label.size - LABEL_NAME);
    }
    return label;
}

struct tag_set lua_tags_label_tags(lua_State *lua, int index)
{
    struct tag_set tags = {0};
    struct bytes label;

    if (label_is_tagged(lua, index, &label)) {
        memcpy(&tags, label.data + 1, sizeof tags);
    }
    return tags;
}
