/* What waits for others while the net gathers. */
#include "tests/unit/agent/net/stream_fixture.h"

#include "common/clock.h"

#include <string.h>

static struct stream *gathering(struct fixture *fixture)
{
    fixture->echo.is_silent = true;
    fixture_connect(fixture);
    net_gather(fixture->net, true);
    return fixture->listener.stream;
}

static void it_leaves_when_the_net_sends_or_gathers_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct stream *stream = gathering(fixture);

    assert_false(net_has_gathered(fixture->net));
    stream_write_soon(stream, bytes_of_string("one"));
    stream_write_soon(stream, bytes_of_string("two"));
    assert_true(net_has_gathered(fixture->net));
    assert_int_equal(stream_pending(stream), 6);
    assert_int_equal(stream_taken(stream), 0);
    assert_int_equal(stream_times(stream)->drained_ns, 0);
    net_send_gathered(fixture->net);
    assert_false(net_has_gathered(fixture->net));
    assert_int_equal(stream_pending(stream), 0);
    assert_int_equal(stream_taken(stream), 6);
    uint64_t drained_ns = stream_times(stream)->drained_ns;
    assert_in_range(drained_ns, 1, clock_now_ns());
    stream_write_soon(stream, bytes_of_string("three"));
    assert_int_equal(stream_taken(stream), 6);
    net_gather(fixture->net, false);
    assert_int_equal(stream_taken(stream), 11);
    assert_in_range(stream_times(stream)->drained_ns, drained_ns, clock_now_ns());
    stream_write_soon(stream, bytes_of_string("four"));
    assert_int_equal(stream_taken(stream), 15);
    fixture_turn(fixture, 10);
    assert_int_equal(fixture->echo.received, 15);
}

static void what_cannot_wait_leaves_after_what_has_waited(void **state)
{
    struct fixture *fixture = *state;
    fixture_connect(fixture);
    struct stream *stream = fixture->listener.stream;

    net_gather(fixture->net, true);
    stream_write_soon(stream, bytes_of_string("a"));
    stream_write(stream, bytes_of_string("b"));
    assert_int_equal(stream_taken(stream), 2);
    stream_write_soon(stream, bytes_of_string("c"));
    stream_write_borrowed(stream, bytes_of_string("d"));
    assert_int_equal(stream_taken(stream), 4);
    net_gather(fixture->net, false);
    fixture_turn(fixture, 20);
    assert_string_equal(buffer_string(&fixture->listener.data), "abcd");
}

/* More than there are places for, and more than there is room for. */
static void much_of_it_does_not_wait(void **state)
{
    struct fixture *fixture = *state;
    static char large[300 * 1024];
    struct stream *stream = gathering(fixture);

    for (int i = 0; i < 1000; i++) {
        stream_write_soon(stream, bytes_of_string("x"));
    }
    assert_in_range(stream_taken(stream), 900, 999);
    assert_int_equal(stream_taken(stream) + stream_pending(stream), 1000);
    stream_write_soon(stream, bytes_of(large, sizeof large));
    assert_true(stream_taken(stream) > 1000);
    assert_int_equal(stream_taken(stream) + stream_pending(stream), 1000 + sizeof large);
    net_gather(fixture->net, false);
}

static void a_stream_that_is_closed_says_it_before_unless_it_is_reset(void **state)
{
    struct fixture *fixture = *state;

    for (int is_reset = 0; is_reset <= 1; is_reset++) {
        struct stream *stream = gathering(fixture);
        size_t before = fixture->echo.received;
        stream_write_soon(stream, bytes_of_string("last"));
        stream_close(&fixture->listener.stream, is_reset);
        net_gather(fixture->net, false);
        assert_false(net_has_gathered(fixture->net));
        fixture_turn(fixture, 10);
        assert_int_equal(fixture->echo.received - before, is_reset ? 0 : 4);
    }
}

static void without_a_lease_it_waits_on(void **state)
{
    struct fixture *fixture = *state;
    struct stream *stream = gathering(fixture);

    stream_write_soon(stream, bytes_of_string("later"));
    atomic_store(&fixture->lease_until_ns, 1);
    net_gather(fixture->net, false);
    assert_int_equal(stream_taken(stream), 0);
    assert_int_equal(stream_pending(stream), 5);
    assert_int_equal(stream_times(stream)->drained_ns, 0);
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    fixture_turn(fixture, 20);
    assert_int_equal(stream_taken(stream), 5);
    assert_true(stream_times(stream)->drained_ns > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_leaves_when_the_net_sends_or_gathers_no_more),
        TEST(what_cannot_wait_leaves_after_what_has_waited),
        TEST(much_of_it_does_not_wait),
        TEST(a_stream_that_is_closed_says_it_before_unless_it_is_reset),
        TEST(without_a_lease_it_waits_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
