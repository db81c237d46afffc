/* The step as a Lua function, with its events around it. */
#include "agent/shard/step_wrapper.h"

#include "agent/script/library.h"
#include "agent/script/lua_error.h"
#include "agent/script/picking.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu_api.h"
#include "common/time_units.h"

#define DRIVER "tutti.driver"
#define REQUEST "tutti.driver.request"
#define BATCH "tutti.driver.batch"

static const char step_wrapper_in_lua[] =
    "local choose, listeners, picker, complain, workers = ...\n"
    "local is_telling = setmetatable({}, { __mode = 'k' })\n"
    "local function tell(event, worker, info)\n"
    "  if is_telling[worker] then return end\n"
    "  is_telling[worker] = true\n"
    "  for _, listener in ipairs(listeners()) do\n"
    "    local ok, why = pcall(listener, event, info)\n"
    "    if not ok then complain(event, tostring(why)) end\n"
    "  end\n"
    "  is_telling[worker] = nil\n"
    "end\n"
    "local function step(worker)\n"
    "  is_telling[worker] = nil\n"
    "  local pick = picker()\n"
    "  local name\n"
    "  if pick then name = pick(worker, worker.step) end\n"
    "  local run, scenario = choose(pick ~= nil, name)\n"
    "  if #listeners() == 0 then return run(worker) end\n"
    "  local count = workers()\n"
    "  if count then tell('current_workers', worker, { worker = worker, workers = count }) end\n"
    "  local info = { scenario = scenario, worker = worker, step = worker.step }\n"
    "  tell('scenario_start', worker, info)\n"
    "  local ok, why = pcall(run, worker)\n"
    "  if ok then tell('scenario_success', worker, info) return end\n"
    "  info.error = why\n"
    "  tell('scenario_failure', worker, info)\n"
    "  error(why, 0)\n"
    "end\n"
    "local function request(raw, worker, method, url, options, body)\n"
    "  tell('sending_request', worker, { worker = worker, method = method, url = url, options = options,\n"
    "    body = body })\n"
    "  local response = raw(method, url, options, body)\n"
    "  tell('response_received', worker, { worker = worker, method = method, url = url, options = options,\n"
    "    response = response, status = response.status })\n"
    "  return response\n"
    "end\n"
    "local function batch(raw, worker, items)\n"
    "  for _, item in ipairs(items) do\n"
    "    tell('sending_request', worker, { worker = worker, method = item.method, url = item.url,\n"
    "      options = item, body = item.body })\n"
    "  end\n"
    "  local responses = raw(items)\n"
    "  for i, response in ipairs(responses) do\n"
    "    local item = items[i]\n"
    "    if response.status then\n"
    "      tell('response_received', worker, { worker = worker, method = item.method, url = item.url,\n"
    "        options = item, body = item.body, response = response, status = response.status })\n"
    "    end\n"
    "  end\n"
    "  return responses\n"
    "end\n"
    "return step, request, batch\n";

/* choose(has_picker, name) → function, name of the scenario */
static int step_wrapper_choose(lua_State *lua)
{
    struct script *script = script_of(lua);
    struct vu *vu = vu_current(lua, "scenario_picker");
    size_t size = 0;

    struct picking step = {.worker = vu->id, .step = vu->step, .load = vu->load};
    if (lua_toboolean(lua, 1)) {
        const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tolstring(lua, 2, &size) : NULL;
        const struct scenario *scenario = name != NULL ? script_find_scenario(script, name, size) : NULL;
        if (scenario == NULL) {
            return luaL_error(lua, "scenario_picker: there is no scenario %s", luaL_tolstring(lua, 2, NULL));
        }
        vu->scenario = (uint32_t)(scenario - script->scenarios);
    } else if (!pick_scenario(script, vu_options(vu), &step, &vu->scenario)) {
        return luaL_error(lua, "no scenario can be picked: every one has weight 0");
    }
    lua_rawgeti(lua, LUA_REGISTRYINDEX, script->scenarios[vu->scenario].function);
    lua_pushstring(lua, script->scenarios[vu->scenario].name);
    return 2;
}

static int push_listeners(lua_State *lua)
{
    struct script *script = script_of(lua);

    if (script->fixtures[FIXTURE_EVENTS] == LUA_NOREF) {
        lua_newtable(lua);
    } else {
        lua_rawgeti(lua, LUA_REGISTRYINDEX, script->fixtures[FIXTURE_EVENTS]);
    }
    return 1;
}

/* A single run and a single scenario have their own order, even if there is a picker. */
static int push_picker(lua_State *lua)
{
    struct script *script = script_of(lua);
    const struct campaign_options *options = script->campaign_options;

    if (options->is_single_run || options->single_mode.size > 0 || options->load.size > 0) {
        lua_pushnil(lua);
    } else {
        lua_rawgeti(lua, LUA_REGISTRYINDEX, script->fixtures[FIXTURE_SCENARIO_PICKER]);
    }
    return 1;
}

static int step_wrapper_complain(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "events");

    shard_campaign_complain(vu->campaign, vu, "events: ", luaL_checkstring(lua, 2));
    return 0;
}

/* How many workers run on this shard, once a second; nil in between, and within the first second. */
static int step_wrapper_workers(lua_State *lua)
{
    struct shard_campaign *campaign = vu_current(lua, "events")->campaign;
    uint64_t now_ns = turns_began_ns(campaign->queue.turns);

    if (campaign->workers_told_ns == 0) {
        campaign->workers_told_ns = now_ns;
    }
    if (now_ns - campaign->workers_told_ns < (uint64_t)NS_PER_S) {
        lua_pushnil(lua);
    } else {
        campaign->workers_told_ns = now_ns;
        lua_pushinteger(lua, runner_running(campaign->runner));
    }
    return 1;
}

bool step_wrapper_is_needed(const struct script *script)
{
    return script->fixtures[FIXTURE_SCENARIO_PICKER] != LUA_NOREF || step_wrapper_has_listeners(script);
}

bool step_wrapper_has_listeners(const struct script *script)
{
    return script->fixtures[FIXTURE_EVENTS] != LUA_NOREF;
}

void step_wrapper_open(struct script *script)
{
    lua_State *lua = script->lua;

    library_load(lua, step_wrapper_in_lua, sizeof step_wrapper_in_lua - 1, "=tutti");
    lua_pushcfunction(lua, step_wrapper_choose);
    lua_pushcfunction(lua, push_listeners);
    lua_pushcfunction(lua, push_picker);
    lua_pushcfunction(lua, step_wrapper_complain);
    lua_pushcfunction(lua, step_wrapper_workers);
    lua_call(lua, 5, 3);
    lua_setfield(lua, LUA_REGISTRYINDEX, BATCH);
    lua_setfield(lua, LUA_REGISTRYINDEX, REQUEST);
    lua_setfield(lua, LUA_REGISTRYINDEX, DRIVER);
}

void step_wrapper_push(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, DRIVER);
}

void step_wrapper_push_request(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, REQUEST);
}

void step_wrapper_push_batch(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, BATCH);
}
