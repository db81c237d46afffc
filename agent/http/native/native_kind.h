/* Our own HTTP engine: HTTP/1.1 on the streams of agent/net. */
#pragma once
#include "agent/http/engine_kind.h"

extern const struct http_engine_functions native_kind;
