/* How a command that has all options of a campaign was called, and what is read because of that. */
#pragma once
#include "cli/base/git_checkout.h"
#include "cli/options/config_file.h"
#include "common/option.h"

struct subcommand;

struct command_words {
    const struct subcommand *command;
    int argc;
    char **argv;
    struct config_run run; /* of --config; without a script: there is none */
    struct git_checkout checkout;
    char *script;              /* where it is; NULL: not known yet */
    char *shown;               /* how a report names it; NULL: as it was given */
    struct buffer environment; /* of the script, as proto/message/environment.h has it */
    int code;                  /* with which the process exits if it cannot go on */
};

/* To be finished with command_words_finish, after everything that was made of them. */
void command_words_init(struct command_words *words, const struct subcommand *command, int argc, char **argv);
void command_words_finish(struct command_words *words);
/* Makes the environment of what --config has read and of what --env-file and -e give, each over the former.
 * False with an error, which has no value. */
MUST_CHECK bool command_words_add_environment(struct command_words *words, const struct option_texts *files,
                                              const struct option_texts *env, struct error *error);
