/* Options in a file: lines of `name = value`. */
#include "common/option.h"

#include <string.h>

#define SPACES " \t\r"

static char *trim(char *text)
{
    text += strspn(text, SPACES);
    size_t length = strlen(text);
    while (length > 0 && strchr(SPACES, text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

static void use_dashes(char *name)
{
    for (; *name != '\0'; name++) {
        *name = *name == '_' ? '-' : *name;
    }
}

static bool take_line(const struct option *options, size_t count, char *line, void *values,
                      struct error *error)
{
    char *text = trim(line);
    if (*text == '\0' || *text == '#') {
        return true;
    }
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        return error_set(error, "\"%.40s\" is not of the form name = value", text);
    }
    *equals = '\0';
    char *name = trim(text);
    char *value = trim(equals + 1);
    use_dashes(name);
    return option_set(options, count, bytes_of_string(name), value, values, error);
}

bool option_parse_lines(const struct option *options, size_t count, char *text, void *values,
                        struct error *error)
{
    for (unsigned number = 1; text != NULL; number++) {
        char *line = text;
        text = strchr(line, '\n');
        if (text != NULL) {
            *text++ = '\0';
        }
        if (!take_line(options, count, line, values, error)) {
            return error_wrap(error, "line %u: ", number);
        }
    }
    return true;
}
