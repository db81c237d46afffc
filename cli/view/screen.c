/* Where `tutti run` writes: whole lines, and under them one that is redrawn where there is a terminal. */
#include "cli/view/screen.h"
#include "cli/base/format.h"
#include "cli/base/writer.h"
#include "common/buffer.h"
#include "common/escape.h"
#include "common/log.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_BYTES (512u * 1024u) /* escaped */
#define LIVE_MAX_BYTES 1024u
#define WIDTH_FALLBACK 80u
#define CLEAR_LINE "\r\033[K"

struct screen {
    int output;
    bool is_quiet;
    bool is_terminal;
    bool has_colour;
    struct writer *writer;
    uint64_t dropped;
    struct buffer live; /* the live line that is shown; empty for none */
};

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
    screen->has_colour = screen->is_terminal && (no_colour == NULL || *no_colour == '\0');
    buffer_init(&screen->live, LIVE_MAX_BYTES);
    screen->writer = writer_new();
    return screen;
}

static size_t terminal_width(int descriptor)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return WIDTH_FALLBACK;
}

static bool is_live_shown(const struct screen *screen)
{
    return screen->is_terminal && screen->live.size > 0;
}

/* The last column stays free: some terminals wrap as soon as it is filled. */
static void draw_live(const struct screen *screen, struct buffer *line)
{
    if (is_live_shown(screen)) {
        format_cut(buffer_bytes(&screen->live), terminal_width(screen->output) - 1, line);
    }
}

/* Clears the live line, writes the text, draws the live line again. */
static void screen_put(struct screen *screen, int descriptor, struct bytes text, bool is_needed)
{
    SCOPED(buffer_finish) struct buffer live;
    buffer_init(&live, LIVE_MAX_BYTES);
    draw_live(screen, &live);
    if (live.size > 0) {
        (void)writer_put(screen->writer, screen->output, bytes_of_string(CLEAR_LINE), is_needed);
    }
    if (!writer_put(screen->writer, descriptor, text, is_needed)) {
        screen->dropped++;
    }
    (void)writer_put(screen->writer, screen->output, buffer_bytes(&live), is_needed);
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

void screen_live(struct screen *screen, struct bytes text)
{
    if (screen->is_quiet || !writer_is_idle(screen->writer)) {
        return;
    }
    if (!screen->is_terminal) {
        screen_line(screen, false, text);
        return;
    }
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LIVE_MAX_BYTES + sizeof CLEAR_LINE);
    buffer_clear(&screen->live);
    escape_text(&screen->live, text);
    buffer_append_string(&line, CLEAR_LINE);
    draw_live(screen, &line);
    (void)writer_put(screen->writer, screen->output, buffer_bytes(&line), true);
}

void screen_end_live(struct screen *screen)
{
    if (is_live_shown(screen)) {
        (void)writer_put(screen->writer, screen->output, bytes_of_string(CLEAR_LINE), true);
    }
    buffer_clear(&screen->live);
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
