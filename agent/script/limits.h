/* What a script may use: memory of its shard, and of a turn (between two waits) processor time and
 * instructions.
 *
 * The counting hook sees what the interpreter runs. The ticker interrupts it after a few milliseconds,
 * wherever it is: at the next instruction, or at the next call that a library function makes. C code that
 * loops without either asks limits_charge. */
#pragma once
#include "agent/base/memory_account.h"

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_DEFAULT_MEMORY_BYTES (1024ull * 1024u * 1024u)
#define LIMITS_DEFAULT_INSTRUCTIONS 200000000ull
/* Of one string, and of one block of a table or a buffer: one instruction touches no more, and nothing can
 * interrupt that. The longest body that http takes by default just fits. */
#define LIMITS_MAX_STRING_BYTES (64u * 1024u * 1024u + 65536u)
#define LIMITS_MAX_BLOCK_BYTES (128u * 1024u * 1024u)
/* In calls that close coroutines, within each other: each has C code of its own on the stack. */
#define LIMITS_MAX_CLOSES 4u

/* Why the code that runs now has to end, whatever it catches. */
enum termination { TERMINATION_NONE, TERMINATION_BUDGET, TERMINATION_STOPPED };

/* What is run, and so how long it may take. */
enum limits_kind {
    LIMITS_LOAD,  /* the whole budget in one go: nobody's turn yet */
    LIMITS_TURN,  /* of a worker: it gives way to others now and then */
    LIMITS_CLOSE, /* what runs when all is over: handlers, the text of an error */
};

/* Of a turn that has given way and goes on later. */
struct limits_used {
    uint64_t time_ns;
    int64_t instructions_left;
};

struct limits {
    struct memory_account *memory;
    size_t used_bytes; /* of the account, by this script */
    /* Our own code outside of any protected call may go over: a failed allocation there would be the end of
     * the process. */
    bool is_memory_enforced;
    enum limits_kind kind;
    uint64_t instruction_limit;
    int64_t instructions_left;
    uint64_t charged; /* since the clock was last looked at, where nothing ticks */
    uint64_t time_limit_ns;
    uint64_t used_ns;             /* in the earlier pieces of this turn */
    uint64_t began_ns;            /* of this piece, in the thread's time; 0: nobody has looked yet */
    uint64_t spent_ns;            /* in pieces long enough to be seen, since somebody has set it to 0 */
    lua_State *volatile running;  /* the coroutine that is to be interrupted; NULL: none */
    volatile sig_atomic_t is_due; /* a tick has come */
    unsigned closes;              /* within each other */
    enum termination termination;
    /* A coroutine that the budget has killed can no longer be interrupted, so nothing of it may run again. */
    bool has_killed;
};

/* A lua_Alloc; `limits` is its first argument. */
void *limits_allocate(void *limits, void *memory, size_t old_size, size_t new_size);
/* Sets the hook on a new state; its coroutines inherit it. */
void limits_install(lua_State *lua);
/* Code of the script is about to run in `lua`, with a fresh budget, or, after it has given way, with what
 * was left; until limits_leave. */
void limits_enter(struct limits *limits, lua_State *lua, enum limits_kind kind);
void limits_go_on(struct limits *limits, lua_State *lua, const struct limits_used *used);
struct limits_used limits_leave(struct limits *limits);
/* lua_resume and lua_resetthread, with the limits on the inner one; `lua` is who calls. */
int limits_resume(lua_State *lua, lua_State *inner, int arguments, int *results);
int limits_close(lua_State *lua, lua_State *inner);
/* Takes from the budget what C code does at the wish of a script, as if it were so many instructions; raises
 * where it is used up, or the time is. */
void limits_charge(lua_State *lua, uint64_t instructions);
/* luaL_loadbufferx for text only, within the budget. */
int limits_load(lua_State *lua, const char *text, size_t size, const char *chunk);
/* From a signal's handler on the thread that runs the script. */
void limits_interrupt(struct limits *limits);
