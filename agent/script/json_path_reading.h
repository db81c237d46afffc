/* Reading a path from left to right: for the files that it is made of. */
#pragma once
#include "agent/script/json_path.h"

struct path_reading {
    struct bytes text;
    size_t at;
    struct json_path *path;
    struct error *error;
    uint16_t *segment_link;  /* where the number of the next segment goes */
    uint16_t *selector_link; /* likewise of the next selector */
    unsigned depth;
};

/* False, with the path and the column of what stands at `at`. */
bool path_refuse(const struct path_reading *reading, size_t at, const char *why);
/* The next byte; 0 at the end. */
uint8_t path_peek(const struct path_reading *reading);
bool path_take(struct path_reading *reading, char wanted);
void path_skip_space(struct path_reading *reading);
/* Appends to the texts of the path, which are no longer than it is. */
void path_append(struct json_path *path, uint8_t byte);
/* From the quote that opens it to the one that closes it. */
MUST_CHECK bool path_read_quoted(struct path_reading *reading, struct json_path_text *text);
/* A dot or a bracket, and what follows. */
MUST_CHECK bool path_read_segment(struct path_reading *reading);
bool path_is_singular(const struct json_path *path, uint16_t first);
/* After the question mark. */
MUST_CHECK bool path_read_filter(struct path_reading *reading, uint16_t *expression);
