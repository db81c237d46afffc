/* The loads of a campaign: groups of workers with scenarios and shapes of their own. */
#include "proto/message/arrivals.h"
#include "tests/unit/common/check.h"

#include <string.h>

static void each_line_is_a_load(void **state)
{
    struct loads loads;
    struct error error;

    (void)state;
    assert_true(loads_parse(bytes_of_string("browse pages;workers=20;rate=50/s;start=10s\n"
                                            "buy;workers=5;stages=30s:5/s,1m:5/s;arrivals=poisson\n"
                                            "admin;pacing=1s;runs=7;duration=2m;think=uniform:1s:2s\n"),
                            &loads, &error));
    assert_int_equal(loads.count, 3);
    assert_true(bytes_equal_string(loads.items[0].scenario, "browse pages"));
    assert_int_equal(loads.items[0].start_ms, 10000);
    assert_true(bytes_equal_string(loads.items[0].rate, "50/s") && load_is_open(&loads.items[0]));
    assert_int_equal(loads.items[1].first_worker, 20);
    assert_int_equal(loads.items[1].arrivals, ARRIVALS_POISSON);
    assert_int_equal(load_length_ms(&loads.items[1]), 90000);
    assert_int_equal(loads.items[2].first_worker, 25);
    assert_int_equal(loads.items[2].workers, 1);
    assert_int_equal(loads.items[2].pacing_ms, 1000);
    assert_int_equal(load_length_ms(&loads.items[2]), 120000);
    assert_false(load_is_open(&loads.items[2]));
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } bad[] = {
        {";workers=1", "expected SCENARIO;workers=N"},
        {"a;rate=5", "load a: rate \"5\""},
        {"a;workers=0", "load a: "},
        {"a;workers=2;max_workers=1000000\nb", "more than 1000000 workers"},
        {"a;workers=1000000\nb", "more than 1000000 workers"},
        {"a;stages=1s", "load a: stage \"1s\""},
        {"a;colour=red", "load a: "},
        {"a;think=x", "load a: think time"},
        {"\n\n", "there is none"},
        {"a\x1b", "not printable"},
        {"a\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na", "more than 16 loads"},
    };
    struct error error;

    (void)state;
    assert_true(loads_check(bytes_of_string(""), NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (loads_check(bytes_of_string(bad[i].text), &error) || strstr(error.text, bad[i].said) == NULL) {
            fail_msg("%s: %s", bad[i].text, error.text);
        }
    }
}

static void they_set_workers_and_duration(void **state)
{
    struct campaign_options options = {.load = bytes_of_string("a;workers=3;duration=5s\n"
                                                               "b;workers=4;stages=2s:1/s;start=10s")};

    (void)state;
    campaign_options_settle(&options, false, false);
    assert_int_equal(options.workers, 7);
    assert_int_equal(options.duration_ms, 12000);
    assert_int_equal(options.runs, 0);
    options = (struct campaign_options){.load = bytes_of_string("a;duration=5s\nb;runs=2")};
    campaign_options_settle(&options, false, false);
    assert_int_equal(options.duration_ms, 0); /* nobody knows how long the second one takes */
}

static void expect_contradiction(const struct campaign_options *options, const char *said)
{
    struct error error;
    if (campaign_options_check(options, &error) || strstr(error.text, said) == NULL) {
        fail_msg("%s", error.text);
    }
}

static void options_that_contradict_each_other_are_refused(void **state)
{
    struct campaign_options options = {.workers = 4, .load = bytes_of_string("a;rate=5/s")};

    (void)state;
    expect_contradiction(&options, "load a: a rate needs a duration, or stages");
    options.load = bytes_of_string("a;pacing=5s");
    expect_contradiction(&options, "load a: it needs runs, or a duration");
    options.pacing_ms = 5;
    expect_contradiction(&options, "loads have shapes");
    options = (struct campaign_options){.load = bytes_of_string("a;workers=5;runs=1"), .room_size = 2};
    expect_contradiction(&options, "5 workers are not whole rooms of 2");
    options.load = bytes_of_string("a;workers=4;duration=1s");
    expect_contradiction(&options, "it ends by runs");
    options.load = bytes_of_string("a;workers=4;rate=5/s;pacing=1s;duration=1s");
    expect_contradiction(&options, "rate and pacing");
    options.load = bytes_of_string("a;workers=4;stages=1s:5");
    expect_contradiction(&options, "stages of a load are of a rate");
    options = (struct campaign_options){.load = bytes_of_string("a;workers=4;max_workers=6;runs=1")};
    expect_contradiction(&options, "load a: max_workers needs a rate");
    options.load = bytes_of_string("a;workers=4;max_workers=3;rate=5/s;duration=1s");
    expect_contradiction(&options, "load a: max_workers is 3, less than the 4 workers");
    options.load = bytes_of_string("a;workers=4;max_workers=7;rate=5/s;duration=1s");
    options.room_size = 2;
    expect_contradiction(&options, "load a: max_workers: workers are whole rooms of 2");
    options.load = bytes_of_string("a;workers=4;max_workers=8;rate=5/s;duration=1s");
    assert_true(campaign_options_check(&options, NULL));
    assert_int_equal(campaign_most_workers(&options), 8);
    options.max_workers = 9;
    expect_contradiction(&options, "with loads each has max_workers of its own");
    options = (struct campaign_options){.runs = 5, .shared_runs = 5};
    expect_contradiction(&options, "runs and shared_runs");
    options = (struct campaign_options){.room_size = 5, .shared_runs = 5};
    expect_contradiction(&options, "shared_runs and room_size");
}

static void a_load_has_its_part_of_the_time(void **state)
{
    struct campaign_options options = {.load = bytes_of_string("a;start=2s;duration=5s\nb;start=1s")};
    struct loads loads;

    (void)state;
    loads_of(&options, &loads);
    assert_int_equal(load_start_ns(&loads.items[0]), 2000000000u);
    assert_int_equal(load_end_ns(&options, &loads.items[0]), 5000000000u);
    assert_true(load_end_ns(&options, &loads.items[1]) == RATE_NEVER);
    options.duration_ms = 4000;
    assert_int_equal(load_end_ns(&options, &loads.items[0]), 2000000000u);
    assert_int_equal(load_end_ns(&options, &loads.items[1]), 3000000000u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_a_load),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(they_set_workers_and_duration),
        cmocka_unit_test(options_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_load_has_its_part_of_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
