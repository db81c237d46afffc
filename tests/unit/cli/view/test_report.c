/* The live line, the report for people and the report as JSON. */
#include "cli/base/format.h"
#include "cli/view/live_line.h"
#include "cli/view/report_text.h"
#include "common/memory.h"
#include "coordinator/json/report_json.h"
#include "tests/unit/cli/view/sample_report.h"
#include "tests/unit/common/check.h"

#include <jansson.h>
#include <string.h>

static int setup(void **state)
{
    struct sample_report *sample = MEMORY_NEW(struct sample_report);
    sample_report_init(sample);
    *state = sample;
    return 0;
}

static int teardown(void **state)
{
    sample_report_finish(*state);
    memory_free(*state);
    return 0;
}

static void live_line_of(const struct sample_report *sample, struct buffer *line)
{
    SCOPED(report_view_free) struct report_view *report = sample_report_view(sample);
    live_line_compose(report, line);
}

static void text_of(const struct sample_report *sample, bool has_colour, struct buffer *text)
{
    SCOPED(report_view_free) struct report_view *report = sample_report_view(sample);
    report_text(report, has_colour, text);
}

static void live_line_tells_how_it_is(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, 1024);
    sample->report.recent = (struct series_recent){.seconds = 10, .requests = 860, .p95_us = 95000};
    live_line_of(sample, &line);
    assert_string_equal(buffer_string(&line),
                        "1:05  6 workers  4,321 ok  12 failed  last 10 s: 86.0 requests/s, "
                        "p95 95.0 ms  4 wait for the writer of pad@12");
    buffer_clear(&line);
    sample->report.recent.failed = 125;
    live_line_of(sample, &line);
    assert_non_null(strstr(buffer_string(&line), "last 10 s: 86.0 requests/s, 12.5 failed/s, p95 95.0 ms"));
    buffer_clear(&line);
    sample->report.state = CAMPAIGN_STOPPING;
    sample->report.running_ns = 3725000000000ULL;
    sample->report.workers_running = 1;
    sample->report.requests_total = 0;
    sample->report.waiting = bytes_of_string("");
    live_line_of(sample, &line);
    assert_string_equal(buffer_string(&line), "1:02:05  stopping  1 worker  4,321 ok  12 failed");
}

static void live_line_counts_open_websockets_and_their_messages(void **state)
{
    struct sample_report *sample = *state;
    struct websocket_report websockets[2] = {{.name = bytes_of_string("a")}, {.name = bytes_of_string("b")}};
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, 1024);
    for (size_t i = 0; i < 2; i++) {
        websockets[i].handshake_us = websockets[i].ping_us = websockets[i].queued_us = sample->empty;
        websockets[i].counts[WEBSOCKET_COUNT_OPENED] = 100;
        websockets[i].counts[WEBSOCKET_COUNT_CLOSED_BY_US] = 10;
        websockets[i].counts[WEBSOCKET_COUNT_CLOSED_BY_PEER] = 20;
        websockets[i].counts[WEBSOCKET_COUNT_LOST] = 30;
        websockets[i].counts[WEBSOCKET_COUNT_MESSAGES_IN] = 500;
        websockets[i].counts[WEBSOCKET_COUNT_MESSAGES_OUT] = 50;
    }
    sample->report.websockets = websockets;
    sample->report.websocket_count = 2;
    sample->report.recent = (struct series_recent){.seconds = 10, .messages = 500};
    live_line_of(sample, &line);
    assert_non_null(strstr(buffer_string(&line), "  80 WebSockets, 50.0 messages/s  "));
}

static void scenarios_stand_beside_their_weights(void **state)
{
    struct sample_report *sample = *state;
    struct scenario_report scenarios[] = {
        {.name = bytes_of_string("browse"), .weight_milli = 4000, .steps_ok = 700, .steps_failed = 50},
        {.name = bytes_of_string("buy"), .weight_milli = 1000, .steps_ok = 240, .steps_stopped = 10},
    };
    scenarios[0].step_us = scenarios[1].step_us = sample->latency_us;
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 100000);
    sample->report.scenarios = scenarios;
    sample->report.scenario_count = 1;
    text_of(sample, false, &text);
    assert_null(strstr(buffer_string(&text), "by weight"));
    buffer_clear(&text);
    sample->report.scenario_count = 2;
    text_of(sample, false, &text);
    const char *found = strstr(buffer_string(&text), "  scenarios");
    assert_non_null(found);
    assert_non_null(strstr(found, "  browse     700      50  75.0 %     80.0 %  50.0 ms  95.0 ms"));
    assert_non_null(strstr(found, "  buy        240       0  25.0 %     20.0 %  50.0 ms  95.0 ms"));
}

static void live_line_divides_by_no_time(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, 1024);
    sample->report.running_ns = 0;
    live_line_of(sample, &line);
    assert_non_null(strstr(buffer_string(&line), "  0.0 requests/s, p95 0 µs"));
}

/* The line of `text` that begins with `start`, or NULL. */
static const char *line_of(const char *text, const char *start, char line[256])
{
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        if (strncmp(at, start, strlen(start)) == 0) {
            (void)snprintf(line, 256, "%.*s", (int)strcspn(at, "\n"), at);
            return line;
        }
        if (at[strcspn(at, "\n")] == '\0') {
            break;
        }
    }
    return NULL;
}

static void assert_line(const char *text, const char *start, const char *expected)
{
    char line[256];
    assert_non_null(line_of(text, start, line));
    assert_string_equal(line, expected);
}

static void assert_no_line_is_wider(const char *text, size_t columns)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        if (format_columns(bytes_of(text, size)) > columns) {
            fail_msg("%.*s", (int)size, text);
        }
        text += size + (text[size] == '\n' ? 1 : 0);
    }
}

static void report_says_how_many_ran_where_that_was_changed(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    text_of(sample, false, &buffer);
    assert_line(buffer_string(&buffer), "  workers", "  workers 9 ran, 6 of them are left");
    buffer_clear(&buffer);
    sample->report.state = CAMPAIGN_ENDED;
    text_of(sample, false, &buffer);
    assert_line(buffer_string(&buffer), "  workers", "  workers 9 ran, 6 of them to the end");
    sample->report.workers_ran = 6;
    buffer_clear(&buffer);
    text_of(sample, false, &buffer);
    assert_null(strstr(buffer_string(&buffer), "  workers "));
}

static void report_fits_a_terminal(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    for (size_t i = 0; i < sample->report.request_count; i++) {
        sample->requests[i].name = bytes_of_string("POST /api/v1/customers/N/orders/N/items");
    }
    text_of(sample, false, &buffer);
    assert_no_line_is_wider(buffer_string(&buffer), 80);
    assert_line(buffer_string(&buffer), "  POST", "  POST /api/v1/customers/N/orders/N/items");
}

static void report_has_everything_in_columns(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    text_of(sample, false, &buffer);
    const char *text = buffer_string(&buffer);
    assert_line(text, "failed", "failed: 12 steps failed");
    assert_line(text, "  steps", "  steps   4,321 ok, 12 failed (5 by a loss)  (66.7 steps/s)");
    assert_line(text, "  agents", "  agents  agent-1  3 workers, joined  (process 11)");
    assert_line(text, "          agent-2", "          agent-2  3 workers, lost  (process 11)");
    assert_line(text, "  GET", "  GET /pad  1,234       7  50.0 ms  95.0 ms  99.0 ms  100 ms");
    assert_line(text, "  edit seen", "  edit seen  1,234       7  50.0 ms  95.0 ms  99.0 ms  100 ms");
    assert_line(text, "  pad.wait_for_writer",
                "  pad.wait_for_writer     100  50.0 ms  99.0 ms  96 ok, 4 short");
    assert_line(text, "  12 ×", "  12 × pad.lua:7: \\x1b[31mno\\xff");
    assert_line(text, "      first", "      first: worker 4, step 2, scenario browse");
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "spread"));
}

static void report_says_how_a_plan_was_kept(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    text_of(sample, false, &buffer);
    assert_null(strstr(buffer_string(&buffer), "load    "));
    sample->options.pacing_ms = 100;
    sample->report.late_us = sample->report.request_response_us = sample->latency_us;
    buffer_clear(&buffer);
    text_of(sample, false, &buffer);
    assert_line(buffer_string(&buffer), "  load",
                "  load    steps began late by p50 50.0 ms, p99 99.0 ms, max 100 ms");
    assert_non_null(strstr(buffer_string(&buffer),
                           "  p99     of requests: response time 99.0 ms (since the intended start),\n"
                           "          service time 99.0 ms\n"));
    sample->options.pacing_ms = 0;
    sample->options.rate = bytes_of_string("5/s");
    sample->report.arrivals = 1234;
    sample->report.dropped = 7;
    sample->report.request_latency_us = sample->empty;
    buffer_clear(&buffer);
    text_of(sample, false, &buffer);
    assert_non_null(strstr(buffer_string(&buffer),
                           "  load    1,234 arrivals, 7 dropped; steps began late by p50 50.0 ms,\n"
                           "          p99 99.0 ms, max 100 ms\n"));
    assert_non_null(strstr(buffer_string(&buffer),
                           "  p99     of steps: response time 0 µs (since the intended start),\n"
                           "          service time 99.0 ms\n"));
}

static void report_shows_phases_where_they_were_measured(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    text_of(sample, false, &buffer);
    assert_null(strstr(buffer_string(&buffer), "phases"));
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        sample->requests[0].phase_us[phase] = phase < REQUEST_WAITING ? sample->empty : sample->latency_us;
    }
    buffer_clear(&buffer);
    text_of(sample, false, &buffer);
    const char *table = strstr(buffer_string(&buffer), "  phases p95");
    assert_non_null(table);
    assert_line(table, "  phases p95",
                "  phases p95  blocked  lookup  connect   tls  sending  waiting  receiving");
    assert_line(table, "  GET /pad",
                "  GET /pad       0 µs    0 µs     0 µs  0 µs     0 µs  95.0 ms    95.0 ms");
}

static void report_is_coloured_only_when_asked(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    text_of(sample, true, &buffer);
    assert_non_null(strstr(buffer_string(&buffer), "\033[31mfailed\033[0m"));
}

static void report_leaves_out_what_is_not_there(void **state)
{
    struct sample_report *sample = *state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, REPORT_TEXT_MAX_BYTES);
    sample->report.request_count = 0;
    sample->report.wait_count = 0;
    sample->report.error_count = 0;
    sample->report.reason = bytes_of_string("");
    sample->report.verdict = VERDICT_PASSED;
    histogram_record(sample->empty, 1500);
    text_of(sample, false, &buffer);
    const char *text = buffer_string(&buffer);
    assert_line(text, "passed", "passed");
    assert_null(strstr(text, "requests"));
    assert_null(strstr(text, "errors"));
    assert_line(text, "  spread", "  spread  of simultaneous releases: p50 1.50 ms, max 1.50 ms");
}

static void report_says_how_agents_were_and_who_could_not_keep_up(void **state)
{
    struct sample_report *sample = *state;
    struct buffer buffer SCOPED(buffer_finish);
    buffer_init(&buffer, 1u << 16);
    struct bottleneck_report bottlenecks[] = {
        {.agent = bytes_of_string("web-3"), .strained_us = 14000000, .lag_maximum_us = 210000, .busy = 0.994},
        {.agent = bytes_of_string("web-4"), .strained_us = 5000000, .busy = 1, .host_cpu = 0.97},
    };
    struct agent_report *agent = &sample->agents[0];
    agent->is_measured = agent->has_clock = true;
    agent->cpu = 1.42;
    agent->memory_bytes = 35u << 20;
    agent->lag_p99_us = 310;
    agent->lag_maximum_us = 12000;
    agent->clock_offset_ns = 3000000000;
    agent->clock_uncertainty_ns = 40000;
    sample->report.bottlenecks = bottlenecks;
    sample->report.bottleneck_count = 2;
    text_of(sample, false, &buffer);
    const char *text = buffer_string(&buffer);
    assert_non_null(strstr(text, "            cpu 142 %, 35 MiB, loop lag p99 310 µs, max 12.0 ms,\n"
                                 "            clock −3.00 s ± 40 µs\n"));
    assert_non_null(
        strstr(text, "  warning agent web-3 was the bottleneck for 14.0 s: its loop was busy 99 % of\n"
                     "          the time and came round up to 210 ms late; use more agents or shards\n"));
    assert_non_null(strstr(text, "agents on more hosts\n"));
    assert_no_line_is_wider(text, 80);
}

static void json_has_the_keys_of_the_contract(void **state)
{
    struct sample_report *sample = *state;
    sample->report.state = CAMPAIGN_ENDED;
    SCOPED(report_view_free) struct report_view *report = sample_report_view(sample);
    SCOPED(memory_free_at) char *text = report_json(report);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    const char *verdict = NULL;
    const char *started_at = NULL;
    const char *kind = NULL;
    const char *message = NULL;
    json_int_t ok = 0;
    json_int_t are_short = 0;
    json_int_t requests = 0;
    double p99_ms = 0;
    double duration_s = 0;
    json_t *spread = NULL;
    int result = json_unpack(
        root, "{s:s, s:s, s:f, s:{s:I}, s:{s:{s:s, s:I, s:f}}, s:{s:{s:I}}, s:[{s:s}], s:o}", "verdict",
        &verdict, "started_at", &started_at, "duration_s", &duration_s, "steps", "ok", &ok, "waits",
        "pad.wait_for_writer", "kind", &kind, "short", &are_short, "p99_ms", &p99_ms, "requests", "GET /pad",
        "count", &requests, "errors", "message", &message, "release_spread_ms", &spread);
    assert_int_equal(result, 0);
    assert_string_equal(verdict, "failed");
    assert_string_equal(started_at, "2023-11-14T22:13:20.123Z");
    assert_string_equal(kind, "wait_for_writer");
    assert_string_equal(message, "pad.lua:7: \\x1b[31mno\\xff");
    assert_int_equal(ok, 4321);
    assert_int_equal(are_short, 4);
    assert_int_equal(requests, 1234);
    assert_true(p99_ms > 98.9 && p99_ms < 99.2);
    assert_true(duration_s > 64.9 && duration_s < 65.1);
    assert_true(json_is_null(spread));
    assert_int_equal(json_array_size(json_object_get(root, "agents")), 2);
    assert_non_null(json_object_get(json_object_get(root, "timings"), "edit seen"));
    assert_null(json_object_get(json_object_get(root, "requests"), "edit seen"));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(live_line_tells_how_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(live_line_counts_open_websockets_and_their_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(scenarios_stand_beside_their_weights, setup, teardown),
        cmocka_unit_test_setup_teardown(live_line_divides_by_no_time, setup, teardown),
        cmocka_unit_test_setup_teardown(report_has_everything_in_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(report_says_how_many_ran_where_that_was_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(report_fits_a_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(report_says_how_a_plan_was_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(report_shows_phases_where_they_were_measured, setup, teardown),
        cmocka_unit_test_setup_teardown(report_is_coloured_only_when_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(report_leaves_out_what_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(report_says_how_agents_were_and_who_could_not_keep_up, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(json_has_the_keys_of_the_contract, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
