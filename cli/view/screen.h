/* Where `tutti run` writes: whole lines, and under them one or several that are redrawn where there is a
 * terminal. Its cursor is not hidden and its modes are not changed, so there is nothing to restore if the
 * process dies. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct screen;

struct screen_settings {
    bool is_quiet;        /* only errors are shown */
    bool is_output_taken; /* standard output is for the JSON report: the rest goes to standard error */
    bool is_one_line;     /* only one line is redrawn, also where there is room for more */
};

MUST_CHECK struct screen *screen_new(const struct screen_settings *settings);
/* Leaves the cursor on a new line once everything is written. Returns errno if standard output could not be
 * written, else 0. NULLs the pointer; NULL is tolerated. */
MUST_CHECK int screen_free(struct screen **screen);
/* Whether standard output has failed, so that nothing is shown any more. */
bool screen_has_failed(const struct screen *screen);

/* What there is for lines that are redrawn. */
struct screen_area {
    size_t columns; /* the last one has to stay free: some terminals wrap as soon as it is filled */
    size_t rows;
    bool has_colour;
    bool is_ascii; /* the locale of the user is not one of UTF-8 */
};

/* Whether there is a live line, which then is composed every second. */
bool screen_is_terminal(const struct screen *screen);
bool screen_is_quiet(const struct screen *screen);
/* Whether to use colours: on a terminal, without NO_COLOR. */
bool screen_has_colour(const struct screen *screen);

/* Shows one line. Control characters are escaped on a terminal, and always in errors, which go to standard
 * error also when quiet. */
void screen_line(struct screen *screen, bool is_error, struct bytes line);
/* Text of many lines as it is, for the report; ends with a newline. */
void screen_text(struct screen *screen, struct bytes text);
/* Replaces the live line; cut to the width of the terminal. Without a terminal it is an ordinary line. */
void screen_live(struct screen *screen, struct bytes text);
/* Whether several lines are wanted and fit: a terminal of at least 80 columns. */
bool screen_has_room(const struct screen *screen, struct screen_area *area);
/* Replaces them by `rows` lines that each end with a newline and were made for the area that there is now. */
void screen_live_rows(struct screen *screen, struct bytes text, size_t rows);
/* Takes the live lines off the terminal until they are shown again, and waits a moment for that to be
 * written: the process is about to be stopped. */
void screen_yield(struct screen *screen);
void screen_end_live(struct screen *screen);
