/* The lines of key files: "WORD VALUE", comments and empty lines left out. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>

/* `struct key_lines lines = {.rest = text}`. */
struct key_lines {
    struct bytes rest;
    unsigned number; /* of the line just given, from 1 */
    struct bytes word;
    struct bytes value; /* all behind the first space; never empty */
    bool is_broken;
};

/* The next line. False at the end, and with is_broken and an error where a line has another form. */
MUST_CHECK bool key_lines_next(struct key_lines *lines, struct error *error);
