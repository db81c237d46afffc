/* The kinds of browsers have the names that --browser has for them. */
#include "agent/browser/kind.h"
#include "proto/message/campaign_option.h"
#include "tests/unit/common/check.h"

static void test_names_are_those_of_the_option(void **state)
{
    (void)state;
    const struct option *option = &campaign_option_table[CAMPAIGN_OPTION_ROW_browser].option;
    for (uint32_t i = 0; i < BROWSER_KINDS; i++) {
        assert_string_equal(browser_facts((enum browser_kind)i)->name, option_choice(option, i));
    }
    assert_string_equal(option_choice(option, BROWSER_REMOTE), "remote");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_those_of_the_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
