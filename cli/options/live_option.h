/* The option of commands that show a campaign while it runs. */
#pragma once
#include "common/option.h"

/* A flag `at` this offset. */
/* clang-format off */
#define NO_LIVE_OPTION(at)                                                                                   \
    {.name = "no-live", .type = OPTION_FLAG, .offset = (at), .is_set_offset = SIZE_MAX,                      \
     .help = "show one line while it runs, also on a terminal with room for more"}
/* clang-format on */
