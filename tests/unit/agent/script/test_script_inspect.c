/* Scripts inspected from outside: their files, options and scenarios, and every way to be invalid. */
#include "agent/lua/lua_api.h"
#include "agent/script/script.h"
#include "common/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[40];
    struct script_facts *facts;
    struct error error;
};

static void write_file(struct fixture *fixture, const char *name, const char *content)
{
    char *path = memory_format("%s/%s", fixture->folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    memory_free(path);
}

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    strcpy(fixture->folder, "/tmp/tutti-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"pad.lua", "tools.lua", "data.txt", "late.txt", ""};
    struct fixture *fixture = *state;

    script_facts_free(&fixture->facts);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = memory_format("%s/%s", fixture->folder, names[i]);
        (void)(names[i][0] ? unlink(path) : rmdir(path));
        memory_free(path);
    }
    memory_free(fixture);
    return 0;
}

static bool inspect(struct fixture *fixture, const char *script)
{
    char *path = memory_format("%s/pad.lua", fixture->folder);
    struct script_inspection inspection = {.library = &lua_api_library, .path = path};

    write_file(fixture, "pad.lua", script);
    script_facts_free(&fixture->facts);
    fixture->facts = script_inspect(&inspection, &fixture->error);
    memory_free(path);
    return fixture->facts != NULL;
}

#define SCENARIO "\ntutti.scenario('s', function() end)\n"

static void refused(struct fixture *fixture, const char *script, const char *text)
{
    if (inspect(fixture, script) || strcmp(fixture->error.text, text) != 0) {
        fail_msg("%s\ngave: %s\nnot: %s", script, fixture->error.text, text);
    }
}

static void tells_what_is_in_a_script(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "tools.lua", "return 42");
    write_file(fixture, "data.txt", "data");
    write_file(fixture, "late.txt", "late");
    assert_true(inspect(
        fixture, "local tutti = require 'tutti'\n"
                 "assert(require 'tools' == 42)\n"
                 "assert(io.open('./data.txt'):read('a') == 'data')\n"
                 "assert(tutti.target)\n"
                 "tutti.options { workers = 5, ramp_up = 2.5, delay = '1m', fail = '5%', single_run = true,\n"
                 "  on_loss = 'replace', files = { 'late.txt' } }\n"
                 "tutti.setup(function() end) tutti.global_setup(function() end)\n"
                 "tutti.scenario('b', { weight = 2, delay = 0.5 }, function() end)\n"
                 "tutti.scenario('a', function() end)\n"));
    const struct script_facts *facts = fixture->facts;
    assert_int_equal(facts->bundle.file_count, 4);
    assert_true(bytes_equal_string(facts->bundle.files[0].path, "pad.lua"));
    assert_true(bytes_equal_string(facts->bundle.files[1].path, "tools.lua"));
    assert_true(bytes_equal_string(facts->bundle.files[2].path, "data.txt"));
    assert_true(bytes_equal_string(facts->bundle.files[3].content, "late"));
    assert_int_equal(facts->bundle.hash.size, 64);
    static const char *const options[][2] = {{"workers", "5"},       {"ramp-up", "2500ms"},
                                             {"delay", "60000ms"},   {"on-loss", "replace"},
                                             {"single-run", "true"}, {"fail", "5%"}};
    assert_int_equal(facts->option_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(facts->options[i].name, options[i][0]);
        assert_string_equal(facts->options[i].text, options[i][1]);
    }
    assert_int_equal(facts->scenario_count, 2);
    assert_string_equal(facts->scenarios[0].name, "a");
    assert_string_equal(facts->scenarios[1].name, "b");
    assert_true(facts->scenarios[1].weight == 2 && facts->scenarios[1].delay_s == 0.5);
    assert_int_equal(facts->fixture_count, 2);
    assert_string_equal(facts->fixtures[0], "global_setup");
    assert_string_equal(facts->fixtures[1], "setup");
}

/* The ranges are those of the command line: 0 runs is no limit. */
static void ranges_are_those_of_the_command_line(void **state)
{
    struct fixture *fixture = *state;
    assert_true(inspect(fixture,
                        "local tutti = require 'tutti'\n"
                        "tutti.options { runs = 0, room_size = 0, verbose = 10, seed = 1, fail = 0,\n"
                        "  agents = 3, json = '-', quiet = false }" SCENARIO));
    static const char *const options[][2] = {{"runs", "0"},      {"room-size", "0"}, {"fail", "0"},
                                             {"seed", "1"},      {"verbose", "10"},  {"json", "-"},
                                             {"quiet", "false"}, {"agents", "3"}};
    assert_int_equal(fixture->facts->option_count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_string_equal(fixture->facts->options[i].name, options[i][0]);
        assert_string_equal(fixture->facts->options[i].text, options[i][1]);
    }
}

static void the_hash_follows_the_files(void **state)
{
    struct fixture *fixture = *state;
    char before[65];
    write_file(fixture, "tools.lua", "return 1");
    assert_true(inspect(fixture, "local tutti = require 'tutti' require 'tools'" SCENARIO));
    snprintf(before, sizeof before, "%.*s", BYTES_FORMAT(fixture->facts->bundle.hash));
    write_file(fixture, "tools.lua", "return 2");
    assert_true(inspect(fixture, "local tutti = require 'tutti' require 'tools'" SCENARIO));
    assert_false(bytes_equal_string(fixture->facts->bundle.hash, before));
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *options;
        const char *text;
    } rows[] = {
        {"workers = 'x'", "pad.lua:2: option workers: expected a whole number from 1 to 1000000, got \"x\""},
        {"workers = 0", "pad.lua:2: option workers: expected a whole number from 1 to 1000000, got 0"},
        {"workers = 1.5", "pad.lua:2: option workers: expected a whole number from 1 to 1000000, got 1.5"},
        {"duration = -1",
         "pad.lua:2: option duration: expected a duration: seconds, or \"10s\", \"5m\", \"1h\", got -1"},
        {"duration = {}",
         "pad.lua:2: option duration: expected a duration: seconds, or \"10s\", \"5m\", \"1h\", got a table"},
        {"single_run = 1", "pad.lua:2: option single_run: expected true or false, got 1"},
        {"on_loss = 'hrink'", "pad.lua:2: option on_loss: expected one of shrink, replace, fail, "
                              "replace=again, replace=next, got \"hrink\""},
        {"fail = '5'",
         "pad.lua:2: option fail: expected a number of steps, or a percentage like \"5%\", got \"5\""},
        {"fail = '101%'",
         "pad.lua:2: option fail: expected a number of steps, or a percentage like \"5%\", got \"101%\""},
        {"fail = -1",
         "pad.lua:2: option fail: expected a number of steps, or a percentage like \"5%\", got -1"},
        {"seed = 0", "pad.lua:2: option seed: expected a whole number from 1 to 9223372036854775807, got 0"},
        {"verbose = 11", "pad.lua:2: option verbose: expected a whole number from 0 to 10, got 11"},
        {"on = 'zone=a'", "pad.lua:2: unknown option on"},
        {"['room-size'] = 1", "pad.lua:2: unknown option room-size"},
        {"target_port = 1", "pad.lua:2: unknown option target_port"},
        {"wrokers = 1", "pad.lua:2: unknown option wrokers"},
        {"files = { 'none.txt' }", NULL},
    };
    struct fixture *fixture = *state;
    char script[300];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(script, sizeof script, "local tutti = require 'tutti'\ntutti.options { %s }" SCENARIO,
                 rows[i].options);
        if (rows[i].text != NULL) {
            refused(fixture, script, rows[i].text);
        } else {
            assert_false(inspect(fixture, script));
        }
    }
    refused(fixture, "local tutti = require 'tutti'\nlocal x = = 1\n",
            "pad.lua:2: unexpected symbol near '='");
    refused(fixture, "local tutti = require 'tutti'\n",
            "pad.lua: it has no scenario (tutti.scenario(name, function(worker) … end))");
    refused(fixture, "local tutti = require 'tutti'\ntutti.scenario('s', { weight = -1 }, function() end)",
            "pad.lua:2: scenario \"s\": weight is a number that is not negative, got -1");
    refused(fixture, "local tutti = require 'tutti'\ntutti.scenario('s', print)\ntutti.scenario('s', print)",
            "pad.lua:3: scenario \"s\": there is one of that name already");
    refused(fixture, "local tutti = require 'tutti'\ntutti.setup(1)",
            "pad.lua:2: tutti.setup: expected a function, got a number");
    refused(fixture, "local tutti = require 'tutti'\ntutti.setup(print)\ntutti.setup(print)",
            "pad.lua:3: tutti.setup: there is one already");
    refused(fixture, "local tutti = require 'tutti'\ntutti.sleep(1)",
            "pad.lua:2: tutti.sleep: only within a scenario or a fixture");
    refused(fixture, "require('tutti.http').get('http://x')",
            "pad.lua:1: http: only within a scenario or a fixture");
    refused(fixture, "while true do end", "pad.lua:1: ran 200,000,000 instructions without waiting");
}

static void says_that_there_is_no_file(void **state)
{
    struct fixture *fixture = *state;
    struct script_inspection inspection = {.library = &lua_api_library, .path = "/nowhere/pad.lua"};
    fixture->facts = script_inspect(&inspection, &fixture->error);
    assert_null(fixture->facts);
    assert_string_equal(fixture->error.text, "/nowhere/pad.lua: no such file");
    inspection.path = "/tmp";
    assert_null(script_inspect(&inspection, &fixture->error));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_what_is_in_a_script),  TEST(ranges_are_those_of_the_command_line),
        TEST(the_hash_follows_the_files), TEST(says_what_is_wrong),
        TEST(says_that_there_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
