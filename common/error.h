/* What went wrong with input that was refused or a world that failed, as one line for a person. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>

#define ERROR_MAX_BYTES 1024

struct error {
    char text[ERROR_MAX_BYTES];
};

/* A function that can fail takes a `struct error *` last, writes it only on failure, and gives back false or
 * NULL. `error` may be NULL where nobody wants the words. Both give back false, for `return error_set(error,
 * …)`. */
bool error_set(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* Puts a prefix before what is there: "bundle pad.lua: " + "line 12: …". */
bool error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* "what: strerror(number)" */
bool error_set_system(struct error *error, int number, const char *format, ...) PRINTF_LIKE(3, 4);
