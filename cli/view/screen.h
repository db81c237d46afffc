/* Where `tutti run` writes: whole lines, and under them one that is redrawn where there is a terminal. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>

struct screen;

struct screen_settings {
    bool is_quiet;        /* nothing but errors */
    bool is_output_taken; /* standard output belongs to the JSON report: write to standard error */
};

MUST_CHECK struct screen *screen_new(const struct screen_settings *settings);
/* Leaves the cursor on a fresh line, when all has been written. Gives back errno where standard output could
 * not take what was for it, else 0. NULLs the pointer; NULL is tolerated. */
MUST_CHECK int screen_free(struct screen **screen);
/* Whether standard output has failed already: nobody sees what comes. */
bool screen_has_failed(const struct screen *screen);

/* Whether there is a live line, and so whether it is worth to compose one every second. */
bool screen_is_terminal(const struct screen *screen);
bool screen_is_quiet(const struct screen *screen);
/* Whether colours are welcome: a terminal, and no NO_COLOR. */
bool screen_has_colour(const struct screen *screen);

/* A line of its own. Control characters are made harmless where a terminal would obey them, and in
 * errors, which go to standard error, also when quiet. */
void screen_line(struct screen *screen, bool is_error, struct bytes line);
/* Text of many lines as it is, for the report; ends with a newline. */
void screen_text(struct screen *screen, struct bytes text);
/* Replaces the live line; cut to the width of the terminal. Without a terminal it is a line like others. */
void screen_live(struct screen *screen, struct bytes text);
void screen_end_live(struct screen *screen);
