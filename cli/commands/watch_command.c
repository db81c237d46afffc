/* `tutti watch`: shows the progress of a running campaign on a coordinator. */
#include "cli/commands/subcommand.h"
#include "cli/options/control_options.h"
#include "cli/options/live_option.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "cli/remote/control_follow.h"

#include <unistd.h>

struct watch_options {
    bool is_json;
    bool has_no_live;
    struct control_options control;
};

/* clang-format off */
static const struct option watch_options[] = {
    CONTROL_JSON_OPTION(offsetof(struct watch_options, is_json), "print each event as one line of JSON"),
    NO_LIVE_OPTION(offsetof(struct watch_options, has_no_live)),
    CONTROL_RETRY_OPTION(offsetof(struct watch_options, control)),
    CONTROL_OPTIONS(offsetof(struct watch_options, control))
};
/* clang-format on */

static enum exit_code watch(const struct watch_options *options, uint64_t campaign)
{
    SCOPED(api_client_free) struct api_client *client = control_connect("watch", &options->control);
    if (client == NULL) {
        return EXIT_CODE_USAGE;
    }
    int signals = control_signals_take();
    const struct screen_settings settings = {.is_one_line = options->has_no_live};
    struct screen *screen = screen_new(&settings);
    const struct control_follow follow = {
        .who = "watch",
        .client = client,
        .campaign = campaign,
        .screen = screen,
        .signals = signals,
        .has_json_lines = options->is_json,
    };
    api_client_wake_by(client, signals);
    enum exit_code code = control_follow(&follow);
    (void)close(signals);
    return exit_code_of_output(code, "watch", screen_free(&screen));
}

static int run_watch(int argc, char **argv)
{
    struct watch_options options = {.control.retry_ms = CONTROL_RETRY_MS};
    const char *word = NULL;
    size_t word_count = 0;
    uint64_t campaign = 0;
    if (!subcommand_parse(&watch_subcommand, argc, argv, &options, &word, 1, &word_count) ||
        !control_parse_id("watch", word, &campaign)) {
        return EXIT_CODE_USAGE;
    }
    return (int)watch(&options, campaign);
}

const struct subcommand watch_subcommand = {
    .name = "watch",
    .usage = "ID [options]",
    .summary = "Shows the progress of a campaign on a coordinator until it ends",
    .details = "Shows the live line and the report of tutti run, with its exit code. Ctrl-C leaves;\n"
               "the campaign goes on. If the coordinator is unreachable it retries for a minute.\n",
    .examples = "  tutti watch 7\n"
                "  tutti watch 7 --json | jq -c 'select(.event == \"progress\").data.steps'\n",
    .options = watch_options,
    .option_count = sizeof watch_options / sizeof watch_options[0],
    .tells_verdict = true,
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_watch,
};
