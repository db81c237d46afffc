/* A backtracking matcher for Lua's patterns that charges its steps to the script. */
#include "agent/script/pattern.h"

#include "agent/script/limits.h"

#include <assert.h>
#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#define MAX_DEPTH 200
/* Charged at once; one step takes about as long as an instruction. */
#define STEPS_AT_ONCE 1000u

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

static void count_steps(struct pattern *pattern, size_t count)
{
    pattern->steps += count;
    if (pattern->steps < STEPS_AT_ONCE) {
        return;
    }
    limits_charge(pattern->lua, pattern->steps);
    pattern->steps = 0;
}

static void count_step(struct pattern *pattern)
{
    count_steps(pattern, 1);
}

static bool is_of_class(int character, int class)
{
    int lower = tolower(class);
    bool is_in;

    switch (lower) {
    case 'a':
        is_in = isalpha(character);
        break;
    case 'c':
        is_in = iscntrl(character);
        break;
    case 'd':
        is_in = isdigit(character);
        break;
    case 'g':
        is_in = isgraph(character);
        break;
    case 'l':
        is_in = islower(character);
        break;
    case 'p':
        is_in = ispunct(character);
        break;
    case 's':
        is_in = isspace(character);
        break;
    case 'u':
        is_in = isupper(character);
        break;
    case 'w':
        is_in = isalnum(character);
        break;
    case 'x':
        is_in = isxdigit(character);
        break;
    default:
        return class == character;
    }
    return isupper(class) ? !is_in : is_in;
}

/* The position after the single character or class that begins at `at`. */
static const char *class_end(struct pattern *pattern, const char *at)
{
    if (at == pattern->text_end) {
        luaL_error(pattern->lua, "malformed pattern (ends with '%%')");
    }
    const char *begin = at;
    char first = *at++;
    if (first == '%') {
        if (at == pattern->text_end) {
            luaL_error(pattern->lua, "malformed pattern (ends with '%%')");
        }
        return at + 1;
    }
    if (first != '[') {
        return at;
    }
    if (at < pattern->text_end && *at == '^') {
        at++;
    }
    do { /* a ']' in the first position is literal */
        if (at == pattern->text_end) {
            luaL_error(pattern->lua, "malformed pattern (missing ']')");
        }
        if (*at++ == '%') {
            if (at == pattern->text_end) {
                luaL_error(pattern->lua, "malformed pattern (missing ']')");
            }
            at++;
        }
    } while (at == pattern->text_end || *at != ']');
    count_steps(pattern, (size_t)(at - begin));
    return at + 1;
}

/* `at` is the '[', `last` its ']'. */
static bool is_in_set(struct pattern *pattern, int character, const char *at, const char *last)
{
    bool found = true;

    if (at[1] == '^') {
        found = false;
        at++;
    }
    while (++at < last) {
        count_step(pattern);
        if (*at == '%') {
            at++;
            if (is_of_class(character, (unsigned char)*at)) {
                return found;
            }
        } else if (at[1] == '-' && at + 2 < last) {
            at += 2;
            if ((unsigned char)at[-2] <= character && character <= (unsigned char)*at) {
                return found;
            }
        } else if ((unsigned char)*at == character) {
            return found;
        }
    }
    return !found;
}

static bool matches_single(struct pattern *pattern, const char *subject, const char *at, const char *end)
{
    count_step(pattern);
    if (subject >= pattern->subject_end) {
        return false;
    }
    int character = (unsigned char)*subject;
    switch (*at) {
    case '.':
        return true;
    case '%':
        return is_of_class(character, (unsigned char)at[1]);
    case '[':
        return is_in_set(pattern, character, at, end - 1);
    default:
        return (unsigned char)*at == character;
    }
}

static const char *match(struct pattern *pattern, const char *subject, const char *at);

/* "%b()": balanced */
static const char *match_balance(struct pattern *pattern, const char *subject, const char *at)
{
    int open_count = 1;

    if (at + 1 >= pattern->text_end) {
        luaL_error(pattern->lua, "malformed pattern (missing arguments to '%%b')");
    }
    if (subject >= pattern->subject_end || *subject != *at) {
        return NULL;
    }
    while (++subject < pattern->subject_end) {
        count_step(pattern);
        if (*subject == at[1]) {
            if (--open_count == 0) {
                return subject + 1;
            }
        } else if (*subject == at[0]) {
            open_count++;
        }
    }
    return NULL;
}

/* "x*": greedy, then fewer. */
static const char *match_most(struct pattern *pattern, const char *subject, const char *at, const char *end)
{
    ptrdiff_t count = 0;

    while (matches_single(pattern, subject + count, at, end)) {
        count++;
    }
    for (; count >= 0; count--) {
        const char *result = match(pattern, subject + count, end + 1);
        if (result != NULL) {
            return result;
        }
    }
    return NULL;
}

/* "x-": none, then more. */
static const char *match_least(struct pattern *pattern, const char *subject, const char *at, const char *end)
{
    assert(subject != NULL);
    for (;;) {
        const char *result = match(pattern, subject, end + 1);
        if (result != NULL) {
            return result;
        }
        if (!matches_single(pattern, subject, at, end)) {
            return NULL;
        }
        subject++;
    }
}

static const char *start_capture(struct pattern *pattern, const char *subject, const char *at, ptrdiff_t sign)
{
    if (pattern->level >= PATTERN_MAX_CAPTURES) {
        luaL_error(pattern->lua, "too many captures");
    }
    pattern->captures[pattern->level] = (struct pattern_capture){.start = subject, .size = sign};
    pattern->level++;
    const char *result = match(pattern, subject, at);
    if (result == NULL) {
        pattern->level--;
    }
    return result;
}

static const char *end_capture(struct pattern *pattern, const char *subject, const char *at)
{
    int level = pattern->level - 1;

    while (level >= 0 && pattern->captures[level].size != CAPTURE_OPEN) {
        level--;
    }
    if (level < 0) {
        luaL_error(pattern->lua, "invalid pattern capture");
    }
    pattern->captures[level].size = subject - pattern->captures[level].start;
    const char *result = match(pattern, subject, at);
    if (result == NULL) {
        pattern->captures[level].size = CAPTURE_OPEN;
    }
    return result;
}

/* "%1": a back reference */
static const char *match_capture(struct pattern *pattern, const char *subject, int digit)
{
    int level = digit - '1';

    if (level < 0 || level >= pattern->level || pattern->captures[level].size == CAPTURE_OPEN) {
        luaL_error(pattern->lua, "invalid capture index %%%d", level + 1);
    }
    size_t size = pattern->captures[level].size < 0 ? 0 : (size_t)pattern->captures[level].size;
    limits_charge(pattern->lua, size / 16);
    if (pattern->captures[level].size < 0 || (size_t)(pattern->subject_end - subject) < size ||
        memcmp(pattern->captures[level].start, subject, size) != 0) {
        return NULL;
    }
    return subject + size;
}

/* "%f[set]": a transition from outside the set into it */
static bool is_at_frontier(struct pattern *pattern, const char *subject, const char *at, const char *end)
{
    int before = subject == pattern->subject ? 0 : (unsigned char)subject[-1];
    int after = subject < pattern->subject_end ? (unsigned char)*subject : 0;

    return !is_in_set(pattern, before, at, end - 1) && is_in_set(pattern, after, at, end - 1);
}

/* A single character or class and its suffix. Returns true if matching continues at (*subject, *at), else
 * *result is the end. */
static bool match_default(struct pattern *pattern, const char **subject, const char **at, const char **result)
{
    const char *end = class_end(pattern, *at);
    char suffix = end < pattern->text_end ? *end : 0;

    if (suffix == '*' || suffix == '-') {
        *result = suffix == '*' ? match_most(pattern, *subject, *at, end)
                                : match_least(pattern, *subject, *at, end);
        return false;
    }
    bool is_there = matches_single(pattern, *subject, *at, end);
    if (suffix == '+') {
        *result = is_there ? match_most(pattern, *subject + 1, *at, end) : NULL;
        return false;
    }
    if (suffix == '?') {
        *result = is_there ? match(pattern, *subject + 1, end + 1) : NULL;
        if (*result != NULL) {
            return false;
        }
        *at = end + 1;
        return true;
    }
    if (!is_there) {
        *result = NULL;
        return false;
    }
    ++*subject;
    *at = end;
    return true;
}

/* An item that begins with '%' and is more than a class; returns whether it was one. If so, goes_on and
 * result are as in match_default. */
static bool match_special(struct pattern *pattern, const char **subject, const char **at, const char **result,
                          bool *goes_on)
{
    char kind = *at + 1 < pattern->text_end ? (*at)[1] : 0;

    if (kind == 'b') {
        *result = match_balance(pattern, *subject, *at + 2);
        *at += 4;
    } else if (kind == 'f') {
        const char *set = *at + 2;
        if (set >= pattern->text_end || *set != '[') {
            luaL_error(pattern->lua, "missing '[' after '%%f' in pattern");
        }
        const char *end = class_end(pattern, set);
        *result = is_at_frontier(pattern, *subject, set, end) ? *subject : NULL;
        *at = end;
    } else if (isdigit((unsigned char)kind)) {
        *result = match_capture(pattern, *subject, kind);
        *at += 2;
    } else {
        return false;
    }
    *goes_on = *result != NULL;
    if (*result != NULL) {
        *subject = *result;
    }
    return true;
}

static const char *match(struct pattern *pattern, const char *subject, const char *at)
{
    const char *result = NULL;
    bool goes_on = true;

    if (pattern->depth-- == 0) {
        luaL_error(pattern->lua, "pattern too complex");
    }
    while (goes_on) {
        count_step(pattern);
        goes_on = false;
        if (at == pattern->text_end) {
            result = subject;
        } else if (*at == '(') {
            bool is_position = at + 1 < pattern->text_end && at[1] == ')';
            result = start_capture(pattern, subject, at + (is_position ? 2 : 1),
                                   is_position ? CAPTURE_POSITION : CAPTURE_OPEN);
        } else if (*at == ')') {
            result = end_capture(pattern, subject, at + 1);
        } else if (*at == '$' && at + 1 == pattern->text_end) {
            result = subject == pattern->subject_end ? subject : NULL;
        } else if (*at != '%' || !match_special(pattern, &subject, &at, &result, &goes_on)) {
            goes_on = match_default(pattern, &subject, &at, &result);
        }
    }
    pattern->depth++;
    return result;
}

const char *pattern_match(struct pattern *pattern, const char *start)
{
    pattern->level = 0;
    pattern->depth = MAX_DEPTH;
    return match(pattern, start, pattern->text);
}

void pattern_push_capture(struct pattern *pattern, int index, const char *start, const char *end)
{
    if (index >= pattern->level) {
        if (index > 0) {
            luaL_error(pattern->lua, "invalid capture index %%%d", index + 1);
        }
        lua_pushlstring(pattern->lua, start, (size_t)(end - start));
        return;
    }
    const struct pattern_capture *capture = &pattern->captures[index];
    if (capture->size == CAPTURE_OPEN) {
        luaL_error(pattern->lua, "unfinished capture");
    }
    if (capture->size == CAPTURE_POSITION) {
        lua_pushinteger(pattern->lua, capture->start - pattern->subject + 1);
    } else {
        lua_pushlstring(pattern->lua, capture->start, (size_t)capture->size);
    }
}

int pattern_push_captures(struct pattern *pattern, const char *start, const char *end)
{
    int count = pattern->level == 0 && start != NULL ? 1 : pattern->level;

    luaL_checkstack(pattern->lua, count, "too many captures");
    for (int i = 0; i < count; i++) {
        pattern_push_capture(pattern, i, start, end);
    }
    return count;
}
