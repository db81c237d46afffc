/* A borrowed run of bytes, and helpers for those that hold text. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed: whoever made it says how long it lasts. `data` may be NULL only when size is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

struct bytes bytes_of(const void *data, size_t size);
/* The characters of a C string without its zero. NULL gives empty. */
struct bytes bytes_of_string(const char *string);
bool bytes_equal(struct bytes left, struct bytes right);
bool bytes_equal_string(struct bytes left, const char *string);
/* Like memcmp, the shorter first where one is the start of the other. */
int bytes_compare(struct bytes left, struct bytes right);
/* A deterministic 64-bit hash (not keyed: never for defence against chosen input alone). */
uint64_t bytes_hash(struct bytes bytes);
/* Whether a person sees this character as what it is: no control character, no line end, nothing that turns
 * the direction of writing or is not seen at all. */
bool bytes_character_is_printable(uint32_t character);
/* Whether it is UTF-8 of such characters. */
bool bytes_is_printable(struct bytes bytes);

/* How many bytes the UTF-8 character at the start takes, and which it is; 0 when there is none, or a
 * malformed one. */
size_t bytes_character(struct bytes bytes, uint32_t *character);
/* Copies what fits into `size` bytes with the zero, cut between two characters; a zero byte inside ends it.
 */
void bytes_to_text(struct bytes bytes, char *text, size_t size);

/* Length and characters for "%.*s". */
#define BYTES_FORMAT(bytes) (int)(bytes).size, (const char *)(bytes).data
