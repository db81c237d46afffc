/* The plan of arrivals: exact over any division, even within each second, and random where it is to be. */
#include "proto/message/arrivals.h"
#include "tests/unit/common/check.h"

#include "common/random.h"
#include "common/time_units.h"

#include <math.h>

#define SECOND ((uint64_t)NS_PER_S)

static struct campaign_options plan(const char *rate, const char *stages, uint64_t seconds)
{
    struct campaign_options options = {.workers = 100, .seed = 42, .duration_ms = seconds * 1000};
    options.rate = bytes_of_string(rate);
    options.stages = bytes_of_string(stages);
    return options;
}

static void begin(struct arrivals *arrivals, const struct campaign_options *options)
{
    struct loads loads;
    loads_of(options, &loads);
    arrivals_init(arrivals, options, &loads.items[0]);
}

/* Fills how many come in each second, and gives how many in all. */
static uint64_t count(const struct campaign_options *options, uint64_t *by_second, size_t seconds)
{
    static struct arrivals arrivals;
    uint64_t total = 0;
    uint64_t before_ns = 0;
    for (size_t i = 0; i < seconds; i++) {
        by_second[i] = 0;
    }
    for (begin(&arrivals, options); arrivals.at_ns != RATE_NEVER; arrivals_pass(&arrivals)) {
        assert_true(arrivals.at_ns >= before_ns && arrivals.at_ns < arrivals.end_ns);
        before_ns = arrivals.at_ns;
        by_second[arrivals.at_ns / SECOND]++;
        total++;
    }
    assert_int_equal(arrivals_before(&arrivals, RATE_NEVER), total);
    return total;
}

static void a_constant_rate_is_exact_in_each_second(void **state)
{
    uint64_t by_second[60];
    struct campaign_options options = plan("5000/s", "", 60);

    (void)state;
    assert_int_equal(count(&options, by_second, 60), 300000);
    for (size_t i = 0; i < 60; i++) {
        assert_in_range(by_second[i], 4999, 5001);
    }
    options = plan("7/m", "", 60);
    assert_int_equal(count(&options, by_second, 60), 7);
}

static void stages_go_evenly_up_and_down(void **state)
{
    uint64_t by_second[100];
    struct campaign_options options = plan("", "30s:1000/s,40s:1000/s,20s:0/s,10s:0/s", 100);

    (void)state;
    assert_in_range(count(&options, by_second, 100), 64999, 65001); /* 15,000 + 40,000 + 10,000 */
    for (size_t i = 0; i < 100; i++) {
        double middle = (double)i + 0.5;
        double wanted = middle < 30   ? middle / 30 * 1000
                        : middle < 70 ? 1000
                        : middle < 90 ? (90 - middle) * 50
                                      : 0;
        if (fabs((double)by_second[i] - wanted) > 1 + wanted / 100) {
            fail_msg("second %zu: %llu instead of %g", i, (unsigned long long)by_second[i], wanted);
        }
    }
    options = plan("100/s", "10s:200/s", 10);
    assert_in_range(count(&options, by_second, 10), 1499, 1501);
}

/* With the shares of any number of agents, which take turns, no arrival is taken twice or by nobody. */
static void the_shares_of_the_agents_add_up(void **state)
{
    static struct arrivals arrivals;
    struct random random;

    (void)state;
    random_seed(&random, 1);
    for (unsigned round = 0; round < 50; round++) {
        struct campaign_options options = plan("333.3/s", "", 20);
        uint64_t agents = 1 + random_below(&random, 9);
        uint64_t shares[9] = {0};
        options.arrivals = round % 2 == 0 ? ARRIVALS_UNIFORM : ARRIVALS_POISSON;
        options.seed = round + 1;
        uint64_t total = 0;
        for (uint64_t agent = 0; agent < agents; agent++) {
            for (begin(&arrivals, &options); arrivals.at_ns != RATE_NEVER; arrivals_pass(&arrivals)) {
                shares[agent] += arrivals.number % options.workers % agents == agent;
            }
            total += shares[agent];
        }
        assert_int_equal(total, arrivals_before(&arrivals, RATE_NEVER));
        for (uint64_t agent = 0; agent < agents; agent++) {
            double fair = (double)total / (double)agents;
            assert_true(fabs((double)shares[agent] - fair) < fair * 0.12);
        }
    }
}

/* Of 60 seconds at 100/s, how many arrivals a second has: sums of equal length are as far from the mean as
 * those of independent arrivals, by chi-square over 59 degrees of freedom (99.8 % of plans). */
static double dispersion(const uint64_t *by_second, size_t seconds, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < seconds; i++) {
        double off = (double)by_second[i] - mean;
        sum += off * off / mean;
    }
    return sum;
}

static void poisson_arrivals_are_independent(void **state)
{
    uint64_t by_second[60];
    struct campaign_options options = plan("100/s", "", 60);

    (void)state;
    options.arrivals = ARRIVALS_POISSON;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        options.seed = seed;
        uint64_t total = count(&options, by_second, 60);
        assert_in_range(total, 5760, 6240); /* three deviations */
        double found = dispersion(by_second, 60, (double)total / 60);
        if (found < 31 || found > 98) {
            fail_msg("seed %llu: chi-square %g", (unsigned long long)seed, found);
        }
    }
    options.arrivals = ARRIVALS_UNIFORM;
    (void)count(&options, by_second, 60);
    assert_true(dispersion(by_second, 60, 100) < 1);
}

/* Gaps of a Poisson plan are exponential: chi-square over ten bins of equal weight. */
static void poisson_gaps_are_exponential(void **state)
{
    static struct arrivals arrivals;
    struct campaign_options options = plan("1000/s", "", 20);
    uint64_t bins[10] = {0};
    uint64_t before_ns = 0;
    uint64_t total = 0;

    (void)state;
    options.arrivals = ARRIVALS_POISSON;
    for (begin(&arrivals, &options); arrivals.at_ns != RATE_NEVER; arrivals_pass(&arrivals)) {
        double gap = (double)(arrivals.at_ns - before_ns) / (double)NS_PER_MS;
        size_t bin = (size_t)((1 - exp(-gap)) * 10);
        bins[bin < 10 ? bin : 9]++;
        before_ns = arrivals.at_ns;
        total++;
    }
    assert_in_range(dispersion(bins, 10, (double)total / 10), 0, 28); /* 9 degrees of freedom, 99.9 % */
}

static void a_plan_goes_on_from_where_it_has_been(void **state)
{
    static struct arrivals arrivals;
    struct campaign_options options = plan("30/s", "10s:60/s,10s:0/s", 0);

    (void)state;
    for (int law = ARRIVALS_UNIFORM; law <= ARRIVALS_POISSON; law++) {
        options.arrivals = (enum arrival_law)law;
        begin(&arrivals, &options);
        uint64_t instants[200];
        struct arrival_mark mark = {0};
        for (size_t i = 0; i < 200; i++) {
            if (i == 50) {
                mark = (struct arrival_mark){arrivals.number, arrivals.count};
            }
            instants[i] = arrivals.at_ns;
            arrivals_pass(&arrivals);
        }
        arrivals_resume(&arrivals, &mark);
        for (size_t i = 50; i < 200; i++) {
            assert_int_equal(arrivals.number, i);
            assert_int_equal(arrivals.at_ns, instants[i]);
            arrivals_pass(&arrivals);
        }
    }
}

static void a_change_of_the_rate_counts_from_its_instant(void **state)
{
    static struct arrivals arrivals;
    struct campaign_options options = plan("100/s", "", 20);
    uint64_t early = 0;
    uint64_t late = 0;

    (void)state;
    begin(&arrivals, &options);
    for (; arrivals.at_ns < 5 * SECOND; arrivals_pass(&arrivals)) {
        early++;
    }
    arrivals_change(&arrivals, 10 * SECOND, 10, 1000);
    arrivals_change(&arrivals, 15 * SECOND, 200, 1050);
    for (; arrivals.at_ns != RATE_NEVER; arrivals_pass(&arrivals)) {
        late++;
    }
    assert_int_equal(early, 500);
    assert_in_range(late, 500 + 50 + 1000 - 1, 500 + 50 + 1000 + 1);
    assert_int_equal(arrivals_before(&arrivals, RATE_NEVER), early + late);
}

/* More changes than there is room for: those that are long over are forgotten, not what they made. */
static void any_number_of_changes_is_kept(void **state)
{
    static struct rate_profile profile;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        rate_profile_change(&profile, i * SECOND, 1 + (double)(i % 2) * 2);
    }
    assert_true(fabs(rate_profile_count(&profile, 1000 * SECOND) - 2000) < 1e-6);
    assert_true(fabs(rate_profile_rate(&profile, 2000 * SECOND) - 3) < 1e-12);
    assert_int_equal(rate_profile_instant(&profile, 2003), 1001 * SECOND);
}

static void steps_have_an_instant_only_where_options_say_so(void **state)
{
    struct campaign_options options = plan("", "", 10);

    (void)state;
    assert_false(campaign_is_open(&options) || campaign_has_plan(&options));
    options.pacing_ms = 5;
    assert_true(!campaign_is_open(&options) && campaign_has_plan(&options));
    options = plan("", "5s:3", 5);
    assert_false(campaign_has_plan(&options));
    options = plan("", "5s:3/s", 5);
    assert_true(campaign_is_open(&options));
    options = plan("1/s", "", 5);
    assert_true(campaign_is_open(&options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_rate_is_exact_in_each_second),
        cmocka_unit_test(stages_go_evenly_up_and_down),
        cmocka_unit_test(the_shares_of_the_agents_add_up),
        cmocka_unit_test(poisson_arrivals_are_independent),
        cmocka_unit_test(poisson_gaps_are_exponential),
        cmocka_unit_test(a_plan_goes_on_from_where_it_has_been),
        cmocka_unit_test(a_change_of_the_rate_counts_from_its_instant),
        cmocka_unit_test(any_number_of_changes_is_kept),
        cmocka_unit_test(steps_have_an_instant_only_where_options_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
