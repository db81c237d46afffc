/* An error as one line of text for a person. */
#include "common/error.h"
#include "common/bytes.h"
#include "common/compose.h"

#include <stdarg.h>
#include <string.h>

/* The text is composed outside the error, whose own text may be among the arguments. */
static void store(struct error *error, const char *text)
{
    bytes_to_text(bytes_of_string(text), error->text, sizeof error->text);
}

static void store_pair(struct error *error, const char *front, const char *back)
{
    char both[2 * ERROR_MAX_BYTES];
    compose(both, sizeof both, "%s%s", front, back);
    store(error, both);
}

bool error_set(struct error *error, const char *format, ...)
{
    if (error != NULL) {
        char text[ERROR_MAX_BYTES];
        va_list arguments;
        va_start(arguments, format);
        compose_list(text, sizeof text, format, arguments);
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
        compose_list(prefix, sizeof prefix, format, arguments);
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
        compose_list(what, sizeof what, format, arguments);
        va_end(arguments);
        compose(reason, sizeof reason, ": %s", strerror(number));
        store_pair(error, what, reason);
    }
    return false;
}
