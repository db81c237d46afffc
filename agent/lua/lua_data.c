/* tutti.data: rows from a file or a table, and which worker gets which. */
#include "agent/lua/lua_data.h"

#include "agent/lua/lua_call.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/data.h"
#include "agent/script/file_text.h"
#include "agent/script/lua_error.h"
#include "agent/script/lua_value.h"
#include "agent/script/script_state.h"
#include "common/random.h"
#include "common/value.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define METATABLE "tutti.data"
#define LONGEST_TITLE 100

enum mode { MODE_UNIQUE, MODE_ROUND_ROBIN, MODE_RANDOM, MODE_ROOM };
static const char *const mode_names[] = {"unique", "round_robin", "random", "room", NULL};

struct data {
    struct data_rows rows; /* first: data.c sees only this */
    enum mode mode;
    bool is_wrapping;
    uint32_t number; /* in the order in which the script made them */
};

static struct data *to_data(lua_State *lua)
{
    return luaL_checkudata(lua, 1, METATABLE);
}

static enum mode mode_of(lua_State *lua)
{
    enum mode mode = MODE_UNIQUE;

    if (lua_option_get(lua, 2, "mode") != LUA_TNIL) {
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
        while (mode_names[mode] != NULL && strcmp(mode_names[mode], name) != 0) {
            mode++;
        }
        if (mode_names[mode] == NULL) {
            lua_misuse(lua, "tutti.data: mode: expected unique, round_robin, random or room, got %.60s",
                       luaL_tolstring(lua, -1, NULL));
        }
    }
    lua_pop(lua, 1);
    return mode;
}

static void lua_data_read_options(lua_State *lua, struct data *data)
{
    static const char *const names[] = {"mode", "wrap", "separator", NULL};

    lua_call_check_options(lua, 2, "tutti.data", names);
    if (!lua_istable(lua, 2)) {
        return;
    }
    data->mode = mode_of(lua);
    int type = lua_option_get(lua, 2, "wrap");
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        lua_misuse(lua, "tutti.data: wrap: expected true or false, got a %s", luaL_typename(lua, -1));
    }
    if (type != LUA_TNIL && data->mode != MODE_UNIQUE) {
        lua_misuse(lua, "tutti.data: wrap is for mode = \"unique\": the others have no end");
    }
    data->is_wrapping = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
}

/* Of the fields of a CSV; a comma if the options name none. */
static char separator_of(lua_State *lua, bool is_csv)
{
    char separator = ',';
    size_t size = 0;

    if (lua_istable(lua, 2) && lua_option_get(lua, 2, "separator") != LUA_TNIL) {
        const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : "";
        if (!is_csv) {
            lua_misuse(lua, "tutti.data: separator is for .csv files");
        }
        if (size != 1 || strchr("\"\r\n", text[0]) != NULL || (text[0] & 0x80) != 0) {
            lua_misuse(lua,
                       "tutti.data: separator: expected one character such as \";\" or \"\\t\", got %.60s",
                       luaL_tolstring(lua, -1, NULL));
        }
        separator = text[0];
    }
    lua_settop(lua, 3);
    return separator;
}

static bool has_ending(const char *path, const char *ending)
{
    size_t size = strlen(path);

    return size > strlen(ending) && strcmp(path + size - strlen(ending), ending) == 0;
}

static void lua_data_open_file(lua_State *lua, int index)
{
    const char *path = lua_tostring(lua, 1);
    struct error error;
    struct bytes text;

    bool is_known = has_ending(path, ".csv") || has_ending(path, ".jsonl") || has_ending(path, ".json");
    if (!is_known) {
        lua_misuse(lua, "tutti.data: %.200s: expected a file that ends with .csv, .jsonl or .json", path);
    }
    if (!script_files_read(script_of(lua)->files, path, &text, &error)) {
        lua_misuse(lua, "tutti.data: %s", error.text);
    }
    if (!file_text_check(text, &error)) {
        lua_misuse(lua, "tutti.data: %s:%s", path, error.text);
    }
    text = file_text_without_mark(text);
    char separator = separator_of(lua, has_ending(path, ".csv"));
    if (has_ending(path, ".csv")) {
        data_open_csv(lua, index, path, text, separator);
    } else if (has_ending(path, ".jsonl")) {
        data_open_lines(lua, index, path, text);
    } else {
        data_open_json(lua, index, path, text);
    }
}

/* What the rows are called in messages, and the variable that counts those that have been given out. */
static void keep_name(lua_State *lua, struct data *data)
{
    char name[LONGEST_TITLE + 40];
    const char *path = lua_type(lua, 1) == LUA_TSTRING ? lua_tostring(lua, 1) : "a table";

    snprintf(name, sizeof name, LUA_DATA_PREFIX "%u:%.*s", (unsigned)data->number, LONGEST_TITLE, path);
    lua_pushstring(lua, name);
    lua_setiuservalue(lua, 3, DATA_NAME_VALUE);
}

static const char *title_of(const char *name)
{
    return strchr(strchr(name, ':') + 1, ':') + 1;
}

int lua_data_new(lua_State *lua)
{
    struct script *script = script_of(lua);

    if (!script->is_loading) {
        return lua_misuse(lua, "tutti.data: only while the script loads");
    }
    lua_settop(lua, 2);
    struct data *data = lua_newuserdatauv(lua, sizeof *data, 3);
    *data = (struct data){.number = ++script->data_count};
    luaL_setmetatable(lua, METATABLE);
    lua_data_read_options(lua, data);
    if (lua_istable(lua, 1)) {
        (void)separator_of(lua, false);
        lua_pushvalue(lua, 1);
        data_open_table(lua, 3, "tutti.data");
    } else if (lua_type(lua, 1) == LUA_TSTRING) {
        lua_data_open_file(lua, 3);
    } else {
        return lua_misuse(lua, "tutti.data: expected the name of a file or a list of rows, got a %s",
                          luaL_typename(lua, 1));
    }
    keep_name(lua, data);
    lua_settop(lua, 3);
    return 1;
}

/* The variable's name is at 1, the data at 2. */
static int give_counted(lua_State *lua, struct vu *vu, const struct reply *reply)
{
    const struct data *data = lua_touserdata(lua, 2);
    char text[LONGEST_TITLE + 100];

    (void)vu;
    lua_value_push(lua, reply->value);
    lua_Integer row = lua_isinteger(lua, -1) ? lua_tointeger(lua, -1) : 0;
    if (row < 1) {
        return lua_misuse(lua, "the variable that counts the rows is none of ours");
    }
    if (data->is_wrapping) {
        row = (row - 1) % data->rows.count + 1;
    }
    if (row > data->rows.count) {
        snprintf(text, sizeof text, "%s: all %u rows have been given out", title_of(lua_tostring(lua, 1)),
                 (unsigned)data->rows.count);
        struct lua_failure failure = {.outcome = "short", .kind = "exhausted", .message = text};
        return lua_failure_raise(lua, &failure);
    }
    data_push_row(lua, 2, (uint32_t)row);
    return 1;
}

/* A variable of the campaign counts, so each row is given out once on all agents together. */
static int next_unique(lua_State *lua, struct vu *vu)
{
    struct operation operation;
    struct buffer one;
    uint8_t memory[16];

    lua_getiuservalue(lua, 1, DATA_NAME_VALUE);
    lua_insert(lua, 1);
    lua_call_prepare(lua, vu, &operation, OPERATION_INCR, 1);
    operation.room = ROOM_CAMPAIGN;
    buffer_init_within(&one, memory, sizeof memory);
    value_append_integer(&one, 1);
    operation.value = buffer_bytes(&one);
    return lua_call_send(lua, vu, &operation, give_counted);
}

/* From a stateless generator, so that it repeats with the seed. */
static uint64_t draw(const struct data *data, struct vu *vu)
{
    struct random random;

    random_seed(&random, vu_options(vu)->seed + vu->id * 0x9e3779b97f4a7c15ull +
                             vu->step * 0xd1b54a32d192ed03ull + vu_next_draw(vu) * 0xaef17502108ef2d9ull);
    return random_below(&random, data->rows.count);
}

static uint64_t pick(const struct data *data, struct vu *vu)
{
    const struct campaign_options *options = vu_options(vu);
    uint64_t steps_before = vu->step > 0 ? vu->step - 1 : 0; /* setup is before the first */

    switch (data->mode) {
    case MODE_ROUND_ROBIN:
        return (steps_before * options->workers + vu->id) % data->rows.count;
    case MODE_ROOM:
        return (steps_before * campaign_room_count(options) + vu_room(vu)) % data->rows.count;
    case MODE_RANDOM:
        return draw(data, vu);
    case MODE_UNIQUE:
        break;
    }
    return 0;
}

/* data:next([worker]) */
static int next_row(lua_State *lua)
{
    struct data *data = to_data(lua);

    lua_settop(lua, 2);
    if (!lua_isnil(lua, 2)) {
        lua_rotate(lua, 1, 1);
        (void)lua_worker_check(lua, "next");
        lua_rotate(lua, 1, 1);
    }
    lua_settop(lua, 1);
    struct vu *vu = vu_current(lua, "next");
    if (data->mode == MODE_UNIQUE) {
        return next_unique(lua, vu);
    }
    data_push_row(lua, 1, (uint32_t)pick(data, vu) + 1);
    return 1;
}

static int lua_data_get_field(lua_State *lua)
{
    struct data *data = to_data(lua);

    if (lua_isinteger(lua, 2)) {
        lua_Integer row = lua_tointeger(lua, 2);
        if (row >= 1 && row <= data->rows.count) {
            data_push_row(lua, 1, (uint32_t)row);
        } else {
            lua_pushnil(lua);
        }
        return 1;
    }
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "";
    if (strcmp(name, "next") != 0) {
        return lua_misuse(lua, "tutti.data has rows (1 to %u) and next, but no %.60s",
                          (unsigned)data->rows.count, luaL_tolstring(lua, 2, NULL));
    }
    lua_pushcfunction(lua, next_row);
    return 1;
}

static int get_length(lua_State *lua)
{
    lua_pushinteger(lua, to_data(lua)->rows.count);
    return 1;
}

void lua_data_open(lua_State *lua)
{
    if (luaL_newmetatable(lua, METATABLE)) {
        lua_pushcfunction(lua, lua_data_get_field);
        lua_setfield(lua, -2, "__index");
        lua_pushcfunction(lua, get_length);
        lua_setfield(lua, -2, "__len");
        lua_pushboolean(lua, 0);
        lua_setfield(lua, -2, "__metatable");
    }
    lua_pop(lua, 1);
}
