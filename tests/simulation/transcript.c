/* What happened in a simulated campaign, one line each. */
#include "tests/simulation/transcript.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define TRANSCRIPT_BYTES (16u * 1024u * 1024u)

void transcript_init(struct transcript *transcript, bool is_full, bool is_echoed)
{
    buffer_init(&transcript->text, TRANSCRIPT_BYTES);
    transcript->is_full = is_full;
    transcript->has_frames = false;
    transcript->is_echoed = is_echoed;
}

void transcript_finish(struct transcript *transcript)
{
    buffer_finish(&transcript->text);
}

void transcript_say(struct transcript *transcript, uint64_t at_ns, const char *format, ...)
{
    if (transcript == NULL) {
        return;
    }
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    uint64_t milliseconds = at_ns > INT64_MAX ? 0 : at_ns / 1000000; /* before the beginning */
    (void)buffer_append_format(&transcript->text, "%6" PRIu64 ".%03" PRIu64 "  %s\n", milliseconds / 1000,
                               milliseconds % 1000, line);
    if (transcript->is_echoed) {
        printf("%6" PRIu64 ".%03" PRIu64 "  %s\n", milliseconds / 1000, milliseconds % 1000, line);
    }
}
