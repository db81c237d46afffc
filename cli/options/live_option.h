/* Options of commands that show a campaign. */
#pragma once
#include "common/option.h"
#include "proto/message/limits.h"

/* A flag `at` this offset. */
/* clang-format off */
#define NO_LIVE_OPTION(at)                                                                                   \
    {.name = "no-live", .type = OPTION_FLAG, .offset = (at), .is_set_offset = SIZE_MAX,                      \
     .help = "show one line while it runs, also on a terminal with room for more"}

/* A path `at` this offset. */
#define HTML_OPTION(at)                                                                                      \
    {.name = "html", .type = OPTION_TEXT, .offset = (at), .is_set_offset = SIZE_MAX, .argument = "FILE",     \
     .minimum = 1, .maximum = LIMIT_TEXT_BYTES, .has_no_variable = true,                                     \
     .help = "write the report to this file as a page that needs nothing else"}
/* clang-format on */
