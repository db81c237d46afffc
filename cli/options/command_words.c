/* How a command that has all options of a campaign was called. */
#include "cli/options/command_words.h"

#include "cli/base/exit_code.h"
#include "cli/options/env_file.h"
#include "common/memory.h"
#include "common/trusted_file.h"
#include "proto/message/environment.h"

void command_words_init(struct command_words *words, const struct subcommand *command, int argc, char **argv)
{
    *words =
        (struct command_words){.command = command, .argc = argc, .argv = argv, .code = (int)EXIT_CODE_USAGE};
    config_run_init(&words->run);
    environment_init(&words->environment);
}

void command_words_finish(struct command_words *words)
{
    config_run_finish(&words->run);
    git_checkout_finish(&words->checkout);
    memory_free(words->script);
    memory_free(words->shown);
    trusted_file_wipe(&words->environment);
}

static bool command_words_add_run(struct command_words *words, struct error *error)
{
    struct bytes rest = buffer_bytes(&words->run.environment);
    struct bytes name;
    struct bytes value;
    while (environment_next(&rest, &name, &value)) {
        if (!environment_set(&words->environment, name, value, error)) {
            return false;
        }
    }
    return true;
}

bool command_words_add_environment(struct command_words *words, const struct option_texts *files,
                                   const struct option_texts *env, struct error *error)
{
    if (!command_words_add_run(words, error)) {
        return false;
    }
    for (size_t i = 0; i < files->count; i++) {
        if (!env_file_add(files->items[i], &words->environment, error)) {
            return false;
        }
    }
    for (size_t i = 0; i < env->count; i++) {
        if (!environment_set_word(&words->environment, env->items[i], error)) {
            return error_wrap(error, "-e (--env): ");
        }
    }
    return true;
}
