/* Percentages on the command line. */
#include "cli/options/percent.h"

#include "common/digits.h"

#include <string.h>

bool percent_parse(const char *text, void *value, struct error *error)
{
    const char *rest = text;
    double percent = 0;
    if (!digits_read_decimal(&rest, &percent) || (*rest != '\0' && strcmp(rest, "%") != 0) || percent > 100) {
        return error_set(error, "\"%.40s\" is not a percentage like 5%%", text);
    }
    *(double *)value = percent / 100;
    return true;
}
