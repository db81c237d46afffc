/* When a link sends: its window, what it sends again after which timeout, its heartbeats. */
#include "tests/unit/proto/link/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void window_bounds_messages(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[300];
    struct frame answer[1];
    send_many(fixture->left, 300);
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_WINDOW_MESSAGES);
    assert_true(link_due_ns(fixture->left) > fixture->now_ns);
    for (int i = 0; i < 10; i++) {
        receive(fixture, fixture->right, &frames[i]);
    }
    assert_int_equal(drain_acknowledgement(fixture, fixture->right, answer, 1), 1);
    receive(fixture, fixture->left, &answer[0]);
    assert_int_equal(drain(fixture, fixture->left, frames, 300), 10);
    assert_int_equal(frames[0].envelope.sequence, LINK_WINDOW_MESSAGES + 1);
    assert_int_equal(link_backlog(fixture->left), 290);
}

static void window_bounds_bytes_but_passes_one_giant(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[8];
    send_bytes(fixture->left, LINK_WINDOW_BYTES + 1, 'g');
    send_bytes(fixture->left, LINK_WINDOW_BYTES / 2, 'h');
    send_bytes(fixture->left, LINK_WINDOW_BYTES / 2, 'i');
    send_bytes(fixture->left, 1, 'j');
    assert_int_equal(drain(fixture, fixture->left, frames, 8), 1);
    assert_int_equal(frames[0].size, LINK_WINDOW_BYTES + 1);
    receive(fixture, fixture->right, &frames[0]);
    assert_int_equal(drain_acknowledgement(fixture, fixture->right, frames, 8), 1);
    receive(fixture, fixture->left, &frames[0]);
    assert_int_equal(drain(fixture, fixture->left, frames, 8), 2);
    receive(fixture, fixture->right, &frames[0]);
    assert_int_equal(drain_acknowledgement(fixture, fixture->right, frames, 8), 1);
    receive(fixture, fixture->left, &frames[0]);
    assert_int_equal(drain(fixture, fixture->left, frames, 8), 1);
    assert_int_equal(frames[0].envelope.sequence, 4);
}

static void sends_again_with_doubling_timeouts(void **state)
{
    struct fixture *fixture = *state;
    send_text(fixture->left, "a");
    send_text(fixture->left, "b");
    drain(fixture, fixture->left, NULL, 0);
    expect(fixture, "1:a/0 2:b/0 ");
    static const uint64_t WAITS_MS[] = {250, 500, 1000, 2000, 2000};
    for (size_t i = 0; i < sizeof WAITS_MS / sizeof *WAITS_MS; i++) {
        fixture->now_ns += WAITS_MS[i] * MS - MS;
        drain(fixture, fixture->left, NULL, 0);
        buffer_clear(&fixture->transcript); /* perhaps a heartbeat */
        fixture->now_ns += MS + 10000;      /* the few bytes in flight count too */
        assert_true(link_due_ns(fixture->left) <= fixture->now_ns);
        drain(fixture, fixture->left, NULL, 0);
        expect(fixture, "1:a/0 2:b/0 ");
    }
}

static void progress_resets_the_timeout(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[4];
    struct frame answer[1];
    send_text(fixture->left, "a");
    send_text(fixture->left, "b");
    drain(fixture, fixture->left, frames, 4);
    fixture->now_ns += 300 * MS;
    drain(fixture, fixture->left, NULL, 0);
    expect(fixture, "1:a/0 2:b/0 1:a/0 2:b/0 ");
    receive(fixture, fixture->right, &frames[0]);
    drain_acknowledgement(fixture, fixture->right, answer, 1);
    fixture->now_ns += 400 * MS;
    receive(fixture, fixture->left, &answer[0]);
    drain(fixture, fixture->left, NULL, 0);
    expect(fixture, "deliver 0:/1 none ");
    fixture->now_ns += 249 * MS;
    drain(fixture, fixture->left, NULL, 0);
    expect(fixture, "");
    fixture->now_ns += 2 * MS;
    drain(fixture, fixture->left, NULL, 0);
    expect(fixture, "2:b/0 ");
}

static void bytes_in_flight_lengthen_the_timeout(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 4u << 20;
    send_bytes(fixture->left, size, 1);
    assert_int_equal(drain(fixture, fixture->left, NULL, 0), 1);
    uint64_t due_ns = START_NS + LINK_FIRST_TIMEOUT_NS + size * LINK_TIMEOUT_NS_PER_BYTE;
    struct frame frame;
    fixture->now_ns = due_ns - 1;
    assert_true(take(fixture, fixture->left, &frame)); /* the heartbeat */
    assert_int_equal(frame.envelope.sequence, 0);
    assert_false(take(fixture, fixture->left, &frame));
    assert_int_equal(link_due_ns(fixture->left), due_ns);
    fixture->now_ns = due_ns;
    assert_true(take(fixture, fixture->left, &frame));
    assert_int_equal(frame.envelope.sequence, 1);
}

static void bytes_lengthen_it_by_three_doublings_at_most(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 4u << 20;
    send_bytes(fixture->left, size, 1);
    uint64_t waited_ns = 0;
    for (unsigned i = 0; i < 6; i++) {
        drain(fixture, fixture->left, NULL, 0);
        uint64_t sent_ns = fixture->now_ns;
        struct frame frame = {0};
        do { /* past the heartbeats */
            fixture->now_ns = link_due_ns(fixture->left);
            assert_true(take(fixture, fixture->left, &frame));
        } while (frame.envelope.sequence == 0);
        waited_ns = fixture->now_ns - sent_ns;
    }
    assert_int_equal(waited_ns, LINK_LAST_TIMEOUT_NS + ((size * LINK_TIMEOUT_NS_PER_BYTE) << 3));
}

static void dead_peer_gets_a_handful_until_it_answers(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[300];
    send_many(fixture->left, 200);
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_WINDOW_MESSAGES);
    fixture->now_ns += 260 * MS;
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_PROBE_MESSAGES);
    assert_int_equal(frames[0].envelope.sequence, 1);
    fixture->now_ns += 510 * MS;
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_PROBE_MESSAGES);
    receive(fixture, fixture->right, &frames[0]);
    assert_int_equal(drain_acknowledgement(fixture, fixture->right, frames, 1), 1);
    receive(fixture, fixture->left, &frames[0]);
    /* 2…16 are in flight; the window is full again. */
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_WINDOW_MESSAGES - 15);
    assert_int_equal(frames[0].envelope.sequence, 17);
}

/* The acknowledgement of the first pass arrives after the timeout has set the link back. */
static void late_acknowledgement_passes_the_second_pass(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[40];
    struct frame answer[1];
    send_many(fixture->left, 30);
    drain(fixture, fixture->left, frames, 40);
    for (int i = 0; i < 25; i++) {
        receive(fixture, fixture->right, &frames[i]);
    }
    drain(fixture, fixture->right, answer, 1);
    fixture->now_ns += 300 * MS;
    assert_int_equal(drain(fixture, fixture->left, frames, 40), LINK_PROBE_MESSAGES);
    receive(fixture, fixture->left, &answer[0]);
    assert_int_equal(drain(fixture, fixture->left, frames, 40), 5);
    assert_int_equal(frames[0].envelope.sequence, 26);
}

static void reconnect_sends_everything_again_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[200];
    send_many(fixture->left, 150);
    drain(fixture, fixture->left, frames, 200);
    link_reconnected(fixture->left);
    assert_int_equal(link_due_ns(fixture->left), 0);
    assert_int_equal(drain(fixture, fixture->left, frames, 200), LINK_WINDOW_MESSAGES);
    assert_int_equal(frames[0].envelope.sequence, 1);
}

static void heartbeat_when_nothing_left_for_long_enough(void **state)
{
    struct fixture *fixture = *state;
    struct frame answer[1];
    assert_int_equal(link_due_ns(fixture->left), START_NS + HEARTBEAT_NS);
    fixture->now_ns = START_NS + HEARTBEAT_NS - 1;
    drain(fixture, fixture->left, answer, 1);
    expect(fixture, "");
    fixture->now_ns++;
    drain(fixture, fixture->left, answer, 1);
    drain(fixture, fixture->left, NULL, 0);
    expect(fixture, "0:/0 ");
    receive(fixture, fixture->right, &answer[0]);
    assert_int_equal(drain(fixture, fixture->right, NULL, 0), 1); /* its own heartbeat is due as well */
    assert_int_equal(link_heard_ns(fixture->right), fixture->now_ns);
    expect(fixture, "none 0:/0 ");
    fixture->now_ns += HEARTBEAT_NS / 2;
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, NULL, 0);
    assert_int_equal(link_due_ns(fixture->left),
                     fixture->now_ns + LINK_FIRST_TIMEOUT_NS + LINK_TIMEOUT_NS_PER_BYTE);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        LINK_TEST(window_bounds_messages),
        LINK_TEST(window_bounds_bytes_but_passes_one_giant),
        LINK_TEST(sends_again_with_doubling_timeouts),
        LINK_TEST(progress_resets_the_timeout),
        LINK_TEST(bytes_in_flight_lengthen_the_timeout),
        LINK_TEST(bytes_lengthen_it_by_three_doublings_at_most),
        LINK_TEST(dead_peer_gets_a_handful_until_it_answers),
        LINK_TEST(late_acknowledgement_passes_the_second_pass),
        LINK_TEST(reconnect_sends_everything_again_at_once),
        LINK_TEST(heartbeat_when_nothing_left_for_long_enough),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
