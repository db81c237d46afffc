/* One command of `tutti`: what runs it, and what its help says. */
#pragma once
#include "cli/process_limits.h"
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

extern const struct subcommand run_subcommand;
extern const struct subcommand coordinator_subcommand;
extern const struct subcommand agent_subcommand;
extern const struct subcommand practice_subcommand;
extern const struct subcommand start_subcommand;
extern const struct subcommand stop_subcommand;
extern const struct subcommand scale_subcommand;
extern const struct subcommand status_subcommand;
extern const struct subcommand watch_subcommand;
extern const struct subcommand report_subcommand;
extern const struct subcommand agents_subcommand;
extern const struct subcommand check_subcommand;
extern const struct subcommand init_subcommand;
extern const struct subcommand keygen_subcommand;
extern const struct subcommand completion_subcommand;
extern const struct subcommand help_subcommand;
extern const struct subcommand version_subcommand;

/* All of them in the order of the help; ends with NULL. */
extern const struct subcommand *const subcommands[];

/* NULL if there is none of this name. */
const struct subcommand *subcommand_find(const char *name);
/* The nearest name to what somebody typed; NULL if none is near. */
const char *subcommand_suggest(const char *name);
void subcommand_print_help(const struct subcommand *subcommand, FILE *out);
/* `tutti --help` */
void subcommand_print_overview(FILE *out);

/* Fills `values` from the environment and argv by the command's table. On a mistake says so and gives false:
 * then leave with EXIT_CODE_USAGE. */
MUST_CHECK bool subcommand_parse(const struct subcommand *subcommand, int argc, char **argv, void *values,
                                 const char **words, size_t word_capacity, size_t *word_count);
