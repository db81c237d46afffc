/* The Lua of this folder, as part of the program. */
#pragma once
#include "common/embedded_source.h"

extern const struct embedded_source socketio_sources[];
extern const size_t socketio_source_count;
