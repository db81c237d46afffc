/* From what has happened to the verdict and its reason. */
#include "coordinator/core/report/verdict.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_judged(const struct campaign_options *options, struct steps_counted steps,
                          enum verdict verdict, const char *reason)
{
    struct judgement judgement = {0};
    judgement_of_steps(&judgement, options, &steps);
    assert_string_equal(verdict_name(judgement.verdict), verdict_name(verdict));
    if (reason != NULL) {
        assert_string_equal(judgement.reason, reason);
    }
    judgement_finish(&judgement);
}

static void the_worst_wins_with_its_reason(void **state)
{
    (void)state;
    struct judgement judgement = {0};
    judgement_raise(&judgement, VERDICT_DEGRADED, "agent %s was lost", "a1");
    judgement_raise(&judgement, VERDICT_DEGRADED, "a second loss");
    assert_string_equal(judgement.reason, "agent a1 was lost");
    judgement_raise(&judgement, VERDICT_FAILED, "steps\nfailed");
    judgement_raise(&judgement, VERDICT_ABORTED, "interrupted");
    assert_int_equal(judgement.verdict, VERDICT_FAILED);
    assert_string_equal(judgement.reason, "steps failed; agent a1 was lost");
    judgement_add_reason(&judgement, "and more");
    assert_string_equal(judgement.reason, "steps failed; agent a1 was lost; and more");
    judgement_explain(&judgement, bytes_of_string("nobody"));
    assert_string_equal(judgement.reason, "steps failed; agent a1 was lost; and more");
    judgement_finish(&judgement);
    judgement = (struct judgement){0};
    judgement_explain(&judgement, bytes_of_string("stopped by\nme"));
    judgement_add_reason(&judgement, "1 of\n9 failed");
    assert_string_equal(judgement.reason, "stopped by me; 1 of 9 failed");
    judgement_finish(&judgement);
}

static void a_reason_is_cut_between_characters(void **state)
{
    (void)state;
    struct judgement judgement = {0};
    judgement_raise(&judgement, VERDICT_FAILED, "%*s–", (int)LIMIT_TEXT_BYTES - 1, "");
    assert_int_equal(strlen(judgement.reason), LIMIT_TEXT_BYTES - 1);
    judgement_finish(&judgement);
}

static void failed_steps_are_held_against_the_limit(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 5, .fail_steps = 3};
    assert_judged(&options, (struct steps_counted){.ok = 498, .failed = 2}, VERDICT_NONE, NULL);
    assert_judged(&options, (struct steps_counted){.ok = 497, .failed = 3}, VERDICT_FAILED,
                  "3 of 500 steps failed (the limit is 3)");
    assert_judged(&options, (struct steps_counted){.ok = 490, .failed = 10, .failed_by_loss = 8},
                  VERDICT_NONE, NULL);
    assert_judged(&options, (struct steps_counted){.ok = 489, .failed = 11, .failed_by_loss = 8},
                  VERDICT_FAILED, "3 of 500 steps failed, and 8 by the loss of an agent (the limit is 3)");
    options.fail_steps = 0;
    assert_judged(&options, (struct steps_counted){.ok = 1, .failed = 499, .is_own_end = true}, VERDICT_NONE,
                  NULL);
}

static void percents_are_of_all_steps(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 5, .fail_steps = 1, .fail_percent = 2.5};
    assert_judged(&options, (struct steps_counted){.ok = 976, .failed = 24}, VERDICT_NONE, NULL);
    assert_judged(&options, (struct steps_counted){.ok = 900, .failed = 100, .failed_by_loss = 76},
                  VERDICT_NONE, NULL);
    assert_judged(&options, (struct steps_counted){.ok = 975, .failed = 25}, VERDICT_FAILED,
                  "25 of 1000 steps failed (the limit is 2.5 %)");
}

static void nothing_at_all_is_no_success(void **state)
{
    (void)state;
    struct campaign_options options = {
        .workers = 5, .fail_steps = 0, .ramp_up_ms = 20000, .duration_ms = 5000};
    struct steps_counted none = {.is_own_end = true};
    assert_judged(&options, none, VERDICT_FAILED,
                  "no step succeeded: the ramp-up of 20 s leaves nothing of the duration of 5 s");
    options.ramp_up_ms = 0;
    assert_judged(&options, none, VERDICT_FAILED, "no step succeeded: none was ended within 5 s");
    options.duration_ms = 0;
    assert_judged(&options, none, VERDICT_FAILED, "no step succeeded: none was run");
    none.is_own_end = false;
    assert_judged(&options, none, VERDICT_NONE, NULL);
}

static void all_failed_is_no_success_unless_failures_are_allowed(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 5, .fail_steps = 100};
    struct steps_counted steps = {
        .failed = 5, .is_own_end = true, .common_error = bytes_of_string("pad.lua:3: no")};
    assert_judged(&options, steps, VERDICT_FAILED, "no step succeeded: pad.lua:3: no");
    options.fail_steps = 0;
    assert_judged(&options, steps, VERDICT_NONE, NULL);
    options.thresholds = bytes_of_string("http.p95 < 2s");
    assert_judged(&options, steps, VERDICT_FAILED, "no step succeeded: pad.lua:3: no");
    steps.ok = 1;
    assert_judged(&options, steps, VERDICT_NONE, NULL);
}

static void requests(const struct campaign_options *options, enum verdict before,
                     struct requests_counted counted, enum verdict verdict, const char *reason)
{
    struct judgement judgement = {0};
    judgement_raise(&judgement, before, "%s", "before");
    judgement_pass(&judgement, 0);
    judgement_of_requests(&judgement, options, &counted);
    assert_string_equal(verdict_name(judgement.verdict), verdict_name(verdict));
    assert_string_equal(judgement.reason != NULL ? judgement.reason : "", reason);
    judgement_finish(&judgement);
}

static void failed_requests_are_said(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 5, .fail_steps = 1};
    requests(&options, VERDICT_NONE, (struct requests_counted){0}, VERDICT_PASSED, "");
    requests(&options, VERDICT_NONE, (struct requests_counted){.all = 9}, VERDICT_PASSED, "");
    requests(&options, VERDICT_NONE, (struct requests_counted){.all = 9, .failed = 8}, VERDICT_PASSED,
             "8 of 9 requests failed");
    requests(&options, VERDICT_FAILED, (struct requests_counted){.all = 9, .failed = 9}, VERDICT_FAILED,
             "before; 9 of 9 requests failed");
    requests(&options, VERDICT_NONE, (struct requests_counted){.all = 9, .failed = 9}, VERDICT_FAILED,
             "no request succeeded: all 9 failed");
    requests(&options, VERDICT_NONE, (struct requests_counted){.all = 1, .failed = 1}, VERDICT_FAILED,
             "no request succeeded: 1 failed");
    options.fail_steps = 0;
    requests(&options, VERDICT_NONE, (struct requests_counted){.all = 9, .failed = 9}, VERDICT_PASSED,
             "9 of 9 requests failed");
    options.fail_percent = 5;
    options.thresholds = bytes_of_string("http.failed < 1%");
    requests(&options, VERDICT_NONE, (struct requests_counted){.all = 9, .failed = 9}, VERDICT_PASSED,
             "9 of 9 requests failed");
}

static void who_was_stopped_is_told_when(void **state)
{
    (void)state;
    struct judgement judgement = {0};
    judgement_explain(&judgement, bytes_of_string("stopped by\ntutti stop"));
    assert_string_equal(judgement.reason, "stopped by tutti stop");
    assert_int_equal(judgement.verdict, VERDICT_NONE);
    judgement_pass(&judgement, 723456000000u);
    assert_int_equal(judgement.verdict, VERDICT_PASSED);
    assert_string_equal(judgement.reason, "stopped after 12 m 3 s");
    judgement_explain(&judgement, bytes_of_string("again"));
    judgement_pass(&judgement, 5);
    assert_string_equal(judgement.reason, "stopped after 12 m 3 s");
    judgement_finish(&judgement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_wins_with_its_reason),
        cmocka_unit_test(a_reason_is_cut_between_characters),
        cmocka_unit_test(failed_steps_are_held_against_the_limit),
        cmocka_unit_test(percents_are_of_all_steps),
        cmocka_unit_test(nothing_at_all_is_no_success),
        cmocka_unit_test(failed_requests_are_said),
        cmocka_unit_test(who_was_stopped_is_told_when),
        cmocka_unit_test(all_failed_is_no_success_unless_failures_are_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
