/* The table of commands: finding one by name, and printing help. */
#include "cli/commands/subcommand.h"
#include "cli/base/exit_code.h"
#include "common/edit_distance.h"
#include "common/log.h"

#include <string.h>

#define NAME_MAX_BYTES 32u
#define SUGGESTION_DISTANCE 2u

const struct subcommand *const subcommands[] = {
    &run_subcommand,
    &start_subcommand,
    &stop_subcommand,
    &scale_subcommand,
    &rate_subcommand,
    &pause_subcommand,
    &resume_subcommand,
    &status_subcommand,
    &watch_subcommand,
    &report_subcommand,
    &delete_subcommand,
    &compare_subcommand,
    &agents_subcommand,
    &dashboard_subcommand,
    &coordinator_subcommand,
    &agent_subcommand,
    &keygen_subcommand,
    &doctor_subcommand,
    &check_subcommand,
    &init_subcommand,
    &target_command_subcommand,
    &completion_subcommand,
    &help_subcommand,
    &version_subcommand,
    NULL,
};

const struct subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        if (strcmp(subcommands[i]->name, name) == 0) {
            return subcommands[i];
        }
    }
    return NULL;
}

static const char *subcommand_suggest(const char *name)
{
    const char *nearest = NULL;
    size_t nearest_distance = SUGGESTION_DISTANCE + 1;
    if (strlen(name) > NAME_MAX_BYTES) {
        return NULL;
    }
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        size_t distance = edit_distance(bytes_of_string(subcommands[i]->name), bytes_of_string(name));
        if (distance < nearest_distance && distance < strlen(name)) {
            nearest_distance = distance;
            nearest = subcommands[i]->name;
        }
    }
    return nearest;
}

void subcommand_tell_unknown(const char *who, const char *name)
{
    const char *nearest = subcommand_suggest(name);
    log_line(LOG_ERROR, who, "there is no command \"%.40s\"%s%s%s (see tutti help)", name,
             nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "?" : "");
}

const struct option *subcommand_option_of_environment(const struct subcommand *subcommand)
{
    for (size_t i = 0; i < subcommand->option_count; i++) {
        if (!subcommand->options[i].has_no_variable) {
            return &subcommand->options[i];
        }
    }
    return NULL;
}

static void print_variables(const struct subcommand *subcommand, FILE *out)
{
    const struct option *example = subcommand_option_of_environment(subcommand);
    if (example != NULL) {
        char variable[OPTION_VARIABLE_BYTES];
        option_variable(example, variable);
        fprintf(out,
                "\nEach option can also be given in the environment, --%s as %s; the\n"
                "command line wins. Durations read 10, 10s, 250ms, 5m30s or 1h; a bare number is seconds.\n",
                example->name, variable);
    }
    const char *before = example != NULL ? "Only on the command line: " : "\nOnly on the command line: ";
    bool are_some = false;
    for (size_t i = 0; i < subcommand->option_count; i++) {
        if (subcommand->options[i].has_no_variable) {
            fprintf(out, "%s--%s", are_some ? ", " : before, subcommand->options[i].name);
            are_some = true;
        }
    }
    fprintf(out, "%s", are_some ? ".\n" : "");
}

void subcommand_print_help(const struct subcommand *subcommand, FILE *out)
{
    fprintf(out, "tutti %s%s%s\n\n%s.\n", subcommand->name, *subcommand->usage != '\0' ? " " : "",
            subcommand->usage, subcommand->summary);
    if (subcommand->details != NULL) {
        fprintf(out, "\n%s", subcommand->details);
    }
    if (subcommand->option_count > 0) {
        fprintf(out, "\nOptions:\n");
        option_print_help(subcommand->options, subcommand->option_count, out);
        print_variables(subcommand, out);
    }
    if (subcommand->tells_verdict) {
        fprintf(out, "\nExit codes:\n");
        exit_code_print_table(out);
    }
    if (subcommand->examples != NULL) {
        fprintf(out, "\nExamples:\n%s", subcommand->examples);
    }
}

void subcommand_print_overview(FILE *out)
{
    fprintf(out, "tutti: a load tester whose users work together\n\n"
                 "Usage: tutti COMMAND [options]\n\nCommands:\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        fprintf(out, "  %-12s%s\n", subcommands[i]->name, subcommands[i]->summary);
    }
    fprintf(out, "\n`tutti help COMMAND` shows details and examples. To begin with:\n"
                 "  tutti init                           write a small script to start from\n"
                 "  tutti run loadtest.lua --target builtin\n\nExit codes:\n");
    exit_code_print_table(out);
}
