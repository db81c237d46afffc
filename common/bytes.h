/* A borrowed run of bytes, and helpers for bytes that hold text. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed: the function or structure that provides it states how long it is valid. `data` may be NULL only
 * when size is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

struct bytes bytes_of(const void *data, size_t size);
/* The characters of a C string without its zero. NULL gives an empty run. */
struct bytes bytes_of_string(const char *string);
bool bytes_equal(struct bytes left, struct bytes right);
bool bytes_equal_string(struct bytes left, const char *string);
/* Like memcmp; if one is a prefix of the other, the shorter one sorts first. */
int bytes_compare(struct bytes left, struct bytes right);
/* A deterministic 64-bit hash. It is not keyed, so on its own it is no defence against chosen input. */
uint64_t bytes_hash(struct bytes bytes);
/* Whether a person sees this character as what it is: not a control character, not a line end, nothing that
 * changes the direction of writing or is invisible. */
bool bytes_character_is_printable(uint32_t character);
/* Whether it is UTF-8 that consists of such characters. */
bool bytes_is_printable(struct bytes bytes);

/* The number of bytes of the UTF-8 character at the start, and its code point; 0 if there is none or it is
 * malformed. */
size_t bytes_character(struct bytes bytes, uint32_t *character);
/* Copies what fits into `size` bytes including the zero, cut at a character boundary; a zero byte in `bytes`
 * ends the copy. */
void bytes_to_text(struct bytes bytes, char *text, size_t size);

/* Length and pointer for "%.*s". */
#define BYTES_FORMAT(bytes) (int)(bytes).size, (const char *)(bytes).data
