/* Where the coordinator of the control commands is, and how they show that they may ask. */
#include "cli/options/control_options.h"

#include <string.h>

#define URL_MAX_BYTES 1000u

/* What can stand in a header, or in an address: no spaces, nothing invisible. */
static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

bool control_parse_api(const char *text, void *value, struct error *error)
{
    bool has_scheme = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
    size_t length = strlen(text);
    if (!has_scheme || strstr(text, "://")[3] == '\0' || strstr(text, "://")[3] == '/' ||
        length > URL_MAX_BYTES || !is_visible(text) || strpbrk(text, "?#") != NULL) {
        return error_set(error, "\"%.80s\" is not an address like " CONTROL_API_FALLBACK, text);
    }
    *(const char **)value = text;
    return true;
}
