/* The counting allocator and the hooks that end a turn. */
#include "agent/script/limits.h"

#include "agent/script/lua_error.h"
#include "agent/script/script_state.h"
#include "agent/script/ticker.h"
#include "common/attributes.h"
#include "common/clock.h"
#include "common/digits.h"
#include "common/duration.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fewer than 1000 instructions per hook call would show in profiles. */
#define HOOK_PERIOD 2000
/* How often it is looked whether a turn that is due to yield has left what cannot be divided. */
#define UNDIVIDED_PERIOD 50
/* A turn that can yield does so after this long. */
#define PIECE_NS (2 * NS_PER_MS)
/* If it cannot yield (within a gsub, a metamethod, a require, one long call) it is ended after this long: no
 * other worker has a turn meanwhile. */
#define LONGEST_PIECE_NS (500 * NS_PER_MS)
#define CLOSE_NS (100 * NS_PER_MS)
#define LOAD_AT_ONCE_BYTES 4096u
/* Without a ticker, C code reads the clock at this interval. */
#define CHARGED_AT_ONCE 100000u
#define DURATION_BYTES 40
/* A script of which less than this is alive may have four times as much before the collector looks for what
 * is; one that is larger, twice as much, as is usual. More than that would not stay in the processor's cache,
 * which costs more than looking less often saves. */
#define SMALL_HEAP_BYTES (1024u * 1024u)
#define SMALL_HEAP_PERCENT 400
#define USUAL_PERCENT 200

static bool limits_allow(const struct limits *limits, size_t was, size_t new_size)
{
    const struct memory_account *account = limits->memory;
    size_t others = account->used_bytes - limits->used_bytes;
    size_t left = account->limit_bytes > others ? account->limit_bytes - others : 0;
    /* So that one campaign cannot use up the memory that the next one needs. */
    size_t share = left - left / 4;

    return new_size <= LIMITS_MAX_BLOCK_BYTES && limits->used_bytes <= share &&
           new_size - was <= share - limits->used_bytes;
}

static void limits_count(struct limits *limits, size_t was, size_t new_size)
{
    limits->memory->used_bytes = limits->memory->used_bytes - was + new_size;
    limits->used_bytes = limits->used_bytes - was + new_size;
}

/* Of its own, so that limits_allocate, which is called for each object, has little to save. */
static NOINLINE void *limits_resize(struct limits *limits, void *memory, size_t was, size_t new_size)
{
    void *grown = block_cache_resize(&limits->blocks, memory, was, new_size);

    if (grown != NULL) {
        limits_count(limits, was, new_size);
    }
    return grown;
}

void *limits_allocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    struct limits *limits = context;
    /* For a new block Lua passes the kind of object as the old size. */
    size_t was = memory != NULL ? old_size : 0;

    if (new_size == 0) {
        limits_count(limits, was, 0);
        if (!block_cache_keep(&limits->blocks, memory, was)) {
            free(memory);
        }
        return NULL;
    }
    bool is_long_string = memory == NULL && old_size == LUA_TSTRING && new_size > LIMITS_MAX_STRING_BYTES;
    if (new_size > was && limits->is_memory_enforced &&
        (is_long_string || !limits_allow(limits, was, new_size))) {
        return NULL;
    }
    void *kept = memory == NULL ? block_cache_reuse(&limits->blocks, new_size) : NULL;
    if (kept == NULL) {
        return limits_resize(limits, memory, was, new_size);
    }
    limits_count(limits, 0, new_size);
    return kept;
}

/* "pad.lua:12: " of the innermost function that is the script's, not one of ours. */
static void push_place(lua_State *lua)
{
    static const char ours[] = "=tutti";
    lua_Debug activation;

    for (int level = 0; lua_getstack(lua, level, &activation); level++) {
        lua_getinfo(lua, "Sl", &activation);
        if (activation.currentline > 0 && strncmp(activation.source, ours, sizeof ours - 1) != 0) {
            lua_pushfstring(lua, "%s:%d: ", activation.short_src, activation.currentline);
            return;
        }
    }
    lua_pushliteral(lua, "");
}

/* Raises the text on top of the stack. */
static void exhaust(lua_State *lua, struct limits *limits)
{
    limits->has_killed = true;
    if (limits->termination == TERMINATION_NONE) {
        limits->termination = TERMINATION_BUDGET;
    }
    push_place(lua);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
    lua_error(lua);
}

static void exhaust_instructions(lua_State *lua, struct limits *limits)
{
    char count[DIGITS_BYTES];

    digits_group(limits->instruction_limit, count);
    lua_pushfstring(lua, "ran %s instructions without waiting", count);
    exhaust(lua, limits);
}

static void exhaust_time(lua_State *lua, struct limits *limits, uint64_t limit_ns, bool is_piece)
{
    char limit[DURATION_BYTES];

    duration_describe(limit_ns / NS_PER_MS, limit, sizeof limit);
    lua_pushfstring(lua,
                    is_piece ? "used %s of processor time at a stretch where it cannot yield to others"
                             : "used %s of processor time without waiting (--turn-limit)",
                    limit);
    exhaust(lua, limits);
}

static uint64_t piece_limit_ns(const struct limits *limits)
{
    switch (limits->kind) {
    case LIMITS_TURN:
        return LONGEST_PIECE_NS;
    case LIMITS_CLOSE:
        return CLOSE_NS;
    case LIMITS_LOAD:
        break;
    }
    return UINT64_MAX;
}

/* Reads the clock. Returns whether the turn should yield, if it can. */
static bool look(lua_State *lua, struct limits *limits)
{
    uint64_t now_ns = ticker_thread_ns();

    limits->is_due = 0;
    limits->charged = 0;
    ticker_go_on();
    if (limits->began_ns == 0) {
        limits->began_ns = now_ns;
        return false;
    }
    uint64_t piece_ns = now_ns - limits->began_ns;
    if (limits->used_ns + piece_ns >= limits->time_limit_ns) {
        exhaust_time(lua, limits, limits->time_limit_ns, false);
    }
    if (piece_ns >= piece_limit_ns(limits)) {
        exhaust_time(lua, limits, piece_limit_ns(limits), true);
    }
    return limits->kind == LIMITS_TURN && piece_ns >= PIECE_NS;
}

/* For the watchdog: the location of a turn that does not yield. */
static void limits_tell_place(lua_State *lua)
{
    const struct script *script = script_of(lua);

    if (script->thread == NULL || !lua_checkstack(lua, 2)) {
        return;
    }
    push_place(lua);
    size_t size = lua_rawlen(lua, -1);
    lua_pushlstring(lua, lua_tostring(lua, -1), size > 2 ? size - 2 : 0); /* without ": " */
    script->thread->tell_place(script->thread_context, lua_tostring(lua, -1));
    lua_pop(lua, 2);
}

static void on_interrupt(lua_State *lua, lua_Debug *activation);

static void on_count(lua_State *lua, lua_Debug *activation)
{
    struct limits *limits = &script_of(lua)->limits;

    (void)activation;
    limits->instructions_left -= HOOK_PERIOD;
    if (limits->instructions_left <= 0) {
        exhaust_instructions(lua, limits);
    }
    if (!ticker_is_running()) {
        on_interrupt(lua, activation);
    }
}

static void limits_count_on(lua_State *lua)
{
    lua_sethook(lua, on_count, LUA_MASKCOUNT, HOOK_PERIOD);
}

/* With a hook, each instruction costs as much again: few turns are so long that they are counted. */
static void limits_hook(const struct limits *limits, lua_State *lua)
{
    bool is_hooked = lua_gethookmask(lua) != 0;

    if (limits->is_counted && !is_hooked) {
        limits_count_on(lua);
    } else if (!limits->is_counted && is_hooked) {
        lua_sethook(lua, NULL, 0, 0);
    }
}

/* Whether the innermost function is one that shares tables with other tasks of its worker. */
static bool limits_is_undivided(lua_State *lua, lua_Debug *activation)
{
    static const char prefix[] = "=" LUA_UNDIVIDED_CHUNKS;

    return lua_getinfo(lua, "S", activation) != 0 &&
           strncmp(activation->source, prefix, sizeof prefix - 1) == 0;
}

/* A tick has occurred. A coroutine can yield only between two instructions. */
static void on_interrupt(lua_State *lua, lua_Debug *activation)
{
    struct limits *limits = &script_of(lua)->limits;

    limits->is_counted = true;
    limits_count_on(lua);
    if (limits->running == NULL || !look(lua, limits)) {
        return;
    }
    if (!script_may_wait(lua)) {
        limits_tell_place(lua);
        return;
    }
    if (limits_is_undivided(lua, activation)) {
        lua_sethook(lua, on_interrupt, LUA_MASKCOUNT, UNDIVIDED_PERIOD);
    } else if (activation->event == LUA_HOOKCOUNT) {
        script_of(lua)->thread->give_way(lua);
    } else {
        lua_sethook(lua, on_interrupt, LUA_MASKCOUNT, 1);
    }
}

void limits_interrupt(struct limits *limits)
{
    lua_State *running = limits->running;

    limits->is_due = 1;
    if (running != NULL) {
        lua_sethook(running, on_interrupt, LUA_MASKCALL | LUA_MASKCOUNT, 1);
    }
}

/* From now on `lua` is what runs. A tick may occur at any of these lines: it finds one of the two coroutines,
 * or is found here. */
static void limits_switch(struct limits *limits, lua_State *lua)
{
    limits_hook(limits, lua);
    limits->running = lua;
    if (limits->is_due) {
        limits_interrupt(limits);
    }
}

static void limits_tune_collector(struct limits *limits, lua_State *lua)
{
    bool is_small = limits->used_bytes <=
                    (limits->is_small ? SMALL_HEAP_BYTES / 100 * SMALL_HEAP_PERCENT : SMALL_HEAP_BYTES);

    if (is_small != limits->is_small) {
        limits->is_small = is_small;
        (void)lua_gc(lua, LUA_GCINC, is_small ? SMALL_HEAP_PERCENT : USUAL_PERCENT, 0, 0);
    }
}

static void limits_begin(struct limits *limits, lua_State *lua, enum limits_kind kind)
{
    limits->kind = kind;
    limits->termination = TERMINATION_NONE;
    limits->is_memory_enforced = true;
    limits->closes = 0;
    limits->began_ns = 0;
    limits->is_due = 0;
    limits->charged = 0;
    limits_hook(limits, lua);
    limits->running = lua;
    ticker_aim(limits);
    ticker_go_on();
}

void limits_enter(struct limits *limits, lua_State *lua, enum limits_kind kind)
{
    limits->used_ns = 0;
    limits->instructions_left = (int64_t)limits->instruction_limit;
    limits->is_counted = !ticker_is_running();
    limits_tune_collector(limits, lua);
    limits_begin(limits, lua, kind);
}

void limits_go_on(struct limits *limits, lua_State *lua, const struct limits_used *used)
{
    limits->used_ns = used->time_ns;
    limits->instructions_left = used->instructions_left;
    limits->is_counted = true;
    limits_begin(limits, lua, LIMITS_TURN);
    limits->began_ns = ticker_thread_ns();
}

struct limits_used limits_leave(struct limits *limits)
{
    ticker_aim(NULL);
    limits->running = NULL;
    limits->is_memory_enforced = false;
    uint64_t piece_ns = limits->began_ns != 0 ? ticker_thread_ns() - limits->began_ns : 0;
    limits->spent_ns += piece_ns;
    return (struct limits_used){.time_ns = limits->used_ns + piece_ns,
                                .instructions_left = limits->instructions_left};
}

int limits_resume(lua_State *lua, lua_State *inner, int arguments, int *results)
{
    struct script *script = script_of(lua);
    bool could_not = script->cannot_wait;

    /* If the resuming coroutine cannot yield, the inner one can neither wait nor yield. */
    script->cannot_wait = could_not || !lua_isyieldable(lua);
    limits_switch(&script->limits, inner);
    int status = lua_resume(inner, lua, arguments, results);
    limits_switch(&script->limits, lua);
    script->cannot_wait = could_not;
    return status;
}

int limits_close(lua_State *lua, lua_State *inner)
{
    struct limits *limits = &script_of(lua)->limits;

    if (limits->closes >= LIMITS_MAX_CLOSES) {
        return luaL_error(lua, "C stack overflow (coroutines that close each other)");
    }
    limits->closes++;
    limits_switch(limits, inner);
    int status = lua_resetthread(inner);
    limits_switch(limits, lua);
    limits->closes--;
    return status;
}

void limits_charge(lua_State *lua, uint64_t instructions)
{
    struct limits *limits = &script_of(lua)->limits;

    if (instructions > limits->instruction_limit) {
        instructions = limits->instruction_limit;
    }
    limits->instructions_left -= (int64_t)instructions;
    if (limits->instructions_left <= 0) {
        exhaust_instructions(lua, limits);
    }
    limits->charged += instructions;
    if (limits->running != NULL &&
        (limits->is_due || (limits->charged >= CHARGED_AT_ONCE && !ticker_is_running()))) {
        (void)look(lua, limits);
    }
}

struct source {
    const char *text;
    size_t size;
};

static const char *read_source(lua_State *lua, void *context, size_t *size)
{
    struct source *source = context;
    const char *piece = source->text;

    *size = source->size < LOAD_AT_ONCE_BYTES ? source->size : LOAD_AT_ONCE_BYTES;
    if (*size == 0) {
        return NULL;
    }
    limits_charge(lua, *size);
    source->text += *size;
    source->size -= *size;
    return piece;
}

int limits_load(lua_State *lua, const char *text, size_t size, const char *chunk)
{
    struct source source = {.text = text, .size = size};

    return lua_load(lua, read_source, &source, chunk, "t");
}
