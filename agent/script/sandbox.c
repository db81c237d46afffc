/* Opens the libraries that a script may use, and replaces those that it may not use by an explanation. */
#include "agent/script/file_text.h"
#include "agent/script/library.h"
#include "agent/script/lua_error.h"
#include "agent/script/pattern.h"
#include "agent/script/script_state.h"

#include <lualib.h>
#include <string.h>

static int sandbox_refuse(lua_State *lua)
{
    return lua_misuse(lua, "%s is not allowed here (it needs an agent started with --allow-system)",
                      lua_tostring(lua, lua_upvalueindex(1)));
}

static int refuse_exit(lua_State *lua)
{
    return lua_misuse(lua, "os.exit: a script cannot end the agent; use error(), or return");
}

static const char *const refused_os[] = {"execute",   "getenv",  "remove", "rename",
                                         "setlocale", "tmpname", NULL};
static const char *const refused_io[] = {"popen",  "tmpfile", "write", "read", "input",
                                         "output", "close",   "type",  NULL};

static void sandbox_refuse_all(lua_State *lua, const char *library, const char *const *names)
{
    for (; *names != NULL; names++) {
        lua_pushfstring(lua, "%s.%s", library, *names);
        lua_pushcclosure(lua, sandbox_refuse, 1);
        lua_setfield(lua, -2, *names);
    }
}

/* read_file(path) → content, or nil and the error. */
static int read_file(lua_State *lua)
{
    struct error error;
    struct bytes content;

    if (!script_files_read(script_of(lua)->files, luaL_checkstring(lua, 1), &content, &error)) {
        lua_pushnil(lua);
        lua_pushstring(lua, error.text);
        return 2;
    }
    lua_pushlstring(lua, (const char *)content.data, content.size);
    return 1;
}

/* io.open and io.lines on the bundle's files, which are strings. */
static const char files_in_lua[] =
    "local read_file, real_open, real_lines = ...\n"
    "local find, gsub, sub = string.find, string.gsub, string.sub\n"
    "local File = {}\n"
    "local metatable = { __index = File, __name = 'FILE*', __metatable = 'file' }\n"
    "local function read_one(self, format)\n"
    "  local text, at = self.text, self.at\n"
    "  if type(format) == 'number' then\n"
    "    if at > #text and format > 0 then return nil end\n"
    "    self.at = math.min(at + format, #text + 1)\n"
    "    return sub(text, at, self.at - 1)\n"
    "  end\n"
    "  format = sub(gsub(format, '^%*', ''), 1, 1)\n"
    "  if format == 'a' then\n"
    "    self.at = #text + 1\n"
    "    return sub(text, at)\n"
    "  elseif format == 'l' or format == 'L' then\n"
    "    if at > #text then return nil end\n"
    "    local stop = find(text, '\\n', at, true) or #text + 1\n"
    "    self.at = stop + 1\n"
    "    return sub(text, at, format == 'L' and stop or stop - 1)\n"
    "  elseif format == 'n' then\n"
    "    local start, stop = find(text, '^%s*[%+%-]?[%w%.]+', at)\n"
    "    local number = start and tonumber(sub(text, start, stop))\n"
    "    if number then self.at = stop + 1 end\n"
    "    return number\n"
    "  end\n"
    "  error(\"bad argument to 'read' (invalid format)\", 3)\n"
    "end\n"
    "local function read(self, ...)\n"
    "  if not self.text then error('attempt to use a closed file', 2) end\n"
    "  if select('#', ...) == 0 then return read_one(self, 'l') end\n"
    "  local results, count = {}, 0\n"
    "  for _, format in ipairs { ... } do\n"
    "    count = count + 1\n"
    "    results[count] = read_one(self, format)\n"
    "    if results[count] == nil then break end\n"
    "  end\n"
    "  return table.unpack(results, 1, count)\n"
    "end\n"
    "File.read = read\n"
    "local function lines_of(self, ...)\n"
    "  local formats = table.pack(...)\n"
    "  return function() return read(self, table.unpack(formats, 1, formats.n)) end\n"
    "end\n"
    "File.lines = lines_of\n"
    "function File:seek(whence, offset)\n"
    "  local base = whence == 'set' and 1 or whence == 'end' and #self.text + 1 or self.at\n"
    "  self.at = math.max(1, math.min(base + (offset or 0), #self.text + 1))\n"
    "  return self.at - 1\n"
    "end\n"
    "function File:close() self.text = nil return true end\n"
    "function File:write() return nil, 'the files of a bundle are read-only', 9 end\n"
    "local function open(path, mode)\n"
    "  mode = mode or 'r'\n"
    "  local text, why\n"
    "  if mode == 'r' or mode == 'rb' then text, why = read_file(path)\n"
    "  else why = path .. ': the files of a bundle are read-only' end\n"
    "  if text then return setmetatable({ text = text, at = 1 }, metatable) end\n"
    "  if real_open then return real_open(path, mode) end\n"
    "  return nil, why, 2\n"
    "end\n"
    "local function lines(path, ...)\n"
    "  if path == nil and real_lines then return real_lines() end\n"
    "  local file, why = open(path)\n"
    "  if not file then error(why, 2) end\n"
    "  if getmetatable(file) ~= 'file' then return file:lines(...) end\n"
    "  return lines_of(file, ...)\n"
    "end\n"
    "return open, lines\n";

/* With --allow-system, io's own functions are used as a fallback. */
static void open_bundle_files(lua_State *lua)
{
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(lua, -1, LUA_IOLIBNAME);
    int io = lua_gettop(lua);

    library_load(lua, files_in_lua, sizeof files_in_lua - 1, "=tutti");
    lua_pushcfunction(lua, read_file);
    lua_getfield(lua, io, "open");
    lua_getfield(lua, io, "lines");
    lua_call(lua, 3, 2);
    lua_setfield(lua, io, "lines");
    lua_pushvalue(lua, -1);
    lua_setfield(lua, io, "open");
    library_set_open(lua);
    lua_pop(lua, 2);
}

/* A searcher of package.searchers: name → loader, path. "a.b" is a/b.lua or a/b/init.lua. */
static int search_bundle(lua_State *lua)
{
    const char *name = luaL_gsub(lua, luaL_checkstring(lua, 1), ".", "/");
    const char *const forms[] = {"%s.lua", "%s/init.lua"};
    struct bytes content;
    struct error error;

    for (size_t i = 0; i < 2; i++) {
        const char *path = lua_pushfstring(lua, forms[i], name);
        if (!script_files_read(script_of(lua)->files, path, &content, &error)) {
            continue;
        }
        const char *chunk = lua_pushfstring(lua, "@%s", path);
        struct bytes source = file_text_of_source(content);
        if (limits_load(lua, (const char *)source.data, source.size, chunk) != LUA_OK) {
            return lua_error(lua);
        }
        lua_pushstring(lua, path);
        return 2;
    }
    lua_pushfstring(lua, "no file '%s.lua' beside the script", name);
    return 1;
}

static void open_package(lua_State *lua, bool is_system_allowed)
{
    luaL_requiref(lua, LUA_LOADLIBNAME, luaopen_package, 1);
    lua_getfield(lua, -1, "searchers");
    lua_createtable(lua, 4, 0);
    lua_rawgeti(lua, -2, 1);
    lua_rawseti(lua, -2, 1);
    lua_pushcfunction(lua, search_bundle);
    lua_rawseti(lua, -2, 2);
    for (int i = 2; is_system_allowed && i <= 4; i++) {
        lua_rawgeti(lua, -2, i);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -3, "searchers");
    lua_pop(lua, 1);
    if (!is_system_allowed) {
        const char *const gone[] = {"loadlib", "searchpath", "path", "cpath", "config"};
        for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
            lua_pushnil(lua);
            lua_setfield(lua, -2, gone[i]);
        }
    }
    lua_getfield(lua, -1, "preload");
    lua_pushcfunction(lua, luaopen_tutti_json);
    lua_setfield(lua, -2, "tutti.json");
    luaL_setfuncs(lua, script_of(lua)->library->modules, 0);
    lua_pop(lua, 2);
}

static void open_os_and_io(lua_State *lua, bool is_system_allowed)
{
    luaL_requiref(lua, LUA_OSLIBNAME, luaopen_os, 1);
    if (!is_system_allowed) {
        sandbox_refuse_all(lua, "os", refused_os);
    }
    lua_pushcfunction(lua, refuse_exit);
    lua_setfield(lua, -2, "exit");
    lua_pop(lua, 1);

    if (is_system_allowed) {
        luaL_requiref(lua, LUA_IOLIBNAME, luaopen_io, 1);
    } else {
        luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
        lua_newtable(lua);
        sandbox_refuse_all(lua, "io", refused_io);
        lua_pushvalue(lua, -1);
        lua_setfield(lua, -3, "io");
        lua_remove(lua, -2);
        lua_pushvalue(lua, -1);
        lua_setglobal(lua, "io");
    }
    lua_pop(lua, 1);
}

/* Fields that a script adds to `string` become methods of strings; other fields of their metatable
 * (__tostring, __name, __call) would be called within functions of ours. */
static void close_strings(lua_State *lua)
{
    lua_pushliteral(lua, "");
    if (lua_getmetatable(lua, -1)) {
        lua_pushliteral(lua, "string");
        lua_setfield(lua, -2, "__metatable");
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

/* Hooks belong to the agent, and metatables of strings are shared; without --allow-system only the traceback
 * remains. */
static void open_debug(lua_State *lua, bool is_system_allowed)
{
    luaL_requiref(lua, LUA_DBLIBNAME, luaopen_debug, is_system_allowed);
    if (is_system_allowed) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, "sethook");
        lua_pop(lua, 1);
        return;
    }
    lua_createtable(lua, 0, 1);
    lua_getfield(lua, -2, "traceback");
    lua_setfield(lua, -2, "traceback");
    lua_pushvalue(lua, -1);
    lua_setglobal(lua, "debug");
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, "debug");
    lua_pop(lua, 2);
}

void sandbox_open(struct script *script)
{
    static const luaL_Reg harmless[] = {
        {LUA_GNAME, luaopen_base},       {LUA_STRLIBNAME, luaopen_string}, {LUA_TABLIBNAME, luaopen_table},
        {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},  {LUA_COLIBNAME, luaopen_coroutine},
    };
    lua_State *lua = script->lua;

    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        luaL_requiref(lua, harmless[i].name, harmless[i].func, 1);
        lua_pop(lua, 1);
    }
    open_package(lua, script->is_system_allowed);
    open_debug(lua, script->is_system_allowed);
    open_os_and_io(lua, script->is_system_allowed);
    pattern_open(lua);
    table_functions_open(lua);
    guard_open(lua);
    close_strings(lua);
    library_open(lua);
    open_bundle_files(lua);
    lua_pushcfunction(lua, script->library->print);
    lua_setglobal(lua, "print");
}
