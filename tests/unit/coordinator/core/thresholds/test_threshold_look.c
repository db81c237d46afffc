/* Which numbers of a campaign a threshold is compared with. */
#include "coordinator/core/thresholds/threshold_look.h"
#include "tests/unit/common/check.h"

struct counted {
    struct campaign_statistics *statistics;
    struct threshold_inputs inputs;
};

static void count_request(struct counted *counted, const char *name, bool is_timing, uint64_t count,
                          uint64_t failed, uint64_t us)
{
    struct histogram *latency SCOPED(histogram_free) = histogram_new();
    histogram_add(latency, us, count);
    struct histogram *response SCOPED(histogram_free) = histogram_new();
    histogram_add(response, 2 * us, count);
    struct request_statistics request = {.name = bytes_of_string(name),
                                         .response_us = is_timing ? NULL : response,
                                         .is_timing = is_timing,
                                         .count = count,
                                         .failed = failed,
                                         .latency_us = latency};
    campaign_statistics_merge(counted->statistics,
                              &(struct statistics){.requests = &request, .request_count = 1});
}

static void count_wait(struct counted *counted, const char *name, enum operation_kind kind, uint64_t us)
{
    struct histogram *waited SCOPED(histogram_free) = histogram_new();
    histogram_add(waited, us, 21);
    struct wait_statistics wait = {.name = bytes_of_string(name), .kind = kind, .waited_us = waited};
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        wait.outcomes[i] = 1u << i;
    }
    campaign_statistics_merge(counted->statistics, &(struct statistics){.waits = &wait, .wait_count = 1});
}

static void count_check(struct counted *counted, const char *name, uint64_t passed, uint64_t failed)
{
    struct check_statistics check = {.name = bytes_of_string(name), .passed = passed, .failed = failed};
    campaign_statistics_merge(counted->statistics, &(struct statistics){.checks = &check, .check_count = 1});
}

static void count_slice(struct counted *counted, enum slice_kind kind, const char *name, const char *tag,
                        uint64_t us)
{
    struct histogram *took SCOPED(histogram_free) = histogram_new();
    histogram_add(took, us, 6);
    struct slice_statistics slice = {.kind = kind,
                                     .name = bytes_of_string(name),
                                     .tag = bytes_of_string(tag),
                                     .count = 6,
                                     .failed = 2,
                                     .us = took};
    campaign_statistics_merge(counted->statistics, &(struct statistics){.slices = &slice, .slice_count = 1});
}

static int set_up(void **state)
{
    static struct counted counted;
    counted = (struct counted){.statistics = campaign_statistics_new()};
    counted.inputs.statistics = counted.statistics;
    campaign_statistics_keep_tags(counted.statistics, bytes_of_string("http{tier=gold,app=shop}.count > 1"));
    count_request(&counted, "GET /a", false, 10, 1, 1000);
    count_request(&counted, "GET /b", false, 30, 4, 3000);
    count_request(&counted, "GET /b", true, 7, 7, 9000);
    count_wait(&counted, "pad", OPERATION_BARRIER, 100);
    count_wait(&counted, "pad", OPERATION_WAIT_WRITER, 200);
    count_wait(&counted, "door", OPERATION_BARRIER, 300);
    count_check(&counted, "status is 200", 5, 2);
    count_check(&counted, "status is 404", 1, 1);
    count_slice(&counted, SLICE_REQUEST, "GET /a", "tier=gold", 100);
    count_slice(&counted, SLICE_REQUEST, "GET /b", "tier=gold", 300);
    count_slice(&counted, SLICE_REQUEST, "GET /b", "tier=iron", 500);
    count_slice(&counted, SLICE_REQUEST, "GET /b", "{app=shop,tier=gold}", 300);
    count_slice(&counted, SLICE_REQUEST, "GET /c", "{app=shop,tier=gold}", 400);
    count_slice(&counted, SLICE_TIMING, "GET /b", "tier=gold", 700);
    count_slice(&counted, SLICE_CHECK, "price", "tier=gold", 0);
    count_slice(&counted, SLICE_GROUP, "pay", "", 900);
    count_slice(&counted, SLICE_GROUP, "pay", "tier=gold", 800);
    struct histogram *step_us SCOPED(histogram_free) = histogram_new();
    histogram_add(step_us, 77, 3);
    struct statistics steps = {.steps_ok = 3,
                               .steps_failed = 2,
                               .steps_stopped = 5,
                               .step_us = step_us,
                               .arrivals = 90,
                               .dropped = 10};
    campaign_statistics_merge(counted.statistics, &steps);
    campaign_statistics_add_lost(counted.statistics, 4);
    *state = &counted;
    return 0;
}

static int tear_down(void **state)
{
    struct counted *counted = *state;
    threshold_inputs_finish(&counted->inputs);
    campaign_statistics_free(&counted->statistics);
    return 0;
}

/* `us`: the maximum of its times; 0: there are none. */
static void expect(void **state, const char *text, uint64_t wanted, uint64_t count, uint64_t us)
{
    struct counted *counted = *state;
    struct threshold threshold;
    struct threshold_totals totals = {0};
    assert_true(threshold_parse(bytes_of_string(text), &threshold, NULL));
    threshold_look(&counted->inputs, &threshold, &totals);
    uint64_t found = totals.numbers.us == NULL ? 0 : histogram_maximum(totals.numbers.us);
    uint64_t times = totals.numbers.us == NULL ? 0 : histogram_count(totals.numbers.us);
    if (totals.numbers.counts[threshold.count] != wanted || found != us || times != count) {
        fail_msg("%s: %llu, %llu times up to %llu", text,
                 (unsigned long long)totals.numbers.counts[threshold.count], (unsigned long long)times,
                 (unsigned long long)found);
    }
}

static void names_are_chosen(void **state)
{
    expect(state, "http.count > 0", 40, 40, 3000);
    expect(state, "http.ok > 0", 35, 40, 3000);
    expect(state, "http.failed > 0", 5, 40, 3000);
    expect(state, "request[GET /a].count > 0", 10, 10, 1000);
    expect(state, "request[GET /a].failed > 0", 1, 10, 1000);
    expect(state, "request[GET /a].ok > 0", 9, 10, 1000);
    expect(state, "request[GET *].count > 0", 40, 40, 3000);
    expect(state, "request[*a].count > 0", 10, 10, 1000);
    expect(state, "request[\"GET *\"].count > 0", 0, 0, 0);
    expect(state, "request[GET /c].count > 0", 0, 0, 0);
    expect(state, "record[GET /b].count > 0", 7, 7, 9000);
    expect(state, "record[*].failed > 0", 7, 7, 9000);
}

static void responses_count_from_the_intended_start(void **state)
{
    expect(state, "response[GET /a].p95 < 1s", 10, 10, 2000);
    expect(state, "response[GET *].p95 < 1s", 40, 40, 6000);
    expect(state, "response.p95 < 1s", 40, 40, 6000);
    expect(state, "dropped = 0", 10, 0, 0);
    expect(state, "dropped < 1%", 10, 0, 0);
    expect(state, "dropped.rate < 1/s", 10, 0, 0);
}

static void waits_have_outcomes(void **state)
{
    expect(state, "waits.count > 0", 3 * 63, 63, 300);
    expect(state, "waits[pad].count > 0", 2 * 63, 42, 200);
    expect(state, "waits[door].ok > 0", 1u << OUTCOME_OK, 21, 300);
    expect(state, "waits[door].timeout > 0", 1u << OUTCOME_TIMEOUT, 21, 300);
    expect(state, "waits[door].short > 0", 1u << OUTCOME_SHORT, 21, 300);
    expect(state, "waits[door].deadlock > 0", 1u << OUTCOME_DEADLOCK, 21, 300);
    expect(state, "waits[door].stopped > 0", 1u << OUTCOME_STOPPED, 21, 300);
    expect(state, "waits[door].failed > 0", 63 - (1u << OUTCOME_OK) - (1u << OUTCOME_STOPPED), 21, 300);
}

static void steps_and_checks_are_counted(void **state)
{
    expect(state, "steps.count > 0", 5, 3, 77);
    expect(state, "steps.ok > 0", 3, 3, 77);
    expect(state, "steps.failed > 0", 2, 3, 77);
    expect(state, "steps.stopped > 0", 5, 3, 77);
    expect(state, "steps.lost > 0", 4, 3, 77);
    expect(state, "checks.count > 0", 9, 0, 0);
    expect(state, "checks.ok > 0", 6, 0, 0);
    expect(state, "checks[status is 200].failed > 0", 2, 0, 0);
    expect(state, "checks[status*].failed > 0", 3, 0, 0);
}

static void tags_and_groups_are_chosen(void **state)
{
    expect(state, "http{tier=gold}.count > 0", 12, 12, 300);
    expect(state, "http{tier=iron}.failed > 0", 2, 6, 500);
    expect(state, "http{tier=lead}.count > 0", 0, 0, 0);
    expect(state, "http{tier=gold,app=shop}.count > 0", 12, 12, 400);
    expect(state, "request[GET /b]{app=shop,tier=gold}.failed > 0", 2, 6, 300);
    expect(state, "request[*]{app=shop,tier=gold}.count > 0", 12, 12, 400);
    expect(state, "http{app=shop,tier=iron}.count > 0", 0, 0, 0);
    expect(state, "http{age=gold}.count > 0", 0, 0, 0);
    expect(state, "request[GET /b]{tier=gold}.ok > 0", 4, 6, 300);
    expect(state, "request[GET *]{tier=gold}.count > 0", 12, 12, 300);
    expect(state, "request[pay]{tier=gold}.count > 0", 0, 0, 0);
    expect(state, "record[*]{tier=gold}.count > 0", 6, 6, 700);
    expect(state, "checks{tier=gold}.failed > 0", 2, 6, 0);
    expect(state, "checks[price]{tier=gold}.ok > 0", 4, 6, 0);
    expect(state, "group[pay].count > 0", 6, 6, 900);
    expect(state, "group[*]{tier=gold}.failed > 0", 2, 6, 800);
}

static void sightings_are_those_of_the_report(void **state)
{
    struct counted *counted = *state;
    struct histogram *us SCOPED(histogram_free) = histogram_new();
    histogram_add(us, 500, 6);
    const struct seen_report seen[] = {
        {.name = bytes_of_string("pad"), .seen_count = 6, .seen_us = us, .steps_diverged = 2},
        {.name = bytes_of_string("map"), .seen_count = 6, .seen_us = us, .steps_diverged = 1}};
    counted->inputs.seen = seen;
    counted->inputs.seen_count = 2;
    expect(state, "seen.count > 0", 12, 12, 500);
    expect(state, "seen[pad].count > 0", 6, 6, 500);
    expect(state, "seen[pad].diverged = 0", 2, 6, 500);
    expect(state, "seen.diverged = 0", 3, 12, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_chosen),
        cmocka_unit_test(responses_count_from_the_intended_start),
        cmocka_unit_test(waits_have_outcomes),
        cmocka_unit_test(steps_and_checks_are_counted),
        cmocka_unit_test(tags_and_groups_are_chosen),
        cmocka_unit_test(sightings_are_those_of_the_report),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
