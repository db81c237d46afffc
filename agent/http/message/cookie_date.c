/* The dates of cookies: whatever order their parts stand in (RFC 6265 §5.1.1). */
#include "agent/http/message/cookie_jar.h"

#include <string.h>
#include <strings.h>
#include <time.h>

struct date_parts {
    int second, minute, hour, day, month, year;
    bool has_time, has_day, has_month, has_year;
};

static bool is_date_delimiter(uint8_t byte)
{
    return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
           (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

/* Between `least` and `most` digits at the start, which no further digit follows. */
static bool take_number(struct bytes *token, size_t least, size_t most, int *number)
{
    size_t digits = 0;
    int value = 0;

    while (digits < token->size && token->data[digits] >= '0' && token->data[digits] <= '9') {
        if (digits == most) {
            return false;
        }
        value = value * 10 + (token->data[digits++] - '0');
    }
    if (digits < least) {
        return false;
    }
    *token = bytes_of(token->data + digits, token->size - digits);
    *number = value;
    return true;
}

static bool take_colon(struct bytes *token)
{
    if (token->size == 0 || token->data[0] != ':') {
        return false;
    }
    *token = bytes_of(token->data + 1, token->size - 1);
    return true;
}

static bool read_time(struct bytes token, struct date_parts *parts)
{
    struct date_parts read = *parts;

    if (!take_number(&token, 1, 2, &read.hour) || !take_colon(&token) ||
        !take_number(&token, 1, 2, &read.minute) || !take_colon(&token) ||
        !take_number(&token, 1, 2, &read.second)) {
        return false;
    }
    *parts = read;
    return parts->has_time = true;
}

static bool read_month(struct bytes token, struct date_parts *parts)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int month = 0; token.size >= 3 && month < 12; month++) {
        if (strncasecmp((const char *)token.data, months + 3 * month, 3) == 0) {
            parts->month = month;
            return parts->has_month = true;
        }
    }
    return false;
}

static void read_token(struct bytes token, struct date_parts *parts)
{
    if (!parts->has_time && read_time(token, parts)) {
        return;
    }
    struct bytes rest = token;
    if (!parts->has_day && take_number(&rest, 1, 2, &parts->day)) {
        parts->has_day = true;
        return;
    }
    if (!parts->has_month && read_month(token, parts)) {
        return;
    }
    rest = token;
    if (!parts->has_year && take_number(&rest, 2, 4, &parts->year)) {
        parts->has_year = true;
    }
}

bool cookie_date_parse(struct bytes text, int64_t *wall_s)
{
    struct date_parts parts = {0};
    size_t at = 0;

    while (at < text.size) {
        while (at < text.size && is_date_delimiter(text.data[at])) {
            at++;
        }
        size_t start = at;
        while (at < text.size && !is_date_delimiter(text.data[at])) {
            at++;
        }
        if (at > start) {
            read_token(bytes_of(text.data + start, at - start), &parts);
        }
    }
    if (parts.year >= 70 && parts.year <= 99) {
        parts.year += 1900;
    } else if (parts.year >= 0 && parts.year <= 69) {
        parts.year += 2000;
    }
    if (!parts.has_time || !parts.has_day || !parts.has_month || !parts.has_year || parts.day < 1 ||
        parts.day > 31 || parts.year < 1601 || parts.hour > 23 || parts.minute > 59 || parts.second > 59) {
        return false;
    }
    struct tm broken = {.tm_sec = parts.second,
                        .tm_min = parts.minute,
                        .tm_hour = parts.hour,
                        .tm_mday = parts.day,
                        .tm_mon = parts.month,
                        .tm_year = parts.year - 1900};
    *wall_s = (int64_t)timegm(&broken);
    return broken.tm_mday == parts.day; /* the 31st of February is none */
}
