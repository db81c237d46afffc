/* The Lua and JavaScript of this folder, as part of the program. */
#pragma once
#include "common/embedded_source.h"

extern const struct embedded_source browser_sources[];
extern const size_t browser_source_count;
