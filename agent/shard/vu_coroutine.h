/* The coroutine of a virtual user: runs the script's function of its phase, from one wait to the next. */
#pragma once
#include "agent/shard/vu.h"

/* Enters the phase's function, or resumes it where it waits. False while it waits again. True once it has
 * ended, or the phase has none: `result` says how, and `text` why it failed, for a person; owned by the
 * caller, NULL unless it failed or was stopped. */
MUST_CHECK bool vu_coroutine_run(struct vu *vu, enum step_result *result, char **text);
/* What a setup that has timed out has failed with; owned by the caller. */
MUST_CHECK char *vu_coroutine_describe_late(const struct vu *vu);
/* Runs what the coroutine has still to close. False where that had to be ended. */
bool vu_coroutine_close(struct vu *vu);
/* What the coroutine was in the middle of is gone: the next function runs in a new one. */
void vu_coroutine_drop(struct vu *vu);
