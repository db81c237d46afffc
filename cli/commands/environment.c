/* Finds misspelt variables in the environment. */
#include "cli/commands/environment.h"

#include "common/edit_distance.h"
#include "common/log.h"

#include <string.h>
#include <unistd.h>

#define PREFIX "TUTTI_"
#define SUGGESTION_DISTANCE 3u

/* Not options: the programs of drivers, and what agents give to browsers. */
static const char *const others[] = {"TUTTI_CHROMEDRIVER", "TUTTI_GECKODRIVER", "TUTTI_WEBKITWEBDRIVER",
                                     "TUTTI_BROWSER_FOLDER"};

struct variable_search {
    struct bytes name;
    bool is_known;
    size_t distance; /* of the nearest one so far */
    char nearest[OPTION_VARIABLE_BYTES];
};

static void compare_variable(struct variable_search *search, const char *variable)
{
    search->is_known = search->is_known || bytes_equal_string(search->name, variable);
    if (search->name.size <= EDIT_DISTANCE_MAX_BYTES) {
        size_t distance = edit_distance(bytes_of_string(variable), search->name);
        if (distance < search->distance) {
            search->distance = distance;
            bytes_to_text(bytes_of_string(variable), search->nearest, sizeof search->nearest);
        }
    }
}

static void search_options(struct variable_search *search, const struct subcommand *subcommand)
{
    for (size_t i = 0; i < subcommand->option_count && !search->is_known; i++) {
        if (!subcommand->options[i].has_no_variable) {
            char variable[OPTION_VARIABLE_BYTES];
            option_variable(&subcommand->options[i], variable);
            compare_variable(search, variable);
        }
    }
}

static void check_variable(const char *who, struct bytes name)
{
    struct variable_search search = {.name = name, .distance = SUGGESTION_DISTANCE + 1};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        compare_variable(&search, others[i]);
    }
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        search_options(&search, subcommands[i]);
    }
    if (search.is_known) {
        return;
    }
    log_line(LOG_WARNING, who, "the environment has %.*s, which no command knows%s%s%s", (int)name.size,
             (const char *)name.data, search.nearest[0] != '\0' ? "; did you mean " : "", search.nearest,
             search.nearest[0] != '\0' ? "?" : "");
}

void environment_warn_of_unknown(const struct subcommand *subcommand)
{
    for (size_t i = 0; environ != NULL && environ[i] != NULL; i++) {
        if (strncmp(environ[i], PREFIX, sizeof PREFIX - 1) == 0) {
            check_variable(subcommand->name, bytes_of(environ[i], strcspn(environ[i], "=")));
        }
    }
}
