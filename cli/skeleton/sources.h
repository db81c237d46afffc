/* Templates of scripts, and annotations of the Lua API, as part of the program. */
#pragma once
#include "common/embedded_source.h"

extern const struct embedded_source skeleton_sources[];
extern const size_t skeleton_source_count;
