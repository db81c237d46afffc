/* Lua's patterns, matched with an eye on the budget: some take longer than anyone can wait, inside C where no
 * hook looks. */
#pragma once
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX_CAPTURES 32

struct pattern_capture {
    const char *start;
    ptrdiff_t size; /* or one of two signs: still open, a position */
};

struct pattern {
    lua_State *lua;
    const char *subject;
    const char *subject_end;
    const char *text; /* of the pattern, behind a leading '^' where the caller has taken it */
    const char *text_end;
    int level;
    int depth;
    size_t steps; /* not charged yet */
    struct pattern_capture captures[PATTERN_MAX_CAPTURES];
};

/* Where a match of the whole pattern at `start` ends, or NULL. Raises for a malformed pattern, and when the
 * budget is used up. */
const char *pattern_match(struct pattern *pattern, const char *start);
/* Pushes capture `index` of a match; the whole match for 0 where there are none. */
void pattern_push_capture(struct pattern *pattern, int index, const char *start, const char *end);
/* Pushes all captures; the whole match where there are none and `start` is given. Gives their number. */
int pattern_push_captures(struct pattern *pattern, const char *start, const char *end);

/* string.find, match, gmatch and gsub in the place of the library's. */
void pattern_open(lua_State *lua);
