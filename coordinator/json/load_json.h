/* How a campaign's plan was kept, as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* "load" of a report: left out where steps begin as soon as they can. */
extern const struct json_special json_special_load;
