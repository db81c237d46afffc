/* `tutti rate`, `tutti pause`, `tutti resume`: change the pace of a running campaign on a coordinator. */
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "proto/message/load_text.h"

#include <inttypes.h>
#include <stdio.h>

struct pace_options {
    bool is_json;
    struct control_options control;
};

/* clang-format off */
static const struct option pace_options[] = {
    CONTROL_JSON_OPTION(offsetof(struct pace_options, is_json), "answer in JSON"),
    CONTROL_OPTIONS(offsetof(struct pace_options, control))
};
/* clang-format on */

/* What is asked of a campaign, and what it does then. */
struct pace_request {
    const struct subcommand *command;
    const char *done;
    const char *rate; /* NULL: it is no rate */
    uint64_t campaign;
};

static void pace_command_tell(const struct pace_options *options, const struct pace_request *request)
{
    const char *rate = request->rate != NULL ? request->rate : "";
    if (!options->is_json) {
        printf("campaign %" PRIu64 " %s%s\n", request->campaign, request->done, rate);
        return;
    }
    json_t *object = json_object();
    json_put_count(object, "campaign", request->campaign);
    if (request->rate != NULL) {
        json_put_text(object, "rate", bytes_of_string(rate));
    }
    control_print_json_line(object);
}

static enum exit_code pace_command_ask(const struct pace_options *options, const struct pace_request *request)
{
    const char *name = request->command->name;
    SCOPED(api_client_free) struct api_client *client = control_connect(name, &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    SCOPED(memory_free_at) char *below = memory_format("/%s", name);
    SCOPED(memory_free_at) char *path = control_path(request->campaign, below);
    json_t *object = json_object();
    if (request->rate != NULL) {
        json_put_text(object, "rate", bytes_of_string(request->rate));
    }
    SCOPED(memory_free_at) char *body = json_to_text(object, false);
    json_decref(object);
    json_t *answer = NULL;
    enum api_result result = control_ask(name, client, path, body, &answer);
    json_decref(answer);
    if (result == API_DONE) {
        pace_command_tell(options, request);
    }
    return control_exit_code(result);
}

static int pace_command_run(const struct subcommand *command, const char *done, int argc, char **argv)
{
    struct pace_options options = {0};
    struct pace_request request = {.command = command, .done = done};
    const char *word = NULL;
    size_t word_count = 0;
    if (!subcommand_parse(command, argc, argv, &options, &word, 1, &word_count) ||
        !control_parse_id(command->name, word, &request.campaign)) {
        return EXIT_CODE_USAGE;
    }
    return (int)pace_command_ask(&options, &request);
}

static int run_rate(int argc, char **argv)
{
    struct pace_options options = {0};
    struct pace_request request = {.command = &rate_subcommand, .done = "goes to a rate of "};
    const char *words[2] = {NULL, NULL};
    size_t word_count = 0;
    struct error error;
    double rate_per_s = 0;
    if (!subcommand_parse(&rate_subcommand, argc, argv, &options, words, 2, &word_count) ||
        !control_parse_id("rate", words[0], &request.campaign)) {
        return EXIT_CODE_USAGE;
    }
    request.rate = words[1] != NULL ? words[1] : "";
    if (!load_parse_rate(bytes_of_string(request.rate), &rate_per_s, &error)) {
        log_line(LOG_ERROR, "rate", "%s (see tutti help rate)", error.text);
        return EXIT_CODE_USAGE;
    }
    return (int)pace_command_ask(&options, &request);
}

static int run_pause(int argc, char **argv)
{
    return pace_command_run(&pause_subcommand, "pauses", argc, argv);
}

static int run_resume(int argc, char **argv)
{
    return pace_command_run(&resume_subcommand, "goes on", argc, argv);
}

#define PACE_COMMAND                                                                                         \
    .options = pace_options, .option_count = sizeof pace_options / sizeof pace_options[0],                   \
    .needs = {.descriptors = 12, .threads = 2}

const struct subcommand rate_subcommand = {
    .name = "rate",
    .usage = "ID N/s [options]",
    .summary = "Changes the rate of a running campaign",
    .details = "For campaigns whose steps begin by a rate: from now on so many begin a second, whatever its\n"
               "stages say. What was planned before stays exact.\n",
    .examples = "  tutti rate 7 100/s\n"
                "  tutti rate 7 30/m\n",
    PACE_COMMAND,
    .run = run_rate,
};

const struct subcommand pause_subcommand = {
    .name = "pause",
    .usage = "ID [options]",
    .summary = "Keeps the workers of a running campaign from their next steps",
    .details =
        "Steps that have begun go on. Workers that meet each other pause before the same step, which may\n"
        "take a few steps. Duration, stages and rate stand still until tutti resume.\n",
    .examples = "  tutti pause 7\n",
    PACE_COMMAND,
    .run = run_pause,
};

const struct subcommand resume_subcommand = {
    .name = "resume",
    .usage = "ID [options]",
    .summary = "Lets a paused campaign go on",
    .details = "Its plan goes on where it was.\n",
    .examples = "  tutti resume 7\n",
    PACE_COMMAND,
    .run = run_resume,
};
