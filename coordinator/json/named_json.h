/* What a report has by name, as JSON and back: requests, timings, scenarios, waits. */
#pragma once
#include "coordinator/json/json_table.h"

/* Of a struct report_view: the requests, and among them the timings, each under its name. */
extern const struct json_special json_special_requests;
extern const struct json_special json_special_timings;
/* Its scenarios. */
extern const struct json_special json_special_scenarios;
/* Its waits, under NAME.KIND: a notifier is waited for in two ways. Kinds of a later version are left out. */
extern const struct json_special json_special_waits;
