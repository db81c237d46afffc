/* Checks the options that a script sets and spells them as on the command line. */
#include "agent/script/script_options.h"

#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/script_state.h"
#include "common/duration.h"
#include "common/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum type { TYPE_NUMBER, TYPE_DURATION, TYPE_FLAG, TYPE_TEXT, TYPE_CHOICE, TYPE_FAIL, TYPE_FILES };

struct row {
    const char *name; /* in the script */
    enum type type;
    uint64_t minimum; /* of a number */
    uint64_t maximum;
    const char *choices; /* "shrink, replace, fail" */
};

static const struct row rows[] = {
    {"workers", TYPE_NUMBER, 1, 1000000, NULL},
    {"runs", TYPE_NUMBER, 1, 1000000000000, NULL},
    {"duration", TYPE_DURATION, 0, 0, NULL},
    {"ramp_up", TYPE_DURATION, 0, 0, NULL},
    {"delay", TYPE_DURATION, 0, 0, NULL},
    {"agents", TYPE_NUMBER, 1, 1000, NULL},
    {"shards", TYPE_NUMBER, 1, 256, NULL},
    {"room_size", TYPE_NUMBER, 1, 1000000, NULL},
    {"on_loss", TYPE_CHOICE, 0, 0, "shrink, replace, fail, replace=again, replace=next"},
    {"on_deadlock", TYPE_CHOICE, 0, 0, "stop, fail"},
    {"sync_timeout", TYPE_DURATION, 0, 0, NULL},
    {"setup_timeout", TYPE_DURATION, 0, 0, NULL},
    {"target", TYPE_TEXT, 0, 0, NULL},
    {"browser", TYPE_CHOICE, 0, 0, "chromium, firefox, webkit, remote"},
    {"single_run", TYPE_FLAG, 0, 0, NULL},
    {"single_mode", TYPE_TEXT, 0, 0, NULL},
    {"exception", TYPE_FLAG, 0, 0, NULL},
    {"fail", TYPE_FAIL, 0, 0, NULL},
    {"seed", TYPE_NUMBER, 0, INT64_MAX, NULL},
    {"json", TYPE_TEXT, 0, 0, NULL},
    {"quiet", TYPE_FLAG, 0, 0, NULL},
    {"verbose", TYPE_NUMBER, 0, 10, NULL},
    {"files", TYPE_FILES, 0, 0, NULL},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

bool script_option_exists(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        size_t at = 0;
        while (name[at] != 0 && name[at] == (rows[i].name[at] == '_' ? '-' : rows[i].name[at])) {
            at++;
        }
        if (name[at] == 0 && rows[i].name[at] == 0 && rows[i].type != TYPE_FILES) {
            return true;
        }
    }
    return false;
}

static int script_options_refuse(lua_State *lua, const struct row *row, const char *expected)
{
    char got[80];

    if (lua_type(lua, -1) == LUA_TSTRING) {
        snprintf(got, sizeof got, "\"%.60s\"", lua_tostring(lua, -1));
    } else if (lua_isinteger(lua, -1)) {
        snprintf(got, sizeof got, "%lld", (long long)lua_tointeger(lua, -1));
    } else if (lua_type(lua, -1) == LUA_TNUMBER) {
        snprintf(got, sizeof got, "%g", lua_tonumber(lua, -1));
    } else {
        snprintf(got, sizeof got, "a %s", luaL_typename(lua, -1));
    }
    return lua_misuse(lua, "option %s: expected %s, got %s", row->name, expected, got);
}

static void spell_number(lua_State *lua, const struct row *row, char *text, size_t size)
{
    char expected[100];
    int is_whole = 0;
    lua_Integer number = 0;

    if (lua_type(lua, -1) == LUA_TNUMBER) {
        number = lua_tointegerx(lua, -1, &is_whole);
    }
    if (!is_whole || number < 0 || (uint64_t)number < row->minimum || (uint64_t)number > row->maximum) {
        snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
                 (unsigned long long)row->minimum, (unsigned long long)row->maximum);
        script_options_refuse(lua, row, expected);
    }
    snprintf(text, size, "%lld", (long long)number);
}

static void spell_duration(lua_State *lua, const struct row *row, char *text, size_t size)
{
    static const char expected[] = "a duration: seconds, or \"10s\", \"5m\", \"1h\"";
    uint64_t milliseconds = 0;

    if (lua_type(lua, -1) == LUA_TNUMBER) {
        double seconds = lua_tonumber(lua, -1);
        if (!(seconds >= 0 && seconds <= 365.0 * 86400)) {
            script_options_refuse(lua, row, expected);
        }
        milliseconds = (uint64_t)llround(seconds * 1000);
    } else if (lua_type(lua, -1) != LUA_TSTRING ||
               !duration_parse(lua_tostring(lua, -1), &milliseconds, NULL)) {
        script_options_refuse(lua, row, expected);
    }
    snprintf(text, size, "%llums", (unsigned long long)milliseconds);
}

static void spell_fail(lua_State *lua, const struct row *row, char *text, size_t size)
{
    static const char expected[] = "a number of steps, or a percentage like \"5%\"";
    double percent;
    char sign;
    char rest;

    if (lua_isinteger(lua, -1) && lua_tointeger(lua, -1) >= 0) {
        snprintf(text, size, "%lld", (long long)lua_tointeger(lua, -1));
        return;
    }
    if (lua_type(lua, -1) != LUA_TSTRING ||
        sscanf(lua_tostring(lua, -1), "%lf%c%c", &percent, &sign, &rest) != 2 || sign != '%' ||
        !(percent >= 0 && percent <= 100)) {
        script_options_refuse(lua, row, expected);
    }
    snprintf(text, size, "%s", lua_tostring(lua, -1));
}

static void check_choice(lua_State *lua, const struct row *row)
{
    char expected[100];
    const char *given = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    size_t length = strlen(given);
    const char *found = length > 0 ? strstr(row->choices, given) : NULL;

    if (found != NULL && (found == row->choices || found[-1] == ' ') &&
        (found[length] == ',' || found[length] == 0)) {
        return;
    }
    snprintf(expected, sizeof expected, "one of %s", row->choices);
    script_options_refuse(lua, row, expected);
}

/* Adds the files to the bundle now. */
static void read_files(lua_State *lua, const struct row *row)
{
    struct script *script = script_of(lua);
    struct error error;
    struct bytes content;

    if (!lua_istable(lua, -1)) {
        script_options_refuse(lua, row, "a list of file names");
    }
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        if (lua_type(lua, -1) != LUA_TSTRING) {
            script_options_refuse(lua, row, "a list of file names");
        }
        if (!script_files_read(script->files, lua_tostring(lua, -1), &content, &error)) {
            lua_misuse(lua, "option files: %s", error.text);
        }
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

/* The value is on top of the stack; returns the text to keep, or NULL for none. */
static const char *spell(lua_State *lua, const struct row *row, char *text, size_t size)
{
    switch (row->type) {
    case TYPE_NUMBER:
        spell_number(lua, row, text, size);
        return text;
    case TYPE_DURATION:
        spell_duration(lua, row, text, size);
        return text;
    case TYPE_FAIL:
        spell_fail(lua, row, text, size);
        return text;
    case TYPE_FLAG:
        if (!lua_isboolean(lua, -1)) {
            script_options_refuse(lua, row, "true or false");
        }
        return lua_toboolean(lua, -1) ? "true" : "false";
    case TYPE_TEXT:
        if (lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) != strlen(lua_tostring(lua, -1))) {
            script_options_refuse(lua, row, "a string");
        }
        return lua_tostring(lua, -1);
    case TYPE_CHOICE:
        check_choice(lua, row);
        return lua_tostring(lua, -1);
    case TYPE_FILES:
        read_files(lua, row);
        return NULL;
    }
    return NULL;
}

static void script_options_keep(struct script *script, const char *name, const char *text)
{
    char *dashed = memory_copy_string(name);

    for (char *at = dashed; *at; at++) {
        if (*at == '_') {
            *at = '-';
        }
    }
    for (size_t i = 0; i < script->option_count; i++) {
        if (strcmp(script->options[i].name, dashed) == 0) {
            memory_free(dashed);
            memory_free(script->options[i].text);
            script->options[i].text = memory_copy_string(text);
            return;
        }
    }
    script->options = memory_reserve(script->options, &script->option_capacity, script->option_count + 1,
                                     sizeof *script->options);
    script->options[script->option_count++] =
        (struct script_set_option){.name = dashed, .text = memory_copy_string(text)};
}

static void check_name(lua_State *lua)
{
    if (lua_type(lua, -2) != LUA_TSTRING) {
        lua_misuse(lua, "tutti.options: expected name = value");
    }
    if (find_row(lua_tostring(lua, -2)) == NULL) {
        lua_misuse(lua, "unknown option %.60s", lua_tostring(lua, -2));
    }
}

/* In the order of the rows, so that the first error is always the same. */
int script_set_options(lua_State *lua)
{
    struct script *script = script_of(lua);
    char text[64];

    if (!script->is_loading) {
        return lua_misuse(lua, "tutti.options: only while the script loads");
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_option_check_plain(lua, 1, "tutti.options");
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        check_name(lua);
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (lua_option_get(lua, 1, rows[i].name) != LUA_TNIL) {
            const char *spelt = spell(lua, &rows[i], text, sizeof text);
            if (spelt != NULL) {
                script_options_keep(script, rows[i].name, spelt);
            }
            if (spelt != NULL && strcmp(rows[i].name, "target") == 0 && !script->is_target_given) {
                memory_free(script->target);
                script->target = memory_copy_string(spelt);
            }
        }
        lua_pop(lua, 1);
    }
    return 0;
}
