/* The engine on libcurl. */
#pragma once
#include "agent/http/engine_kind.h"

extern const struct http_engine_functions curl_kind;
