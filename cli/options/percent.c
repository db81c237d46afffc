/* Percentages on the command line. */
#include "cli/options/percent.h"

#include <stdlib.h>
#include <string.h>

bool percent_parse(const char *text, void *value, struct error *error)
{
    char *end = NULL;
    bool is_number = (text[0] >= '0' && text[0] <= '9') && strspn(text, "0123456789.%") == strlen(text);
    double percent = is_number ? strtod(text, &end) : 0;
    if (!is_number || (*end != '\0' && strcmp(end, "%") != 0) || percent > 100) {
        return error_set(error, "\"%.40s\" is not a percentage like 5%%", text);
    }
    *(double *)value = percent / 100;
    return true;
}
