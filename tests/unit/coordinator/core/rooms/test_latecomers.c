/* Who came last to a barrier or notifier, and how long others waited for it. */
#include "coordinator/core/rooms/latecomers.h"
#include "tests/unit/common/check.h"
#include "tests/unit/coordinator/core/rooms/play.h"

#include <stdio.h>

/* "pad.wait_for_writer 2× 900 ms: worker 4 2× 900 ms" for each, with those that are not listed. */
static void describe(const struct campaign_report *report, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < report->last_count && at < size; i++) {
        const struct last_report *last = &report->last[i];
        at += (size_t)snprintf(text + at, size - at, "%.*s.%s %llu× %llu ms:", BYTES_FORMAT(last->name),
                               operation_name(last->kind), (unsigned long long)last->times,
                               (unsigned long long)last->waited_us / 1000);
        for (size_t j = 0; j < last->worker_count && at < size; j++) {
            const struct latecomer *worker = &last->workers[j];
            at += (size_t)snprintf(text + at, size - at, " worker %u %llu× %llu ms", worker->worker,
                                   (unsigned long long)worker->times,
                                   (unsigned long long)worker->waited_us / 1000);
        }
        at += (size_t)snprintf(text + at, size - at, "\n");
    }
}

static void expect_last(struct play *play, const char *wanted)
{
    struct campaign_report report = {0};
    char text[2000];
    play_settle(play);
    latecomers_report(rooms_latecomers(play->rooms), &report);
    describe(&report, text, sizeof text);
    assert_string_equal(text, wanted);
}

/* Five workers in a room; worker 4 writes. */
static void set_up(struct play *play)
{
    play_init_rooms(play, 10, 5);
    play->is_quiet = true;
    play_known(play);
    play_settle(play);
}

/* What a worker of the second room does at pad@1. */
static void beside(struct play *play, enum operation_kind kind, uint32_t worker)
{
    struct operation operation = {.kind = kind,
                                  .room = 1,
                                  .name = bytes_of_string("pad"),
                                  .step = 1,
                                  .value = kind == OPERATION_WRITTEN ? play_value("text") : bytes_of("", 0)};
    play_operation(play, worker, worker, operation);
}

static void the_last_to_arrive_made_the_others_wait(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_barrier(&play, 0, 1);
    play_barrier(&play, 1, 1);
    play_pass_ms(&play, 100);
    play_barrier(&play, 4, 1);
    play_barrier(&play, 2, 1);
    play_pass_ms(&play, 200);
    expect_last(&play, "");
    play_barrier(&play, 3, 1);
    expect_last(&play, "rush.barrier 1× 1000 ms: worker 3 1× 1000 ms\n"); /* 2 × 300 and 2 × 200 */
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_past(&play, worker, 1, NULL);
    }
    for (uint32_t worker = 1; worker < 5; worker++) {
        play_barrier(&play, worker, 2);
    }
    play_pass_ms(&play, 1000);
    play_barrier(&play, 0, 2);
    expect_last(&play, "rush.barrier 2× 5000 ms: worker 0 1× 4000 ms worker 3 1× 1000 ms\n");
    play_finish(&play);
}

static void nobody_is_late_where_nobody_waits(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    for (uint32_t worker = 0; worker < 5; worker++) {
        play_barrier(&play, worker, 1);
    }
    play_written(&play, 4, 1, "text");
    play_settle(&play);
    play_pass_ms(&play, 500);
    play_wait_writer(&play, 0, 1); /* it is there already */
    for (uint32_t worker = 0; worker < 4; worker++) {
        play_read(&play, worker, 1);
    }
    play_wait_readers(&play, 4, 1);
    expect_last(&play, "");
    play_finish(&play);
}

static void readers_wait_for_their_writer(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_readers_wait(&play, 1);
    beside(&play, OPERATION_WAIT_WRITER, 7); /* of another room, whose writer comes later */
    play_pass_ms(&play, 250);
    play_written(&play, 4, 1, "text");
    expect_last(&play, "pad.wait_for_writer 1× 1000 ms: worker 4 1× 1000 ms\n");
    play_pass_ms(&play, 50);
    beside(&play, OPERATION_WRITTEN, 5);
    expect_last(&play, "pad.wait_for_writer 2× 1300 ms: worker 4 1× 1000 ms worker 5 1× 300 ms\n");
    play_finish(&play);
}

static void a_writer_waits_for_its_last_reader(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    play_written(&play, 4, 1, "text");
    play_wait_readers(&play, 4, 1);
    play_settle(&play);
    play_pass_ms(&play, 10);
    play_read(&play, 3, 1);
    play_read(&play, 0, 1);
    play_pass_ms(&play, 60);
    play_read(&play, 1, 1);
    play_settle(&play);
    play_pass_ms(&play, 30);
    play_read(&play, 2, 1);
    expect_last(&play, "pad.wait_for_readers 1× 100 ms: worker 2 1× 100 ms\n");
    play_finish(&play);
}

/* A worker that fails before it arrives is the one that the others have waited for. */
static void one_that_never_comes_is_last(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    for (uint32_t worker = 0; worker < 4; worker++) {
        play_barrier(&play, worker, 1);
    }
    beside(&play, OPERATION_WRITTEN, 9);
    beside(&play, OPERATION_WAIT_READERS, 9);
    for (uint32_t worker = 5; worker < 8; worker++) {
        beside(&play, OPERATION_READ, worker);
    }
    play_settle(&play);
    play_pass_ms(&play, 500);
    play_past(&play, 4, 1, "no stock");
    play_lose(&play, 8, "its agent was lost");
    expect_last(&play, "pad.wait_for_readers 1× 500 ms: worker 8 1× 500 ms\n"
                       "rush.barrier 1× 2000 ms: worker 4 1× 2000 ms\n");
    play_finish(&play);
}

/* The wait ends since fewer readers are wanted: nobody came. Worker 3 had gone long before. */
static void fewer_readers_have_no_last(void **state)
{
    (void)state;
    for (unsigned is_original = 0; is_original < 2; is_original++) {
        struct play play;
        set_up(&play);
        play.is_original = is_original != 0; /* or a copy takes over after each settling */
        play_written(&play, 4, 1, "text");
        play_wait_readers(&play, 4, 1);
        play_read(&play, 0, 1);
        play_settle(&play);
        play_past(&play, 3, 1, NULL);
        play_settle(&play);
        play_pass_ms(&play, 50);
        play_declare(&play, 1, 1, 1);
        expect_last(&play, "");
        play_finish(&play);
    }
}

static void what_times_out_has_no_last(void **state)
{
    (void)state;
    struct play play;
    set_up(&play);
    struct operation barrier = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .timeout_ms = 200};
    play_operation(&play, 0, 2, barrier);
    play_pass_ms(&play, 300);
    play_barrier(&play, 3, 1);
    play_pass_ms(&play, 100);
    play_barrier(&play, 4, 1); /* those that gave up no longer wait for it */
    expect_last(&play, "rush.barrier 1× 100 ms: worker 4 1× 100 ms\n");
    play_finish(&play);
}

static void add(struct latecomers *latecomers, const char *name, uint32_t worker, uint64_t ms)
{
    struct late_arrival arrival = {.kind = OPERATION_BARRIER,
                                   .name = bytes_of_string(name),
                                   .worker = worker,
                                   .waited_ns = ms * PLAY_MS};
    latecomers_add(latecomers, &arrival);
}

/* Those for whom others waited longest stay, and nothing is lost of the sums. */
static void workers_are_bounded(void **state)
{
    (void)state;
    struct latecomers *latecomers = latecomers_new();
    struct campaign_report report = {0};
    uint64_t times = 0;
    uint64_t waited_us = 0;
    for (uint32_t worker = 0; worker < 20000; worker++) {
        add(latecomers, "rush", worker, worker % 1000);
        add(latecomers, "rush", 7, 3000);
    }
    latecomers_report(latecomers, &report);
    const struct last_report *last = &report.last[0];
    assert_true(last->worker_count <= LATECOMERS_WORKERS && last->worker_count >= LATECOMERS_WORKERS / 2);
    for (size_t i = 0; i < last->worker_count; i++) {
        times += last->workers[i].times;
        waited_us += last->workers[i].waited_us;
        assert_true(i == 0 || last->workers[i - 1].waited_us >= last->workers[i].waited_us);
    }
    assert_int_equal(last->workers[0].worker, 7);
    assert_int_equal(last->workers[0].times, 20001);
    assert_int_equal(times + last->others_times, 40000);
    assert_int_equal(last->times, 40000);
    assert_int_equal(waited_us + last->others_waited_us, last->waited_us);
    assert_int_equal(last->waited_us, (20000ull * 3000 + 20ull * 499500) * 1000);
    latecomers_free(&latecomers);
}

static void names_are_bounded(void **state)
{
    (void)state;
    struct latecomers *latecomers = latecomers_new();
    struct campaign_report report = {0};
    for (uint32_t i = 0; i < 3 * LATECOMERS_NAMES; i++) {
        char name[20];
        snprintf(name, sizeof name, "name %u", i);
        add(latecomers, name, 1, 1);
    }
    latecomers_report(latecomers, &report);
    assert_int_equal(report.last_count, LATECOMERS_NAMES + 1);
    assert_true(bytes_equal_string(report.last[0].name, "(other)"));
    assert_int_equal(report.last[0].times, 2 * LATECOMERS_NAMES);
    latecomers_free(&latecomers);
}

static void they_survive_a_restart(void **state)
{
    (void)state;
    struct latecomers *latecomers = latecomers_new();
    struct campaign_report report = {0};
    char before[2000];
    char after[2000];
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, 1u << 20);
    add(latecomers, "rush", 9, 5);
    add(latecomers, "rush", 3, 7);
    add(latecomers, "door", 3, 7);
    latecomers_report(latecomers, &report);
    describe(&report, before, sizeof before);
    latecomers_pack(latecomers, &packed);
    latecomers_free(&latecomers);
    struct unpack from = unpack_of(buffer_bytes(&packed));
    latecomers = latecomers_unpack(&from);
    assert_false(from.is_broken);
    latecomers_report(latecomers, &report);
    describe(&report, after, sizeof after);
    assert_string_equal(before, after);
    assert_string_equal(after, "door.barrier 1× 7 ms: worker 3 1× 7 ms\n"
                               "rush.barrier 2× 12 ms: worker 3 1× 7 ms worker 9 1× 5 ms\n");
    latecomers_free(&latecomers);
    for (size_t size = 0; size < packed.size; size++) {
        from = unpack_of(bytes_of(packed.data, size));
        latecomers = latecomers_unpack(&from);
        assert_true(from.is_broken);
        latecomers_free(&latecomers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_to_arrive_made_the_others_wait),
        cmocka_unit_test(nobody_is_late_where_nobody_waits),
        cmocka_unit_test(readers_wait_for_their_writer),
        cmocka_unit_test(a_writer_waits_for_its_last_reader),
        cmocka_unit_test(one_that_never_comes_is_last),
        cmocka_unit_test(fewer_readers_have_no_last),
        cmocka_unit_test(what_times_out_has_no_last),
        cmocka_unit_test(workers_are_bounded),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(they_survive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
