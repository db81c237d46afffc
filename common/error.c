/* What went wrong, as one line for a person. */
#include "common/error.h"
#include "common/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats apart from the error itself, whose text may be among the arguments. */
static void __attribute__((format(printf, 2, 0)))
format_into(char *text, const char *format, va_list arguments)
{
    if (vsnprintf(text, ERROR_MAX_BYTES, format, arguments) < 0) {
        text[0] = '\0';
    }
}

static void store(struct error *error, const char *text)
{
    bytes_to_text(bytes_of_string(text), error->text, sizeof(error->text));
}

static void store_pair(struct error *error, const char *front, const char *back)
{
    char both[2 * ERROR_MAX_BYTES];
    (void)snprintf(both, sizeof(both), "%s%s", front, back);
    store(error, both);
}

bool error_set(struct error *error, const char *format, ...)
{
    if (error != NULL) {
        char text[ERROR_MAX_BYTES];
        va_list arguments;
        va_start(arguments, format);
        format_into(text, format, arguments);
        va_end(arguments);
        store(error, text);
    }
    return false;
}

bool error_wrap(struct error *error, const char *format, ...)
{
    if (error != NULL) {
        char prefix[ERROR_MAX_BYTES];
        va_list arguments;
        va_start(arguments, format);
        format_into(prefix, format, arguments);
        va_end(arguments);
        store_pair(error, prefix, error->text);
    }
    return false;
}

bool error_set_system(struct error *error, int number, const char *format, ...)
{
    if (error != NULL) {
        char what[ERROR_MAX_BYTES];
        char reason[160];
        va_list arguments;
        va_start(arguments, format);
        format_into(what, format, arguments);
        va_end(arguments);
        (void)snprintf(reason, sizeof(reason), ": %s", strerror(number));
        store_pair(error, what, reason);
    }
    return false;
}
