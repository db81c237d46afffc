/* The goal of a campaign, or its sizing, and the workers that were found for it, as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* "goal" of a report: left out where it has none. */
extern const struct json_special json_special_goal;
/* "sizing", likewise. */
extern const struct json_special json_special_sizing;
