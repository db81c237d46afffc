/* What tutti start sends is what the coordinator reads. */
#include "agent/script/script.h"
#include "cli/commands/subcommand.h"
#include "cli/options/command_words.h"
#include "cli/remote/start_request.h"
#include "common/memory.h"
#include "coordinator/api/creation.h"
#include "tests/unit/common/check.h"

#include <jansson.h>

struct sent {
    struct start_options options;
    json_t *object;
};

static void send_it(int argc, const char *const *argv, struct script_facts *facts, struct sent *sent)
{
    const struct command_words words = {.command = &start_subcommand, .argc = argc, .argv = (char **)argv};
    struct error error;
    sent->options = (struct start_options){0};
    assert_true(run_options_merge(&words, facts, &sent->options.run, &error));
    SCOPED(memory_free_at)
    char *text = start_request("some/pad.lua", &sent->options, &facts->bundle, "drawn");
    sent->object = json_loads(text, 0, NULL);
    assert_non_null(sent->object);
}

static void finish(struct sent *sent)
{
    run_options_finish(&sent->options.run);
    json_decref(sent->object);
}

static void the_coordinator_understands_it(void **state)
{
    (void)state;
    const char *const argv[] = {"start",       "pad.lua",
                                "-w",          "300",
                                "--room-size", "5",
                                "-d",          "5s",
                                "--fail",      "2.5%",
                                "--on-loss",   "replace",
                                "--seed",      "7",
                                "-s",          "pad",
                                "-x",          "--on-deadlock",
                                "fail",        "--target",
                                "http://t",    "--ramp-up",
                                "250ms",       "--browser=firefox",
                                "--wait",      "--expect-agents",
                                "3",           "--deadline",
                                "2m"};
    char words[][8] = {"agents", "9", "shards", "9", "runs", "10", "delay", "100ms"};
    struct script_option own[] = {
        {words[0], words[1]}, {words[2], words[3]}, {words[4], words[5]}, {words[6], words[7]}};
    struct bundle_file files[] = {{TEXT("pad.lua"), TEXT("return 1\n")}, {TEXT("lib/data"), {NULL, 0}}};
    struct script_facts facts = {
        .options = own, .option_count = 4, .bundle = {.files = files, .file_count = 2, .hash = TEXT("")}};
    struct sent sent;
    struct campaign_options read;
    struct error error;
    send_it(sizeof argv / sizeof argv[0], argv, &facts, &sent);
    assert_true(creation_read_options(&read, json_object_get(sent.object, "options"), &error));
    assert_int_equal(read.workers, 300);
    assert_int_equal(read.room_size, 5);
    assert_int_equal(read.runs, 0);
    assert_int_equal(read.duration_ms, 5000);
    assert_int_equal(read.delay_ms, 100);
    assert_int_equal(read.ramp_up_ms, 250);
    assert_int_equal(read.fail_steps, 0);
    assert_true(read.fail_percent == 2.5);
    assert_int_equal(read.on_loss, ON_LOSS_REPLACE);
    assert_int_equal(read.on_deadlock, ON_DEADLOCK_FAIL);
    assert_int_equal(read.browser, BROWSER_FIREFOX);
    assert_int_equal(read.seed, 7);
    assert_true(read.is_stopped_by_failure);
    assert_true(bytes_equal_string(read.single_mode, "pad"));
    assert_true(bytes_equal_string(read.target, "http://t"));
    assert_int_equal(json_integer_value(json_object_get(sent.object, "expect_agents")), 3);
    assert_int_equal(json_integer_value(json_object_get(sent.object, "deadline_ms")), 120000);
    assert_true(sent.options.is_waiting);
    finish(&sent);
}

static void files_of_any_size_go_along(void **state)
{
    (void)state;
    const char *const argv[] = {"start", "pad.lua"};
    size_t size = 3000000;
    SCOPED(memory_free_at) uint8_t *content = memory_new(size, 1);
    struct bundle_file files[] = {{TEXT("pad.lua"), bytes_of(content, size)}};
    struct script_facts facts = {.bundle = {.files = files, .file_count = 1, .hash = TEXT("")}};
    struct sent sent;
    send_it(2, argv, &facts, &sent);
    const json_t *file = json_array_get(json_object_get(sent.object, "files"), 0);
    assert_string_equal(json_string_value(json_object_get(file, "path")), "pad.lua");
    assert_int_equal(json_string_length(json_object_get(file, "content")), size / 3 * 4);
    const json_t *options = json_object_get(sent.object, "options");
    assert_int_equal(json_integer_value(json_object_get(sent.object, "expect_agents")), 1);
    assert_int_equal(json_integer_value(json_object_get(sent.object, "deadline_ms")), 60000);
    assert_null(json_object_get(options, "seed"));
    assert_null(json_object_get(options, "on"));
    assert_null(json_object_get(options, "target"));
    assert_int_equal(json_integer_value(json_object_get(options, "runs")), 1);
    assert_int_equal(json_integer_value(json_object_get(options, "fail_steps")), 1);
    finish(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_coordinator_understands_it),
        cmocka_unit_test(files_of_any_size_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
