/* Where `tutti run` writes: whole lines, and under them one that is redrawn where there is a terminal. */
#include "cli/screen.h"
#include "common/buffer.h"
#include "common/escape.h"
#include "common/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_MAX_BYTES (1024u * 1024u)
#define LIVE_MAX_BYTES 1024u
#define WIDTH_FALLBACK 80u
#define CLEAR_LINE "\r\033[K"

struct screen {
    int output;
    bool is_quiet;
    bool is_terminal;
    bool is_error_terminal;
    bool has_colour;
    struct buffer live; /* what stands in the live line now; empty for none */
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
    screen->is_error_terminal = is_terminal(STDERR_FILENO);
    screen->has_colour = screen->is_terminal && (no_colour == NULL || *no_colour == '\0');
    buffer_init(&screen->live, LIVE_MAX_BYTES);
    return screen;
}

/* A reader that has gone (EPIPE) or a full disk must not end the run: then nothing is shown. */
static void write_out(int descriptor, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(descriptor, bytes.data, bytes.size);
        if (written > 0) {
            bytes = bytes_of(bytes.data + written, bytes.size - (size_t)written);
        } else if (written < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            return;
        }
    }
}

static size_t terminal_width(int descriptor)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return WIDTH_FALLBACK;
}

/* Appends as many characters as fit into `columns`, each taken to be one column wide. */
static void append_cut(struct buffer *line, struct bytes text, size_t columns)
{
    while (text.size > 0 && columns > 0) {
        uint32_t character = 0;
        size_t length = bytes_character(text, &character);
        if (length == 0) {
            return;
        }
        buffer_append(line, text.data, length);
        text = bytes_of(text.data + length, text.size - length);
        columns--;
    }
}

/* The last column stays free: some terminals wrap as soon as it is filled. */
static void draw_live(struct screen *screen, struct buffer *line)
{
    if (screen->is_terminal && screen->live.size > 0) {
        append_cut(line, buffer_bytes(&screen->live), terminal_width(screen->output) - 1);
    }
}

static bool is_live_shown(const struct screen *screen)
{
    return screen->is_terminal && screen->live.size > 0;
}

static void put(struct screen *screen, int descriptor, struct bytes text, bool ends_with_newline)
{
    SCOPED(buffer_finish) struct buffer whole;
    buffer_init(&whole, TEXT_MAX_BYTES);
    if (is_live_shown(screen)) {
        write_out(screen->output, bytes_of_string(CLEAR_LINE));
    }
    (void)buffer_append(&whole, text.data, text.size);
    if (!ends_with_newline) {
        buffer_append_string(&whole, "\n");
    }
    write_out(descriptor, buffer_bytes(&whole));
    if (is_live_shown(screen)) {
        buffer_clear(&whole);
        draw_live(screen, &whole);
        write_out(screen->output, buffer_bytes(&whole));
    }
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
    buffer_init(&text, TEXT_MAX_BYTES);
    if (is_error ? screen->is_error_terminal : screen->is_terminal) {
        escape_text(&text, line);
    } else {
        (void)buffer_append(&text, line.data, line.size);
    }
    put(screen, is_error ? STDERR_FILENO : screen->output, buffer_bytes(&text), false);
}

void screen_text(struct screen *screen, struct bytes text)
{
    if (!screen->is_quiet && text.size > 0) {
        put(screen, screen->output, text, text.data[text.size - 1] == '\n');
    }
}

void screen_live(struct screen *screen, struct bytes text)
{
    if (screen->is_quiet) {
        return;
    }
    if (!screen->is_terminal) {
        put(screen, screen->output, text, false);
        return;
    }
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LIVE_MAX_BYTES + sizeof(CLEAR_LINE));
    buffer_clear(&screen->live);
    escape_text(&screen->live, text);
    buffer_append_string(&line, CLEAR_LINE);
    draw_live(screen, &line);
    write_out(screen->output, buffer_bytes(&line));
}

void screen_end_live(struct screen *screen)
{
    if (is_live_shown(screen)) {
        write_out(screen->output, bytes_of_string(CLEAR_LINE));
    }
    buffer_clear(&screen->live);
}

void screen_free(struct screen **screen)
{
    if (*screen == NULL) {
        return;
    }
    screen_end_live(*screen);
    buffer_finish(&(*screen)->live);
    memory_free(*screen);
    *screen = NULL;
}
