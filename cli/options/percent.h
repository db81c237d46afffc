/* Percentages on the command line, as shares. */
#pragma once
#include "common/error.h"

#include <stdbool.h>

/* "12.5%", or without the sign: 0…100. `value` is a double, 0…1; for rows of `struct option`. */
bool percent_parse(const char *text, void *value, struct error *error);
