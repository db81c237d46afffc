/* One link end or two, frame by frame: the transcript of what leaves and how what arrives is judged is the
 * assertion. */
#include "common/memory.h"
#include "proto/link.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ull
#define START_NS (1000 * MS)
#define HEARTBEAT_NS (1000 * MS)
#define INCARNATION 77u
#define EPOCH 5u

struct frame {
    struct envelope envelope;
    char text[32];
    size_t size;
};

struct fixture {
    struct link *left;
    struct link *right;
    uint64_t now_ns;
    struct buffer transcript;
};

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    fixture->now_ns = START_NS;
    fixture->left = link_new(INCARNATION, EPOCH, HEARTBEAT_NS, START_NS);
    fixture->right = link_new(INCARNATION, EPOCH, HEARTBEAT_NS, START_NS);
    buffer_init(&fixture->transcript, 100000);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    link_free(&fixture->left);
    link_free(&fixture->right);
    buffer_finish(&fixture->transcript);
    memory_free(fixture);
    return 0;
}

static void send_bytes(struct link *link, size_t size, uint8_t fill)
{
    struct buffer message;
    buffer_init(&message, size);
    uint8_t *data = memory_new(1, size);
    memset(data, fill, size);
    assert_true(buffer_append(&message, data, size));
    memory_free(data);
    link_send(link, &message);
    buffer_finish(&message);
}

static void send_text(struct link *link, const char *text)
{
    struct buffer message;
    buffer_init(&message, 100);
    assert_true(buffer_append_string(&message, text));
    link_send(link, &message);
    buffer_finish(&message);
}

static bool take(struct fixture *fixture, struct link *link, struct frame *frame)
{
    struct bytes message;
    if (!link_next_frame(link, fixture->now_ns, &frame->envelope, &message)) {
        return false;
    }
    frame->size = message.size;
    size_t kept = message.size < sizeof frame->text - 1 ? message.size : sizeof frame->text - 1;
    memset(frame->text, 0, sizeof frame->text);
    if (kept > 0) {
        memcpy(frame->text, message.data, kept);
    }
    return true;
}

/* All that `link` has to send now, written down as "12:text/3" for sequence 12 with 3 acknowledged. */
static size_t drain(struct fixture *fixture, struct link *link, struct frame *frames, size_t capacity)
{
    size_t count = 0;
    struct frame frame;
    while (take(fixture, link, &frame)) {
        buffer_append_format(&fixture->transcript, "%" PRIu64 ":%s/%" PRIu64 " ", frame.envelope.sequence,
                             frame.text, frame.envelope.acknowledged);
        if (count < capacity) {
            frames[count] = frame;
        }
        count++;
    }
    return count;
}

/* What `link` sends when nothing has come for its acknowledgement to ride on. */
static size_t drain_acknowledgement(struct fixture *fixture, struct link *link, struct frame *frames,
                                    size_t capacity)
{
    assert_int_equal(drain(fixture, link, frames, capacity), 0);
    assert_int_equal(link_due_ns(link), fixture->now_ns + LINK_ACKNOWLEDGE_NS);
    fixture->now_ns += LINK_ACKNOWLEDGE_NS;
    return drain(fixture, link, frames, capacity);
}

static void receive(struct fixture *fixture, struct link *link, const struct frame *frame)
{
    static const char *const NAMES[] = {"deliver", "repeated", "gap", "none", "foreign"};
    enum link_verdict verdict = link_receive(link, fixture->now_ns, &frame->envelope, frame->size > 0);
    buffer_append_format(&fixture->transcript, "%s ", NAMES[verdict]);
}

static void expect(struct fixture *fixture, const char *transcript)
{
    assert_string_equal(buffer_string(&fixture->transcript), transcript);
    buffer_clear(&fixture->transcript);
}

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
    for (size_t i = 0; i < LINK_ACKNOWLEDGE_MESSAGES; i++) {
        send_text(fixture->left, "m");
    }
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

/* The first of them is what the other end waits for longest. */
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

static void window_bounds_messages(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[300];
    struct frame answer[1];
    for (int i = 0; i < 300; i++) {
        send_text(fixture->left, "m");
    }
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

static void dead_peer_gets_a_handful_until_it_answers(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[300];
    for (int i = 0; i < 200; i++) {
        send_text(fixture->left, "m");
    }
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_WINDOW_MESSAGES);
    fixture->now_ns += 260 * MS;
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_PROBE_MESSAGES);
    assert_int_equal(frames[0].envelope.sequence, 1);
    fixture->now_ns += 510 * MS;
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_PROBE_MESSAGES);
    receive(fixture, fixture->right, &frames[0]);
    assert_int_equal(drain_acknowledgement(fixture, fixture->right, frames, 1), 1);
    receive(fixture, fixture->left, &frames[0]);
    /* 2…16 are in flight; the window is whole again. */
    assert_int_equal(drain(fixture, fixture->left, frames, 300), LINK_WINDOW_MESSAGES - 15);
    assert_int_equal(frames[0].envelope.sequence, 17);
}

/* The acknowledgement of the first pass comes after the timeout has taken the link back. */
static void late_acknowledgement_passes_the_second_pass(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[40];
    struct frame answer[1];
    for (int i = 0; i < 30; i++) {
        send_text(fixture->left, "m");
    }
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
    for (int i = 0; i < 150; i++) {
        send_text(fixture->left, "m");
    }
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
    receive(fixture, fixture->right, &second[0]); /* nor does the newest one arrive anew */
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(delivers_in_order_and_acknowledges_once),
        TEST(acknowledgement_rides_on_a_message),
        TEST(many_messages_are_acknowledged_at_once),
        TEST(later_messages_do_not_defer_an_acknowledgement),
        TEST(gap_and_repeat_are_acknowledged_at_once),
        TEST(sends_again_with_doubling_timeouts),
        TEST(progress_resets_the_timeout),
        TEST(bytes_in_flight_lengthen_the_timeout),
        TEST(bytes_lengthen_it_by_three_doublings_at_most),
        TEST(window_bounds_messages),
        TEST(window_bounds_bytes_but_passes_one_giant),
        TEST(dead_peer_gets_a_handful_until_it_answers),
        TEST(late_acknowledgement_passes_the_second_pass),
        TEST(reconnect_sends_everything_again_at_once),
        TEST(heartbeat_when_nothing_left_for_long_enough),
        TEST(foreign_frames_change_nothing),
        TEST(queued_but_unsent_cannot_be_acknowledged),
        TEST(agent_takes_over_the_epoch),
        TEST(unnumbered_message_is_not_the_links),
        TEST(echoes_give_the_offset_of_the_clocks),
        TEST(old_repeats_do_not_lower_the_echo),
        TEST(confirmation_goes_forward_only_and_never_past_what_we_sent),
        TEST(impossible_delay_gives_no_sample),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
