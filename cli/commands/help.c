/* `tutti help` and `tutti version`. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"

#include <stddef.h>
#include <stdio.h>

struct help_options {
    bool is_manual;
};

static const struct option help_options[] = {
    {.name = "man",
     .type = OPTION_FLAG,
     .offset = offsetof(struct help_options, is_manual),
     .is_set_offset = SIZE_MAX,
     .has_no_variable = true,
     .help = "as a page of the manual: tutti help run --man | man -l -"},
};

static int run_help(int argc, char **argv)
{
    struct help_options options = {0};
    const char *name = NULL;
    size_t word_count = 0;
    if (!subcommand_parse(&help_subcommand, argc, argv, &options, &name, 1, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    if (word_count == 0) {
        (options.is_manual ? subcommand_print_overview_manual : subcommand_print_overview)(stdout);
        return EXIT_CODE_PASSED;
    }
    const struct subcommand *subcommand = subcommand_find(name);
    if (subcommand == NULL) {
        subcommand_tell_unknown("help", name);
        return EXIT_CODE_USAGE;
    }
    (options.is_manual ? subcommand_print_manual : subcommand_print_help)(subcommand, stdout);
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
    .examples = "  tutti help run\n  tutti help run --man | man -l -\n",
    .options = help_options,
    .option_count = sizeof help_options / sizeof help_options[0],
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
