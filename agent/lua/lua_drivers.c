/* Drivers as the sources of tutti.browser see them: each belongs to the worker that started it. */
#include "agent/lua/lua_drivers.h"

#include "agent/browser/drivers.h"
#include "agent/browser/upload.h"
#include "agent/lua/lua_call.h"
#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define METATABLE "tutti.driver"
#define DEFAULT_TIMEOUT_S 60.0
#define LONGEST_TIMEOUT_S 3600.0
#define TAIL_BYTES 2048
/* Of copies for uploads, for one browser: several times the size of a bundle. */
#define UPLOADED_MAX_BYTES (256u * 1024u * 1024u)

enum awaited { AWAITED_READY, AWAITED_USAGE, AWAITED_GONE };

struct lua_driver {
    struct webdriver *driver; /* NULL: the worker has ended */
    struct vu *vu;            /* the worker */
    struct vu *waiter;        /* who of the worker waits for it; NULL: nobody */
    struct lua_driver *next;  /* of the same worker */
    enum browser_kind kind;
    enum awaited awaited; /* while the worker waits for it */
    uint64_t seen_answers;
    uint64_t uploaded_bytes;
    unsigned uploads;
};

static struct lua_driver *to_object(lua_State *lua)
{
    return luaL_checkudata(lua, 1, METATABLE);
}

/* For what needs the driver, running or ended. */
static struct webdriver *to_driver(lua_State *lua)
{
    struct webdriver *driver = to_object(lua)->driver;

    if (driver == NULL) {
        lua_misuse(lua, "the worker of this driver has ended");
    }
    return driver;
}

static int raise_failure(lua_State *lua, const char *text)
{
    struct lua_failure failure = {.kind = "driver", .message = text};

    return lua_failure_raise(lua, &failure);
}

static void tell_waiter(struct lua_driver *object)
{
    struct vu *vu = object->waiter;

    if (vu != NULL) {
        object->waiter = NULL;
        vu->awaited_driver = NULL;
        vu_wake(vu, WAKE_DONE);
    }
}

static void drop(struct lua_driver *object)
{
    struct vu *vu = object->vu;

    if (object->driver == NULL) {
        return;
    }
    struct lua_driver **at = &vu->shared->drivers;
    while (*at != object) {
        at = &(*at)->next;
    }
    *at = object->next;
    tell_waiter(object);
    object->vu = NULL;
    webdriver_release(&object->driver);
}

void lua_drivers_drop_all(struct vu *vu)
{
    while (vu->shared->drivers != NULL) {
        drop(vu->shared->drivers);
    }
}

void lua_drivers_forget_wait(struct vu *vu)
{
    if (vu->awaited_driver != NULL) {
        vu->awaited_driver->waiter = NULL;
    }
    vu->awaited_driver = NULL;
}

static bool has_come(const struct lua_driver *object)
{
    enum webdriver_state state = webdriver_state(object->driver);

    switch (object->awaited) {
    case AWAITED_READY:
        return state >= WEBDRIVER_READY;
    case AWAITED_USAGE:
        return state >= WEBDRIVER_ENDING || webdriver_usage(object->driver)->answers != object->seen_answers;
    case AWAITED_GONE:
        return state == WEBDRIVER_GONE;
    }
    return true;
}

static void on_change(void *context)
{
    struct lua_driver *object = context;

    if (object->waiter != NULL && has_come(object)) {
        tell_waiter(object);
    }
}

/* `go_on` is called now or later, with the driver at index 1. */
static int await(lua_State *lua, struct lua_driver *object, enum awaited awaited, lua_KFunction go_on)
{
    struct vu *vu = vu_current(lua, "driver");

    if (vu->shared->main != object->vu) {
        return lua_misuse(lua, "a driver is for the worker alone that started it");
    }
    if (object->waiter != NULL) {
        return lua_misuse(lua, "driver: another task of the worker waits for it");
    }
    object->awaited = awaited;
    if (has_come(object)) {
        return go_on(lua, LUA_OK, 0);
    }
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "driver: a call that waits cannot be made here");
    }
    vu->awaited_driver = object;
    object->waiter = vu;
    return vu_yield(lua, vu, WAIT_DRIVER, go_on, 0);
}

/* Raises if it is not this driver's wait that has ended: a script may resume a coroutine of another
 * worker. */
static void woken(lua_State *lua, struct lua_driver *object, int status)
{
    if (status == LUA_YIELD) {
        vu_resumed(lua, vu_current(lua, "driver"), WAIT_DRIVER);
    }
    if (object->driver == NULL) {
        lua_misuse(lua, "the worker of this driver has ended");
    }
}

static enum browser_kind read_kind(lua_State *lua, enum browser_kind fallback)
{
    if (lua_option_get(lua, 1, "browser") == LUA_TNIL) {
        return fallback;
    }
    const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    for (int i = 0; i < BROWSER_KINDS; i++) {
        if (strcmp(browser_facts((enum browser_kind)i)->name, name) == 0) {
            return (enum browser_kind)i;
        }
    }
    lua_misuse(lua, "browser is \"chromium\", \"firefox\" or \"webkit\", not %s",
               luaL_tolstring(lua, -1, NULL));
    return fallback;
}

static uint64_t read_timeout_ms(lua_State *lua)
{
    double seconds = DEFAULT_TIMEOUT_S;

    if (lua_option_get(lua, 1, "timeout") != LUA_TNIL) {
        seconds = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : -1;
    }
    if (!(seconds > 0 && seconds <= LONGEST_TIMEOUT_S)) {
        lua_misuse(lua, "timeout is a number of seconds, more than 0");
    }
    return seconds < 0.001 ? 1 : (uint64_t)(seconds * 1000 + 0.5);
}

static bool is_stopped(lua_State *lua, const struct lua_driver *object)
{
    const struct vu *vu = vu_current(lua, "driver");

    return vu->shared->main == object->vu && vu->wait == WAIT_DRIVER && vu->waiting == lua &&
           vu->wake == WAKE_STOPPED;
}

static int on_started(lua_State *lua, int status, lua_KContext context)
{
    struct lua_driver *object = to_object(lua);

    (void)context;
    if (status == LUA_YIELD && is_stopped(lua, object)) {
        drop(object);
    }
    woken(lua, object, status);
    if (webdriver_state(object->driver) == WEBDRIVER_READY) {
        return 1;
    }
    lua_pushstring(lua, webdriver_failure(object->driver));
    drop(object);
    return raise_failure(lua, lua_tostring(lua, -1));
}

/* start { browser =, timeout = } → a driver that answers */
static int start(lua_State *lua)
{
    static const char *const names[] = {"browser", "timeout", NULL};
    struct vu *vu = vu_current(lua, "browser");
    struct webdriver_request request = {.on_change = on_change};

    lua_settop(lua, 1);
    if (lua_isnil(lua, 1)) {
        lua_newtable(lua);
        lua_replace(lua, 1);
    }
    lua_call_check_options(lua, 1, "driver", names);
    request.kind = read_kind(lua, vu_options(vu)->browser);
    request.timeout_ms = read_timeout_ms(lua);
    if (vu_options(vu)->browser == BROWSER_REMOTE) {
        return lua_misuse(
            lua, "browser: with --browser remote none is started here: name a WebDriver (remote = URL)");
    }
    vu_check_stopped(lua, vu);
    if (!script_may_wait(lua)) {
        return lua_misuse(lua, "browser: a call that waits is not possible here");
    }
    if (vu_has_no_lease(vu)) {
        return vu_await_lease(lua, vu, start);
    }
    struct lua_driver *object = lua_newuserdatauv(lua, sizeof *object, 0);
    *object = (struct lua_driver){.kind = request.kind};
    luaL_setmetatable(lua, METATABLE);
    lua_replace(lua, 1);
    lua_settop(lua, 1);
    request.context = object;
    object->driver = webdriver_start(vu_drivers(vu), &request);
    object->vu = vu->shared->main;
    object->next = vu->shared->drivers;
    vu->shared->drivers = object;
    return await(lua, object, AWAITED_READY, on_started);
}

static int push_url(lua_State *lua)
{
    lua_pushstring(lua, webdriver_url(to_driver(lua)));
    return 1;
}

static int push_profile(lua_State *lua)
{
    lua_pushfstring(lua, "%s/profile", webdriver_folder(to_driver(lua)));
    return 1;
}

static int push_log(lua_State *lua)
{
    lua_pushfstring(lua, "%s/log", webdriver_folder(to_driver(lua)));
    return 1;
}

/* driver:place_file(name, content) → the path of a new file, where the driver's browser finds it */
static int place_file(lua_State *lua)
{
    struct lua_driver *object = to_object(lua);
    const struct webdriver *driver = to_driver(lua);
    char path[UPLOAD_PATH_BYTES];
    struct error error;
    size_t name_size;
    size_t size;
    const char *name = luaL_checklstring(lua, 2, &name_size);
    const char *content = luaL_checklstring(lua, 3, &size);

    if (size > UPLOADED_MAX_BYTES - object->uploaded_bytes) {
        return lua_misuse(lua, "send_file: more than %u MiB for one browser", UPLOADED_MAX_BYTES >> 20);
    }
    object->uploaded_bytes += size;
    if (!upload_write(webdriver_folder(driver), ++object->uploads, bytes_of(name, name_size),
                      bytes_of(content, size), path, &error)) {
        return lua_misuse(lua, "send_file: %s", error.text);
    }
    lua_pushstring(lua, path);
    return 1;
}

/* From the beginning of a line, if one begins there. */
static void push_end_of_file(lua_State *lua, const char *path)
{
    char text[TAIL_BYTES];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    off_t end = file >= 0 ? lseek(file, 0, SEEK_END) : 0;
    off_t from = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
    ssize_t size = file >= 0 ? pread(file, text, sizeof text, from) : 0;

    if (file >= 0) {
        (void)close(file);
    }
    struct bytes tail = bytes_of(text, size > 0 ? (size_t)size : 0);
    const uint8_t *line = from > 0 ? memchr(tail.data, '\n', tail.size) : NULL;
    if (line != NULL) {
        tail = bytes_of(line + 1, tail.size - (size_t)(line + 1 - tail.data));
    }
    lua_pushlstring(lua, (const char *)tail.data, tail.size);
}

static int push_tail(lua_State *lua)
{
    struct webdriver *driver = to_driver(lua);

    if (webdriver_state(driver) == WEBDRIVER_READY) {
        push_log(lua);
        push_end_of_file(lua, lua_tostring(lua, -1));
    } else {
        lua_pushstring(lua, webdriver_last_words(driver));
    }
    return 1;
}

static int lua_drivers_settle(lua_State *lua)
{
    webdriver_settle(to_driver(lua));
    return 0;
}

static int is_alive(lua_State *lua)
{
    const struct webdriver *driver = to_object(lua)->driver;

    lua_pushboolean(lua, driver != NULL && webdriver_state(driver) == WEBDRIVER_READY);
    return 1;
}

static int push_why(lua_State *lua)
{
    const char *failure = webdriver_failure(to_driver(lua));

    if (*failure) {
        lua_pushstring(lua, failure);
    } else {
        lua_pushnil(lua);
    }
    return 1;
}

static int lua_drivers_on_usage(lua_State *lua, int status, lua_KContext context)
{
    struct lua_driver *object = to_object(lua);

    (void)context;
    woken(lua, object, status);
    const struct webdriver_usage *usage = webdriver_usage(object->driver);
    if (usage->answers == object->seen_answers) {
        lua_pushnil(lua);
        return 1;
    }
    lua_createtable(lua, 0, 3);
    lua_pushinteger(lua, (lua_Integer)usage->processes);
    lua_setfield(lua, -2, "processes");
    lua_pushinteger(lua, (lua_Integer)usage->bytes);
    lua_setfield(lua, -2, "bytes");
    lua_pushnumber(lua, (double)usage->cpu_us / 1e6);
    lua_setfield(lua, -2, "cpu_s");
    return 1;
}

static int lua_drivers_measure(lua_State *lua)
{
    struct lua_driver *object = to_object(lua);
    struct webdriver *driver = to_driver(lua);

    lua_settop(lua, 1);
    object->seen_answers = webdriver_usage(driver)->answers;
    webdriver_measure(driver);
    return await(lua, object, AWAITED_USAGE, lua_drivers_on_usage);
}

static int on_stopped(lua_State *lua, int status, lua_KContext context)
{
    (void)context;
    woken(lua, to_object(lua), status);
    return 0;
}

static int lua_drivers_stop(lua_State *lua)
{
    struct lua_driver *object = to_object(lua);

    lua_settop(lua, 1);
    if (object->driver == NULL) {
        return 0;
    }
    webdriver_stop(object->driver);
    return await(lua, object, AWAITED_GONE, on_stopped);
}

static int stop_without_waiting(lua_State *lua)
{
    struct lua_driver *object = to_object(lua);

    if (object->driver != NULL) {
        webdriver_stop(object->driver);
    }
    return 0;
}

static int collect(lua_State *lua)
{
    drop(to_object(lua));
    return 0;
}

static int lua_drivers_to_string(lua_State *lua)
{
    const struct lua_driver *object = to_object(lua);

    lua_pushfstring(lua, "%s of %s", browser_facts(object->kind)->program,
                    object->driver != NULL ? webdriver_url(object->driver) : "a worker that has ended");
    return 1;
}

static void lua_drivers_open_metatable(lua_State *lua)
{
    static const luaL_Reg methods[] = {
        {"url", push_url},
        {"profile", push_profile},
        {"log", push_log},
        {"tail", push_tail},
        {"settle", lua_drivers_settle},
        {"is_alive", is_alive},
        {"why", push_why},
        {"usage", lua_drivers_measure},
        {"stop", lua_drivers_stop},
        {"place_file", place_file},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {{"__gc", collect},
                                           {"__close", stop_without_waiting},
                                           {"__tostring", lua_drivers_to_string},
                                           {NULL, NULL}};

    luaL_newmetatable(lua, METATABLE);
    luaL_setfuncs(lua, metamethods, 0);
    luaL_newlib(lua, methods);
    lua_setfield(lua, -2, "__index");
    lua_pushliteral(lua, "driver");
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
}

void lua_drivers_push(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"start", start}, {NULL, NULL}};
    struct script *script = script_of(lua);
    struct browser_mix mix = {.kinds = {BROWSER_CHROMIUM}, .count = 1};

    if (script->campaign_options != NULL) {
        browser_mix_of(script->campaign_options, &mix);
    }
    script->uses_browser = true;
    lua_drivers_open_metatable(lua);
    luaL_newlib(lua, functions);
    lua_createtable(lua, (int)mix.count, 0);
    for (size_t i = 0; i < mix.count; i++) {
        enum browser_kind kind = mix.kinds[i] == BROWSER_REMOTE ? BROWSER_CHROMIUM : mix.kinds[i];
        lua_pushstring(lua, browser_facts(kind)->name);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    lua_setfield(lua, -2, "browsers");
}
