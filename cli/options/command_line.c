/* Takes what a command was told, by its table of options. */
#include "cli/options/command_line.h"

#include "common/log.h"

bool subcommand_parse(const struct subcommand *subcommand, int argc, char **argv, void *values,
                      const char **words, size_t word_capacity, size_t *word_count)
{
    struct error error;
    if (option_parse(subcommand->options, subcommand->option_count, argc, argv, values, words, word_capacity,
                     word_count, &error)) {
        return true;
    }
    log_line(LOG_ERROR, subcommand->name, "%s (see tutti help %s)", error.text, subcommand->name);
    return false;
}
