/* One line per event to standard error, as text or JSON. */
#include "common/log.h"
#include "common/clock.h"
#include "common/compose.h"
#include "common/escape.h"
#include "common/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

/* A write of at most PIPE_BUF bytes to a pipe is atomic, so that lines of several processes are not mixed. */
#define LINE_MAX_BYTES 4096u
#define TAIL_MAX_BYTES 16u
#define TIME_BYTES 32
#define WHO_BYTES 128

/* Written before threads start, only read afterwards. */
static struct {
    enum log_level level;
    enum log_form form;
    int is_plain;
} settings = {.level = LOG_INFO, .form = LOG_TEXT, .is_plain = 1};

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

void log_configure(enum log_level level, enum log_form form, int is_plain)
{
    settings.level = level;
    settings.form = form;
    settings.is_plain = is_plain;
}

static void format_time(char text[TIME_BYTES])
{
    uint64_t now_ns = clock_wall_ns();
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    struct tm parts;
    char day[24];
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    compose(text, TIME_BYTES, "%s.%03uZ", day, (unsigned)(now_ns % NS_PER_S / NS_PER_MS));
}

static void compose_text(struct buffer *line, enum log_level level, struct bytes who, struct bytes message)
{
    if (settings.is_plain) {
        buffer_append_string(line, "tutti: ");
    } else {
        char time[TIME_BYTES];
        format_time(time);
        buffer_append_format(line, "%s %s ", time, level_names[level]);
    }
    if (who.size > 0) {
        escape_text(line, who);
        buffer_append_string(line, ": ");
    }
    escape_text(line, message);
}

static void append_subject(struct buffer *line, const struct log_subject *subject)
{
    if (subject->campaign != 0) {
        buffer_append_format(line, "\"campaign\":%llu,", (unsigned long long)subject->campaign);
    }
    if (subject->agent.size > 0) {
        char agent[WHO_BYTES];
        bytes_to_text(subject->agent, agent, sizeof agent);
        buffer_append_string(line, "\"agent\":\"");
        escape_json(line, bytes_of_string(agent));
        buffer_append_string(line, "\",");
    }
    if (subject->has_worker) {
        buffer_append_format(line, "\"worker\":%u,", (unsigned)subject->worker);
    }
    if (subject->step != 0) {
        buffer_append_format(line, "\"step\":%llu,", (unsigned long long)subject->step);
    }
}

static void compose_json(struct buffer *line, enum log_level level, struct bytes who,
                         const struct log_subject *subject, struct bytes message)
{
    char time[TIME_BYTES];
    format_time(time);
    buffer_append_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"who\":\"", time, level_names[level]);
    escape_json(line, who);
    buffer_append_string(line, "\",");
    if (subject != NULL) {
        append_subject(line, subject);
    }
    buffer_append_string(line, "\"text\":\"");
    escape_json(line, message);
}

/* There is always room for the end: the line was composed with that much less. */
static void finish_line(struct buffer *line)
{
    bool is_cut = line->has_overflowed;
    line->maximum = LINE_MAX_BYTES;
    buffer_append_string(line, is_cut ? "…" : "");
    buffer_append_string(line, settings.form == LOG_JSON ? "\"}\n" : "\n");
}

static void write_line(enum log_level level, const char *who, const struct log_subject *subject,
                       struct bytes text)
{
    int saved_errno = errno;
    /* The name may come from a peer: it must not push the message out of the line. */
    char short_who[WHO_BYTES];
    bytes_to_text(bytes_of_string(who), short_who, sizeof short_who);
    struct bytes speaker = bytes_of_string(short_who);
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES - TAIL_MAX_BYTES);
    if (settings.form == LOG_JSON) {
        compose_json(&line, level, speaker, subject, text);
    } else {
        compose_text(&line, level, speaker, text);
    }
    finish_line(&line);
    ssize_t written;
    do {
        written = write(STDERR_FILENO, line.data, line.size);
    } while (written < 0 && errno == EINTR);
    errno = saved_errno;
}

static void PRINTF_LIKE(4, 0)
    write_composed(enum log_level level, const char *who, const struct log_subject *subject,
                   const char *format, va_list arguments)
{
    char message[LINE_MAX_BYTES];
    if (level <= settings.level) {
        compose_list(message, sizeof message, format, arguments);
        write_line(level, who, subject, bytes_of_string(message));
    }
}

void log_line(enum log_level level, const char *who, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_composed(level, who, NULL, format, arguments);
    va_end(arguments);
}

void log_about(enum log_level level, const char *who, const struct log_subject *subject, const char *format,
               ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_composed(level, who, subject, format, arguments);
    va_end(arguments);
}
