/* Why input was refused or an operation failed, as one line of text for a person. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>

#define ERROR_MAX_BYTES 1024

struct error {
    char text[ERROR_MAX_BYTES];
};

/* A function that can fail takes a `struct error *` as its last parameter, writes it only on failure, and
 * returns false or NULL. `error` may be NULL if the caller does not want the text. Both functions return
 * false, for `return error_set(error, …)`. */
bool error_set(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* Puts a prefix before the existing text: "bundle pad.lua: " + "line 12: …". */
bool error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* "what: strerror(number)" */
bool error_set_system(struct error *error, int number, const char *format, ...) PRINTF_LIKE(3, 4);
