/* The words of one command of `tutti`: what it takes, and taking it from argv and the environment. */
#pragma once
#include "cli/base/process_limits.h"
#include "common/option.h"

struct subcommand {
    const char *name;
    const char *usage;   /* what follows the name: "SCRIPT [options]" */
    const char *summary; /* one line */
    const char *details; /* paragraphs under the usage; NULL for none */
    const char *examples;
    const struct option *options;
    size_t option_count;
    struct process_needs needs; /* before it knows its options */
    bool tells_verdict;         /* by its exit code: help explains them */
    /* argv[0] is the command's name. Gives back the exit code of the process. */
    int (*run)(int argc, char **argv);
};

/* Fills `values` from the environment and argv by the command's table. On a mistake says so and gives false:
 * then leave with EXIT_CODE_USAGE. */
MUST_CHECK bool subcommand_parse(const struct subcommand *subcommand, int argc, char **argv, void *values,
                                 const char **words, size_t word_capacity, size_t *word_count);
