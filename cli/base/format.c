/* Formats numbers for people, for the live line and the report. */
#include "cli/base/format.h"
#include "common/digits.h"
#include "common/duration.h"
#include "common/time_units.h"

#include <assert.h>
#include <locale.h>
#include <stdio.h>
#include <time.h>
#include <wchar.h>

#define US_PER_MS 1000u
#define US_PER_S 1000000u
#define US_PER_MINUTE 60000000u
#define DAY_NS (UINT64_C(86400) * NS_PER_S)

void format_count(uint64_t count, char text[FORMAT_BYTES])
{
    static_assert(FORMAT_BYTES >= DIGITS_BYTES, "there is room for the digits");
    digits_group(count, text);
}

static void format_three_digits(double number, const char *unit, char text[FORMAT_BYTES])
{
    int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    (void)snprintf(text, FORMAT_BYTES, "%.*f%s", decimals, number, unit);
}

void format_us(uint64_t microseconds, char text[FORMAT_BYTES])
{
    if (microseconds < US_PER_MS) {
        (void)snprintf(text, FORMAT_BYTES, "%u µs", (unsigned)microseconds);
    } else if (microseconds < 999500) {
        format_three_digits((double)microseconds / US_PER_MS, " ms", text);
    } else if (microseconds < US_PER_MINUTE) {
        format_three_digits((double)microseconds / US_PER_S, " s", text);
    } else {
        duration_describe(microseconds / US_PER_MS, text, FORMAT_BYTES);
    }
}

void format_rate(double per_second, const char *unit, char text[FORMAT_BYTES])
{
    char count[FORMAT_BYTES];
    if (per_second < 99.95) {
        (void)snprintf(count, sizeof count, "%.1f", per_second);
    } else {
        format_count((uint64_t)(per_second + 0.5), count);
    }
    (void)snprintf(text, FORMAT_BYTES, "%.18s%s%.10s/s", count, unit[0] != '\0' ? " " : "", unit);
}

/* Width of one character according to the C library: East Asian characters are wide, combining marks take no
 * column. */
static size_t columns_of(wchar_t character)
{
    int columns = wcwidth(character);
    return columns >= 0 ? (size_t)columns : 1;
}

/* Invalid UTF-8 counts one column per byte. */
static size_t count_columns(struct bytes text)
{
    size_t columns = 0;
    size_t at = 0;
    mbstate_t state = {0};
    while (at < text.size) {
        wchar_t character = 0;
        size_t size = mbrtowc(&character, (const char *)text.data + at, text.size - at, &state);
        bool is_broken = size == 0 || size > text.size;
        if (is_broken) {
            state = (mbstate_t){0};
        }
        columns += is_broken ? 1 : columns_of(character);
        at += is_broken ? 1 : size;
    }
    return columns;
}

/* Our texts are UTF-8, whatever the locale of the user is. */
size_t format_columns(struct bytes text)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8 == (locale_t)0) {
        return count_columns(text);
    }
    locale_t before = uselocale(utf8);
    size_t columns = count_columns(text);
    (void)uselocale(before);
    freelocale(utf8);
    return columns;
}

void format_cut(struct bytes text, size_t columns, struct buffer *into)
{
    if (format_columns(text) <= columns) {
        buffer_append(into, text.data, text.size);
        return;
    }
    size_t kept = 0;
    for (;;) {
        uint32_t character = 0;
        size_t size = bytes_character(bytes_of(text.data + kept, text.size - kept), &character);
        size = size > 0 ? size : 1;
        if (format_columns(bytes_of(text.data, kept + size)) + 1 > columns) {
            break;
        }
        kept += size;
    }
    buffer_append(into, text.data, kept);
    buffer_append_string(into, "…");
}

/* A place to break at: a space that is not between a number and its unit. */
static bool is_gap(struct bytes text, size_t at)
{
    return text.data[at] == ' ' && at > 0 && (text.data[at - 1] < '0' || text.data[at - 1] > '9');
}

/* How many bytes the next line has: up to the last gap that fits, one after a comma or semicolon if that
 * leaves more than half of the line; else up to the first one. */
static size_t wrapped_bytes(struct bytes text, size_t columns)
{
    size_t end = 0;
    size_t clause = 0;
    if (format_columns(text) <= columns) {
        return text.size;
    }
    for (size_t at = 1; at < text.size; at++) {
        if (!is_gap(text, at)) {
            continue;
        }
        size_t width = format_columns(bytes_of(text.data, at));
        if (end > 0 && width > columns) {
            break;
        }
        end = at;
        bool is_clause = text.data[at - 1] == ',' || text.data[at - 1] == ';';
        clause = is_clause && width > columns / 2 ? at : clause;
    }
    return clause > 0 ? clause : end > 0 ? end : text.size;
}

void format_wrap(struct bytes text, size_t columns, size_t indent, struct buffer *into)
{
    size_t width = columns;
    for (;;) {
        size_t size = wrapped_bytes(text, width);
        buffer_append(into, text.data, size);
        while (size < text.size && text.data[size] == ' ') {
            size++;
        }
        text = bytes_of(text.data + size, text.size - size);
        if (text.size == 0) {
            return;
        }
        buffer_append_format(into, "\n%*s", (int)indent, "");
        width = columns - indent;
    }
}

void format_wall_time(uint64_t wall_ns, uint64_t now_wall_ns, char text[FORMAT_BYTES])
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm parts;
    bool is_recent = now_wall_ns < wall_ns + DAY_NS && wall_ns < now_wall_ns + DAY_NS;
    (void)localtime_r(&seconds, &parts);
    (void)strftime(text, FORMAT_BYTES, is_recent ? "%H:%M:%S" : "%b %e %H:%M", &parts);
}
