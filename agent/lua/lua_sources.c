/* Runs the sources of a module, each when it is first imported. */
#include "agent/lua/lua_sources.h"

#include "agent/lua/lua_tags.h"
#include "agent/lua/lua_tutti.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/library.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/shard/vu_api.h"
#include "common/clock.h"
#include "proto/message/limits.h"

#include <lauxlib.h>
#include <string.h>

/* What import has: what was imported, by its name, and the agent's side; then the module. */
enum { IMPORTED = 1, NATIVE, MODULE };

/* The first upvalue of each function of the agent's side. */
static const char *native_module(lua_State *lua)
{
    return lua_tostring(lua, lua_upvalueindex(1));
}

static int native_fail(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    lua_failure_adopt(lua, 1);
    return lua_error(lua);
}

static int native_misuse(lua_State *lua)
{
    return lua_misuse(lua, "%s", luaL_checkstring(lua, 1));
}

static int native_worker(lua_State *lua)
{
    lua_worker_push(lua, vu_current(lua, native_module(lua)));
    return 1;
}

/* What a module does by itself counts as timings, so that it is not among the script's own requests. */
static int native_record(lua_State *lua)
{
    struct vu *vu = vu_current(lua, native_module(lua));
    size_t size;
    const char *name = luaL_checklstring(lua, 1, &size);
    if (size == 0 || size > LIMIT_NAME_BYTES || !bytes_is_printable(bytes_of(name, size))) {
        return lua_misuse(lua, "%s: a name is printable text of 1 to %u bytes", native_module(lua),
                          LIMIT_NAME_BYTES);
    }
    struct tag_set tags = {{0}};
    if (!lua_isnoneornil(lua, 4)) {
        tags = lua_tags_read(lua, 4, native_module(lua));
    }
    double took_s = (double)clock_now_ns() / 1e9 - luaL_checknumber(lua, 3);

    struct request_sample sample = {.name = bytes_of(name, size),
                                    .tags = tags,
                                    .is_timing = true,
                                    .is_ok = lua_toboolean(lua, 2),
                                    .latency_us = took_s > 0 ? (uint64_t)(took_s * 1e6) : 0};
    vu_measure(vu, &sample);
    return 0;
}

/* Whether the options at index 1 get fields from a metatable, which we do not look at. */
static int native_has_defaults(lua_State *lua)
{
    lua_pushboolean(lua, luaL_getmetafield(lua, 1, "__index") != LUA_TNIL);
    return 1;
}

static const struct embedded_source *find_source(const struct lua_sources *module, const char *name,
                                                 const char *ending)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < *module->count; i++) {
        const char *candidate = module->sources[i].name;
        if (strncmp(candidate, name, size) == 0 && strcmp(candidate + size, ending) == 0) {
            return &module->sources[i];
        }
    }
    return NULL;
}

/* Its arguments are import and the agent's side. */
static void run_source(lua_State *lua, const struct lua_sources *module, const struct embedded_source *source)
{
    const char *chunk = lua_pushfstring(lua, "=%s/%s", module->module, source->name);

    library_load(lua, source->text, source->size, chunk);
    lua_getfield(lua, lua_upvalueindex(IMPORTED), "import");
    lua_pushvalue(lua, lua_upvalueindex(NATIVE));
    lua_call(lua, 2, 1);
}

/* import(name): what the source `name`.lua returns, run once, or the text of the file `name`. */
static int import(lua_State *lua)
{
    const struct lua_sources *module = lua_touserdata(lua, lua_upvalueindex(MODULE));
    const char *name = luaL_checkstring(lua, 1);

    lua_settop(lua, 1);
    if (lua_getfield(lua, lua_upvalueindex(IMPORTED), name) != LUA_TNIL) {
        return 1;
    }
    const struct embedded_source *source = find_source(module, name, ".lua");
    if (source != NULL) {
        run_source(lua, module, source);
    } else {
        source = find_source(module, name, "");
        if (source == NULL) {
            return luaL_error(lua, "%s has no source '%s'", module->module, name);
        }
        lua_pushlstring(lua, (const char *)source->text, source->size);
    }
    lua_pushvalue(lua, -1);
    lua_setfield(lua, lua_upvalueindex(IMPORTED), name);
    return 1;
}

/* A table of what the sources import: instances of their own. */
static void push_imports(lua_State *lua, const struct lua_sources *module)
{
    lua_newtable(lua);
    lua_pushcfunction(lua, luaopen_tutti);
    lua_call(lua, 0, 1);
    lua_setfield(lua, -2, "tutti");
    library_push_json(lua);
    lua_setfield(lua, -2, "json");
    module->add_imports(lua);
}

static void push_native(lua_State *lua, const struct lua_sources *module)
{
    static const luaL_Reg functions[] = {{"fail", native_fail},
                                         {"misuse", native_misuse},
                                         {"worker", native_worker},
                                         {"record", native_record},
                                         {"has_defaults", native_has_defaults},
                                         {NULL, NULL}};

    module->push_native(lua);
    lua_pushstring(lua, module->module);
    luaL_setfuncs(lua, functions, 1);
}

static void load_module(lua_State *lua, const struct lua_sources *module)
{
    push_imports(lua, module);
    lua_pushvalue(lua, -1);
    push_native(lua, module);
    lua_pushlightuserdata(lua, (void *)(uintptr_t)module); /* import only reads it */
    lua_pushcclosure(lua, import, MODULE);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "import");
    lua_pushstring(lua, module->first);
    lua_call(lua, 1, 1);
    lua_remove(lua, -2);
}

int lua_sources_open(lua_State *lua, const struct lua_sources *module)
{
    const char *key = lua_pushfstring(lua, "%s.module", module->module);

    if (lua_getfield(lua, LUA_REGISTRYINDEX, key) != LUA_TNIL) {
        return 1;
    }
    lua_pop(lua, 1);
    load_module(lua, module);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, key);
    return 1;
}
