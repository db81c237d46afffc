/* Numbers as decimal digits. */
#include "common/digits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMAL_BYTES 64

bool digits_read(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t sum = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum)) {
            return false;
        }
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *number = sum;
    return true;
}

bool digits_are(const char *text, uint64_t *number)
{
    uint64_t read = 0;
    if (!digits_read(&text, &read) || *text != '\0') {
        return false;
    }
    *number = read;
    return true;
}

bool digits_read_decimal(const char **text, double *number)
{
    char plain[DECIMAL_BYTES]; /* strtod by itself would take exponents and hexadecimal digits as well */
    char *end = NULL;
    size_t size = strspn(*text, "0123456789.");
    if (size == 0 || size >= sizeof plain) {
        return false;
    }
    memcpy(plain, *text, size);
    plain[size] = '\0';
    double parsed = strtod(plain, &end);
    if (end != plain + size) {
        return false;
    }
    *number = parsed;
    *text += size;
    return true;
}

bool digits_are_percent(const char *text, double *percent)
{
    return digits_read_decimal(&text, percent) && strcmp(text, "%") == 0 && *percent <= 100;
}

int digits_hex_value(uint8_t digit)
{
    uint8_t lower = digit | 0x20;

    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void digits_group(uint64_t number, char text[DIGITS_BYTES])
{
    char digits[DIGITS_BYTES];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    char *at = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *at++ = ',';
        }
        *at++ = digits[i];
    }
    *at = '\0';
}

const char *digits_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}
