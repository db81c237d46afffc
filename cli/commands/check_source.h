/* What looks like a mistake in the text of a script, though Lua loads it. */
#pragma once
#include "agent/script/script.h"

/* Logs a warning as `who` for each field of `worker` that is read, never set, and nearly one of ours, and for
 * each function that has the name of a fixture and is none. Knows words, not Lua: what is in comments and
 * strings counts too. */
void check_source(const char *who, const struct script_facts *facts);
