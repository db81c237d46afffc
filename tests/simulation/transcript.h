/* What happened in a simulated campaign, one line each, for people and for the stories. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct transcript {
    struct buffer text;
    bool is_full;    /* including what the cores log */
    bool has_frames; /* including every frame */
    bool is_echoed;  /* straight to standard output */
};

void transcript_init(struct transcript *transcript, bool is_full, bool is_echoed);
void transcript_finish(struct transcript *transcript);
/* `at_ns` since the campaign was created. `transcript` may be NULL. */
void transcript_say(struct transcript *transcript, uint64_t at_ns, const char *format, ...) PRINTF_LIKE(3, 4);
