/* The counting allocator and the counting hook. */
#include "agent/limits.h"

#include "agent/script_state.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

/* The hook's own cost is felt below a thousand. */
#define HOOK_PERIOD 2000

void *limits_allocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    struct limits *limits = context;
    struct memory_account *account = limits->memory;
    /* For a new block Lua passes the kind of object as the old size. */
    size_t was = memory ? old_size : 0;

    if (new_size == 0) {
        free(memory);
        account->used_bytes -= was;
        return NULL;
    }
    if (new_size > was && limits->is_memory_enforced &&
        new_size - was >
            account->limit_bytes -
                (account->used_bytes < account->limit_bytes ? account->used_bytes : account->limit_bytes))
        return NULL;
    void *grown = realloc(memory, new_size);
    if (!grown)
        return NULL;
    account->used_bytes = account->used_bytes - was + new_size;
    return grown;
}

/* 200000000 → "200,000,000" */
static void group_digits(uint64_t number, char *text, size_t size)
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t at = 0;

    for (int i = 0; i < count && at + 2 < size; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
}

static void exhaust(lua_State *lua, struct limits *limits, const char *source, int line)
{
    char count[40];

    limits->has_killed = true;
    if (limits->termination == TERMINATION_NONE)
        limits->termination = TERMINATION_BUDGET;
    group_digits(limits->instruction_limit, count, sizeof count);
    lua_pushfstring(lua, "%s:%d: ran %s instructions without waiting", source, line, count);
    lua_error(lua);
}

static void on_count(lua_State *lua, lua_Debug *activation)
{
    struct limits *limits = &script_of(lua)->limits;

    limits->instructions_left -= HOOK_PERIOD;
    if (limits->instructions_left > 0)
        return;
    lua_getinfo(lua, "Sl", activation);
    exhaust(lua, limits, activation->short_src, activation->currentline);
}

void limits_install(lua_State *lua)
{
    lua_sethook(lua, on_count, LUA_MASKCOUNT, HOOK_PERIOD);
}

void limits_refill(struct limits *limits)
{
    limits->instructions_left = (int64_t)limits->instruction_limit;
}

void limits_charge(lua_State *lua, uint64_t instructions)
{
    struct limits *limits = &script_of(lua)->limits;

    if (instructions > limits->instruction_limit)
        instructions = limits->instruction_limit;
    limits->instructions_left -= (int64_t)instructions;
    if (limits->instructions_left > 0)
        return;
    lua_Debug activation;
    for (int level = 1; lua_getstack(lua, level, &activation); level++) {
        lua_getinfo(lua, "Sl", &activation);
        if (activation.currentline > 0)
            exhaust(lua, limits, activation.short_src, activation.currentline);
    }
    exhaust(lua, limits, "?", 0);
}
