/* What a report has of WebSocket connections, by name, as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* Of a struct report_view. */
extern const struct json_special json_special_websockets;
