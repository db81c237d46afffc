/* Formats numbers for people, for the live line and the report. */
#include "cli/base/format.h"
#include "common/digits.h"
#include "common/duration.h"

#include <assert.h>
#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#define US_PER_MS 1000u
#define US_PER_S 1000000u
#define US_PER_MINUTE 60000000u

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
