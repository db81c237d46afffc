/* --out of tutti run and tutti coordinator. */
#include "cli/options/out_option.h"

bool out_option_parse(const char *text, void *value, struct error *error)
{
    return output_list_add(value, text, error);
}
