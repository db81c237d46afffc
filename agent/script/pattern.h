/* Lua's patterns, matched within the budget: some take longer than anyone can wait, inside C, where no hook
 * runs. */
#pragma once
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX_CAPTURES 32

struct pattern_capture {
    const char *start;
    ptrdiff_t size; /* or one of two constants: still open, a position */
};

struct pattern {
    lua_State *lua;
    const char *subject;
    const char *subject_end;
    const char *text; /* of the pattern, after a leading '^' that the caller has consumed */
    const char *text_end;
    int level;
    int depth;
    size_t steps; /* not charged yet */
    struct pattern_capture captures[PATTERN_MAX_CAPTURES];
};

/* The end of a match of the whole pattern at `start`, or NULL. Raises for a malformed pattern, and when the
 * budget is used up. */
const char *pattern_match(struct pattern *pattern, const char *start);
/* Pushes capture `index` of a match; for 0 the whole match if there are none. */
void pattern_push_capture(struct pattern *pattern, int index, const char *start, const char *end);
/* Pushes all captures; the whole match if there are none and `start` is given. Returns their number. */
int pattern_push_captures(struct pattern *pattern, const char *start, const char *end);

/* string.match: (subject, pattern, [start]). */
int pattern_string_match(lua_State *lua);
/* string.find, match, gmatch and gsub, replacing those of the library. */
void pattern_open(lua_State *lua);
