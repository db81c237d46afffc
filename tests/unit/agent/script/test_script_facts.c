/* What a process that has inspected a script reports about it, true or not. */
#include "agent/script/script_facts.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000

static struct bundle_file files[] = {{{(const uint8_t *)"pad.lua", 7}, {(const uint8_t *)"return", 6}},
                                     {{(const uint8_t *)"a/data", 6}, {NULL, 0}}};
static struct script_option options[] = {{(char *)"workers", (char *)"5"},
                                         {(char *)"ramp-up", (char *)"2500ms"}};
static struct script_scenario scenarios[] = {{(char *)"pad", 1.5, 0.25}};
static const char *fixtures[] = {"setup"};

static struct script_facts sample(void)
{
    return (struct script_facts){.bundle = {.files = files, .file_count = 2},
                                 .options = options,
                                 .option_count = 2,
                                 .scenarios = scenarios,
                                 .scenario_count = 1,
                                 .fixtures = fixtures,
                                 .fixture_count = 1,
                                 .uses_browser = true};
}

static struct script_facts *pass(const struct script_facts *facts, struct error *error)
{
    SCOPED(buffer_finish) struct buffer packed;

    buffer_init(&packed, SCRIPT_FACTS_MAX_BYTES);
    script_facts_pack(facts, &packed);
    return script_facts_unpack(buffer_bytes(&packed), error);
}

static void what_is_true_comes_through(void **state)
{
    const struct script_facts facts = sample();
    struct error error;

    (void)state;
    struct script_facts *told = pass(&facts, &error);
    assert_non_null(told);
    assert_int_equal(told->bundle.file_count, 2);
    assert_true(bytes_equal_string(told->bundle.files[1].path, "a/data"));
    assert_true(bytes_equal_string(told->bundle.files[0].content, "return"));
    assert_int_equal(told->bundle.hash.size, 64);
    assert_string_equal(told->options[1].name, "ramp-up");
    assert_string_equal(told->options[1].text, "2500ms");
    assert_true(told->scenarios[0].weight == 1.5 && told->scenarios[0].delay_s == 0.25);
    assert_string_equal(told->fixtures[0], "setup");
    assert_true(told->uses_browser);
    script_facts_free(&told);
}

static void refused(const struct script_facts *facts)
{
    struct error error;
    struct script_facts *told = pass(facts, &error);

    assert_null(told);
    assert_true(strlen(error.text) > 0);
}

static void what_no_script_can_say_is_not_believed(void **state)
{
    static const char *const names[] = {"allow-system", "artifacts", "api", "token", "files", "ramp_up", ""};
    static const char *const paths[] = {"/etc/cron.d/x", "../x", "a/../../x", "", "a//b", "a\nb"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct script_option option = {(char *)names[i], (char *)"true"};
        struct script_facts facts = sample();
        facts.options = &option;
        facts.option_count = 1;
        refused(&facts);
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct bundle_file file = {bytes_of_string(paths[i]), bytes_of_string("x")};
        struct script_facts facts = sample();
        facts.bundle = (struct bundle){.files = &file, .file_count = 1};
        refused(&facts);
    }
    static const double numbers[] = {-1, (double)INFINITY, (double)NAN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct script_scenario scenario = {(char *)"s", numbers[i], 0};
        struct script_facts facts = sample();
        facts.scenarios = &scenario;
        refused(&facts);
    }
    struct script_facts none = sample();
    none.scenario_count = 0;
    refused(&none);
    const char *unknown[] = {"explode"};
    struct script_facts odd = sample();
    odd.fixtures = unknown;
    refused(&odd);
}

/* Any bytes: refused, or consistent facts. */
static void any_bytes_are_borne(void **state)
{
    SCOPED(buffer_finish) struct buffer packed;
    const struct script_facts facts = sample();
    struct error error;

    (void)state;
    buffer_init(&packed, SCRIPT_FACTS_MAX_BYTES);
    script_facts_pack(&facts, &packed);
    for (size_t cut = 0; cut < packed.size; cut++) {
        struct script_facts *told = script_facts_unpack(bytes_of(packed.data, cut), &error);
        assert_null(told);
    }
    uint8_t *bytes = memory_copy(packed.data, packed.size);
    for (unsigned i = 0; i < ROUNDS; i++) {
        memcpy(bytes, packed.data, packed.size);
        for (int change = rand() % 6; change >= 0; change--) {
            bytes[(size_t)rand() % packed.size] = (uint8_t)rand();
        }
        struct script_facts *told = script_facts_unpack(bytes_of(bytes, packed.size), &error);
        script_facts_free(&told);
    }
    memory_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_true_comes_through),
        cmocka_unit_test(what_no_script_can_say_is_not_believed),
        cmocka_unit_test(any_bytes_are_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
