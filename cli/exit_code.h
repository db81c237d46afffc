/* What the exit codes of `tutti` mean. */
#pragma once
#include "coordinator/core/campaign_state.h"

#include <stdbool.h>
#include <stdio.h>

enum exit_code {
    EXIT_CODE_PASSED = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_LOST = 3,
    EXIT_CODE_INTERRUPTED = 130
};

enum exit_code exit_code_of_verdict(enum verdict verdict);
/* One line a code, for help. */
void exit_code_print_table(FILE *out);
