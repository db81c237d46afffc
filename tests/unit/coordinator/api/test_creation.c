/* Campaigns in JSON: what is accepted, which defaults are filled in, what is refused. */
#include "coordinator/api/creation.h"

#include "common/memory.h"
#include "proto/message/bundle.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FILES "\"script\": \"some/pad.lua\", \"files\": [{\"path\": \"pad.lua\", \"content\": \"LS0gTHVh\"}]"

static json_t *parse(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    return object;
}

static void the_least_is_enough(void **state)
{
    (void)state;
    struct creation creation;
    struct error error;
    json_t *object = parse("{" FILES "}");
    assert_true(creation_read(&creation, object, &error));
    assert_string_equal(creation.script, "some/pad.lua");
    assert_int_equal(creation.bundle.file_count, 1);
    assert_true(bytes_equal_string(creation.bundle.files[0].path, "pad.lua"));
    assert_true(bytes_equal_string(creation.bundle.files[0].content, "-- Lua"));
    char hash[DIGEST_TEXT_BYTES];
    bundle_hash(&creation.bundle, hash);
    assert_true(bytes_equal_string(creation.bundle.hash, hash));
    assert_int_equal(creation.agents, 1);
    assert_int_equal(creation.deadline_ms, 60000);
    assert_int_equal(creation.options.workers, 1);
    assert_int_equal(creation.options.runs, 1);
    assert_int_equal(creation.options.sync_timeout_ms, 60000);
    assert_int_equal(creation.options.fail_steps, 1);
    assert_true(creation.options.seed > 0);
    creation_finish(&creation);
    json_decref(object);
}

static void all_is_understood(void **state)
{
    (void)state;
    struct creation creation;
    struct error error;
    json_t *object =
        parse("{" FILES
              ", \"expect_agents\": 3, \"deadline_ms\": 5, \"options\": {\"workers\": 1000000, \"runs\": 0,"
              "\"duration_ms\": 1000, \"ramp_up_ms\": 2, \"delay_ms\": 3, \"room_size\": 4, \"on_loss\": "
              "\"replace\","
              "\"on_deadlock\": \"fail\", \"browser\": \"webkit\", \"sync_timeout_ms\": 5, \"single_run\": "
              "false, \"single_mode\": \"pad\","
              "\"exception\": true, \"fail_percent\": 2.5, \"target\": \"http://x\", \"seed\": 9}}");
    assert_true(creation_read(&creation, object, &error));
    const struct campaign_options *options = &creation.options;
    assert_int_equal(creation.agents, 3);
    assert_int_equal(creation.deadline_ms, 5);
    assert_int_equal(options->workers, 1000000);
    assert_int_equal(options->runs, 0);
    assert_int_equal(options->duration_ms, 1000);
    assert_int_equal(options->ramp_up_ms, 2);
    assert_int_equal(options->delay_ms, 3);
    assert_int_equal(options->room_size, 4);
    assert_int_equal(options->on_loss, ON_LOSS_REPLACE);
    assert_int_equal(options->on_deadlock, ON_DEADLOCK_FAIL);
    assert_int_equal(options->browser, BROWSER_WEBKIT);
    assert_int_equal(options->sync_timeout_ms, 5);
    assert_false(options->is_single_run);
    assert_true(bytes_equal_string(options->single_mode, "pad"));
    assert_true(options->is_stopped_by_failure);
    assert_int_equal(options->fail_steps, 0);
    assert_true(options->fail_percent > 2.4 && options->fail_percent < 2.6);
    assert_true(bytes_equal_string(options->target, "http://x"));
    assert_int_equal(options->seed, 9);
    creation_finish(&creation);
    json_decref(object);
}

static void what_is_said_of_failures_goes_together(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        uint64_t steps;
    } cases[] = {{"{}", 1},
                 {"{\"fail_steps\": 0}", 0},
                 {"{\"fail_steps\": 7, \"fail_percent\": 0}", 7},
                 {"{\"fail_percent\": 0}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct campaign_options options;
        struct error error;
        json_t *object = parse(cases[i].options);
        assert_true(creation_read_options(&options, object, &error));
        assert_int_equal(options.fail_steps, cases[i].steps);
        json_decref(object);
    }
}

static void without_runs_or_duration_there_is_one_run(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        uint64_t runs;
    } cases[] = {{"{}", 1}, {"{\"runs\": 0}", 0}, {"{\"duration_ms\": 5}", 0}, {"{\"duration_ms\": 0}", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct campaign_options options;
        struct error error;
        json_t *object = parse(cases[i].options);
        assert_true(creation_read_options(&options, object, &error));
        assert_int_equal(options.runs, cases[i].runs);
        json_decref(object);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"{}", "script is not a text of 1 to 1000 printable bytes"},
        {"{" FILES ", \"colour\": 1}", "campaign: \"colour\" is not known here"},
        {"{\"script\": \"x\"}", "files is not a list of 1 to 1000 files"},
        {"{\"script\": \"x\", \"files\": [{\"path\": \"x\", \"content\": \"LS0gTHVh\"}, {\"path\": \"y\", "
         "\"content\": \"a\"}]}",
         "files[1]: the content is not Base64 of at most 67108864 bytes"},
        {"{\"script\": \"x\", \"files\": [{\"path\": \"../x\", \"content\": \"\"}]}",
         "a file has a path that is not relative and clean"},
        {"{" FILES ", \"options\": {\"workers\": 0}}",
         "options.workers: it is not an integer from 1 to 1000000"},
        {"{" FILES ", \"options\": {\"on_deadlock\": \"wait\"}}",
         "options.on_deadlock: it is not one of stop, fail"},
        {"{" FILES ", \"options\": {\"on_loss\": 1}}",
         "options.on_loss: it is not one of shrink, replace, fail, replace=again, replace=next"},
        {"{" FILES ", \"options\": {\"run\": 1}}", "options: \"run\" is not known here"},
        {"{" FILES ", \"options\": {\"single_run\": true, \"single_mode\": \"x\"}}",
         "options: single_run and single_mode contradict each other"},
        {"{" FILES ", \"expect_agents\": null}", "expect_agents is not an integer from 1 to 100000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct creation creation;
        struct error error;
        json_t *object = parse(cases[i].text);
        assert_false(creation_read(&creation, object, &error));
        assert_string_equal(error.text, cases[i].error);
        creation_finish(&creation);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_is_enough),
        cmocka_unit_test(all_is_understood),
        cmocka_unit_test(what_is_said_of_failures_goes_together),
        cmocka_unit_test(without_runs_or_duration_there_is_one_run),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
