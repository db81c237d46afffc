/* Durations as people write them. */
#include "common/duration.h"

#include <stdio.h>
#include <string.h>

#define MS_PER_S 1000u
#define MS_PER_MINUTE (60u * MS_PER_S)
#define MS_PER_HOUR (60u * MS_PER_MINUTE)
#define MAXIMUM_MS (365ull * 24u * MS_PER_HOUR)
#define FRACTION_DIGITS 6

static const struct {
    const char *name;
    uint64_t milliseconds;
} units[] = {
    {"", MS_PER_S}, {"ms", 1}, {"s", MS_PER_S}, {"m", MS_PER_MINUTE}, {"h", MS_PER_HOUR},
};

/* Reads a unit, or the seconds that stand for none; 0 if it is neither. */
static uint64_t read_unit(const char **text)
{
    size_t length = strcspn(*text, "0123456789");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) == length && strncmp(units[i].name, *text, length) == 0) {
            *text += length;
            return units[i].milliseconds;
        }
    }
    return 0;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Reads digits, saturating far above the allowed maximum; false if there are none. */
static bool read_whole(const char **text, uint64_t *whole)
{
    const char *start = *text;
    *whole = 0;
    for (; is_digit(**text); (*text)++) {
        if (*whole <= MAXIMUM_MS) {
            *whole = *whole * 10 + (uint64_t)(**text - '0');
        }
    }
    return *text > start;
}

/* Reads the digits after the decimal point, in units of 10^-FRACTION_DIGITS; false if there are none or too
 * many. */
static bool read_fraction(const char **text, uint64_t *fraction)
{
    const char *start = *text;
    uint64_t worth = 100000;
    *fraction = 0;
    for (; is_digit(**text); (*text)++) {
        *fraction += worth * (uint64_t)(**text - '0');
        worth /= 10;
    }
    return *text > start && *text - start <= FRACTION_DIGITS;
}

struct part {
    uint64_t whole;
    uint64_t fraction; /* in units of 10^-FRACTION_DIGITS */
    uint64_t unit_ms;
    bool has_unit;
};

/* "5m" of "5m30s". */
static bool read_part(const char **text, struct part *part)
{
    *part = (struct part){0};
    bool is_number = read_whole(text, &part->whole);
    if (is_number && **text == '.') {
        (*text)++;
        is_number = read_fraction(text, &part->fraction);
    }
    part->has_unit = is_number && **text != '\0';
    part->unit_ms = is_number ? read_unit(text) : 0;
    return part->unit_ms > 0;
}

static bool add_part(const char *text, const struct part *part, uint64_t *total, struct error *error)
{
    uint64_t fraction = part->fraction * part->unit_ms;
    uint64_t sum;
    if (fraction % 1000000 != 0) {
        return error_set(error, "\"%.40s\" is finer than a millisecond", text);
    }
    if (__builtin_mul_overflow(part->whole, part->unit_ms, &sum) ||
        __builtin_add_overflow(sum, fraction / 1000000 + *total, &sum) || sum > MAXIMUM_MS) {
        return error_set(error, "\"%.40s\" is longer than 365 days", text);
    }
    *total = sum;
    return true;
}

bool duration_parse(const char *text, uint64_t *milliseconds, struct error *error)
{
    const char *rest = text;
    uint64_t total = 0;
    uint64_t unit_before = UINT64_MAX;
    struct part part;
    do {
        bool is_first = rest == text;
        bool is_part = read_part(&rest, &part) && part.unit_ms < unit_before && (is_first || part.has_unit) &&
                       (part.fraction == 0 || *rest == '\0');
        if (!is_part) {
            return error_set(error, "\"%.40s\" is not a duration; write it like 10, 250ms, 1.5s, 5m30s or 1h",
                             text);
        }
        if (!add_part(text, &part, &total, error)) {
            return false;
        }
        unit_before = part.unit_ms;
    } while (*rest != '\0');
    *milliseconds = total;
    return true;
}

/* "2.5": thousandths without trailing zeros. */
static void describe_seconds(uint64_t milliseconds, char *text, unsigned size)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%u.%03u", (unsigned)(milliseconds / MS_PER_S),
                          (unsigned)(milliseconds % MS_PER_S));
    while (digits[length - 1] == '0') {
        length--;
    }
    if (digits[length - 1] == '.') {
        length--;
    }
    (void)snprintf(text, size, "%.*s s", length, digits);
}

void duration_describe(uint64_t milliseconds, char *text, unsigned size)
{
    if (milliseconds < MS_PER_S) {
        (void)snprintf(text, size, "%u ms", (unsigned)milliseconds);
        return;
    }
    if (milliseconds < MS_PER_MINUTE) {
        describe_seconds(milliseconds, text, size);
        return;
    }
    unsigned long long hours = milliseconds / MS_PER_HOUR;
    unsigned minutes = (unsigned)(milliseconds % MS_PER_HOUR / MS_PER_MINUTE);
    unsigned seconds = (unsigned)(milliseconds % MS_PER_MINUTE / MS_PER_S);
    char hour_text[32] = "";
    char minute_text[16] = "";
    char second_text[16] = "";
    if (hours > 0) {
        (void)snprintf(hour_text, sizeof hour_text, " %llu h", hours);
    }
    if (minutes > 0) {
        (void)snprintf(minute_text, sizeof minute_text, " %u m", minutes);
    }
    if (seconds > 0) {
        (void)snprintf(second_text, sizeof second_text, " %u s", seconds);
    }
    char all[64];
    (void)snprintf(all, sizeof all, "%s%s%s", hour_text, minute_text, second_text);
    (void)snprintf(text, size, "%s", all + 1);
}
