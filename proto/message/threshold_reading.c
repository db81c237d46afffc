/* Reading a threshold from left to right. Pure. */
#include "proto/message/threshold_reading.h"

#include "common/compose.h"

#include <stdarg.h>

/* Counts characters, as a person does. */
static size_t reading_column(const struct threshold_reading *reading, size_t at)
{
    size_t column = 1;
    for (size_t i = 0; i < at; i++) {
        column += (reading->text.data[i] & 0xc0u) != 0x80 ? 1 : 0;
    }
    return column;
}

bool reading_refuse(const struct threshold_reading *reading, size_t at, const char *format, ...)
{
    char why[THRESHOLD_LIST_BYTES + 200];
    va_list arguments;
    va_start(arguments, format);
    compose_list(why, sizeof why, format, arguments);
    va_end(arguments);
    return error_set(reading->error, "column %zu: %s", reading_column(reading, at), why);
}

uint8_t reading_peek(const struct threshold_reading *reading)
{
    return reading->at < reading->text.size ? reading->text.data[reading->at] : 0;
}

bool reading_is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

bool reading_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

bool reading_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

void reading_skip_space(struct threshold_reading *reading)
{
    while (reading_is_space(reading_peek(reading))) {
        reading->at++;
    }
}

static struct bytes reading_since(const struct threshold_reading *reading, size_t start)
{
    return bytes_of(reading->text.data + start, reading->at - start);
}

struct bytes reading_take(struct threshold_reading *reading, bool (*belongs)(uint8_t byte))
{
    size_t start = reading->at;
    while (reading->at < reading->text.size && belongs(reading_peek(reading))) {
        reading->at++;
    }
    return reading_since(reading, start);
}

bool reading_is_of_number(uint8_t byte)
{
    return reading_is_digit(byte) || byte == '.';
}

struct bytes reading_word_at(const struct threshold_reading *reading, size_t at)
{
    size_t end = at;
    while (end < reading->text.size && !reading_is_space(reading->text.data[end]) &&
           end - at < THRESHOLD_WORD_BYTES) {
        end++;
    }
    return bytes_of(reading->text.data + at, end - at);
}
