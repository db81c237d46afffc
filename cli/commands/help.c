/* `tutti help` and `tutti version`. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"

#include <stdio.h>

static int run_help(int argc, char **argv)
{
    if (argc < 2) {
        subcommand_print_overview(stdout);
        return EXIT_CODE_PASSED;
    }
    const struct subcommand *subcommand = subcommand_find(argv[1]);
    if (subcommand == NULL) {
        subcommand_tell_unknown("help", argv[1]);
        return EXIT_CODE_USAGE;
    }
    if (argc > 2) {
        log_line(LOG_ERROR, "help", "unexpected argument \"%.40s\"", argv[2]);
        return EXIT_CODE_USAGE;
    }
    subcommand_print_help(subcommand, stdout);
    return EXIT_CODE_PASSED;
}

static int run_version(int argc, char **argv)
{
    if (argc > 1) {
        log_line(LOG_ERROR, "version", "unexpected argument \"%.40s\"", argv[1]);
        return EXIT_CODE_USAGE;
    }
    printf("tutti %s\n", TUTTI_VERSION);
    return EXIT_CODE_PASSED;
}

const struct subcommand help_subcommand = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "Shows what the commands do",
    .examples = "  tutti help run\n",
    .needs = {.descriptors = 4, .threads = 0},
    .run = run_help,
};

const struct subcommand version_subcommand = {
    .name = "version",
    .usage = "",
    .summary = "Prints the version",
    .needs = {.descriptors = 4, .threads = 0},
    .run = run_version,
};
