/* The slowest requests with traces as JSON, and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* "slowest" of a request: left out where there are none. */
extern const struct json_special json_special_slowest;
