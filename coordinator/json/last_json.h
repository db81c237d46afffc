/* Who came last to barriers and notifiers, as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* The rows of struct last_view. */
extern const struct json_table json_table_last;
