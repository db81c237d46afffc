/* A loaded script: its Lua state, what it registered, and what its code can access. */
#pragma once
#include "agent/script/limits.h"
#include "agent/script/script_files.h"
#include "agent/script/script_library.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct campaign_options;
struct loads;
struct vu;

/* In the order in which they run; the last two are not phases. */
enum fixture {
    FIXTURE_GLOBAL_SETUP,
    FIXTURE_SETUP,
    FIXTURE_SETUP_SESSION,
    FIXTURE_TEARDOWN_SESSION,
    FIXTURE_TEARDOWN,
    FIXTURE_GLOBAL_TEARDOWN,
    FIXTURE_SCENARIO_PICKER,
    FIXTURE_EVENTS,
    FIXTURE_COUNT
};
const char *fixture_name(enum fixture fixture);

struct scenario {
    char *name;
    double weight;
    double delay_s;
    int function; /* in the registry */
};

struct script_set_option {
    char *name;
    char *text;
};

struct script {
    lua_State *lua;
    const void *worker_type; /* the metatables of the most frequent userdata, to recognise them quickly; NULL
                                before any exists */
    const void *notifier_type;
    const void *websocket_type;
    const void *task_type;
    const void *response_metatable;
    int response_type; /* a metatable too, and the options of all requests: in the registry; LUA_NOREF */
    int http_defaults;
    struct limits limits;
    struct script_files *files;
    bool is_system_allowed;
    bool is_loading;
    bool is_quiet;
    bool uses_browser;    /* it has loaded tutti.browser */
    bool is_target_given; /* set from outside: takes precedence over the script's own option */
    char *target;
    struct bytes environment;    /* of the settings */
    int fixtures[FIXTURE_COUNT]; /* in the registry; LUA_NOREF. EVENTS: a list of functions */
    struct scenario *scenarios;  /* in order of their names once loaded */
    size_t scenario_count;
    size_t scenario_capacity;
    double total_weight;
    struct script_set_option *options;
    size_t option_count;
    size_t option_capacity;
    uint32_t data_count; /* of its tutti.data */
    struct buffer text;  /* for messages and names */
    const struct script_thread *thread;
    void *thread_context;
    const struct script_library *library;
    const struct campaign_options *campaign_options; /* NULL while it is only looked at */
    struct loads *loads;                             /* with scenarios of their own; NULL: there are none */
    struct vu *current;                              /* whose turn it is; NULL while loading */
    bool cannot_wait; /* a coroutine runs within what cannot yield: a sort, a gsub, a metamethod */
    bool is_waiting; /* the turn ends because an API call waits, not because of a yield of the script's own */
};

/* The thread that a script runs on. */
struct script_thread {
    /* Called from a hook between two instructions, in a coroutine that may yield: ends the turn, which
     * continues after the others have had theirs. Raises if the campaign is stopping. */
    void (*give_way)(lua_State *lua);
    /* Where a turn is that does not give way, for a watchdog. */
    void (*tell_place)(void *context, const char *place);
};

struct script_settings {
    struct memory_account *memory;
    uint64_t instruction_limit; /* 0: the default */
    uint64_t turn_limit_ms;     /* 0: the default */
    bool is_system_allowed;
    bool is_quiet;
    struct script_files *files; /* taken */
    const char *target;         /* NULL: none */
    struct bytes environment;   /* tutti.env, as proto/message/environment.h has it; borrowed */
    const struct campaign_options *campaign_options; /* borrowed, as are the next three; NULL: it is only
                                                        looked at */
    const struct script_thread *thread;              /* NULL likewise */
    void *thread_context;                            /* for the thread's functions */
    const struct script_library *library;            /* what it can require */
};

/* A state with the libraries that a script may use, with nothing loaded yet. */
MUST_CHECK struct script *script_new(const struct script_settings *settings);
void script_free(struct script **script);
/* Runs the main chunk, which registers scenarios and fixtures. */
MUST_CHECK bool script_load(struct script *script, struct error *error);
/* The script that any of its coroutines belongs to. */
struct script *script_of(lua_State *lua);
/* luaL_checkudata for a metatable whose address is known: it is called many times per step. */
void *script_check_object(lua_State *lua, int index, const void *type, const char *name);
/* NULL if there is none of that name. */
const struct scenario *script_find_scenario(const struct script *script, const char *name, size_t size);
/* Stores the error value on top of `lua` as text in script->text; pops it. Runs a __tostring within the
 * script's limits. */
const char *script_describe_error(struct script *script, lua_State *lua);

/* Whether a coroutine is one that the agent gave to a worker, not one that the script created. */
bool script_owns(lua_State *lua, lua_State *coroutine);

/* Whether a call can wait here: neither this coroutine nor any of those that resumed it is within a call that
 * cannot yield. */
bool script_may_wait(lua_State *lua);

/* Opens the libraries that a script may use; part of script_new. */
void sandbox_open(struct script *script);
/* Replaces the functions with which a script could catch a termination, or spin inside C; leaves the stack
 * unchanged. */
void guard_open(lua_State *lua);
/* Replaces functions of the table library. */
void table_functions_open(lua_State *lua);
int luaopen_tutti_json(lua_State *lua);
