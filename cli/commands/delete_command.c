/* `tutti delete`: removes campaigns that have ended from a coordinator. */
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"

#include <inttypes.h>
#include <stdio.h>

#define CAMPAIGNS_AT_ONCE 256u

struct delete_options {
    bool is_json;
    struct control_options control;
};

/* clang-format off */
static const struct option delete_options[] = {
    CONTROL_JSON_OPTION(offsetof(struct delete_options, is_json), "answer in JSON, a line for each campaign"),
    CONTROL_OPTIONS(offsetof(struct delete_options, control))
};
/* clang-format on */

static enum api_result delete_command_delete(struct api_client *client, uint64_t campaign, bool is_json)
{
    SCOPED(memory_free_at) char *path = control_path(campaign, "");
    struct error error;
    json_t *answer = NULL;
    enum api_result result = api_client_delete(client, path, &answer, &error);
    if (result != API_DONE) {
        control_tell_error("delete", result, &error);
        return result;
    }
    if (is_json) {
        control_print_json_line(answer);
    } else {
        printf("campaign %" PRIu64 " is deleted\n", campaign);
        json_decref(answer);
    }
    return result;
}

/* All that can be deleted are, whatever is wrong with the others. The exit code is that of the first that
 * cannot. */
static enum exit_code delete_command_all(const struct delete_options *options, const uint64_t *campaigns,
                                         size_t count)
{
    enum exit_code code = EXIT_CODE_PASSED;
    SCOPED(api_client_free) struct api_client *client = control_connect("delete", &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < count; i++) {
        enum api_result result = delete_command_delete(client, campaigns[i], options->is_json);
        code = code == EXIT_CODE_PASSED ? control_exit_code(result) : code;
        if (result == API_UNREACHABLE) {
            break;
        }
    }
    return code;
}

static int run_delete(int argc, char **argv)
{
    struct delete_options options = {0};
    const char *words[CAMPAIGNS_AT_ONCE] = {NULL};
    uint64_t campaigns[CAMPAIGNS_AT_ONCE];
    size_t count = 0;
    if (!subcommand_parse(&delete_subcommand, argc, argv, &options, words, CAMPAIGNS_AT_ONCE, &count)) {
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i == 0 || i < count; i++) {
        if (!control_parse_id("delete", words[i], &campaigns[i])) {
            return EXIT_CODE_USAGE;
        }
    }
    return (int)delete_command_all(&options, campaigns, count);
}

const struct subcommand delete_subcommand = {
    .name = "delete",
    .usage = "ID… [options]",
    .summary = "Deletes campaigns that have ended from a coordinator",
    .details =
        "The report, what was counted second by second, and what failed steps have left are gone, from the\n"
        "coordinator's memory and from its disk. A campaign that has not ended is refused: stop it first.\n",
    .examples = "  tutti delete 7\n"
                "  tutti delete 3 4 5\n",
    .options = delete_options,
    .option_count = sizeof delete_options / sizeof delete_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_delete,
};
