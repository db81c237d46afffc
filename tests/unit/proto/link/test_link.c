/* What a link delivers, acknowledges and refuses, frame by frame: the transcript of sent frames and of the
 * verdicts on arriving ones is the assertion. */
#include "tests/unit/proto/link/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void delivers_in_order_and_acknowledges_once(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[4];
    send_text(fixture->left, "a");
    send_text(fixture->left, "b");
    assert_int_equal(link_backlog(fixture->left), 2);
    assert_int_equal(link_due_ns(fixture->left), 0);
    assert_int_equal(drain(fixture, fixture->left, frames, 4), 2);
    expect(fixture, "1:a/0 2:b/0 ");
    receive(fixture, fixture->right, &frames[0]);
    receive(fixture, fixture->right, &frames[1]);
    drain_acknowledgement(fixture, fixture->right, frames, 4);
    expect(fixture, "deliver deliver 0:/2 ");
    assert_int_equal(link_backlog(fixture->left), 2);
    receive(fixture, fixture->left, &frames[0]);
    drain(fixture, fixture->left, frames, 4);
    expect(fixture, "none ");
    assert_int_equal(link_backlog(fixture->left), 0);
}

static void a_message_of_many_links_is_one_piece_of_memory(void **state)
{
    struct fixture *fixture = *state;
    struct frame frame;
    struct envelope envelope;
    struct shared *left = NULL;
    struct shared *right = NULL;
    struct shared *message = shared_new(bytes_of_string("to both"));
    link_send_shared(fixture->left, message);
    link_send_shared(fixture->right, message);
    shared_release(&message);
    assert_int_equal(link_held_bytes(fixture->left), 7);
    assert_true(link_next_frame(fixture->left, fixture->now_ns, &envelope, &left));
    assert_true(take(fixture, fixture->right, &frame));
    link_reconnected(fixture->right);
    assert_true(link_next_frame(fixture->right, fixture->now_ns, &envelope, &right));
    assert_ptr_equal(left, right);
    /* What the one has had acknowledged, and let go, the other still has. */
    receive(fixture, fixture->left, &frame);
    assert_true(link_next_frame(fixture->left, fixture->now_ns + 1000000000, &envelope, &left));
    frame.envelope = envelope;
    frame.size = 0;
    frame.envelope.sequence = 0;
    receive(fixture, fixture->right, &frame);
    assert_int_equal(link_held_bytes(fixture->right), 0);
    assert_int_equal(link_held_bytes(fixture->left), 7);
    link_reconnected(fixture->left);
    assert_true(link_next_frame(fixture->left, fixture->now_ns, &envelope, &left));
    assert_true(bytes_equal_string(shared_bytes(left), "to both"));
}

static void acknowledgement_rides_on_a_message(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[4];
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, frames, 4);
    receive(fixture, fixture->right, &frames[0]);
    send_text(fixture->right, "x");
    drain(fixture, fixture->right, frames, 4);
    receive(fixture, fixture->left, &frames[0]);
    drain_acknowledgement(fixture, fixture->left, frames, 4);
    expect(fixture, "1:a/0 deliver 1:x/1 deliver 0:/1 ");
}

static void many_messages_are_acknowledged_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[LINK_ACKNOWLEDGE_MESSAGES];
    send_many(fixture->left, LINK_ACKNOWLEDGE_MESSAGES);
    drain(fixture, fixture->left, frames, LINK_ACKNOWLEDGE_MESSAGES);
    for (size_t i = 0; i < LINK_ACKNOWLEDGE_MESSAGES; i++) {
        buffer_clear(&fixture->transcript);
        assert_int_equal(drain(fixture, fixture->right, NULL, 0), 0);
        receive(fixture, fixture->right, &frames[i]);
    }
    assert_int_equal(link_due_ns(fixture->right), 0);
    drain(fixture, fixture->right, frames, 1);
    expect(fixture, "deliver 0:/16 ");
}

/* The first of them is what the other end has waited for longest. */
static void later_messages_do_not_defer_an_acknowledgement(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[2];
    send_text(fixture->left, "a");
    send_text(fixture->left, "b");
    drain(fixture, fixture->left, frames, 2);
    receive(fixture, fixture->right, &frames[0]);
    fixture->now_ns += LINK_ACKNOWLEDGE_NS - 1;
    receive(fixture, fixture->right, &frames[1]);
    assert_int_equal(link_due_ns(fixture->right), fixture->now_ns + 1);
    fixture->now_ns++;
    drain(fixture, fixture->right, frames, 1);
    expect(fixture, "1:a/0 2:b/0 deliver deliver 0:/2 ");
}

static void gap_and_repeat_are_acknowledged_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[4];
    struct frame answer[1];
    send_text(fixture->left, "a");
    send_text(fixture->left, "b");
    send_text(fixture->left, "c");
    drain(fixture, fixture->left, frames, 4);
    expect(fixture, "1:a/0 2:b/0 3:c/0 ");
    receive(fixture, fixture->right, &frames[1]);
    drain(fixture, fixture->right, answer, 1);
    receive(fixture, fixture->right, &frames[0]);
    receive(fixture, fixture->right, &frames[2]);
    receive(fixture, fixture->right, &frames[0]);
    drain(fixture, fixture->right, answer, 1);
    expect(fixture, "gap 0:/0 deliver gap repeated 0:/1 ");
    receive(fixture, fixture->left, &answer[0]);
    assert_int_equal(link_backlog(fixture->left), 2);
}

static void foreign_frames_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[2];
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, frames, 2);
    expect(fixture, "1:a/0 ");
    fixture->now_ns += 5 * MS;
    struct frame foreign = frames[0];
    foreign.envelope.incarnation++;
    receive(fixture, fixture->right, &foreign);
    foreign = frames[0];
    foreign.envelope.epoch++;
    receive(fixture, fixture->right, &foreign);
    foreign.envelope.epoch = 0;
    receive(fixture, fixture->right, &foreign);
    foreign = frames[0];
    foreign.envelope.acknowledged = 1; /* right has sent nothing */
    receive(fixture, fixture->right, &foreign);
    foreign = frames[0];
    foreign.size = 0;
    receive(fixture, fixture->right, &foreign);
    expect(fixture, "foreign foreign foreign foreign foreign ");
    assert_int_equal(link_heard_ns(fixture->right), START_NS);
    assert_int_equal(drain(fixture, fixture->right, NULL, 0), 0);
    receive(fixture, fixture->right, &frames[0]);
    expect(fixture, "deliver ");
}

static void queued_but_unsent_cannot_be_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    send_text(fixture->left, "a");
    struct frame lie = {.envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .acknowledged = 1}};
    receive(fixture, fixture->left, &lie);
    expect(fixture, "foreign ");
    assert_int_equal(link_backlog(fixture->left), 1);
}

static void agent_takes_over_the_epoch(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[2];
    link_free(&fixture->right);
    fixture->right = link_new(INCARNATION, 0, HEARTBEAT_NS, START_NS);
    assert_int_equal(link_epoch(fixture->right), 0);
    send_text(fixture->left, "welcome");
    drain(fixture, fixture->left, frames, 2);
    receive(fixture, fixture->right, &frames[0]);
    assert_int_equal(link_epoch(fixture->right), EPOCH);
    drain_acknowledgement(fixture, fixture->right, frames, 2);
    assert_int_equal(frames[0].envelope.epoch, EPOCH);
    frames[0].envelope.epoch++;
    frames[0].envelope.acknowledged = 0;
    receive(fixture, fixture->right, &frames[0]);
    expect(fixture, "1:welcome/0 deliver 0:/1 foreign ");
}

static void unnumbered_message_is_not_the_links(void **state)
{
    struct fixture *fixture = *state;
    struct frame hello = {.envelope = {.incarnation = INCARNATION, .epoch = EPOCH}, .size = 3};
    receive(fixture, fixture->right, &hello);
    assert_int_equal(drain(fixture, fixture->right, NULL, 0), 0);
    expect(fixture, "none ");
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        LINK_TEST(delivers_in_order_and_acknowledges_once),
        LINK_TEST(acknowledgement_rides_on_a_message),
        LINK_TEST(a_message_of_many_links_is_one_piece_of_memory),
        LINK_TEST(many_messages_are_acknowledged_at_once),
        LINK_TEST(later_messages_do_not_defer_an_acknowledgement),
        LINK_TEST(gap_and_repeat_are_acknowledged_at_once),
        LINK_TEST(foreign_frames_change_nothing),
        LINK_TEST(queued_but_unsent_cannot_be_acknowledged),
        LINK_TEST(agent_takes_over_the_epoch),
        LINK_TEST(unnumbered_message_is_not_the_links),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
