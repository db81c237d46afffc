/* What an engine does while the agent has no lease, and afterwards. */
#include "tests/unit/agent/http/http_fixture.h"

#include "agent/http/curl/curl_kind.h"
#include "agent/http/native/native_kind.h"
#include "agent/net/stream.h"
#include "common/clock.h"
#include "common/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void end_lease(struct fixture *fixture)
{
    atomic_store(&fixture->lease_until_ns, 1);
}

static void renew_lease(struct fixture *fixture)
{
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
}

/* As if the process had not run for this long, and the lease had ended meanwhile. */
static void freeze(struct fixture *fixture, uint64_t for_ns)
{
    end_lease(fixture);
    fixture->lease.looked_ns -= for_ns;
}

static void without_a_lease_nothing_leaves_and_nothing_is_lost(void **state)
{
    struct fixture *fixture = *state;
    fixture_get(fixture, 0, "/ok");
    end_lease(fixture);
    fixture_start(fixture, 0, "/ok", (struct http_request){0});
    fixture_start(fixture, 1, "/ok", (struct http_request){0});
    fixture_turn(fixture, 50);
    assert_false(fixture->users[0].is_done);
    assert_false(fixture->users[1].is_done);
    assert_int_equal(rude_server_requests(fixture->server), 1);
    renew_lease(fixture);
    assert_int_equal(fixture_await(fixture, 0)->failure, HTTP_OK);
    assert_int_equal(fixture_await(fixture, 1)->failure, HTTP_OK);
    assert_int_equal(rude_server_requests(fixture->server), 3);
}

static void an_answer_that_comes_without_a_lease_is_read_with_the_next(void **state)
{
    struct fixture *fixture = *state;
    fixture_start(fixture, 0, "/stall", (struct http_request){.timeout_ms = 100});
    fixture_turn(fixture, 10);
    assert_int_equal(rude_server_requests(fixture->server), 1);
    end_lease(fixture);
    fixture_turn(fixture, 200);
    assert_false(fixture->users[0].is_done);
    renew_lease(fixture);
    assert_int_equal(fixture_await(fixture, 0)->failure, HTTP_TIMEOUT);
}

static void count_round(uv_check_t *check)
{
    ++*(unsigned *)check->data;
}

/* A deadline that passes without a lease has to wait for the next one; the loop goes on meanwhile. */
static void the_loop_goes_on_without_a_lease(void **state)
{
    struct fixture *fixture = *state;
    unsigned rounds = 0;
    uv_check_t check;
    uv_check_init(&fixture->loop, &check);
    check.data = &rounds;
    uv_check_start(&check, count_round);
    fixture_start(fixture, 0, "/stall", (struct http_request){.timeout_ms = 250});
    fixture_turn(fixture, 10);
    end_lease(fixture);
    for (int i = 0; i < 3; i++) {
        fixture_turn(fixture, 1);
        usleep(150000); /* a loop that sleeps: its timers come due */
    }
    assert_in_range(rounds, 13, 100);
    assert_false(fixture->users[0].is_done);
    renew_lease(fixture);
    assert_int_equal(fixture_await(fixture, 0)->failure, HTTP_TIMEOUT);
    uv_close((uv_handle_t *)&check, NULL);
    fixture_turn(fixture, 1);
}

static void who_was_frozen_past_its_lease_gives_up_what_was_begun(void **state)
{
    struct fixture *fixture = *state;
    fixture_get(fixture, 0, "/ok");
    freeze(fixture, LEASE_FROZEN_NS);
    fixture_start(fixture, 0, "/ok", (struct http_request){0});
    fixture_start(fixture, 1, "/ok", (struct http_request){0});
    assert_int_equal(fixture_await(fixture, 0)->failure, HTTP_LOST);
    assert_int_equal(fixture_await(fixture, 1)->failure, HTTP_LOST);
    assert_string_equal(http_failure_name(HTTP_LOST), "lost");
    fixture_turn(fixture, 50);
    assert_int_equal(rude_server_requests(fixture->server), 1);
    renew_lease(fixture);
    assert_string_equal(fixture_get(fixture, 0, "/ok"), "2"); /* over a new connection */
}

static void note_stream_open(void *context)
{
    ++*(unsigned *)context;
}

static void note_stream_lost(void *context)
{
    *(unsigned *)context += 10;
}

static void connections_beside_the_requests_are_lost_too(void **state)
{
    static const struct stream_callbacks callbacks = {.on_open = note_stream_open,
                                                      .on_lost = note_stream_lost};
    struct fixture *fixture = *state;
    const struct stream_target target = {
        .host = "127.0.0.1", .is_literal = true, .port = (uint16_t)rude_server_port(fixture->server)};
    unsigned told = 0;

    if (fixture_kind != &native_kind) {
        return;
    }
    struct stream *stream = stream_open(native_kind_net(fixture->engine), &target, &callbacks, &told);
    fixture_turn(fixture, 50);
    assert_int_equal(told, 1);
    end_lease(fixture);
    fixture_turn(fixture, 5);
    assert_int_equal(told, 1); /* it may come back */
    renew_lease(fixture);
    fixture_turn(fixture, 5);
    freeze(fixture, LEASE_FROZEN_NS);
    fixture_turn(fixture, 5);
    assert_true(told >= 11);
    stream_close(&stream, true);
    fixture_turn(fixture, 1);
}

static void who_is_held_for_too_long_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    fixture_start(fixture, 0, "/ok", (struct http_request){0});
    end_lease(fixture);
    fixture_turn(fixture, 5);
    assert_false(fixture->users[0].is_done);
    fixture->lease.over_ns -= LEASE_MOST_HELD_NS;
    assert_int_equal(fixture_await(fixture, 0)->failure, HTTP_LOST);
    assert_int_equal(rude_server_requests(fixture->server), 0);
}

/* The kernel has accepted megabytes of it by then: they are dropped with the connection. */
static void the_rest_of_a_body_is_not_sent(void **state)
{
    static char body[32 * 1024 * 1024];
    struct fixture *fixture = *state;
    struct http_request put = {.method = "PUT", .body = bytes_of(body, sizeof body), .has_body = true};
    fixture_start(fixture, 0, "/sink", put);
    fixture_turn(fixture, 100);
    assert_true(rude_server_sunk(fixture->server) > 0);
    freeze(fixture, LEASE_FROZEN_NS);
    assert_int_equal(fixture_await(fixture, 0)->failure, HTTP_LOST);
    rude_server_drain(fixture->server);
    for (int i = 0; i < 2000 && !rude_server_has_ended(fixture->server); i++) {
        fixture_turn(fixture, 1);
    }
    assert_true(rude_server_has_ended(fixture->server));
    assert_true(rude_server_sunk(fixture->server) < 1024 * 1024);
}

static void what_is_cancelled_without_a_lease_is_reset(void **state)
{
    static char body[32 * 1024 * 1024];
    struct fixture *fixture = *state;
    struct http_request put = {.method = "PUT", .body = bytes_of(body, sizeof body), .has_body = true};
    fixture_start(fixture, 0, "/sink", put);
    fixture_turn(fixture, 100);
    end_lease(fixture);
    fixture->users[0].exchange = NULL;
    http_client_free(&fixture->users[0].client);
    rude_server_drain(fixture->server);
    for (int i = 0; i < 2000 && !rude_server_has_ended(fixture->server); i++) {
        fixture_turn(fixture, 1);
    }
    assert_true(rude_server_has_ended(fixture->server));
    assert_true(rude_server_sunk(fixture->server) < 1024 * 1024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_lease_nothing_leaves_and_nothing_is_lost),
        TEST(an_answer_that_comes_without_a_lease_is_read_with_the_next),
        TEST(the_loop_goes_on_without_a_lease),
        TEST(who_was_frozen_past_its_lease_gives_up_what_was_begun),
        TEST(connections_beside_the_requests_are_lost_too),
        TEST(who_is_held_for_too_long_is_given_up),
        TEST(the_rest_of_a_body_is_not_sent),
        TEST(what_is_cancelled_without_a_lease_is_reset),
    };
    fixture_kind = &curl_kind;
    int failed = cmocka_run_group_tests_name("curl", tests, NULL, NULL);
    fixture_kind = &native_kind;
    return failed + cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
