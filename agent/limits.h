/* What a script may use: memory of its shard, and instructions between two waits. */
#pragma once
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_DEFAULT_MEMORY_BYTES (1024ull * 1024u * 1024u)
#define LIMITS_DEFAULT_INSTRUCTIONS 200000000ull

/* Shared by all scripts of a shard. */
struct memory_account {
    size_t used_bytes;
    size_t limit_bytes;
};

/* Why the code that runs now has to end, whatever it catches. */
enum termination { TERMINATION_NONE, TERMINATION_BUDGET, TERMINATION_STOPPED };

struct limits {
    struct memory_account *memory;
    /* Our own code outside of any protected call may go over: a failed allocation there would be the end of
     * the process. */
    bool is_memory_enforced;
    uint64_t instruction_limit;
    int64_t instructions_left;
    enum termination termination;
    /* A coroutine that the budget has killed can no longer be interrupted, so nothing of it may run again. */
    bool has_killed;
};

/* A lua_Alloc; `limits` is its first argument. */
void *limits_allocate(void *limits, void *memory, size_t old_size, size_t new_size);
/* Sets the hook on a new state; its coroutines inherit it. */
void limits_install(lua_State *lua);
/* A turn begins: the whole budget is there again. */
void limits_refill(struct limits *limits);
/* Takes from the budget what C code does at the wish of a script; raises where it is used up. */
void limits_charge(lua_State *lua, uint64_t instructions);
