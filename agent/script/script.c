/* Creates a Lua state with the script's limits, and runs the script's main chunk in it. */
#include "agent/script/error_hint.h"
#include "agent/script/error_text.h"
#include "agent/script/file_text.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/script/ticker.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

static const char *const fixture_names[FIXTURE_COUNT] = {
    "global_setup", "setup",           "setup_session",   "teardown_session",
    "teardown",     "global_teardown", "scenario_picker", "events",
};

const char *fixture_name(enum fixture fixture)
{
    return fixture_names[fixture];
}

/* Each lua_State has the address of its script in the extra space that Lua keeps before it. */
struct script *script_of(lua_State *lua)
{
    return *(struct script **)lua_getextraspace(lua);
}

void *script_check_object(lua_State *lua, int index, const void *type, const char *name)
{
    void *object = lua_touserdata(lua, index);

    if (object != NULL && type != NULL && lua_getmetatable(lua, index)) {
        bool is_it = lua_topointer(lua, -1) == type;
        lua_pop(lua, 1);
        if (is_it) {
            return object;
        }
    }
    if (index == 1 && luaL_testudata(lua, index, name) == NULL) {
        luaL_argerror(lua, index,
                      lua_pushfstring(lua, "%s expected, got %s; methods are called with a colon", name,
                                      luaL_typename(lua, index)));
    }
    return luaL_checkudata(lua, index, name);
}

static int open_libraries(lua_State *lua)
{
    sandbox_open(script_of(lua));
    return 0;
}

/* Reached only from our own code outside of protected calls: a bug. */
static int on_panic(lua_State *lua)
{
    const char *text = lua_tostring(lua, -1);

    fprintf(stderr, "tutti: uncaught Lua error: %s\n", text != NULL ? text : "?");
    abort();
}

/* A turn limit above the default is deliberate. */
static uint64_t instructions_of(uint64_t turn_limit_ms)
{
    uint64_t instructions = turn_limit_ms * (LIMITS_DEFAULT_INSTRUCTIONS / LIMIT_TURN_MS);

    return instructions > LIMITS_DEFAULT_INSTRUCTIONS ? instructions : LIMITS_DEFAULT_INSTRUCTIONS;
}

struct script *script_new(const struct script_settings *settings)
{
    uint64_t turn_limit_ms = settings->turn_limit_ms ? settings->turn_limit_ms : LIMIT_TURN_MS;
    struct script *script = MEMORY_NEW(struct script);

    script->limits = (struct limits){
        .memory = settings->memory,
        .instruction_limit =
            settings->instruction_limit ? settings->instruction_limit : instructions_of(turn_limit_ms),
        .time_limit_ns = turn_limit_ms * NS_PER_MS,
    };
    script->files = settings->files;
    script->is_system_allowed = settings->is_system_allowed;
    script->is_quiet = settings->is_quiet;
    script->is_target_given = settings->target != NULL;
    script->target = memory_copy_string(settings->target);
    script->environment = settings->environment;
    script->campaign_options = settings->campaign_options;
    script->thread_context = settings->thread_context;
    script->thread = settings->thread;
    script->library = settings->library;
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        script->fixtures[i] = LUA_NOREF;
    }
    script->response_type = script->http_defaults = LUA_NOREF;
    buffer_init(&script->text, LIMIT_TEXT_BYTES * 4);

    script->lua = lua_newstate(limits_allocate, &script->limits);
    if (script->lua == NULL) {
        abort();
    }
    lua_atpanic(script->lua, on_panic);
    *(struct script **)lua_getextraspace(script->lua) = script;
    script->limits.instructions_left = (int64_t)script->limits.instruction_limit;
    ticker_start();
    lua_pushcfunction(script->lua, open_libraries);
    lua_call(script->lua, 0, 0);
    return script;
}

void script_free(struct script **pointer)
{
    struct script *script = *pointer;

    if (script == NULL) {
        return;
    }
    lua_close(script->lua);
    block_cache_finish(&script->limits.blocks);
    ticker_stop();
    for (size_t i = 0; i < script->scenario_count; i++) {
        memory_free(script->scenarios[i].name);
    }
    memory_free(script->scenarios);
    memory_free(script->loads);
    for (size_t i = 0; i < script->option_count; i++) {
        memory_free(script->options[i].name);
        memory_free(script->options[i].text);
    }
    memory_free(script->options);
    memory_free(script->target);
    buffer_finish(&script->text);
    script_files_free(&script->files);
    memory_free(script);
    *pointer = NULL;
}

static int compare_scenarios(const void *left, const void *right)
{
    return strcmp(((const struct scenario *)left)->name, ((const struct scenario *)right)->name);
}

/* Loads and runs a chunk within the limits, without results. */
static bool run_chunk(struct script *script, const char *text, size_t size, const char *chunk)
{
    lua_State *lua = script->lua;

    limits_enter(&script->limits, lua, LIMITS_LOAD);
    int status = limits_load(lua, text, size, chunk);
    if (status == LUA_OK) {
        status = lua_pcall(lua, 0, 0, 0);
    }
    (void)limits_leave(&script->limits);
    return status == LUA_OK;
}

bool script_load(struct script *script, struct error *error)
{
    lua_State *lua = script->lua;
    const char *name = script_files_main(script->files);
    struct bytes content;

    if (!script_files_read(script->files, name, &content, error)) {
        return false;
    }
    struct bytes source = file_text_of_source(content);
    char *chunk = memory_format("@%s", name);
    script->is_loading = true;
    bool is_loaded = run_chunk(script, (const char *)source.data, source.size, chunk);
    script->is_loading = false;
    memory_free(chunk);
    if (!is_loaded) {
        return error_set(error, "%s", script_describe_error(script, lua));
    }
    if (script->scenario_count == 0) {
        return error_set(error, "%s: it has no scenario (tutti.scenario(name, function(worker) … end))",
                         name);
    }
    qsort(script->scenarios, script->scenario_count, sizeof *script->scenarios, compare_scenarios);
    for (size_t i = 0; i < script->scenario_count; i++) {
        script->total_weight += script->scenarios[i].weight;
    }
    return true;
}

const struct scenario *script_find_scenario(const struct script *script, const char *name, size_t size)
{
    for (size_t i = 0; i < script->scenario_count; i++) {
        const char *candidate = script->scenarios[i].name;
        if (strlen(candidate) == size && memcmp(candidate, name, size) == 0) {
            return &script->scenarios[i];
        }
    }
    return NULL;
}

/* Appends the text of the value on top of `lua`; pops it. */
static void append_value(struct script *script, lua_State *lua)
{
    lua_State *own = script->lua;
    size_t size;

    lua_pushcfunction(own, error_text_push);
    if (lua == own) {
        lua_insert(own, -2);
    } else {
        lua_xmove(lua, own, 1);
    }
    limits_enter(&script->limits, own, LIMITS_CLOSE);
    int status = lua_pcall(own, 1, 1, 0);
    (void)limits_leave(&script->limits);
    const char *text = lua_type(own, -1) == LUA_TSTRING ? lua_tolstring(own, -1, &size) : NULL;
    if (status != LUA_OK || text == NULL) {
        buffer_append_string(&script->text, "an error that cannot be shown");
    } else {
        buffer_append(&script->text, text, size < LIMIT_TEXT_BYTES ? size : LIMIT_TEXT_BYTES);
    }
    lua_pop(own, 1);
}

const char *script_describe_error(struct script *script, lua_State *lua)
{
    buffer_clear(&script->text);
    append_value(script, lua);
    struct bytes text = buffer_bytes(&script->text);
    if (script->target == NULL && error_hint_is_target(text)) {
        buffer_append_string(&script->text, "; no --target was given");
    } else if (error_hint_is_bare_assertion(text)) {
        const char *name = error_hint_push_witness(lua);
        if (name != NULL) {
            buffer_append_format(&script->text, " (%.80s: ", name);
            append_value(script, lua);
            buffer_append_string(&script->text, ")");
        }
    }
    return buffer_string(&script->text);
}

bool script_owns(lua_State *lua, lua_State *coroutine)
{
    bool is_owned = lua_rawgetp(lua, LUA_REGISTRYINDEX, coroutine) != LUA_TNIL;

    lua_pop(lua, 1);
    return is_owned;
}

bool script_may_wait(lua_State *lua)
{
    return lua_isyieldable(lua) && !script_of(lua)->cannot_wait;
}
