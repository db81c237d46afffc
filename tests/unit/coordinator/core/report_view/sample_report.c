/* A report to make views of. */
#include "tests/unit/coordinator/core/report_view/sample_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct campaign_options OPTIONS = {.workers = 9, .seed = 4711};

struct campaign_report running_report(void)
{
    return (struct campaign_report){.campaign = 3,
                                    .options = &OPTIONS,
                                    .state = CAMPAIGN_RUNNING,
                                    .begun_ns = 40 * (uint64_t)S,
                                    .made_ns = 60 * (uint64_t)S,
                                    .running_ns = 20 * (uint64_t)S};
}

struct histogram *to_a_thousand(void)
{
    struct histogram *histogram = histogram_new();
    for (uint64_t us = 1; us <= 1000; us++) {
        histogram_record(histogram, us);
    }
    return histogram;
}

void assert_quantiles(const struct quantiles *found, const struct quantiles *wanted)
{
    assert_int_equal(found->p50_us, wanted->p50_us);
    assert_int_equal(found->p95_us, wanted->p95_us);
    assert_int_equal(found->p99_us, wanted->p99_us);
    assert_int_equal(found->maximum_us, wanted->maximum_us);
    assert_int_equal(found->minimum_us, wanted->minimum_us);
    assert_int_equal(found->mean_us, wanted->mean_us);
    assert_int_equal(found->deviation_us, wanted->deviation_us);
    assert_int_equal(found->p90_us, wanted->p90_us);
    assert_int_equal(found->p999_us, wanted->p999_us);
}

const struct quantiles NOTHING;
const struct quantiles FEW = {.p50_us = 500, .p95_us = 950, .p99_us = 990, .maximum_us = 1000};
const struct quantiles ALL = {.p50_us = 500,
                              .p95_us = 950,
                              .p99_us = 990,
                              .maximum_us = 1000,
                              .minimum_us = 1,
                              .mean_us = 501,
                              .deviation_us = 289,
                              .p90_us = 900,
                              .p999_us = 999};
