/* What the exit codes of `tutti` mean. */
#pragma once
#include "coordinator/core/base/campaign_state.h"

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
/* What becomes of the code of a command whose results could not be written. */
enum exit_code exit_code_of_lost_results(enum exit_code code);
/* `failure` is errno of writing to standard output; with 0, or a reader that has gone (EPIPE), the code
 * stays as it is, else that is said. */
enum exit_code exit_code_of_output(enum exit_code code, const char *who, int failure);
/* One line a code, for help. */
void exit_code_print_table(FILE *out);
