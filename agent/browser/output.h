/* The output of a driver and its browser: kept in a file up to a limit, and its last lines in memory. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stddef.h>

#define OUTPUT_TAIL_BYTES 2048u

struct output {
    int file; /* -1: none */
    size_t written_bytes;
    char tail[OUTPUT_TAIL_BYTES + 1]; /* text, with a terminating zero */
    size_t tail_size;
};

/* `path` NULL: only the last lines are kept. */
void output_open(struct output *output, const char *path);
void output_close(struct output *output);
void output_take(struct output *output, struct bytes bytes);
/* Discards the last lines, which belong to a driver that has ended; the file keeps them. */
void output_forget_tail(struct output *output);
/* The number after `mark` if a complete line contains it; 0: none. */
MUST_CHECK unsigned output_number_after(const struct output *output, const char *mark);
/* Copies the last line that is not blank, cut to `size`. */
void output_last_line(const struct output *output, char *line, size_t size);
