/* What a script can require, and the hooks that a worker's turn calls. */
#include "agent/lua/lua_api.h"

#include "agent/lua/lua_browser.h"
#include "agent/lua/lua_crypto.h"
#include "agent/lua/lua_drivers.h"
#include "agent/lua/lua_http.h"
#include "agent/lua/lua_net.h"
#include "agent/lua/lua_socketio.h"
#include "agent/lua/lua_tutti.h"
#include "agent/lua/lua_url.h"
#include "agent/lua/lua_websocket.h"
#include "agent/lua/lua_worker.h"
#include "agent/script/script_library.h"
#include "agent/shard/vu.h"

static const luaL_Reg modules[] = {
    {"tutti", luaopen_tutti},
    {"tutti.http", luaopen_tutti_http},
    {"tutti.browser", luaopen_tutti_browser},
    {"tutti.net", luaopen_tutti_net},
    {"tutti.url", luaopen_tutti_url},
    {"tutti.crypto", luaopen_tutti_crypto},
    {"tutti.websocket", luaopen_tutti_websocket},
    {"tutti.socketio", luaopen_tutti_socketio},
    {NULL, NULL},
};

const struct script_library lua_api_library = {.modules = modules, .print = lua_print};
const struct vu_hooks lua_api_hooks = {
    .push_object = lua_worker_push,
    .forget_driver = lua_drivers_forget_wait,
    .drop_drivers = lua_drivers_drop_all,
};
