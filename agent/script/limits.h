/* What a script may use: memory of its shard, and per turn (between two waits) processor time and
 * instructions.
 *
 * The ticker interrupts what the interpreter runs after a few milliseconds, wherever it is: at the next
 * instruction, or at the next call made by a library function. C code that loops without either calls
 * limits_charge. From then on a hook counts the instructions of the turn; without a ticker it counts from the
 * beginning. */
#pragma once
#include "agent/base/memory_account.h"
#include "agent/script/block_cache.h"

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_DEFAULT_MEMORY_BYTES (1024ull * 1024u * 1024u)
#define LIMITS_DEFAULT_INSTRUCTIONS 200000000ull
/* Maximum size of one string, and of one block of a table or a buffer: a single instruction cannot touch
 * more, and nothing can interrupt an instruction. The largest body that http accepts by default just fits. */
#define LIMITS_MAX_STRING_BYTES (64u * 1024u * 1024u + 65536u)
#define LIMITS_MAX_BLOCK_BYTES (128u * 1024u * 1024u)
/* Depth of nested calls that close coroutines: each has C code of its own on the stack. */
#define LIMITS_MAX_CLOSES 4u

/* Why the running code has to end, whatever it catches. */
enum termination { TERMINATION_NONE, TERMINATION_BUDGET, TERMINATION_STOPPED };

/* What is being run, which determines how long it may take. */
enum limits_kind {
    LIMITS_LOAD,  /* the whole budget at a stretch: no other worker is waiting yet */
    LIMITS_TURN,  /* of a worker: it yields to others now and then */
    LIMITS_CLOSE, /* runs after the end: handlers, the text of an error */
};

/* Saved from a turn that has yielded and continues later. */
struct limits_used {
    uint64_t time_ns;
    int64_t instructions_left;
};

struct limits {
    struct memory_account *memory;
    size_t used_bytes; /* of the account, by this script */
    bool is_small;     /* the collector has been told so */
    struct block_cache blocks;
    /* Our own code outside of any protected call may exceed the limit: a failed allocation there would end
     * the process. */
    bool is_memory_enforced;
    enum limits_kind kind;
    uint64_t instruction_limit;
    int64_t instructions_left;
    uint64_t charged; /* since the clock was last read, without a ticker */
    uint64_t time_limit_ns;
    uint64_t used_ns;             /* in the earlier pieces of this turn */
    uint64_t began_ns;            /* of this piece, in thread time; 0: not read yet */
    uint64_t spent_ns;            /* in pieces long enough to be measured, since it was last reset to 0 */
    lua_State *volatile running;  /* the coroutine to be interrupted; NULL: none */
    volatile sig_atomic_t is_due; /* a tick has occurred */
    bool is_counted;              /* the instructions of this turn, by a hook */
    unsigned closes;              /* depth of nested calls */
    enum termination termination;
    /* A coroutine that was killed for its budget can no longer be interrupted, so no code of it may run
     * again. */
    bool has_killed;
};

/* A lua_Alloc; `limits` is its first argument. */
void *limits_allocate(void *limits, void *memory, size_t old_size, size_t new_size);
/* Enters code of the script in `lua`, with a new budget, or, after it has yielded, with the rest of the old
 * one; until limits_leave. */
void limits_enter(struct limits *limits, lua_State *lua, enum limits_kind kind);
void limits_go_on(struct limits *limits, lua_State *lua, const struct limits_used *used);
struct limits_used limits_leave(struct limits *limits);
/* lua_resume and lua_resetthread, with the limits applied to the inner coroutine; `lua` is the caller. */
int limits_resume(lua_State *lua, lua_State *inner, int arguments, int *results);
int limits_close(lua_State *lua, lua_State *inner);
/* Charges the budget for work that C code does on behalf of a script, in units of instructions; raises if the
 * budget or the time is used up. */
void limits_charge(lua_State *lua, uint64_t instructions);
/* luaL_loadbufferx for text only, within the budget. */
int limits_load(lua_State *lua, const char *text, size_t size, const char *chunk);
/* Called from a signal handler on the thread that runs the script. */
void limits_interrupt(struct limits *limits);
