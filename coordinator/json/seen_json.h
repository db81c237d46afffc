/* What readers saw of edits, as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* Of a struct report_view, by name: how long it took until readers saw an edit; and whether they saw the
 * same, of those notifiers whose readers told what they saw. Both are read into one list. */
extern const struct json_special json_special_seen;
extern const struct json_special json_special_convergence;
