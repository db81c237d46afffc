/* What `tutti doctor` has found: a line for each thing that it looked at, and what to change. Pure. */
#pragma once
#include "common/attributes.h"

#include <stddef.h>

#define FINDINGS_MOST 32u
#define FINDING_TEXT_BYTES 320u

enum finding_level {
    FINDING_OK,
    FINDING_WARN, /* it works, and not as well as it could, or not for everything */
    FINDING_FAIL, /* it does not work */
    FINDING_LEVELS
};

struct finding {
    enum finding_level level;
    const char *check;               /* what was looked at: "descriptors" */
    char text[FINDING_TEXT_BYTES];   /* how it is */
    char advice[FINDING_TEXT_BYTES]; /* what to change; empty where nothing has to be */
};

/* Zeroed, it is empty. */
struct findings {
    struct finding items[FINDINGS_MOST];
    size_t count;
};

/* `check` is borrowed. */
void findings_add(struct findings *findings, enum finding_level level, const char *check, const char *format,
                  ...) PRINTF_LIKE(4, 5);
/* Of the latest finding. */
void findings_advise(struct findings *findings, const char *format, ...) PRINTF_LIKE(2, 3);
size_t findings_count(const struct findings *findings, enum finding_level level);
/* "ok", "warn", "fail" */
const char *finding_level_name(enum finding_level level);
