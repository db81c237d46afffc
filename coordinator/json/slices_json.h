/* What is counted by tag, and groups, as JSON and back. */
#pragma once
#include "coordinator/json/json_table.h"

/* Of a report: the slices without a tag, an object by name, and then those with one, a list. */
extern const struct json_special json_special_groups;
extern const struct json_special json_special_tags;
