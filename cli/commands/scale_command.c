/* `tutti scale`: changes the number of workers of a running campaign on a coordinator. */
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "proto/message/limits.h"

#include <inttypes.h>
#include <stdio.h>

struct scale_options {
    uint64_t workers;
    bool is_json;
    struct control_options control;
};

/* clang-format off */
static const struct option scale_options[] = {
    {.name = "workers", .letter = 'w', .type = OPTION_NUMBER, .offset = offsetof(struct scale_options, workers),
        .is_set_offset = SIZE_MAX, .minimum = 1, .maximum = LIMIT_WORKERS, .argument = "N",
        .help = "the new number of workers"},
    CONTROL_JSON_OPTION(offsetof(struct scale_options, is_json), "answer in JSON"),
    CONTROL_OPTIONS(offsetof(struct scale_options, control))
};
/* clang-format on */

static char *scale_body(uint64_t workers)
{
    json_t *object = json_object();
    json_put_count(object, "workers", workers);
    char *body = json_to_text(object, false);
    json_decref(object);
    return body;
}

static void scale_command_tell(const struct scale_options *options, uint64_t campaign)
{
    if (options->is_json) {
        json_t *object = json_object();
        json_put_count(object, "campaign", campaign);
        json_put_count(object, "workers", options->workers);
        control_print_json_line(object);
    } else {
        printf("campaign %" PRIu64 " goes to %" PRIu64 " %s\n", campaign, options->workers,
               options->workers == 1 ? "worker" : "workers");
    }
}

static enum exit_code scale(const struct scale_options *options, uint64_t campaign)
{
    SCOPED(api_client_free) struct api_client *client = control_connect("scale", &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    SCOPED(memory_free_at) char *path = control_path(campaign, "/scale");
    SCOPED(memory_free_at) char *body = scale_body(options->workers);
    json_t *answer = NULL;
    enum api_result result = control_ask("scale", client, path, body, &answer);
    json_decref(answer);
    if (result == API_DONE) {
        scale_command_tell(options, campaign);
    }
    return control_exit_code(result);
}

static int run_scale(int argc, char **argv)
{
    struct scale_options options = {0};
    const char *words[2] = {NULL};
    size_t word_count = 0;
    uint64_t campaign = 0;
    if (!subcommand_parse(&scale_subcommand, argc, argv, &options, words, 2, &word_count) ||
        !control_parse_id("scale", words[0], &campaign)) {
        return EXIT_CODE_USAGE;
    }
    if (word_count > 1) {
        log_line(LOG_ERROR, "scale",
                 "unexpected argument \"%.40s\"; the number of workers is --workers N (see tutti help scale)",
                 words[1]);
        return EXIT_CODE_USAGE;
    }
    if (options.workers == 0) {
        log_line(LOG_ERROR, "scale", "--workers N is required (see tutti help scale)");
        return EXIT_CODE_USAGE;
    }
    return (int)scale(&options, campaign);
}

const struct subcommand scale_subcommand = {
    .name = "scale",
    .usage = "ID --workers N [options]",
    .summary = "Changes the number of workers of a running campaign",
    .details =
        "More: workers with the next ids begin on the agents of the campaign, distributed as at the start;\n"
        "in a room whose workers already wait for each other, at a step that nobody has begun yet. Fewer:\n"
        "those with the highest ids end after their current step, with their teardown. Adding or removing\n"
        "whole rooms leaves all other rooms unchanged.\n",
    .examples = "  tutti scale 7 --workers 500\n"
                "  tutti scale 7 -w 20\n",
    .options = scale_options,
    .option_count = sizeof scale_options / sizeof scale_options[0],
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_scale,
};
