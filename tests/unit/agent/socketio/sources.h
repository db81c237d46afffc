/* The Lua of this folder, as part of the test. */
#pragma once
#include "common/embedded_source.h"

extern const struct embedded_source socketio_test_sources[];
extern const size_t socketio_test_source_count;
