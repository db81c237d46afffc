/* The lines of key files: "WORD VALUE", skipping comments and empty lines. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>

/* `struct key_lines lines = {.rest = text}`. */
struct key_lines {
    struct bytes rest;
    unsigned number; /* of the line just returned, from 1 */
    struct bytes word;
    struct bytes value; /* everything after the first space; never empty */
    bool is_broken;
};

/* Reads the next line. False at the end, and also, with is_broken set and an error, if a line is
 * malformed. */
MUST_CHECK bool key_lines_next(struct key_lines *lines, struct error *error);
