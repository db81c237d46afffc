/* The browsers of a campaign. */
#include "proto/message/browser_mix.h"
#include "tests/unit/common/check.h"

static void several_are_named_with_commas(void **state)
{
    (void)state;
    struct browser_mix mix;
    assert_true(browser_mix_parse(bytes_of_string("chromium"), &mix, NULL));
    assert_int_equal(mix.count, 1);
    assert_int_equal(mix.kinds[0], BROWSER_CHROMIUM);
    assert_true(browser_mix_parse(bytes_of_string("firefox,chromium,firefox,webkit"), &mix, NULL));
    assert_int_equal(mix.count, 4);
    assert_int_equal(mix.kinds[0], BROWSER_FIREFOX);
    assert_int_equal(mix.kinds[1], BROWSER_CHROMIUM);
    assert_int_equal(mix.kinds[3], BROWSER_WEBKIT);
    assert_false(browser_mix_has_before(&mix, 1));
    assert_true(browser_mix_has_before(&mix, 2));
    assert_false(browser_mix_has_before(&mix, 3));
    assert_true(browser_mix_parse(bytes_of_string("remote"), &mix, NULL));
    assert_int_equal(mix.kinds[0], BROWSER_REMOTE);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "safari",
        "chromium,",
        ",chromium",
        "chromium,,firefox",
        ",",
        "Chromium",
        "chromium,remote",
        "chromium firefox",
        ("firefox,firefox,firefox,firefox,firefox,firefox,firefox,firefox,firefox,"
         "firefox,firefox,firefox,firefox,firefox,firefox,firefox,firefox")};
    struct browser_mix mix;
    struct error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(browser_mix_check(bytes_of_string(wrong[i]), &error));
        assert_non_null(strstr(error.text, "browser"));
    }
    assert_false(browser_mix_parse(bytes_of(NULL, 0), &mix, &error));
    assert_true(browser_mix_check(bytes_of(NULL, 0), &error)); /* not given */
}

static void a_campaign_has_at_least_one(void **state)
{
    (void)state;
    struct browser_mix mix;
    struct campaign_options options = campaign_options_defaults();
    browser_mix_of(&options, &mix);
    assert_int_equal(mix.count, 1);
    assert_int_equal(mix.kinds[0], BROWSER_CHROMIUM);
    options.browser = BROWSER_FIREFOX; /* from a coordinator that knows no more than one */
    browser_mix_of(&options, &mix);
    assert_int_equal(mix.kinds[0], BROWSER_FIREFOX);
    options.browsers = bytes_of_string("webkit,firefox");
    campaign_options_settle(&options, true, true);
    assert_int_equal(options.browser, BROWSER_WEBKIT); /* for an agent that knows no more than one */
    browser_mix_of(&options, &mix);
    assert_int_equal(mix.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_are_named_with_commas),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_campaign_has_at_least_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
