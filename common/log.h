/* One line per event to standard error, as text or JSON, prefixed with the component that logs.
 * Thread-safe. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_form { LOG_TEXT, LOG_JSON };

/* What a line is about: fields of the JSON form. In text form the message itself says it. */
struct log_subject {
    uint64_t campaign;  /* 0: none */
    struct bytes agent; /* empty: none */
    bool has_worker;
    uint32_t worker;
    uint64_t step; /* 0: none */
};

/* Called once, before threads start. Lines above `level` are dropped. Text has no timestamps when is_plain
 * (messages of `tutti run` for a person), else ISO timestamps. */
void log_configure(enum log_level level, enum log_form form, int is_plain);
/* `who`: "coordinator", "agent a1", "shard 0"; NULL for none. Control characters are escaped, and a line is
 * cut at 4 KiB so that lines of several processes are never mixed. */
void log_line(enum log_level level, const char *who, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same with a subject; `subject` may be NULL. */
void log_about(enum log_level level, const char *who, const struct log_subject *subject, const char *format,
               ...) PRINTF_LIKE(4, 5);
