/* The exit codes of `tutti` and their meaning. */
#include "cli/base/exit_code.h"

#include "common/error.h"
#include "common/log.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    enum exit_code code;
    const char *meaning;
} meanings[] = {
    {EXIT_CODE_PASSED, "passed"},
    {EXIT_CODE_FAILED, "failed: a threshold missed, too many failed steps, or a deadlock"},
    {EXIT_CODE_USAGE, "bad usage, or a script that cannot be loaded"},
    {EXIT_CODE_LOST, "degraded, lost or aborted, or results that could not be written"},
    {EXIT_CODE_INTERRUPTED, "interrupted by Ctrl-C or SIGTERM"},
};

static const enum exit_code codes_of_verdicts[] = {
    [VERDICT_NONE] = EXIT_CODE_LOST,     [VERDICT_PASSED] = EXIT_CODE_PASSED,
    [VERDICT_DEGRADED] = EXIT_CODE_LOST, [VERDICT_ABORTED] = EXIT_CODE_LOST,
    [VERDICT_FAILED] = EXIT_CODE_FAILED, [VERDICT_DEADLOCKED] = EXIT_CODE_FAILED,
};

static_assert(EXIT_CODE_LOST == MEMORY_EXIT_CODE, "a process that runs out of memory has lost its run");

enum exit_code exit_code_of_verdict(enum verdict verdict)
{
    return codes_of_verdicts[verdict];
}

enum exit_code exit_code_of_lost_results(enum exit_code code)
{
    return code == EXIT_CODE_PASSED || code == EXIT_CODE_FAILED ? EXIT_CODE_LOST : code;
}

enum exit_code exit_code_of_output(enum exit_code code, const char *who, int failure)
{
    struct error error;
    if (failure == 0 || failure == EPIPE) {
        return code;
    }
    (void)error_set_system(&error, failure, "cannot write to standard output");
    log_line(LOG_ERROR, who, "%s", error.text);
    return exit_code_of_lost_results(code);
}

void exit_code_print_table(FILE *out)
{
    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        fprintf(out, "  %3d  %s\n", (int)meanings[i].code, meanings[i].meaning);
    }
}
