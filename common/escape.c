/* Makes any bytes safe to show. */
#include "common/escape.h"

/* JSON writes characters above U+FFFF as a surrogate pair. */
#define HIGH_SURROGATE(character) (0xd800u + (((character)-0x10000u) >> 10))
#define LOW_SURROGATE(character) (0xdc00u + (((character)-0x10000u) & 0x3ffu))

/* The letter after the backslash, or 0. */
static char short_escape(uint32_t character)
{
    switch (character) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* Emits a well-formed character. */
typedef void character_writer(struct buffer *buffer, struct bytes encoded, uint32_t character);
/* Emits a byte that is not part of a character. */
typedef void stray_writer(struct buffer *buffer, uint8_t byte);

static void each(struct buffer *buffer, struct bytes bytes, character_writer *write,
                 stray_writer *write_stray)
{
    while (bytes.size > 0 && !buffer->has_overflowed) {
        uint32_t character = 0;
        size_t length = bytes_character(bytes, &character);
        if (length == 0) {
            write_stray(buffer, bytes.data[0]);
            length = 1;
        } else {
            write(buffer, bytes_of(bytes.data, length), character);
        }
        bytes = bytes_of(bytes.data + length, bytes.size - length);
    }
}

static void write_text(struct buffer *buffer, struct bytes encoded, uint32_t character)
{
    if (short_escape(character) != 0) {
        buffer_append_format(buffer, "\\%c", short_escape(character));
    } else if (!bytes_character_is_printable(character)) {
        buffer_append_format(buffer, character <= 0xff ? "\\x%02x" : "\\u{%04x}", character);
    } else {
        buffer_append(buffer, encoded.data, encoded.size);
    }
}

static void write_text_stray(struct buffer *buffer, uint8_t byte)
{
    buffer_append_format(buffer, "\\x%02x", byte);
}

static void write_json(struct buffer *buffer, struct bytes encoded, uint32_t character)
{
    if (short_escape(character) != 0) {
        buffer_append_format(buffer, "\\%c", short_escape(character));
    } else if (!bytes_character_is_printable(character) && character > UINT16_MAX) {
        buffer_append_format(buffer, "\\u%04x\\u%04x", HIGH_SURROGATE(character), LOW_SURROGATE(character));
    } else if (!bytes_character_is_printable(character)) {
        buffer_append_format(buffer, "\\u%04x", character);
    } else if (character == '"' || character == '\\') {
        buffer_append_format(buffer, "\\%c", (char)character);
    } else {
        buffer_append(buffer, encoded.data, encoded.size);
    }
}

static void write_json_stray(struct buffer *buffer, uint8_t byte)
{
    (void)byte;
    buffer_append_string(buffer, "\xef\xbf\xbd");
}

void escape_text(struct buffer *buffer, struct bytes bytes)
{
    each(buffer, bytes, write_text, write_text_stray);
}

void escape_json(struct buffer *buffer, struct bytes bytes)
{
    each(buffer, bytes, write_json, write_json_stray);
}
