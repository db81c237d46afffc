/* How what the shards have counted is divided into messages: exactly up to the bytes and buckets of one. */
#include "tests/unit/agent/core/test_agent_support.h"

#include "agent/core/agent_internal.h"
#include "common/histogram.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

/* So many histograms of so many buckets fill a message. */
#define FITTING 16u
#define BUCKETS (LIMIT_FROM_AGENT_BUCKETS / 2 / FITTING)
/* What an entry takes without its texts; the numbers of the steps take as much. */
#define ENTRY_BYTES 60u
/* With those, MANY entries with texts of LONG bytes and one of SHORT bytes fill a message. */
#define LONG 250u
#define MANY 845u
#define SHORT 74u
#define SOCKET_BYTES (WEBSOCKET_COUNTS * 5u + 60u) /* what a WebSocket with one code takes more */

static const char TEXT[LONG] = "text";

static void tell(struct fixture *fixture, const struct statistics *statistics)
{
    agent_send_statistics(fixture->agent, CAMPAIGN, statistics);
    turn_end(fixture);
}

static struct histogram *filled(void)
{
    struct histogram *histogram = histogram_new();
    histogram_record(histogram, histogram_bucket_lowest(BUCKETS - 1));
    return histogram;
}

/* The length of a text of entry `at`; behind what fills the message stands one entry more. */
static size_t length_of(size_t at)
{
    return at < MANY ? LONG : at == MANY ? SHORT : 1;
}

static void counts_without_entries_are_one_message(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    tell(fixture, &(struct statistics){.steps_ok = 3, .workers_running = 2});
    expect(fixture, "statistics(3 ok, 2 running)");
}

static void entries_of_all_kinds_go_together(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    struct histogram *histogram = histogram_new();
    struct request_statistics requests[] = {{.name = bytes_of(TEXT, 4), .latency_us = histogram}};
    struct wait_statistics waits[2] = {{.name = bytes_of(TEXT, 4), .waited_us = histogram},
                                       {.name = bytes_of(TEXT, 4), .waited_us = histogram}};
    struct error_statistics errors[3] = {{.text = bytes_of(TEXT, 4)}};
    struct check_statistics checks[4] = {{.name = bytes_of(TEXT, 4)}};
    for (size_t i = 1; i < 4; i++) {
        errors[i % 3] = errors[0];
        checks[i] = checks[0];
    }
    struct websocket_statistics sockets[] = {
        {.name = bytes_of(TEXT, 4), .handshake_us = histogram, .ping_us = histogram, .queued_us = histogram}};
    tell(fixture, &(struct statistics){.requests = requests,
                                       .request_count = 1,
                                       .waits = waits,
                                       .wait_count = 2,
                                       .errors = errors,
                                       .error_count = 3,
                                       .checks = checks,
                                       .check_count = 4,
                                       .websockets = sockets,
                                       .websocket_count = 1});
    expect(fixture, "statistics(0 ok, 0 running, 1 requests, 2 waits, 3 errors, 1 websockets, 4 checks)");
    histogram_free(&histogram);
}

/* One histogram of each entry is full: that at `offset` of it. */
static void expect_requests(struct fixture *fixture, size_t offset, struct statistics whole,
                            const char *expected)
{
    struct histogram *empty = histogram_new();
    struct histogram *full = filled();
    struct request_statistics requests[FITTING + 1];
    for (size_t i = 0; i <= FITTING; i++) {
        requests[i] = (struct request_statistics){.name = bytes_of(TEXT, 4), .latency_us = empty};
        memcpy((uint8_t *)&requests[i] + offset, &full, sizeof full);
    }
    whole.requests = requests;
    whole.request_count = FITTING + 1;
    tell(fixture, &whole);
    expect(fixture, expected);
    histogram_free(&empty);
    histogram_free(&full);
}

static void requests_have_so_many_buckets(void **state)
{
    struct fixture *fixture = *state;
    static const char DIVIDED[] =
        "statistics(0 ok, 0 running, 16 requests) statistics(0 ok, 0 running, 1 requests)";
    start_joined(fixture);
    struct statistics none = {0};
    expect_requests(fixture, offsetof(struct request_statistics, latency_us), none, DIVIDED);
    expect_requests(fixture, offsetof(struct request_statistics, response_us), none, DIVIDED);
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        size_t offset = offsetof(struct request_statistics, phase_us) + phase * sizeof(struct histogram *);
        expect_requests(fixture, offset, none, DIVIDED);
    }
}

static void buckets_of_the_steps_count_as_well(void **state)
{
    struct fixture *fixture = *state;
    static const char DIVIDED[] =
        "statistics(0 ok, 0 running, 15 requests) statistics(0 ok, 0 running, 2 requests)";
    start_joined(fixture);
    struct histogram *full = filled();
    size_t latency = offsetof(struct request_statistics, latency_us);
    expect_requests(fixture, latency, (struct statistics){.step_us = full}, DIVIDED);
    expect_requests(fixture, latency, (struct statistics){.late_us = full}, DIVIDED);
    expect_requests(fixture, latency, (struct statistics){.response_us = full}, DIVIDED);
    histogram_free(&full);
}

static void waits_have_so_many_buckets(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    struct histogram *full = filled();
    struct wait_statistics waits[FITTING + 1];
    for (size_t i = 0; i <= FITTING; i++) {
        waits[i] = (struct wait_statistics){.name = bytes_of(TEXT, 4), .waited_us = full};
    }
    tell(fixture, &(struct statistics){.waits = waits, .wait_count = FITTING + 1});
    expect(fixture, "statistics(0 ok, 0 running, 16 waits) statistics(0 ok, 0 running, 1 waits)");
    histogram_free(&full);
}

static void websockets_have_so_many_buckets(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    struct histogram *full = filled();
    struct histogram *empty = histogram_new();
    for (size_t kind = 0; kind < 3; kind++) {
        struct websocket_statistics sockets[FITTING + 1];
        for (size_t i = 0; i <= FITTING; i++) {
            sockets[i] = (struct websocket_statistics){.name = bytes_of(TEXT, 4),
                                                       .handshake_us = kind == 0 ? full : empty,
                                                       .ping_us = kind == 1 ? full : empty,
                                                       .queued_us = kind == 2 ? full : empty};
        }
        tell(fixture, &(struct statistics){.websockets = sockets, .websocket_count = FITTING + 1});
        expect(fixture,
               "statistics(0 ok, 0 running, 16 websockets) statistics(0 ok, 0 running, 1 websockets)");
    }
    histogram_free(&full);
    histogram_free(&empty);
}

static void names_of_requests_and_waits_fill_a_message(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    struct histogram *empty = histogram_new();
    struct request_statistics *requests = memory_new(MANY + 2, sizeof *requests);
    struct wait_statistics *waits = memory_new(MANY + 2, sizeof *waits);
    for (size_t i = 0; i < MANY + 2; i++) {
        requests[i].name = waits[i].name = bytes_of(TEXT, length_of(i));
        requests[i].latency_us = waits[i].waited_us = empty;
    }
    tell(fixture, &(struct statistics){.requests = requests, .request_count = MANY + 2});
    expect(fixture, "statistics(0 ok, 0 running, 846 requests) statistics(0 ok, 0 running, 1 requests)");
    tell(fixture, &(struct statistics){.waits = waits, .wait_count = MANY + 2});
    expect(fixture, "statistics(0 ok, 0 running, 846 waits) statistics(0 ok, 0 running, 1 waits)");
    memory_free(requests);
    memory_free(waits);
    histogram_free(&empty);
}

static void texts_of_errors_and_checks_fill_a_message(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    struct error_statistics *errors = memory_new(MANY + 2, sizeof *errors);
    struct check_statistics *checks = memory_new(MANY + 2, sizeof *checks);
    for (size_t i = 0; i < MANY + 2; i++) {
        size_t third = length_of(i) / 3;
        errors[i].key = errors[i].scenario = bytes_of(TEXT, third);
        errors[i].text = bytes_of(TEXT, length_of(i) - 2 * third);
        checks[i].text = bytes_of(TEXT, third);
        checks[i].name = bytes_of(TEXT, length_of(i) - third);
    }
    tell(fixture, &(struct statistics){.errors = errors, .error_count = MANY + 2});
    expect(fixture, "statistics(0 ok, 0 running, 846 errors) statistics(0 ok, 0 running, 1 errors)");
    tell(fixture, &(struct statistics){.checks = checks, .check_count = MANY + 2});
    expect(fixture, "statistics(0 ok, 0 running, 846 checks) statistics(0 ok, 0 running, 1 checks)");
    memory_free(errors);
    memory_free(checks);
}

/* MANY less one as large as the others', and two that share what is left. */
static void codes_of_websockets_count_as_well(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    struct histogram *empty = histogram_new();
    struct websocket_statistics *sockets = memory_new(MANY + 2, sizeof *sockets);
    size_t left = LIMIT_BATCH_BYTES - ENTRY_BYTES - (MANY - 1) * (ENTRY_BYTES + LONG);
    for (size_t i = 0; i < MANY + 2; i++) {
        size_t bytes = i < MANY - 1 ? ENTRY_BYTES + LONG : left / 2;
        sockets[i] =
            (struct websocket_statistics){.handshake_us = empty, .ping_us = empty, .queued_us = empty};
        sockets[i].name = bytes_of(TEXT, bytes - ENTRY_BYTES - SOCKET_BYTES);
        sockets[i].codes.size = 1;
        sockets[i].codes.items[0].code = 1000;
        sockets[i].codes.items[0].count = 1;
    }
    tell(fixture, &(struct statistics){.websockets = sockets, .websocket_count = MANY + 2});
    expect(fixture, "statistics(0 ok, 0 running, 846 websockets) statistics(0 ok, 0 running, 1 websockets)");
    memory_free(sockets);
    histogram_free(&empty);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(counts_without_entries_are_one_message),
        CASE(entries_of_all_kinds_go_together),
        CASE(requests_have_so_many_buckets),
        CASE(buckets_of_the_steps_count_as_well),
        CASE(waits_have_so_many_buckets),
        CASE(websockets_have_so_many_buckets),
        CASE(names_of_requests_and_waits_fill_a_message),
        CASE(texts_of_errors_and_checks_fill_a_message),
        CASE(codes_of_websockets_count_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
