/* Plain streams: how bytes go in and out, under a lease and without one. */
#include "tests/unit/agent/net/stream_fixture.h"

#include "common/clock.h"
#include "common/memory.h"

#include <signal.h>
#include <unistd.h>

#define LARGE_BYTES (8u * 1024u * 1024u)

static void bytes_go_there_and_back(void **state)
{
    struct fixture *fixture = *state;
    char peer[60];

    fixture_connect(fixture);
    snprintf(peer, sizeof peer, "127.0.0.3:%u", fixture->port);
    assert_string_equal(fixture->listener.peer, peer);
    assert_int_equal(stream_protocol(fixture->listener.stream).size, 0);
    assert_true(stream_times(fixture->listener.stream)->open_ns >=
                stream_times(fixture->listener.stream)->connected_ns);
    stream_write(fixture->listener.stream, bytes_of_string("hello, "));
    stream_write(fixture->listener.stream, bytes_of_string("there"));
    while (fixture->listener.data.size < 12) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_string_equal(buffer_string(&fixture->listener.data), "hello, there");
    assert_int_equal(stream_pending(fixture->listener.stream), 0);
}

static void nothing_begins_without_a_lease(void **state)
{
    struct fixture *fixture = *state;

    atomic_store(&fixture->lease_until_ns, 1);
    fixture_open(fixture, "127.0.0.3", fixture->port);
    fixture_turn(fixture, 20);
    assert_int_equal(fixture->echo.connections, 0);
    /* It is back before the net was held. */
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    fixture_turn(fixture, 200);
    assert_int_equal(fixture->listener.opened, 1);
    assert_int_equal(fixture->echo.connections, 1);
}

static void a_net_that_is_held_neither_reads_nor_writes(void **state)
{
    struct fixture *fixture = *state;

    fixture_connect(fixture);
    atomic_store(&fixture->lease_until_ns, 1);
    net_hold(fixture->net);
    stream_write(fixture->listener.stream, bytes_of_string("later"));
    uv_buf_t unasked = uv_buf_init((char[]){"early"}, 5);
    assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &unasked, 1), 5);
    fixture_turn(fixture, 20);
    assert_int_equal(stream_pending(fixture->listener.stream), 5);
    assert_int_equal(fixture->echo.received, 0);
    assert_int_equal(fixture->listener.data.size, 0);
    /* The lease is back, and the engine has not said yet that all may go on. */
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &unasked, 1), 5);
    fixture_turn(fixture, 20);
    assert_int_equal(fixture->listener.data.size, 0);
    net_go_on(fixture->net);
    fixture_turn(fixture, 20);
    assert_string_equal(buffer_string(&fixture->listener.data), "earlyearlylater");
    assert_int_equal(stream_pending(fixture->listener.stream), 0);
}

static void who_has_an_open_stream_is_told_of_a_lost_lease(void **state)
{
    struct fixture *fixture = *state;

    fixture_open(fixture, "127.0.0.3", fixture->port);
    net_lose(fixture->net);
    assert_int_equal(fixture->listener.lost, 0);
    fixture_connect(fixture);
    stream_write(fixture->listener.stream, bytes_of_string("before"));
    fixture_turn(fixture, 10);
    net_hold(fixture->net);
    net_lose(fixture->net);
    assert_int_equal(fixture->listener.lost, 1);
    assert_null(fixture->listener.stream);
    fixture_turn(fixture, 10);
    assert_false(fixture->echo.has_peer);
    net_go_on(fixture->net);
    fixture_turn(fixture, 10);
    assert_int_equal(fixture->listener.lost + fixture->listener.ended, 1);
}

/* The kernel dates what it receives, however late the loop looks for it. */
static void what_comes_is_dated_by_the_kernel_where_it_is_asked_to(void **state)
{
    struct fixture *fixture = *state;
    struct stream *stream;
    uint64_t at_ns[2];

    fixture_connect(fixture);
    stream = fixture->listener.stream;
    for (int is_stamped = 0; is_stamped <= 1; is_stamped++) {
        uv_buf_t some = uv_buf_init((char[]){"some"}, 4);
        if (is_stamped) {
            stream_stamp(stream);
        }
        /* The kernel begins to look at the clock a moment after it was asked to. */
        assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &some, 1), 4);
        fixture_turn(fixture, 20);
        at_ns[0] = clock_now_ns();
        assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &some, 1), 4);
        at_ns[1] = clock_now_ns();
        usleep(50000);
        fixture_turn(fixture, 5);
        uint64_t received_ns = stream_received_ns(stream);
        if (is_stamped) {
            assert_in_range(received_ns, at_ns[0] - 100000, at_ns[1] + 100000);
        } else {
            assert_in_range(received_ns, at_ns[1] + 50000000, clock_now_ns());
        }
    }
    assert_string_equal(buffer_string(&fixture->listener.data), "somesomesomesome");
}

static void what_the_kernel_takes_is_counted(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *large = memory_new(LARGE_BYTES, 1);

    fixture->echo.is_silent = true;
    fixture_connect(fixture);
    stream_write(fixture->listener.stream, bytes_of_string("hello"));
    assert_int_equal(stream_taken(fixture->listener.stream), 5);
    stream_write(fixture->listener.stream, bytes_of(large, LARGE_BYTES));
    while (stream_pending(fixture->listener.stream) > 0) {
        assert_int_equal(stream_taken(fixture->listener.stream) + stream_pending(fixture->listener.stream),
                         5 + LARGE_BYTES);
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stream_taken(fixture->listener.stream), 5 + LARGE_BYTES);
    memory_free(large);
}

static void a_stream_is_closed_within_its_callbacks(void **state)
{
    struct fixture *fixture = *state;
    struct listener *listener = &fixture->listener;

    listener->close_at = CLOSE_AT_OPEN;
    fixture_open(fixture, "127.0.0.3", fixture->port);
    fixture_await(fixture);
    assert_null(listener->stream);
    fixture_turn(fixture, 10);
    listener->close_at = CLOSE_AT_END;
    fixture_open(fixture, "127.0.0.4", fixture->port);
    fixture_await_end(fixture);
    fixture_open(fixture, "nowhere", fixture->port);
    fixture_await_end(fixture);
    fixture_turn(fixture, 10);
    fixture_connect(fixture);
    echo_drop(&fixture->echo);
    fixture_await_end(fixture);
    assert_int_equal(listener->failure, NET_OK);
    fixture_turn(fixture, 10);
    listener->close_at = CLOSE_AT_DATA;
    fixture_connect(fixture);
    stream_write(listener->stream, bytes_of_string("data"));
    fixture_turn(fixture, 20);
    assert_null(listener->stream);
    assert_int_equal(listener->ended, 0);
    /* And before any. */
    for (int turns = 0; turns < 8; turns++) {
        fixture_open(fixture, turns % 2 ? "later" : "127.0.0.3", fixture->port);
        fixture_turn(fixture, turns);
        stream_close(&listener->stream, turns % 3 == 0);
    }
    fixture_open(fixture, "never", fixture->port);
    fixture_turn(fixture, 3);
}

static void what_is_large_goes_as_the_reader_takes_it(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *large = memory_new(LARGE_BYTES, 1);
    uint32_t sum = 0;

    for (uint32_t i = 0; i < LARGE_BYTES; i++) {
        large[i] = (uint8_t)(i * 2654435761u >> 24);
        sum = sum * 31 + large[i];
    }
    fixture->echo.is_slow = fixture->echo.is_silent = true;
    fixture_connect(fixture);
    stream_write_borrowed(fixture->listener.stream, bytes_of(large, LARGE_BYTES));
    fixture_turn(fixture, 20);
    assert_in_range(stream_pending(fixture->listener.stream), 1, LARGE_BYTES - 1);
    echo_go_on(&fixture->echo);
    net_hold(fixture->net);
    fixture_turn(fixture, 20);
    size_t pending = stream_pending(fixture->listener.stream);
    assert_true(pending > 0);
    net_go_on(fixture->net);
    while (fixture->echo.received < LARGE_BYTES) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stream_pending(fixture->listener.stream), 0);
    assert_int_equal(fixture->echo.sum, sum);
    memory_free(large);
}

static void a_reset_is_told(void **state)
{
    struct fixture *fixture = *state;

    fixture_connect(fixture);
    fixture->echo.has_peer = false;
    uv_tcp_close_reset(&fixture->echo.peer, NULL);
    fixture_await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_RESET);
    assert_non_null(strstr(fixture->listener.text, "reset"));
    assert_int_equal(fixture->listener.ended, 1);
}

static void a_stream_is_quiet_until_something_has_come(void **state)
{
    struct fixture *fixture = *state;

    fixture_connect(fixture);
    assert_true(stream_is_quiet(fixture->listener.stream));
    uv_buf_t unasked = uv_buf_init((char[]){"x"}, 1);
    uv_try_write((uv_stream_t *)&fixture->echo.peer, &unasked, 1);
    usleep(1000);
    assert_false(stream_is_quiet(fixture->listener.stream));
    fixture_turn(fixture, 5);
    assert_true(stream_is_quiet(fixture->listener.stream));
    echo_drop(&fixture->echo);
    fixture_await_end(fixture);
    assert_false(stream_is_quiet(fixture->listener.stream));
}

static void what_comes_with_the_end_is_heard_before_it(void **state)
{
    struct fixture *fixture = *state;

    fixture_connect(fixture);
    uv_buf_t last = uv_buf_init((char[]){"last words"}, 10);
    assert_int_equal(uv_try_write((uv_stream_t *)&fixture->echo.peer, &last, 1), 10);
    echo_drop(&fixture->echo);
    fixture_await_end(fixture);
    assert_int_equal(fixture->listener.failure, NET_OK);
    assert_string_equal(buffer_string(&fixture->listener.data), "last words");
}

/* Between the timer that connects and the look at what is ready. */
static void speak_at_once(uv_prepare_t *prepare)
{
    struct fixture *fixture = prepare->data;
    int listening = -1;

    uv_fileno((uv_handle_t *)&fixture->echo.tcp, &listening);
    int fd = accept(listening, NULL, NULL);
    if (fd >= 0) {
        assert_int_equal(write(fd, "welcome", 7), 7);
        close(fd);
    }
}

static void a_server_that_speaks_first_and_goes_is_heard(void **state)
{
    struct fixture *fixture = *state;
    uv_prepare_t prepare;

    uv_prepare_init(&fixture->loop, &prepare);
    prepare.data = fixture;
    uv_prepare_start(&prepare, speak_at_once);
    fixture_open(fixture, "127.0.0.3", fixture->port);
    fixture_await_end(fixture);
    uv_close((uv_handle_t *)&prepare, NULL);
    assert_int_equal(fixture->listener.opened, 1);
    assert_int_equal(fixture->listener.failure, NET_OK);
    assert_string_equal(buffer_string(&fixture->listener.data), "welcome");
    fixture_turn(fixture, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_there_and_back),
        TEST(nothing_begins_without_a_lease),
        TEST(a_net_that_is_held_neither_reads_nor_writes),
        TEST(who_has_an_open_stream_is_told_of_a_lost_lease),
        TEST(what_comes_is_dated_by_the_kernel_where_it_is_asked_to),
        TEST(what_the_kernel_takes_is_counted),
        TEST(a_stream_is_closed_within_its_callbacks),
        TEST(what_is_large_goes_as_the_reader_takes_it),
        TEST(a_reset_is_told),
        TEST(a_stream_is_quiet_until_something_has_come),
        TEST(what_comes_with_the_end_is_heard_before_it),
        TEST(a_server_that_speaks_first_and_goes_is_heard),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* the server's own writes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
