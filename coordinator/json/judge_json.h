/* Checks and thresholds of a report as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* Of a struct report_view. */
extern const struct json_special json_special_checks;
/* Of a struct threshold_view. */
extern const struct json_table json_table_thresholds;
extern const struct json_table json_table_outputs;
