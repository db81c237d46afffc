/* What a link learns from echoes: the offset of the clocks, and how long ago the peer last heard us. */
#include "tests/unit/proto/link/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The peer's clock is 7 s ahead; 3 ms there, 20 ms held, 5 ms back. */
static void echoes_give_the_offset_of_the_clocks(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[1];
    struct link_sample sample;
    uint64_t ahead_ns = 7000 * MS;
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, frames, 1);
    fixture->now_ns += 3 * MS + ahead_ns;
    receive(fixture, fixture->right, &frames[0]);
    fixture->now_ns += 20 * MS;
    drain(fixture, fixture->right, frames, 1);
    assert_int_equal(frames[0].envelope.echoed_sent_ns, START_NS);
    assert_int_equal(frames[0].envelope.echo_delay_ns, 20 * MS);
    fixture->now_ns += 5 * MS - ahead_ns;
    assert_false(link_take_sample(fixture->left, &sample));
    receive(fixture, fixture->left, &frames[0]);
    assert_true(link_take_sample(fixture->left, &sample));
    assert_int_equal(sample.round_trip_ns, 8 * MS);
    assert_int_equal(sample.offset_ns, (int64_t)(ahead_ns - MS));
    assert_int_equal(sample.our_sent_ns, START_NS);
    assert_int_equal(sample.peer_received_ns, START_NS + ahead_ns + 3 * MS);
    assert_int_equal(sample.our_received_ns, fixture->now_ns);
    assert_false(link_take_sample(fixture->left, &sample));
    receive(fixture, fixture->left, &frames[0]); /* repeated by the network: nothing new */
    assert_false(link_take_sample(fixture->left, &sample));
}

static void old_repeats_do_not_lower_the_echo(void **state)
{
    struct fixture *fixture = *state;
    struct frame first[1];
    struct frame second[1];
    struct frame answer[1];
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, first, 1);
    fixture->now_ns += 10 * MS;
    send_text(fixture->left, "b");
    drain(fixture, fixture->left, second, 1);
    receive(fixture, fixture->right, &first[0]);
    receive(fixture, fixture->right, &second[0]);
    fixture->now_ns += 10 * MS;
    receive(fixture, fixture->right, &first[0]);
    receive(fixture, fixture->right, &second[0]); /* nor does the newest one if it arrives again */
    drain(fixture, fixture->right, answer, 1);
    assert_int_equal(answer[0].envelope.echoed_sent_ns, START_NS + 10 * MS);
    assert_int_equal(answer[0].envelope.echo_delay_ns, 10 * MS);
}

static void confirmation_goes_forward_only_and_never_past_what_we_sent(void **state)
{
    struct fixture *fixture = *state;
    struct frame frame = {.envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .sent_ns = 500 * MS}};
    struct link_sample sample;
    assert_int_equal(link_confirmed_ns(fixture->left), START_NS);
    frame.envelope.echoed_sent_ns = START_NS + 5 * MS; /* nothing was sent yet */
    receive(fixture, fixture->left, &frame);
    assert_int_equal(link_confirmed_ns(fixture->left), START_NS);
    fixture->now_ns += 100 * MS;
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, NULL, 0);
    frame.envelope.echoed_sent_ns = fixture->now_ns + 1;
    receive(fixture, fixture->left, &frame);
    assert_int_equal(link_confirmed_ns(fixture->left), START_NS);
    assert_false(link_take_sample(fixture->left, &sample));
    frame.envelope.echoed_sent_ns = fixture->now_ns;
    receive(fixture, fixture->left, &frame);
    assert_int_equal(link_confirmed_ns(fixture->left), START_NS + 100 * MS);
    frame.envelope.echoed_sent_ns = START_NS + 50 * MS;
    receive(fixture, fixture->left, &frame);
    assert_int_equal(link_confirmed_ns(fixture->left), START_NS + 100 * MS);
}

static void impossible_delay_gives_no_sample(void **state)
{
    struct fixture *fixture = *state;
    struct link_sample sample;
    send_text(fixture->left, "a");
    drain(fixture, fixture->left, NULL, 0);
    fixture->now_ns += 10 * MS;
    struct frame frame = {.envelope = {.incarnation = INCARNATION,
                                       .epoch = EPOCH,
                                       .sent_ns = UINT64_MAX,
                                       .echoed_sent_ns = START_NS,
                                       .echo_delay_ns = 11 * MS}};
    receive(fixture, fixture->left, &frame);
    assert_false(link_take_sample(fixture->left, &sample));
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        LINK_TEST(echoes_give_the_offset_of_the_clocks),
        LINK_TEST(old_repeats_do_not_lower_the_echo),
        LINK_TEST(confirmation_goes_forward_only_and_never_past_what_we_sent),
        LINK_TEST(impossible_delay_gives_no_sample),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
