/* `tutti start`: examines the script, sends it to a coordinator, and optionally waits for the end of the
 * campaign. */
#include "cli/commands/subcommand.h"
#include "cli/options/campaign_script.h"
#include "cli/options/command_words.h"
#include "cli/options/start_options.h"
#include "cli/remote/control.h"
#include "cli/remote/control_connect.h"
#include "cli/remote/control_follow.h"
#include "cli/remote/start_request.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* What a start holds while it lasts. */
struct start {
    const char *script;
    const char *shown; /* how the report names it */
    struct start_options options;
    struct script_facts *facts;
    struct api_client *client;
    struct json_file *json;
    struct outputs *outputs;
    int signals; /* -1: no signal is waited for */
};

static bool start_command_prepare(struct start *start, const struct command_words *words, struct error *error)
{
    struct run_options *run = &start->options.run;
    if (!campaign_script_read(words, start->script, run, &start->facts, error)) {
        return false;
    }
    if (run->json_path != NULL) {
        start->json = json_file_open(run->json_path, error);
        if (start->json == NULL) {
            return error_wrap(error, "--json: ");
        }
    }
    if (run->html_path != NULL && !start->options.is_waiting) {
        return error_set(error, "--html needs --wait: there is no report before the end");
    }
    const struct output_paths paths = {.html = run->html_path, .is_without_summary = true};
    start->outputs = outputs_open(&paths, error);
    return start->outputs != NULL;
}

static bool is_output_taken(const struct start *start)
{
    const char *path = start->options.run.json_path;
    return path != NULL && strcmp(path, "-") == 0;
}

static enum exit_code start_command_wait_for_end(const struct start *start, uint64_t campaign)
{
    const struct screen_settings settings = {
        .is_quiet = start->options.run.is_quiet,
        .is_output_taken = is_output_taken(start),
        .is_one_line = start->options.run.has_no_live,
    };
    struct screen *screen = screen_new(&settings);
    const struct control_follow follow = {
        .who = "start",
        .client = start->client,
        .campaign = campaign,
        .screen = screen,
        .json = start->json,
        .outputs = start->outputs,
        .signals = start->signals,
        .stops_campaign = true,
    };
    SCOPED(memory_free_at) char *text = memory_format("campaign %" PRIu64, campaign);
    screen_line(screen, false, bytes_of_string(text));
    enum exit_code code = control_follow(&follow);
    return exit_code_of_output(code, "start", screen_free(&screen));
}

/* The id is all that a program needs to know. */
static enum exit_code tell_id(const struct start *start, uint64_t campaign)
{
    struct error error;
    if (!is_output_taken(start)) {
        printf("%" PRIu64 "\n", campaign);
    }
    if (start->json == NULL) {
        return EXIT_CODE_PASSED;
    }
    SCOPED(memory_free_at) char *text = memory_format("{\"campaign\": %" PRIu64 "}\n", campaign);
    if (json_file_write(start->json, text, &error)) {
        return EXIT_CODE_PASSED;
    }
    log_line(LOG_ERROR, "start", "%s", error.text);
    return EXIT_CODE_LOST;
}

static void draw_key(char key[START_KEY_BYTES])
{
    uint64_t drawn[2] = {0};
    ssize_t size = getrandom(drawn, sizeof drawn, 0);
    assert(size == (ssize_t)sizeof drawn);
    (void)size;
    (void)snprintf(key, START_KEY_BYTES, "%016" PRIx64 "%016" PRIx64, drawn[0], drawn[1]);
}

static enum exit_code start_command_hand_over(struct start *start)
{
    struct error error;
    json_t *answer = NULL;
    char key[START_KEY_BYTES];
    draw_key(key);
    SCOPED(memory_free_at)
    char *body = start_request(start->shown, &start->options, &start->facts->bundle, key);
    if (start->options.is_waiting) {
        start->signals = control_signals_take();
        api_client_wake_by(start->client, start->signals);
    }
    const struct control_request request = {"start", start->client, "/v1/campaigns", body};
    enum api_result result = control_ask_patiently(&request, &answer, &error);
    if (result != API_DONE) {
        const char *words =
            result == API_INTERRUPTED ? " before the coordinator answered (see tutti status)" : "";
        log_line(LOG_ERROR, "start", "%s%s", error.text, words);
        return control_exit_code(result);
    }
    uint64_t campaign = json_get_count(answer, "campaign");
    json_decref(answer);
    return start->options.is_waiting ? start_command_wait_for_end(start, campaign) : tell_id(start, campaign);
}

static void start_command_finish(struct start *start)
{
    if (start->signals >= 0) {
        (void)close(start->signals);
    }
    json_file_close(&start->json);
    outputs_close(&start->outputs);
    api_client_free(&start->client);
    run_options_finish(&start->options.run);
    script_facts_free(&start->facts);
}

static int run_start(int argc, char **argv)
{
    SCOPED(command_words_finish) struct command_words words;
    struct start start = {.signals = -1};
    struct error error;
    enum exit_code code = EXIT_CODE_USAGE;
    command_words_init(&words, &start_subcommand, argc, argv);
    if (!run_options_read(&words, &start.options.run, &start.script)) {
        return words.code;
    }
    start.shown = words.shown != NULL ? words.shown : start.script;
    if (!start_command_prepare(&start, &words, &error)) {
        log_line(LOG_ERROR, "start", "%s", error.text);
    } else if ((start.client = control_connect("start", &start.options.control)) != NULL) {
        code = start_command_hand_over(&start);
    }
    start_command_finish(&start);
    return (int)code;
}

const struct subcommand start_subcommand = {
    .name = "start",
    .usage = "SCRIPT [options]",
    .summary = "Starts a campaign on a coordinator and its agents",
    .details =
        "Examines the script as tutti check does, sends it with every file it uses, and prints the id of\n"
        "the campaign. With --wait it shows the progress, reports as tutti run does, and exits according\n"
        "to the verdict; Ctrl-C then stops the campaign gracefully and waits for its end, a second one\n"
        "leaves. The options that the script sets with tutti.options are the defaults. Whether scripts may\n"
        "use io and os where they run is up to each agent; --allow-system applies to examining the script\n"
        "here.\n",
    .examples = "  tutti start examples/pad.lua -w 300 --room-size 5 -d 30s --wait\n"
                "  id=$(tutti start loadtest.lua -d 10m --expect-agents 3)\n"
                "  tutti start loadtest.lua --api http://10.0.0.1:7441 --token-file token --wait --json -\n",
    .options = start_option_table,
    .option_count = START_OPTION_COUNT,
    .tells_verdict = true,
    .needs = {.descriptors = 12, .threads = 2},
    .run = run_start,
};
