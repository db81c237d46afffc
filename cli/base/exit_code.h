/* The exit codes of `tutti` and their meaning. */
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
/* The exit code of a command that would have returned `code`, but could not write its results. */
enum exit_code exit_code_of_lost_results(enum exit_code code);
/* `failure` is the errno of writing to standard output; if it is 0 or EPIPE (the reader has gone), the code
 * stays as it is, else the failure is logged. */
enum exit_code exit_code_of_output(enum exit_code code, const char *who, int failure);
/* One line per code, for help. */
void exit_code_print_table(FILE *out);
