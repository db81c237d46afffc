/* Where `tutti run` writes: whole lines, and under them one or several that are redrawn where there is a
 * terminal. Plain ANSI sequences, not curses: curses would own the whole screen, on which lines of scripts
 * could not scroll into the terminal's history, would leave it in another mode when the process dies, and is
 * one more library, for three sequences that every terminal of the last forty years has. */
#include "cli/view/screen.h"
#include "cli/base/format.h"
#include "cli/base/writer.h"
#include "common/buffer.h"
#include "common/escape.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/time_units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES (512u * 1024u) /* escaped */
#define LIVE_MAX_BYTES (32u * 1024u)
#define CLEAR_MAX_BYTES 32u
#define FLOOD_BYTES (64u * 1024u)
#define YIELD_MS 200
#define COLUMNS_FALLBACK 80u
#define ROWS_FALLBACK 24u
#define CLEAR_LINE "\r\033[K"
/* Of lines that are redrawn. */
#define LIVE_LEAST_COLUMNS 80u
#define LIVE_MOST_COLUMNS 100u
#define LIVE_LEAST_ROWS 8u
#define LIVE_ROWS_LEFT 2u /* for a line of a script, and the cursor under ours */

struct screen {
    int output;
    bool is_quiet;
    bool is_terminal;
    bool has_colour;
    bool is_one_line;
    bool is_ascii;
    struct writer *writer;
    uint64_t dropped;
    struct buffer live;  /* the line, or lines, that are redrawn; empty for none */
    size_t live_rows;    /* 0: it is one line, without a newline */
    size_t live_columns; /* of the terminal that lines were made for */
    size_t shown_rows;   /* likewise of what is on the terminal now */
    bool is_shown;
};

/* By the first of the variables that is set, as setlocale() has it; but also where that locale is not
 * installed. */
static bool is_utf8_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != '\0') {
            const char *codeset = strchr(value, '.');
            return codeset != NULL &&
                   (strncasecmp(codeset, ".utf-8", 6) == 0 || strncasecmp(codeset, ".utf8", 5) == 0);
        }
    }
    return false;
}

static bool is_terminal(int descriptor)
{
    const char *terminal = getenv("TERM");
    return isatty(descriptor) == 1 && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

struct screen *screen_new(const struct screen_settings *settings)
{
    struct screen *screen = MEMORY_NEW(struct screen);
    const char *no_colour = getenv("NO_COLOR");
    screen->output = settings->is_output_taken ? STDERR_FILENO : STDOUT_FILENO;
    screen->is_quiet = settings->is_quiet;
    screen->is_terminal = is_terminal(screen->output);
    screen->is_one_line = settings->is_one_line;
    screen->is_ascii = !is_utf8_locale();
    screen->has_colour = screen->is_terminal && (no_colour == NULL || *no_colour == '\0');
    buffer_init(&screen->live, LIVE_MAX_BYTES);
    screen->writer = writer_new();
    return screen;
}

struct terminal_size {
    size_t columns;
    size_t rows;
};

static struct terminal_size terminal_size(int descriptor)
{
    struct winsize size;
    bool is_known = ioctl(descriptor, TIOCGWINSZ, &size) == 0;
    return (struct terminal_size){.columns = is_known && size.ws_col > 0 ? size.ws_col : COLUMNS_FALLBACK,
                                  .rows = is_known && size.ws_row > 0 ? size.ws_row : ROWS_FALLBACK};
}

/* Takes what is shown off the terminal, and puts the cursor where it began. */
static void screen_append_clear(struct screen *screen, struct buffer *text)
{
    if (screen->is_shown && screen->shown_rows > 0) {
        buffer_append_format(text, "\r\033[%zuA\033[J", screen->shown_rows);
    } else if (screen->is_shown) {
        buffer_append_string(text, CLEAR_LINE);
    }
    screen->is_shown = false;
}

/* A line is cut, so that the last column stays free: some terminals wrap as soon as it is filled. Lines that
 * were made for a wider terminal are left out, until they are made again. */
static void screen_append_live(struct screen *screen, struct buffer *text)
{
    if (!screen->is_terminal || screen->live.size == 0) {
        return;
    }
    size_t columns = terminal_size(screen->output).columns;
    if (screen->live_rows == 0) {
        format_cut(buffer_bytes(&screen->live), columns - 1, text);
    } else if (columns >= screen->live_columns) {
        buffer_append(text, screen->live.data, screen->live.size);
    } else {
        return;
    }
    screen->shown_rows = screen->live_rows;
    screen->is_shown = true;
}

/* Clears the live lines, writes the text, draws them again, at once where it is one stream, so that nobody
 * sees it without them; not while a flood of lines is under way, which they would double. */
static void screen_put(struct screen *screen, int descriptor, struct bytes text, bool is_needed)
{
    SCOPED(buffer_finish) struct buffer all;
    size_t waiting = writer_waiting_bytes(screen->writer);
    buffer_init(&all, CLEAR_MAX_BYTES + text.size + LIVE_MAX_BYTES);
    if (!is_needed && waiting + text.size > WRITER_MAX_BYTES) {
        screen->dropped++;
        return;
    }
    screen_append_clear(screen, &all);
    if (descriptor != screen->output) {
        (void)writer_put(screen->writer, screen->output, buffer_bytes(&all), true);
        (void)writer_put(screen->writer, descriptor, text, true);
        buffer_clear(&all);
    } else {
        buffer_append(&all, text.data, text.size);
    }
    if (waiting < FLOOD_BYTES) {
        screen_append_live(screen, &all);
    }
    (void)writer_put(screen->writer, screen->output, buffer_bytes(&all), true);
}

bool screen_is_terminal(const struct screen *screen)
{
    return screen->is_terminal;
}

bool screen_is_quiet(const struct screen *screen)
{
    return screen->is_quiet;
}

bool screen_has_colour(const struct screen *screen)
{
    return screen->has_colour;
}

void screen_line(struct screen *screen, bool is_error, struct bytes line)
{
    if (screen->is_quiet && !is_error) {
        return;
    }
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, LINE_MAX_BYTES + 1);
    /* Errors contain texts from elsewhere, and each has to stay one line. */
    if (is_error || screen->is_terminal) {
        escape_text(&text, line);
    } else {
        (void)buffer_append(&text, line.data, line.size);
    }
    text.maximum++;
    buffer_append_string(&text, "\n");
    screen_put(screen, is_error ? STDERR_FILENO : screen->output, buffer_bytes(&text), false);
}

void screen_text(struct screen *screen, struct bytes text)
{
    if (!screen->is_quiet && text.size > 0) {
        screen_put(screen, screen->output, text, true);
    }
}

static void screen_redraw(struct screen *screen)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, CLEAR_MAX_BYTES + LIVE_MAX_BYTES);
    screen_append_clear(screen, &text);
    screen_append_live(screen, &text);
    (void)writer_put(screen->writer, screen->output, buffer_bytes(&text), true);
}

void screen_live(struct screen *screen, struct bytes text)
{
    if (screen->is_quiet || !writer_is_idle(screen->writer)) {
        return;
    }
    if (!screen->is_terminal) {
        screen_line(screen, false, text);
        return;
    }
    buffer_clear(&screen->live);
    escape_text(&screen->live, text);
    screen->live_rows = 0;
    screen_redraw(screen);
}

void screen_live_rows(struct screen *screen, struct bytes text, size_t rows)
{
    struct screen_area area;
    if (!writer_is_idle(screen->writer) || !screen_has_room(screen, &area)) {
        return;
    }
    buffer_clear(&screen->live);
    (void)buffer_append(&screen->live, text.data, text.size);
    screen->live_rows = rows;
    screen->live_columns = area.columns;
    screen_redraw(screen);
}

bool screen_has_room(const struct screen *screen, struct screen_area *area)
{
    if (!screen->is_terminal || screen->is_quiet || screen->is_one_line) {
        return false;
    }
    struct terminal_size size = terminal_size(screen->output);
    area->columns = size.columns < LIVE_MOST_COLUMNS ? size.columns : LIVE_MOST_COLUMNS;
    area->rows = size.rows > LIVE_ROWS_LEFT ? size.rows - LIVE_ROWS_LEFT : 0;
    area->has_colour = screen->has_colour;
    area->is_ascii = screen->is_ascii;
    return size.columns >= LIVE_LEAST_COLUMNS && size.rows >= LIVE_LEAST_ROWS;
}

void screen_end_live(struct screen *screen)
{
    SCOPED(buffer_finish) struct buffer clear;
    buffer_init(&clear, CLEAR_MAX_BYTES);
    screen_append_clear(screen, &clear);
    (void)writer_put(screen->writer, screen->output, buffer_bytes(&clear), true);
    buffer_clear(&screen->live);
}

void screen_yield(struct screen *screen)
{
    const struct timespec moment = {.tv_nsec = NS_PER_MS};
    screen_end_live(screen);
    for (int i = 0; i < YIELD_MS && !writer_is_idle(screen->writer); i++) {
        (void)nanosleep(&moment, NULL);
    }
}

bool screen_has_failed(const struct screen *screen)
{
    return writer_failure(screen->writer) != 0;
}

int screen_free(struct screen **screen)
{
    if (*screen == NULL) {
        return 0;
    }
    screen_end_live(*screen);
    uint64_t dropped = (*screen)->dropped;
    int failure = writer_free(&(*screen)->writer);
    if (dropped > 0) {
        log_line(LOG_WARNING, "run", "%llu line%s not shown: nobody read fast enough",
                 (unsigned long long)dropped, dropped == 1 ? " was" : "s were");
    }
    buffer_finish(&(*screen)->live);
    memory_free(*screen);
    *screen = NULL;
    return failure;
}
