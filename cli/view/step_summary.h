/* The page of a step of GitHub Actions, which GITHUB_STEP_SUMMARY names: Markdown that is appended to it. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>

/* Whether the environment names one. */
bool step_summary_is_wanted(void);
/* Others have written to it before us, and will after us. True where there is none. */
MUST_CHECK bool step_summary_append(struct bytes text, struct error *error);
