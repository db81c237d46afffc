/* `tutti stop`: ends a running campaign on a coordinator. */
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"

#include <inttypes.h>
#include <stdio.h>

struct stop_options {
    bool is_at_once;
    bool is_json;
    struct control_options control;
};

/* clang-format off */
static const struct option stop_options[] = {
    {.name = "at-once", .type = OPTION_FLAG, .offset = offsetof(struct stop_options, is_at_once),
        .is_set_offset = SIZE_MAX, .help = "do not wait for steps and teardown"},
    CONTROL_JSON_OPTION(offsetof(struct stop_options, is_json), "answer in JSON"),
    CONTROL_OPTIONS(offsetof(struct stop_options, control))
};
/* clang-format on */

/* Someone else stopped it first, or it ended by itself: the outcome is the same. */
static enum exit_code stop_command_tell(const struct stop_options *options, uint64_t campaign, bool has_ended)
{
    if (options->is_json) {
        json_t *object = json_object();
        json_put_count(object, "campaign", campaign);
        json_put(object, "state", json_string(has_ended ? "ended" : "stopping"));
        control_print_json_line(object);
    } else if (has_ended) {
        printf("campaign %" PRIu64 " has already ended\n", campaign);
    } else {
        printf("campaign %" PRIu64 " is stopping\n", campaign);
    }
    return EXIT_CODE_PASSED;
}

static enum exit_code stop(const struct stop_options *options, uint64_t campaign)
{
    SCOPED(api_client_free) struct api_client *client = control_connect("stop", &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    SCOPED(memory_free_at) char *path = control_path(campaign, "/stop");
    SCOPED(memory_free_at) char *body = control_stop_body(options->is_at_once, "stopped by tutti stop");
    const struct control_request request = {"stop", client, path, body};
    struct error error;
    json_t *answer = NULL;
    enum api_result result = control_ask_patiently(&request, &answer, &error);
    json_decref(answer);
    if (result == API_DONE || result == API_CONFLICT) {
        return stop_command_tell(options, campaign, result == API_CONFLICT);
    }
    control_tell_error("stop", result, &error);
    return control_exit_code(result);
}

static int run_stop(int argc, char **argv)
{
    struct stop_options options = {0};
    const char *word = NULL;
    size_t word_count = 0;
    uint64_t campaign = 0;
    if (!subcommand_parse(&stop_subcommand, argc, argv, &options, &word, 1, &word_count) ||
        !control_parse_id("stop", word, &campaign)) {
        return EXIT_CODE_USAGE;
    }
    return (int)stop(&options, campaign);
}

const struct subcommand stop_subcommand = {
    .name = "stop",
    .usage = "ID [options]",
    .summary = "Stops a campaign on a coordinator",
    .details =
        "No new steps begin, waits end, sessions and the campaign are torn down, and the report is\n"
        "complete. Returns as soon as the coordinator has accepted the request; `tutti watch ID` shows the\n"
        "end. It is not an error if the campaign has already ended.\n",
    .examples = "  tutti stop 7\n"
                "  tutti stop 7 --at-once\n",
    .options = stop_options,
    .option_count = sizeof stop_options / sizeof stop_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_stop,
};
