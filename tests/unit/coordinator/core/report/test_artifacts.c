/* Pieces of artifacts become complete ones: in order, bounded, from several agents at once. */
#include "tests/unit/coordinator/core/stand.h"

#include "coordinator/core/report/artifacts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct artifacts artifacts;
static struct artifact_delivery deliveries[2];

static int tear_down(void **state)
{
    (void)state;
    artifacts_abandon(&artifacts, &deliveries[0]);
    artifacts_abandon(&artifacts, &deliveries[1]);
    assert_int_equal(artifacts.begun, 0);
    artifacts_finish(&artifacts);
    return 0;
}

static struct artifact_piece piece_of(uint32_t worker, uint64_t size, uint64_t offset, const char *text)
{
    return (struct artifact_piece){.kind = ARTIFACT_SOURCE,
                                   .worker = worker,
                                   .step = 3,
                                   .size_bytes = size,
                                   .offset = offset,
                                   .content = bytes_of_string(text)};
}

static bool take(size_t agent, struct artifact_piece piece)
{
    struct error error;
    return artifacts_take(&artifacts, &deliveries[agent], &piece, &error);
}

static void pieces_come_together(void **state)
{
    (void)state;
    assert_true(take(0, piece_of(7, 5, 0, "hel")));
    assert_true(take(1, piece_of(8, 4, 0, "ot")));
    assert_int_equal(artifacts.count, 0);
    assert_int_equal(artifacts.bytes, 9);
    assert_true(take(0, piece_of(7, 5, 3, "lo")));
    assert_int_equal(artifacts.count, 1);
    assert_true(take(1, piece_of(8, 4, 2, "er")));
    assert_true(bytes_equal_string(artifacts.items[1].content, "oter"));
    assert_true(bytes_equal_string(artifacts.items[0].content, "hello"));
    assert_int_equal(artifacts.items[0].worker, 7);
    assert_int_equal(artifacts.items[0].step, 3);
}

static void pieces_out_of_order_are_refused(void **state)
{
    (void)state;
    assert_false(take(0, piece_of(7, 5, 3, "lo")));
    assert_true(take(0, piece_of(7, 5, 0, "hel")));
    assert_false(take(0, piece_of(7, 5, 0, "hel")));
    assert_false(take(0, piece_of(7, 5, 4, "o")));
    assert_false(take(0, piece_of(8, 5, 3, "lo")));
    assert_false(take(0, piece_of(7, 6, 3, "lo")));
    assert_true(take(0, piece_of(7, 5, 3, "lo")));
    assert_int_equal(artifacts.count, 1);
}

static void no_more_than_the_limit(void **state)
{
    (void)state;
    assert_true(take(1, piece_of(8, 4, 0, "ot")));
    for (unsigned i = 0; i < LIMIT_ARTIFACTS + 5; i++) {
        assert_true(take(0, piece_of(i, 2, 0, "a")));
        assert_true(take(0, piece_of(i, 2, 1, "b")));
    }
    assert_int_equal(artifacts.count, LIMIT_ARTIFACTS - 1);
    assert_int_equal(artifacts.bytes, 4 + 2 * (LIMIT_ARTIFACTS - 1));
    /* An artifact that was begun keeps its slot. */
    assert_true(take(1, piece_of(8, 4, 2, "he")));
    assert_int_equal(artifacts.count, LIMIT_ARTIFACTS);
}

static void a_lost_agent_makes_room(void **state)
{
    (void)state;
    assert_true(take(0, piece_of(7, 5, 0, "hel")));
    artifacts_abandon(&artifacts, &deliveries[0]);
    assert_int_equal(artifacts.begun, 0);
    assert_int_equal(artifacts.bytes, 0);
    assert_false(take(0, piece_of(7, 5, 3, "lo")));
}

static void they_have_names(void **state)
{
    (void)state;
    char name[ARTIFACT_NAME_BYTES];
    artifact_name(&(struct artifact){.kind = ARTIFACT_SCREENSHOT, .worker = 7, .step = 3}, 2, name);
    assert_string_equal(name, "02-worker-7-step-3.png");
    artifact_name(&(struct artifact){.kind = ARTIFACT_SOURCE, .worker = 999999, .step = UINT64_MAX}, 20,
                  name);
    assert_string_equal(name, "20-worker-999999-step-18446744073709551615.html");
}

static void send(struct stand *stand, size_t agent, struct artifact_piece piece)
{
    stand_send(stand, &stand->agents[agent],
               &(struct message){.kind = MESSAGE_ARTIFACT, .campaign = 1, .artifact = piece});
}

static void a_report_has_them(void **state)
{
    (void)state;
    struct stand stand;
    struct campaign_options options = stand_options(4);
    stand_init(&stand);
    stand_run(&stand, &options, 2);
    send(&stand, 0, piece_of(2, 5, 0, "hel"));
    send(&stand, 1, piece_of(1, 5, 0, "lost")); /* it never gets any further */
    assert_int_equal(stand_report(&stand)->artifact_count, 0);
    send(&stand, 0, piece_of(2, 5, 3, "lo"));
    stand_gone(&stand, "a2");
    stand_finished(&stand, &stand.agents[0]);
    stand_pass_ms(&stand, 1000);
    const struct campaign_report *report = stand_report(&stand);
    assert_int_equal(report->state, CAMPAIGN_ENDED);
    assert_int_equal(report->artifact_count, 1);
    assert_true(bytes_equal_string(report->artifacts[0].content, "hello"));
    stand_create(&stand, &options, 1); /* those that have ended keep theirs */
    assert_int_equal(stand_report(&stand)->artifact_count, 1);
    assert_true(bytes_equal_string(stand_report(&stand)->artifacts[0].content, "hello"));
    stand_finish(&stand);
}

static void nobody_tells_of_the_workers_of_another(void **state)
{
    (void)state;
    struct stand stand;
    struct campaign_options options = stand_options(4);
    stand_init(&stand);
    stand_run(&stand, &options, 2);
    stand.is_log_told = true;
    send(&stand, 0, piece_of(1, 2, 0, "no"));
    assert_non_null(strstr(buffer_string(&stand.story), "it acts for workers that are not its own"));
    send(&stand, 0, piece_of(2, 4, 0, "ye"));
    stand_pass_ms(&stand, 2000);
    stand_forget_story(&stand);
    send(&stand, 0, piece_of(2, 4, 1, "s"));
    assert_non_null(strstr(buffer_string(&stand.story), "does not follow the one before"));
    assert_int_equal(stand_report(&stand)->artifact_count, 0);
    stand_finish(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(pieces_come_together, tear_down),
        cmocka_unit_test_teardown(pieces_out_of_order_are_refused, tear_down),
        cmocka_unit_test_teardown(no_more_than_the_limit, tear_down),
        cmocka_unit_test_teardown(a_lost_agent_makes_room, tear_down),
        cmocka_unit_test_teardown(they_have_names, tear_down),
        cmocka_unit_test(a_report_has_them),
        cmocka_unit_test(nobody_tells_of_the_workers_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
