/* `tutti run`: reads script and options, prepares what the run needs, and hands over to the session. */
#include "agent/script/script.h"
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "cli/local/session.h"
#include "cli/options/campaign_script.h"
#include "cli/options/command_words.h"
#include "cli/options/run_options.h"
#include "common/log.h"
#include "common/memory.h"
#include "target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LOG_MODE 0666

/* What a run holds while it lasts. */
struct run {
    const char *script;
    const char *shown; /* how the report names it */
    struct run_options options;
    struct script_facts *facts;
    struct target *target;
    char *target_address;
    struct json_file *json;
    struct outputs *outputs;
    struct screen *screen;
};

/* The agents append to it, each on its own. What was in it goes. */
static bool run_open_log(const char *path, struct error *error)
{
    if (path == NULL) {
        return true;
    }
    if (strcmp(path, "-") == 0) {
        return error_set(error, "--log: standard output is for the report; give it a file");
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, LOG_MODE);
    if (file < 0) {
        return error_set_system(error, errno, "--log: %s cannot be written", path);
    }
    (void)close(file);
    return true;
}

/* Prepares the environment of the run. */
static bool run_prepare(struct run *run, struct error *error)
{
    if (run->options.json_path != NULL) {
        run->json = json_file_open(run->options.json_path, error);
        if (run->json == NULL) {
            return error_wrap(error, "--json: ");
        }
    }
    const struct output_paths paths = {.csv = run->options.csv_path,
                                       .markdown = run->options.markdown_path,
                                       .junit = run->options.junit_path,
                                       .html = run->options.html_path};
    run->outputs = outputs_open(&paths, error);
    if (run->outputs == NULL) {
        return false;
    }
    if (!run_open_log(run->options.request_log.path, error)) {
        return false;
    }
    if (campaign_target_is_builtin(&run->options)) {
        run->target = target_start(NULL, 0, error);
        if (run->target == NULL) {
            return false;
        }
        run->target_address = memory_format("http://127.0.0.1:%u", (unsigned)target_port(run->target));
    } else {
        run->target_address = memory_copy_string((const char *)run->options.campaign.target.data);
    }
    struct screen_settings settings = {
        .is_quiet = run->options.is_quiet,
        .is_output_taken = run->options.json_path != NULL && strcmp(run->options.json_path, "-") == 0,
        .is_one_line = run->options.has_no_live,
    };
    run->screen = screen_new(&settings);
    return true;
}

/* Small enough for every JSON parser; 0 means that none was given. */
static uint64_t draw_seed(void)
{
    uint64_t seed = 0;
    while (seed == 0) {
        if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
            seed = 1;
        }
        seed &= (1ULL << 48) - 1;
    }
    return seed;
}

static enum exit_code run_hand_over(struct run *run)
{
    struct campaign_options campaign = run->options.campaign;
    campaign.target = bytes_of_string(run->target_address);
    campaign.seed = campaign.seed > 0 ? campaign.seed : draw_seed();
    const struct session_settings settings = {
        .script = run->shown,
        .bundle = &run->facts->bundle,
        .campaign = &campaign,
        .options = &run->options,
        .screen = run->screen,
        .json = run->json,
        .outputs = run->outputs,
    };
    return session_run(&settings);
}

static enum exit_code run_finish(struct run *run, enum exit_code code)
{
    code = exit_code_of_output(code, "run", screen_free(&run->screen));
    json_file_close(&run->json);
    outputs_close(&run->outputs);
    if (run->target != NULL) {
        target_stop(&run->target);
    }
    memory_free(run->target_address);
    run_options_finish(&run->options);
    script_facts_free(&run->facts);
    return code;
}

static int run_run(int argc, char **argv)
{
    SCOPED(command_words_finish) struct command_words words;
    struct run run = {0};
    struct error error;
    enum exit_code code = EXIT_CODE_USAGE;
    command_words_init(&words, &run_subcommand, argc, argv);
    if (!run_options_read(&words, &run.options, &run.script)) {
        return words.code;
    }
    run.shown = words.shown != NULL ? words.shown : run.script;
    if (!campaign_script_read(&words, run.script, &run.options, &run.facts, &error) ||
        !campaign_script_has_driver(run.script, &run.options, run.facts, &error) ||
        !run_prepare(&run, &error)) {
        log_line(LOG_ERROR, "run", "%s", error.text);
    } else {
        code = run_hand_over(&run);
    }
    return (int)run_finish(&run, code);
}

const struct subcommand run_subcommand = {
    .name = "run",
    .usage = "SCRIPT [options]",
    .summary = "Runs a script on this machine: coordinator, agents, report",
    .details =
        "Starts the agents as separate processes, runs the workers of the script on them, shows the\n"
        "progress, and reports. Ctrl-C stops gracefully, a second one at once. The options that the script\n"
        "sets with tutti.options are the defaults; if neither runs nor duration is given, each worker does\n"
        "one step. With both, the first one to be reached ends the run.\n",
    .examples = "  tutti run examples/pad.lua\n"
                "  tutti run loadtest.lua -w 50 -d 1m --target http://127.0.0.1:8080\n"
                "  tutti run loadtest.lua -w 500 -r 20 --room-size 5 --agents 4\n"
                "  tutti run loadtest.lua -d 30s --fail 1% --json report.json -q\n",
    .options = run_option_table,
    .option_count = RUN_OPTION_COUNT,
    .tells_verdict = true,
    .needs = {.descriptors = 64, .threads = 16},
    .run = run_run,
};
