/* Checks the options that a script sets and spells them as on the command line. */
#include "agent/script/script_options.h"

#include "agent/script/lua_error.h"
#include "agent/script/lua_option.h"
#include "agent/script/script_state.h"
#include "common/duration.h"
#include "common/host_override.h"
#include "common/memory.h"
#include "proto/message/browser_mix.h"
#include "proto/message/campaign_option.h"
#include "proto/message/goal.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"
#include "proto/message/threshold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 64u
#define FILES "files"

/* What a script may set. In a script's names _ stands for -. */
static const struct option script_option_table[] = {
#define CAMPAIGN_OPTION(type, field, key, ...) {.size = sizeof(type), __VA_ARGS__},
#define CAMPAIGN_WORD(word, ...) {__VA_ARGS__},
#include "proto/message/campaign_options.inc"
#define COMMAND_OPTION(type, field, ...) {.size = sizeof(type), __VA_ARGS__},
#define RUN_OPTION(type, field, ...) {.size = sizeof(type), __VA_ARGS__},
#include "agent/script/command_options.inc"
};
#define ROW_COUNT (sizeof script_option_table / sizeof *script_option_table)

static void script_options_name(const struct option *option, char name[NAME_MAX_BYTES])
{
    (void)snprintf(name, NAME_MAX_BYTES, "%s", option->name);
    for (char *at = name; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : *at;
    }
}

static bool script_options_know(const char *name)
{
    char known[NAME_MAX_BYTES];

    for (size_t i = 0; i < ROW_COUNT; i++) {
        script_options_name(&script_option_table[i], known);
        if (strcmp(known, name) == 0) {
            return true;
        }
    }
    return strcmp(name, FILES) == 0;
}

/* Points out what other tools call so. */
static int script_options_refuse_unknown(lua_State *lua, const char *name)
{
    char known[NAME_MAX_BYTES];
    char dashed[NAME_MAX_BYTES] = "";

    for (size_t i = 0; i < NAME_MAX_BYTES - 1 && name[i] != '\0'; i++) {
        dashed[i] = name[i] == '_' ? '-' : name[i];
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (option_is_elsewhere(&script_option_table[i], bytes_of_string(dashed))) {
            script_options_name(&script_option_table[i], known);
            return lua_misuse(lua, "unknown option %.60s; it is %s here", name, known);
        }
    }
    return lua_misuse(lua, "unknown option %.60s", name);
}

bool script_option_exists(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(script_option_table[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The value is on top. */
static int script_options_refuse(lua_State *lua, const char *name, const char *expected)
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
    return lua_misuse(lua, "option %s: expected %s, got %s", name, expected, got);
}

/* A value that is being spelled. */
struct spelling {
    lua_State *lua;
    const struct option *option;
    char name[NAME_MAX_BYTES]; /* in the script */
    char text[64];
};

static void spelling_refuse(const struct spelling *spelling, const char *expected)
{
    (void)script_options_refuse(spelling->lua, spelling->name, expected);
}

static void spell_number(struct spelling *spelling)
{
    char expected[100];
    lua_State *lua = spelling->lua;
    uint64_t minimum = spelling->option->minimum;
    uint64_t maximum = option_maximum(spelling->option);
    int is_whole = 0;
    lua_Integer number = 0;

    if (lua_type(lua, -1) == LUA_TNUMBER) {
        number = lua_tointegerx(lua, -1, &is_whole);
    }
    if (!is_whole || number < 0 || (uint64_t)number < minimum || (uint64_t)number > maximum) {
        maximum = maximum < LUA_MAXINTEGER ? maximum : LUA_MAXINTEGER;
        snprintf(expected, sizeof expected, "a whole number from %llu to %llu", (unsigned long long)minimum,
                 (unsigned long long)maximum);
        spelling_refuse(spelling, expected);
    }
    snprintf(spelling->text, sizeof spelling->text, "%lld", (long long)number);
}

static void spell_real(struct spelling *spelling)
{
    char expected[100];
    double minimum = (double)spelling->option->minimum;
    double maximum = (double)option_maximum(spelling->option);
    double number = lua_type(spelling->lua, -1) == LUA_TNUMBER ? lua_tonumber(spelling->lua, -1) : NAN;

    if (!(number >= minimum && number <= maximum)) {
        snprintf(expected, sizeof expected, "a number from %.0f to %.0f", minimum, maximum);
        spelling_refuse(spelling, expected);
    }
    snprintf(spelling->text, sizeof spelling->text, "%.17f", number);
}

static void spell_duration(struct spelling *spelling)
{
    static const char expected[] = "a duration: seconds, or \"10s\", \"5m\", \"1h\"";
    lua_State *lua = spelling->lua;
    uint64_t milliseconds = 0;

    if (lua_type(lua, -1) == LUA_TNUMBER) {
        double seconds = lua_tonumber(lua, -1);
        if (!(seconds >= 0 && seconds <= 365.0 * 86400)) {
            spelling_refuse(spelling, expected);
        }
        milliseconds = (uint64_t)llround(seconds * 1000);
    } else if (lua_type(lua, -1) != LUA_TSTRING ||
               !duration_parse(lua_tostring(lua, -1), &milliseconds, NULL)) {
        spelling_refuse(spelling, expected);
    }
    snprintf(spelling->text, sizeof spelling->text, "%llums", (unsigned long long)milliseconds);
}

static const char *spell_text(struct spelling *spelling)
{
    const char *text = lua_type(spelling->lua, -1) == LUA_TSTRING ? lua_tostring(spelling->lua, -1) : NULL;

    if (text == NULL || lua_rawlen(spelling->lua, -1) != strlen(text)) {
        spelling_refuse(spelling, "a string");
    }
    return text;
}

/* Replaces {first, second} on top, strings or numbers, by "first:second", where that is allowed. */
static void spell_pair(const struct spelling *spelling)
{
    lua_State *lua = spelling->lua;

    if (!spelling->option->has_pairs || !lua_istable(lua, -1)) {
        return;
    }
    bool is_pair = lua_rawlen(lua, -1) == 2;
    is_pair = lua_rawgeti(lua, -1, 1) != LUA_TNIL && lua_isstring(lua, -1) && is_pair;
    is_pair = lua_rawgeti(lua, -2, 2) != LUA_TNIL && lua_isstring(lua, -1) && is_pair;
    if (!is_pair) {
        lua_pop(lua, 2);
        spelling_refuse(spelling, "pairs like {\"30s\", 100}");
    }
    lua_pushfstring(lua, "%s:%s", lua_tostring(lua, -2), lua_tostring(lua, -1));
    lua_replace(lua, -4);
    lua_pop(lua, 2);
}

/* The value on top, a string or a number, is added as "name=value", or alone if it has no name. */
static void spell_field(const struct spelling *spelling, luaL_Buffer *joined, int name)
{
    lua_State *lua = spelling->lua;
    if (lua_type(lua, -1) != LUA_TSTRING && lua_type(lua, -1) != LUA_TNUMBER) {
        spelling_refuse(spelling, "a string, or a table of strings and numbers");
    }
    if (lua_type(lua, name) == LUA_TSTRING) {
        lua_pushfstring(lua, "%s=%s;", lua_tostring(lua, name), lua_tostring(lua, -1));
    } else {
        lua_pushfstring(lua, "%s;", lua_tostring(lua, -1));
    }
    lua_remove(lua, -2);
    luaL_addvalue(joined);
}

/* A string, or a table of them by name: "name=value;…", in place of the table. */
static const char *spell_fields(struct spelling *spelling)
{
    lua_State *lua = spelling->lua;
    luaL_Buffer joined;

    if (!spelling->option->has_fields || !lua_istable(lua, -1)) {
        return spell_text(spelling);
    }
    int table = lua_gettop(lua);
    lua_pushnil(lua); /* the name, below what the buffer keeps on the stack */
    int name = lua_gettop(lua);
    luaL_buffinit(lua, &joined);
    for (;;) {
        lua_pushvalue(lua, name);
        if (lua_next(lua, table) == 0) {
            break;
        }
        lua_pushvalue(lua, -2);
        lua_replace(lua, name);
        lua_remove(lua, -2);
        spell_field(spelling, &joined, name);
    }
    luaL_pushresult(&joined);
    lua_replace(lua, table);
    lua_settop(lua, table);
    return lua_tostring(lua, table);
}

/* A string, or a list of strings: these with the separator between them, in place of the list. */
static const char *spell_list(struct spelling *spelling)
{
    static const char expected[] = "a string, or a list of strings";
    lua_State *lua = spelling->lua;
    char separator = spelling->option->separator != 0 ? spelling->option->separator : ' ';
    luaL_Buffer joined;

    if (!lua_istable(lua, -1)) {
        return spell_text(spelling);
    }
    int list = lua_gettop(lua);
    luaL_buffinit(lua, &joined);
    for (lua_Integer i = 1; lua_rawgeti(lua, list, i) != LUA_TNIL; i++) {
        spell_pair(spelling);
        if (lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) != strlen(lua_tostring(lua, -1))) {
            spelling_refuse(spelling, expected);
        }
        if (i > 1) {
            lua_pushlstring(lua, &separator, 1);
            lua_insert(lua, -2);
            lua_concat(lua, 2);
        }
        luaL_addvalue(&joined);
    }
    lua_pop(lua, 1);
    luaL_pushresult(&joined);
    lua_replace(lua, list);
    return lua_tostring(lua, list);
}

static const char *spell_choice(struct spelling *spelling)
{
    char expected[200] = "one of ";
    const struct option *option = spelling->option;
    const char *given = lua_type(spelling->lua, -1) == LUA_TSTRING ? lua_tostring(spelling->lua, -1) : "";
    uint32_t value;

    if (!option_find_choice(option, given, &value)) {
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            size_t length = strlen(expected);
            snprintf(expected + length, sizeof expected - length, "%s%s", i == 0 ? "" : ", ",
                     option->choices[i]);
        }
        spelling_refuse(spelling, expected);
    }
    return given;
}

/* An integer, or a string that is more than an integer. */
static const char *spell_custom(struct spelling *spelling)
{
    lua_State *lua = spelling->lua;
    struct campaign_options scratch;
    const char *text = "";

    if (lua_isinteger(lua, -1)) {
        snprintf(spelling->text, sizeof spelling->text, "%lld", (long long)lua_tointeger(lua, -1));
        text = spelling->text;
    } else if (lua_type(lua, -1) == LUA_TSTRING) {
        text = lua_tostring(lua, -1);
        text = text[strspn(text, "0123456789")] == '\0' ? "" : text;
    }
    if (!spelling->option->parse(text, &scratch, NULL)) {
        spelling_refuse(spelling, spelling->option->expected);
    }
    return text;
}

/* The value is on top of the stack; returns the text as on the command line. */
static const char *spell(struct spelling *spelling)
{
    switch (spelling->option->type) {
    case OPTION_NUMBER:
    case OPTION_COUNT:
        spell_number(spelling);
        return spelling->text;
    case OPTION_REAL:
        spell_real(spelling);
        return spelling->text;
    case OPTION_DURATION:
        spell_duration(spelling);
        return spelling->text;
    case OPTION_FLAG:
        if (!lua_isboolean(spelling->lua, -1)) {
            spelling_refuse(spelling, "true or false");
        }
        return lua_toboolean(spelling->lua, -1) ? "true" : "false";
    case OPTION_TEXT:
    case OPTION_TEXTS:
    case OPTION_BYTES:
        return spelling->option->is_list ? spell_list(spelling) : spell_fields(spelling);
    case OPTION_CHOICE:
        return spell_choice(spelling);
    case OPTION_CUSTOM:
        return spell_custom(spelling);
    }
    return NULL;
}

/* The list is on top of the stack: adds the files to the bundle now. */
static void script_options_read_files(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct error error;
    struct bytes content;

    if (!lua_istable(lua, -1)) {
        script_options_refuse(lua, FILES, "a list of file names");
    }
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++) {
        if (lua_type(lua, -1) != LUA_TSTRING) {
            script_options_refuse(lua, FILES, "a list of file names");
        }
        if (!script_files_read(script->files, lua_tostring(lua, -1), &content, &error)) {
            lua_misuse(lua, "option files: %s", error.text);
        }
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

static void script_options_keep(struct script *script, const char *name, const char *text)
{
    for (size_t i = 0; i < script->option_count; i++) {
        if (strcmp(script->options[i].name, name) == 0) {
            memory_free(script->options[i].text);
            script->options[i].text = memory_copy_string(text);
            return;
        }
    }
    script->options = memory_reserve(script->options, &script->option_capacity, script->option_count + 1,
                                     sizeof *script->options);
    script->options[script->option_count++] =
        (struct script_set_option){.name = memory_copy_string(name), .text = memory_copy_string(text)};
}

/* The value is on top. */
static void script_options_take(lua_State *lua, const struct option *option)
{
    struct script *script = script_of(lua);
    struct spelling spelling = {.lua = lua, .option = option};

    script_options_name(option, spelling.name);
    const char *text = spell(&spelling);
    script_options_keep(script, option->name, text);
    if (strcmp(option->name, "target") == 0 && !script->is_target_given) {
        memory_free(script->target);
        script->target = memory_copy_string(text);
    }
}

static const char *script_options_kept(const struct script *script, const char *name)
{
    for (size_t i = 0; i < script->option_count; i++) {
        if (strcmp(script->options[i].name, name) == 0) {
            return script->options[i].text;
        }
    }
    return NULL;
}

void script_options_add(lua_State *lua, const char *name)
{
    struct script *script = script_of(lua);
    struct error error;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct option *option = &script_option_table[i];
        if (strcmp(option->name, name) != 0) {
            continue;
        }
        struct spelling spelling = {.lua = lua, .option = option};
        script_options_name(option, spelling.name);
        const char *text = spell(&spelling);
        if (option->check != NULL && !option->check(bytes_of_string(text), &error)) {
            lua_misuse(lua, "%s: %s", name, error.text);
        }
        const char *kept = script_options_kept(script, name);
        if (kept != NULL) { /* on the stack, where an error of the script finds it */
            lua_pushfstring(lua, "%s%c%s", kept, option->separator, text);
            text = lua_tostring(lua, -1);
        }
        script_options_keep(script, name, text);
    }
}

static void check_name(lua_State *lua)
{
    if (lua_type(lua, -2) != LUA_TSTRING) {
        lua_misuse(lua, "tutti.options: expected name = value");
    }
    if (!script_options_know(lua_tostring(lua, -2))) {
        script_options_refuse_unknown(lua, lua_tostring(lua, -2));
    }
}

/* In the order of the rows, so that the first error is always the same. */
int script_set_options(lua_State *lua)
{
    char name[NAME_MAX_BYTES];

    if (!script_of(lua)->is_loading) {
        return lua_misuse(lua, "tutti.options: only while the script loads");
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_option_check_plain(lua, 1, "tutti.options");
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        check_name(lua);
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        script_options_name(&script_option_table[i], name);
        if (lua_option_get(lua, 1, name) != LUA_TNIL) {
            script_options_take(lua, &script_option_table[i]);
        }
        lua_pop(lua, 1);
    }
    if (lua_option_get(lua, 1, FILES) != LUA_TNIL) {
        script_options_read_files(lua);
    }
    lua_pop(lua, 1);
    return 0;
}

static const char *script_options_find(const struct script *script, const char *name)
{
    for (size_t i = 0; i < script->option_count; i++) {
        if (strcmp(script->options[i].name, name) == 0) {
            return script->options[i].text;
        }
    }
    return NULL;
}

static void check_load_names(lua_State *lua)
{
    for (lua_pushnil(lua); lua_next(lua, 2); lua_pop(lua, 1)) {
        bool is_known = false;
        for (size_t i = 0; lua_type(lua, -2) == LUA_TSTRING && i < LOAD_OPTION_COUNT; i++) {
            is_known = is_known || strcmp(load_option_table[i].name, lua_tostring(lua, -2)) == 0;
        }
        if (!is_known) {
            lua_misuse(lua, "tutti.load: unknown option %.60s", luaL_tolstring(lua, -2, NULL));
        }
    }
}

/* Leaves the line of this load on the stack: its scenario, and what the table at 2 says. */
static const char *push_load_line(lua_State *lua)
{
    lua_settop(lua, 2);
    lua_pushvalue(lua, 1);
    for (size_t i = 0; i < LOAD_OPTION_COUNT; i++) {
        struct spelling spelling = {.lua = lua, .option = &load_option_table[i]};
        script_options_name(spelling.option, spelling.name);
        if (lua_option_get(lua, 2, spelling.name) != LUA_TNIL) {
            const char *text = spell(&spelling);
            lua_pushfstring(lua, "%s;%s=%s", lua_tostring(lua, 3), spelling.name, text);
            lua_replace(lua, 3);
        }
        lua_settop(lua, 3);
    }
    return lua_tostring(lua, 3);
}

int script_add_load(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct error error;

    if (!script->is_loading) {
        return lua_misuse(lua, "tutti.load: only while the script loads");
    }
    const char *name = lua_type(lua, 1) == LUA_TSTRING ? lua_tostring(lua, 1) : "";
    if (*name == '\0' || strlen(name) != lua_rawlen(lua, 1) || strpbrk(name, ";\n") != NULL) {
        return lua_misuse(lua, "tutti.load: expected the name of a scenario, without a semicolon");
    }
    luaL_checktype(lua, 2, LUA_TTABLE);
    lua_option_check_plain(lua, 2, "tutti.load");
    check_load_names(lua);
    const char *before = script_options_find(script, "load");
    const char *line = push_load_line(lua);
    lua_pushfstring(lua, "%s%s%s", before != NULL ? before : "", before != NULL ? "\n" : "", line);
    const char *all = lua_tostring(lua, -1);
    if (strlen(all) > LIMIT_LOAD_BYTES || !loads_check(bytes_of_string(all), &error)) {
        return lua_misuse(lua, "tutti.load: %s", strlen(all) > LIMIT_LOAD_BYTES ? "too much" : error.text);
    }
    script_options_keep(script, "load", all);
    return 0;
}
