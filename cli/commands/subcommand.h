/* All commands of `tutti`, and their help. */
#pragma once
#include "cli/options/command_line.h"

extern const struct subcommand run_subcommand;
extern const struct subcommand coordinator_subcommand;
extern const struct subcommand agent_subcommand;
extern const struct subcommand target_command_subcommand;
extern const struct subcommand start_subcommand;
extern const struct subcommand stop_subcommand;
extern const struct subcommand scale_subcommand;
extern const struct subcommand rate_subcommand;
extern const struct subcommand pause_subcommand;
extern const struct subcommand resume_subcommand;
extern const struct subcommand status_subcommand;
extern const struct subcommand watch_subcommand;
extern const struct subcommand report_subcommand;
extern const struct subcommand delete_subcommand;
extern const struct subcommand doctor_subcommand;
extern const struct subcommand agents_subcommand;
extern const struct subcommand dashboard_subcommand;
extern const struct subcommand compare_subcommand;
extern const struct subcommand check_subcommand;
extern const struct subcommand init_subcommand;
extern const struct subcommand keygen_subcommand;
extern const struct subcommand completion_subcommand;
extern const struct subcommand help_subcommand;
extern const struct subcommand version_subcommand;

/* All commands in the order of the help; terminated by NULL. */
extern const struct subcommand *const subcommands[];

/* NULL if there is no command of this name. */
const struct subcommand *subcommand_find(const char *name);
/* Logs as `who` that there is no such command, with the nearest one. */
void subcommand_tell_unknown(const char *who, const char *name);
/* Its first option that the environment can give, for an example; NULL if there is none. */
const struct option *subcommand_option_of_environment(const struct subcommand *subcommand);
void subcommand_print_help(const struct subcommand *subcommand, FILE *out);
/* The same as a page of the manual, in man(7): tutti-run(1). */
void subcommand_print_manual(const struct subcommand *subcommand, FILE *out);
/* `tutti --help` */
void subcommand_print_overview(FILE *out);
/* tutti(1) */
void subcommand_print_overview_manual(FILE *out);
