/* The table of a campaign's options: names, defaults, and copies of what it holds. */
#include "proto/message/campaign_option.h"
#include "tests/unit/common/check.h"

#include <ctype.h>
#include <string.h>

static void test_defaults(void **state)
{
    (void)state;
    const struct campaign_options options = campaign_options_defaults();
    assert_int_equal(options.workers, 1);
    assert_int_equal(options.runs, 0);
    assert_int_equal(options.on_loss, ON_LOSS_SHRINK);
    assert_int_equal(options.on_deadlock, ON_DEADLOCK_STOP);
    assert_int_equal(options.browser, BROWSER_CHROMIUM);
    assert_int_equal(options.sync_timeout_ms, 60000);
    assert_int_equal(options.setup_timeout_ms, 60000);
    assert_int_equal(options.fail_steps, 1);
    assert_int_equal(options.seed, 0);
    assert_int_equal(options.target.size, 0);
    struct campaign_options none = {0};
    assert_int_equal(campaign_sync_timeout_ms(&none), 60000);
    none.sync_timeout_ms = 5;
    assert_int_equal(campaign_sync_timeout_ms(&none), 5);
}

static bool is_name(const char *text, char between)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!islower((unsigned char)*at) && *at != between) {
            return false;
        }
    }
    return *text != '\0';
}

static bool is_twice(const char *left, const char *right)
{
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static void test_rows_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct campaign_option *row = &campaign_option_table[i];
        const struct option *option = &row->option;
        assert_true(option->name == NULL || (is_name(option->name, '-') && option->help != NULL));
        assert_true(row->key == NULL || is_name(row->key, '_'));
        assert_true(row->field != NULL || (option->parse != NULL && option->expected != NULL));
        assert_int_equal(option->type == OPTION_CHOICE, option->choices != NULL);
        bool is_duration = row->field != NULL && strlen(row->field) > 3 &&
                           strcmp(row->field + strlen(row->field) - 3, "_ms") == 0;
        assert_int_equal(option->type == OPTION_DURATION, is_duration);
        assert_true(option->type != OPTION_DURATION || option->maximum > 0);
        for (size_t j = 0; j < i; j++) {
            assert_false(is_twice(option->name, campaign_option_table[j].option.name));
            assert_false(is_twice(row->key, campaign_option_table[j].key));
            assert_true(option->letter == 0 || option->letter != campaign_option_table[j].option.letter);
        }
    }
}

static void test_a_copy_has_texts_of_its_own(void **state)
{
    (void)state;
    char texts[CAMPAIGN_OPTION_COUNT][8];
    struct campaign_options options = {.workers = 3};
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct option *option = &campaign_option_table[i].option;
        snprintf(texts[i], sizeof texts[i], "text %zu", i % 10);
        if (option->type == OPTION_BYTES) {
            *(struct bytes *)(void *)((char *)&options + option->offset) = bytes_of_string(texts[i]);
        }
    }
    struct text owned;
    struct campaign_options copy = campaign_options_copy(&options, &owned);
    char kept[sizeof texts];
    memcpy(kept, texts, sizeof texts);
    memset(texts, 0, sizeof texts);
    assert_int_equal(copy.workers, 3);
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct option *option = &campaign_option_table[i].option;
        const struct bytes *text = (const void *)((const char *)&copy + option->offset);
        assert_true(option->type != OPTION_BYTES || bytes_equal_string(*text, kept + i * sizeof texts[i]));
    }
    text_finish(&owned);
    assert_null(owned.bytes.data);
    text_finish(&owned);
}

static void test_failing_steps_are_a_number_or_a_share(void **state)
{
    (void)state;
    struct campaign_options options = {.fail_percent = 3};
    assert_true(campaign_parse_fail("12", &options, NULL));
    assert_int_equal(options.fail_steps, 12);
    assert_true(options.fail_percent == 0);
    assert_true(campaign_parse_fail("2.5%", &options, NULL));
    assert_int_equal(options.fail_steps, 0);
    assert_true(options.fail_percent == 2.5);
    struct error error;
    assert_false(campaign_parse_fail("101%", &options, &error));
    assert_string_equal(error.text, "\"101%\" is neither a number of steps nor a percentage like 5%");
}

static void test_a_share_of_requests_has_traces(void **state)
{
    (void)state;
    struct campaign_options options = {.trace_percent = 3};
    assert_true(campaign_parse_trace("off", &options, NULL) && options.trace_percent == 0);
    assert_true(campaign_parse_trace("all", &options, NULL) && options.trace_percent == 100);
    assert_true(campaign_parse_trace("0.5%", &options, NULL) && options.trace_percent == 0.5);
    static const char *const refused[] = {"", "%", "1", "101%", "-1%", "1e1%", "on", "1.2.3%", "0x1%"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error error;
        assert_false(campaign_parse_trace(refused[i], &options, &error));
    }
    assert_true(options.trace_percent == 0.5);
}

static void test_a_source_is_an_address_or_a_network(void **state)
{
    (void)state;
    struct error error;
    assert_true(campaign_check_source(bytes_of_string(""), NULL));
    assert_true(campaign_check_source(bytes_of_string("10.0.0.0/28"), NULL));
    assert_true(campaign_check_source(bytes_of_string("fd00::7"), NULL));
    assert_false(campaign_check_source(bytes_of_string("app.example"), &error));
    assert_string_equal(error.text, "\"app.example\" is not an address or a network like 10.0.0.0/8");
    assert_false(campaign_check_source(bytes_of_string("10.0.0.\x1b"), &error));
    assert_string_equal(error.text, "source is not an address or a network like 10.0.0.0/8");
}

static void test_saying_nothing_of_the_length_is_one_run(void **state)
{
    (void)state;
    struct campaign_options options = {0};
    campaign_options_settle(&options, true, false);
    assert_int_equal(options.runs, 0);
    campaign_options_settle(&options, false, false);
    assert_int_equal(options.runs, 1);
    options = (struct campaign_options){.duration_ms = 1};
    campaign_options_settle(&options, false, false);
    assert_int_equal(options.runs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test(test_a_copy_has_texts_of_its_own),
        cmocka_unit_test(test_failing_steps_are_a_number_or_a_share),
        cmocka_unit_test(test_a_share_of_requests_has_traces),
        cmocka_unit_test(test_a_source_is_an_address_or_a_network),
        cmocka_unit_test(test_saying_nothing_of_the_length_is_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
