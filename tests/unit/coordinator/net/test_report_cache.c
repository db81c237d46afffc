/* Reports are kept for a second, each for its own campaign and state. */
#include "coordinator/net/report_cache.h"
#include "tests/unit/common/check.h"

#define BUILT_NS 5000000000ULL

static const struct report_view *put(struct report_cache *cache, uint64_t campaign, uint64_t now_ns)
{
    struct report_view *view = report_view_new();
    view->campaign = campaign;
    view->state = CAMPAIGN_RUNNING;
    view->steps_ok = now_ns;
    const struct report_view *kept = report_cache_put(cache, &view, now_ns);
    assert_null(view);
    return kept;
}

static const struct report_view *find(const struct report_cache *cache, uint64_t campaign, uint64_t now_ns)
{
    return report_cache_find(cache, campaign, CAMPAIGN_RUNNING, now_ns);
}

static void a_report_is_good_for_a_second(void **state)
{
    (void)state;
    SCOPED(report_cache_finish) struct report_cache cache = {0};
    assert_null(find(&cache, 7, BUILT_NS));
    const struct report_view *report = put(&cache, 7, BUILT_NS);
    assert_ptr_equal(find(&cache, 7, BUILT_NS), report);
    assert_ptr_equal(find(&cache, 7, BUILT_NS + REPORT_CACHE_NS - 1), report);
    assert_null(find(&cache, 7, BUILT_NS + REPORT_CACHE_NS));
    report = put(&cache, 7, BUILT_NS + REPORT_CACHE_NS);
    assert_ptr_equal(find(&cache, 7, BUILT_NS + REPORT_CACHE_NS), report);
    assert_int_equal(cache.count, 1);
    assert_int_equal(cache.built, 2);
}

static void another_state_is_another_report(void **state)
{
    (void)state;
    SCOPED(report_cache_finish) struct report_cache cache = {0};
    (void)put(&cache, 7, BUILT_NS);
    assert_null(report_cache_find(&cache, 7, CAMPAIGN_ENDED, BUILT_NS));
    assert_non_null(find(&cache, 7, BUILT_NS));
}

static void campaigns_do_not_mix(void **state)
{
    (void)state;
    SCOPED(report_cache_finish) struct report_cache cache = {0};
    for (uint64_t campaign = 1; campaign <= 20; campaign++) {
        (void)put(&cache, campaign, BUILT_NS + campaign);
    }
    report_cache_drop(&cache, 3);
    report_cache_drop(&cache, 300);
    for (uint64_t campaign = 1; campaign <= 20; campaign++) {
        const struct report_view *report = find(&cache, campaign, BUILT_NS + 20);
        assert_int_equal(report == NULL, campaign == 3);
        assert_true(report == NULL || report->steps_ok == BUILT_NS + campaign);
    }
}

static bool is_even(const void *context, uint64_t campaign)
{
    (void)context;
    return campaign % 2 == 0;
}

static void what_is_forgotten_goes(void **state)
{
    (void)state;
    SCOPED(report_cache_finish) struct report_cache cache = {0};
    for (uint64_t campaign = 1; campaign <= 5; campaign++) {
        (void)put(&cache, campaign, BUILT_NS);
    }
    report_cache_prune(&cache, is_even, NULL);
    assert_int_equal(cache.count, 2);
    assert_non_null(find(&cache, 2, BUILT_NS));
    assert_non_null(find(&cache, 4, BUILT_NS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_good_for_a_second),
        cmocka_unit_test(another_state_is_another_report),
        cmocka_unit_test(campaigns_do_not_mix),
        cmocka_unit_test(what_is_forgotten_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
