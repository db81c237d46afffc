/* A report that went through JSON says the same: the text that `tutti report` prints is that of `tutti run`.
 */
#include "cli/view/live_line.h"
#include "cli/view/report_text.h"
#include "common/memory.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/report_json.h"
#include "tests/unit/cli/view/sample_report.h"
#include "tests/unit/common/check.h"

#include <string.h>

#define LAST_WORKERS 130u

/* Everything that a report may have, more of it than the sample. */
struct full_report {
    struct sample_report sample;
    struct bottleneck_report bottleneck;
    struct seen_report seen[3];
    struct seen_part_report parts[1];
    struct last_seen last[LAST_WORKERS];
    struct divergence examples[2];
    struct websocket_report websockets[2];
    struct check_report checks[2];
    struct threshold_result thresholds[3];
    struct scenario_report scenario;
    struct slice_report slices[4];
    struct slow_trace traces[SLOW_TRACES];
    struct latecomer latecomers[12];
    struct last_report late[2];
};

static void fill_agents(struct full_report *full)
{
    struct agent_report *agents = full->sample.agents;
    agents[0].is_measured = agents[0].has_clock = true;
    agents[0].cpu = 0.07123456789;
    agents[0].memory_bytes = 35u << 20;
    agents[0].lag_p99_us = 310;
    agents[0].lag_maximum_us = 12000;
    agents[0].clock_offset_ns = 3000000001;
    agents[0].clock_uncertainty_ns = 40123;
    agents[0].labels = bytes_of_string("zone=a,rack=7");
    agents[1].workers = 0;
    full->bottleneck = (struct bottleneck_report){.agent = bytes_of_string("agent-1"),
                                                  .strained_us = 14000000,
                                                  .lag_p99_us = 7777,
                                                  .lag_maximum_us = 210000,
                                                  .busy = 0.994321,
                                                  .host_cpu = 0.93};
    full->sample.report.bottlenecks = &full->bottleneck;
    full->sample.report.bottleneck_count = 1;
}

static void fill_seen(struct full_report *full)
{
    for (uint32_t i = 0; i < LAST_WORKERS; i++) {
        full->last[i] = (struct last_seen){.worker = 1000 + i, .times = 500 - i};
    }
    full->examples[0] = (struct divergence){
        .room = 1, .step = 7, .compared = 5, .differed = 2, .is_from_written = true, .workers = {1, 2}};
    full->examples[0].worker_count = 2;
    full->examples[1] = (struct divergence){
        .room = 3, .step = 9, .compared = 4, .differed = 1, .workers = {9}, .worker_count = 1};
    for (size_t i = 0; i < 3; i++) {
        full->parts[0] = (struct seen_part_report){.browser = bytes_of_string("firefox"),
                                                   .seen_count = 60,
                                                   .at_once = 4,
                                                   .seen_us = full->sample.latency_us};
        full->seen[i] = (struct seen_report){.seen_count = 62,
                                             .at_once = i > 0 ? 5 : 0,
                                             .parts = full->parts,
                                             .part_count = 1,
                                             .seen_us = full->sample.latency_us,
                                             .spread_us = full->sample.empty,
                                             .uncertainty_us = 1500 * i,
                                             .before_edit = 3,
                                             .last = full->last,
                                             .last_count = 3,
                                             .last_others = i,
                                             .steps_compared = 20,
                                             .steps_diverged = 2,
                                             .reads_compared = 80,
                                             .reads_differed = 3,
                                             .examples = full->examples,
                                             .example_count = 2};
    }
    full->seen[0].name = bytes_of_string("a \"pad\\");
    full->seen[0].seen_count = 0; /* its readers said what they saw, but nobody when it was edited */
    full->seen[1].name = bytes_of_string("b");
    full->seen[1].steps_compared = 0;
    full->seen[2].name = bytes_of_string("pad");
    full->seen[2].last_count = LAST_WORKERS;
    full->sample.report.seen = full->seen;
    full->sample.report.seen_count = 3;
}

static void fill_websockets(struct full_report *full)
{
    for (size_t i = 0; i < 2; i++) {
        struct websocket_report *websocket = &full->websockets[i];
        *websocket = (struct websocket_report){.handshake_us = full->sample.latency_us,
                                               .ping_us = full->sample.empty,
                                               .queued_us = full->sample.latency_us};
        for (size_t j = 0; j < WEBSOCKET_COUNTS; j++) {
            websocket->counts[j] = 100 * (i + 1) + j;
        }
    }
    full->websockets[1].counts[WEBSOCKET_COUNT_OPENED] += 1000;
    full->websockets[0].name = bytes_of_string("WS /\xff");
    full->websockets[1].name = bytes_of_string("chat");
    close_counts_add(&full->websockets[1].codes, 0, 3);
    close_counts_add(&full->websockets[1].codes, 1000, 198);
    full->sample.report.websockets = full->websockets;
    full->sample.report.websocket_count = 2;
}

static void fill_judged(struct full_report *full)
{
    static const char *const texts[] = {"http.p95 < 200ms over 2s", "checks > 99%", "http.rate > 5/s"};
    full->checks[0] = (struct check_report){.name = bytes_of_string("body \xff"), .passed = 21};
    full->checks[1] = (struct check_report){.name = bytes_of_string("status is 200"),
                                            .passed = 20,
                                            .failed = 3,
                                            .text = bytes_of_string("got 500"),
                                            .worker = 4,
                                            .step = 9};
    full->sample.report.checks = full->checks;
    full->sample.report.check_count = 2;
    for (size_t i = 0; i < 3; i++) {
        assert_true(threshold_parse(bytes_of_string(texts[i]), &full->thresholds[i].threshold, NULL));
    }
    full->thresholds[0].outcome = THRESHOLD_MISSED;
    full->thresholds[0].has_value = full->thresholds[1].has_value = true;
    full->thresholds[0].value = 312400;
    full->thresholds[0].missed_ms = 41500;
    full->thresholds[1].outcome = THRESHOLD_MET;
    full->thresholds[1].value = 99.5;
    full->sample.report.thresholds = full->thresholds;
    full->sample.report.threshold_count = 3;
}

static void fill_slices(struct full_report *full)
{
    struct slice_report like = {.kind = SLICE_GROUP, .count = 50, .failed = 3, .us = full->sample.latency_us};
    for (size_t i = 0; i < 4; i++) {
        full->slices[i] = like;
        full->slices[i].tag = bytes_of_string(i == 0 ? "" : i == 3 ? "tier=(other)" : "tier=a \"b\"=c");
    }
    full->slices[0].name = bytes_of_string("checkout / pay");
    full->slices[1].kind = SLICE_REQUEST;
    full->slices[2].kind = SLICE_CHECK;
    full->slices[2].name = bytes_of_string("price");
    full->slices[2].us = NULL;
    full->slices[3].name = bytes_of_string("x");
    full->sample.report.slices = full->slices;
    full->sample.report.slice_count = 4;
}

static void fill_last(struct full_report *full)
{
    for (uint32_t i = 0; i < 12; i++) {
        full->latecomers[i] =
            (struct latecomer){.worker = i, .agent = i % 3, .times = 20 - i, .waited_us = 1000u * (20 - i)};
    }
    full->late[0] = (struct last_report){.name = bytes_of_string("pad \xff"),
                                         .kind = OPERATION_WAIT_READERS,
                                         .times = 41,
                                         .waited_us = 2500000,
                                         .workers = full->latecomers,
                                         .worker_count = 2};
    full->late[1] = full->late[0];
    full->late[1].name = bytes_of_string("rush");
    full->late[1].kind = OPERATION_BARRIER;
    full->late[1].worker_count = 12;
    full->late[1].others_times = 3;
    full->late[1].others_waited_us = 7000;
    full->sample.report.last = full->late;
    full->sample.report.last_count = 2;
}

static int set_up(void **state)
{
    struct full_report *full = MEMORY_NEW(struct full_report);
    sample_report_init(&full->sample);
    struct campaign_report *report = &full->sample.report;
    histogram_record(full->sample.empty, 1234567);
    histogram_record(full->sample.empty, 977);
    full->sample.waits[1].name = bytes_of_string("a.name.with\ndots and \xff");
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        full->sample.requests[0].phase_us[phase] =
            phase == REQUEST_WAITING ? full->sample.latency_us : full->sample.empty;
    }
    full->sample.requests[0].name = bytes_of_string("GET /\x01\xc3\xa9");
    full->sample.requests[0].received_bytes = 123400;
    full->sample.requests[0].sent_bytes = 77;
    full->sample.requests[0].slowest.items = full->traces;
    slow_traces_add(&full->sample.requests[0].slowest,
                    &(struct slow_trace){
                        .latency_us = 1500, .has_worker = true, .worker = 7, .step = 3, .id = {0x4b, 0xf9}});
    slow_traces_add(&full->sample.requests[0].slowest, &(struct slow_trace){.latency_us = 900, .id = {0, 1}});
    close_counts_add(&full->sample.requests[0].statuses, 200, 1227);
    close_counts_add(&full->sample.requests[0].statuses, 503, 7);
    full->scenario = (struct scenario_report){.name = bytes_of_string("browse"),
                                              .weight_milli = 1000,
                                              .steps_ok = 4321,
                                              .steps_failed = 12,
                                              .steps_stopped = 3,
                                              .step_us = full->sample.latency_us};
    report->scenarios = &full->scenario;
    report->scenario_count = 1;
    report->state = CAMPAIGN_ENDED;
    report->has_start_spread = true;
    report->start_spread_us = 977;
    report->steps_stopped = 3;
    full->sample.options.rate = bytes_of_string("5/s");
    report->arrivals = 123;
    report->dropped = 7;
    report->late_us = report->request_response_us = full->sample.empty;
    report->response_us = full->sample.latency_us;
    full->sample.requests[0].response_us = full->sample.empty;
    report->steps_lost = 1;
    fill_agents(full);
    fill_seen(full);
    fill_websockets(full);
    fill_judged(full);
    fill_slices(full);
    fill_last(full);
    *state = full;
    return 0;
}

static int tear_down(void **state)
{
    struct full_report *full = *state;
    sample_report_finish(&full->sample);
    memory_free(full);
    return 0;
}

/* As it comes over the wire. */
static struct report_view *sent(const struct report_view *report)
{
    SCOPED(memory_free_at) char *text = report_json(report);
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    struct report_view *read = report_json_read(object);
    json_decref(object);
    return read;
}

static void assert_same_text(const struct report_view *local, const struct report_view *remote)
{
    SCOPED(buffer_finish) struct buffer left;
    SCOPED(buffer_finish) struct buffer right;
    buffer_init(&left, REPORT_TEXT_MAX_BYTES);
    buffer_init(&right, REPORT_TEXT_MAX_BYTES);
    report_text(local, true, &left);
    report_text(remote, true, &right);
    assert_string_equal(buffer_string(&left), buffer_string(&right));
}

static void the_text_is_that_of_run(void **state)
{
    struct full_report *full = *state;
    SCOPED(report_view_free) struct report_view *local = sample_report_view(&full->sample);
    SCOPED(report_view_free) struct report_view *remote = sent(local);
    assert_same_text(local, remote);
    assert_int_equal(remote->state, CAMPAIGN_ENDED);
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, REPORT_TEXT_MAX_BYTES);
    report_text(remote, false, &text);
    /* 130 workers of whom JSON lists 100: 500 + 499 + … + 371 times, and two that nobody counts. */
    assert_non_null(strstr(buffer_string(&text), "worker 1000 (500 of 56,617)"));
    assert_non_null(
        strstr(buffer_string(&text), "http.p95 < 200ms over 2s  missed   312 ms, after 41.5 s\n"));
    assert_non_null(strstr(buffer_string(&text), "checks > 99%              met      99.5 %\n"));
    assert_non_null(strstr(buffer_string(&text), "20       3  86.96 %  got 500 (worker 4, step 9)\n"));
    assert_non_null(strstr(buffer_string(&text), "step 7 of room 1: workers 1–2 saw something else"));
}

/* Writer and reader share a table, so a wrong row would go unnoticed between the two: what JSON says, key by
 * key. */
#define OTHER_PHASE "\"p50_ms\":0.977,\"p95_ms\":1234.567,\"p99_ms\":1234.567,\"max_ms\":1234.567"
#define PARTS                                                                                                \
    "\"at_once\":5,\"browsers\":{\"firefox\":{\"count\":60,\"at_once\":4,\"p50_ms\":50.015,"                 \
    "\"p95_ms\":95.039,\"p99_ms\":99.007,\"max_ms\":100.0}},"
#define SOCKET_TIMES                                                                                         \
    "\"handshake_ms\":{\"p50\":50.015,\"p95\":95.039,\"p99\":99.007,\"max\":100.0},"                         \
    "\"ping_ms\":{\"p50\":0.977,\"p95\":1234.567,\"p99\":1234.567,\"max\":1234.567},"                        \
    "\"queued_ms\":{\"p50\":50.015,\"p95\":95.039,\"p99\":99.007,\"max\":100.0}"
/* clang-format off */
#define ALL_TIMES                                                                                            \
    "\"min_ms\":1.0,\"mean_ms\":50.503,\"p50_ms\":50.015,\"p90_ms\":90.047,\"p95_ms\":95.039,"                 \
    "\"p99_ms\":99.007,\"p999_ms\":100.0,\"max_ms\":100.0,\"stddev_ms\":28.866"
#define SLICE_COUNTS "\"count\":50,\"ok\":47,\"failed\":3,\"per_s\":0.769230769"
static const char *const EXPECTED[] = {
    "{\"campaign\":1}",
    "{\"script\":\"pad.lua\"}",
    "{\"name\":\"nightly\"}",
    "{\"labels\":{\"team\":\"web\",\"tier\":\"gold\"}}",
    "{\"verdict\":\"failed\"}",
    "{\"reason\":\"12 steps failed\"}",
    "{\"workers\":6}",
    "{\"workers_ran\":9}",
    ("{\"agents\":[{\"name\":\"agent-1\",\"pid\":11,\"host\":\"here\",\"labels\":{\"zone\":\"a\","
    "\"rack\":\"7\"},\"workers\":3,\"state\":\"joined\",\"clock\":{\"offset_ms\":-3000.0,"
    "\"uncertainty_ms\":0.040123},\"cpu\":0.0712345679,\"memory_bytes\":36700160,"
    "\"loop_lag_ms\":{\"p99\":0.31,\"max\":12.0}},{\"name\":\"agent-2\",\"pid\":11,\"host\":\"here\","
    "\"labels\":{},\"workers\":0,\"state\":\"lost\",\"clock\":null,\"cpu\":null,"
    "\"memory_bytes\":null,\"loop_lag_ms\":null}]}"),
    "{\"started_at\":\"2023-11-14T22:13:20.123Z\"}",
    "{\"ended_at\":\"2023-11-14T22:14:25.123Z\"}",
    "{\"duration_s\":65.0}",
    "{\"seed\":42}",
    ("{\"steps\":{\"ok\":4321,\"failed\":12,\"stopped\":3,\"lost\":1,\"failed_by_loss\":5,\"p50_ms\":50.015,"
    "\"p95_ms\":95.039,\"p99_ms\":99.007}}"),
    ("{\"load\":{\"arrivals\":123,\"dropped\":7,\"late_ms\":{\"p50\":0.977,\"p95\":1234.567,\"p99\":1234.567,\"max\":1234.567},"
    "\"step_response_ms\":{\"p50\":50.015,\"p95\":95.039,\"p99\":99.007,\"max\":100.0},"
    "\"step_service_ms\":{\"p50\":50.015,\"p95\":95.039,\"p99\":99.007,\"max\":100.0},"
    "\"request_response_ms\":{\"p50\":0.977,\"p95\":1234.567,\"p99\":1234.567,\"max\":1234.567},"
    "\"request_service_ms\":{\"p50\":50.015,\"p95\":95.039,\"p99\":99.007,\"max\":100.0}}}"),
    ("{\"http\":{\"count\":1234,\"failed\":7,\"p50_ms\":50.015,\"p95_ms\":95.039,\"p99_ms\":99.007,"
    "\"max_ms\":100.0}}"),
    ("{\"errors\":[{\"message\":\"pad.lua:7: \\\\x1b[31mno\\\\xff\",\"count\":12,\"worker\":4,"
    "\"step\":2,\"scenario\":\"browse\",\"agent\":\"web-3\",\"first_s\":3,\"last_s\":61}]}"),
    ("{\"artifacts\":[{\"number\":1,\"name\":\"01-worker-7-step-3.png\",\"kind\":\"screenshot\","
    "\"worker\":7,\"step\":3,\"size_bytes\":5}]}"),
    ("{\"requests\":{\"GET /\\\\x01é\":{\"count\":1234,\"ok\":1227,\"failed\":7,\"per_s\":18.9846154,"
    ALL_TIMES ",\"response\":{" OTHER_PHASE "},\"phases\":{"
    "\"blocked\":{" OTHER_PHASE "},\"lookup\":{" OTHER_PHASE "},\"connect\":{" OTHER_PHASE "},"
    "\"tls\":{" OTHER_PHASE "},\"sending\":{" OTHER_PHASE "},"
    "\"waiting\":{\"p50_ms\":50.015,\"p95_ms\":95.039,\"p99_ms\":99.007,\"max_ms\":100.0},"
    "\"receiving\":{" OTHER_PHASE "}},\"slowest\":[{\"trace\":\"4bf90000000000000000000000000000\","
    "\"ms\":1.5,\"worker\":7,\"step\":3},{\"trace\":\"00010000000000000000000000000000\",\"ms\":0.9,"
    "\"worker\":null,\"step\":null}],\"bytes_in\":123400,\"bytes_out\":77,"
    "\"statuses\":{\"200\":1227,\"503\":7}}}}"),
    ("{\"timings\":{\"edit seen\":{\"count\":1234,\"ok\":1227,\"failed\":7,\"per_s\":18.9846154,"
    ALL_TIMES "}}}"),
    ("{\"scenarios\":{\"browse\":{\"ok\":4321,\"failed\":12,\"stopped\":3,\"per_s\":66.6615385,"
    "\"share\":1.0,\"weight_share\":1.0," ALL_TIMES "}}}"),
    "{\"groups\":{\"checkout / pay\":{" SLICE_COUNTS "," ALL_TIMES "}}}",
    ("{\"tags\":[{\"tag\":\"tier\",\"value\":\"a \\\"b\\\"=c\",\"kind\":\"request\"," SLICE_COUNTS "," ALL_TIMES "},"
    "{\"tag\":\"tier\",\"value\":\"a \\\"b\\\"=c\",\"kind\":\"check\",\"name\":\"price\"," SLICE_COUNTS "},"
    "{\"tag\":\"tier\",\"value\":\"(other)\",\"kind\":\"group\",\"name\":\"x\"," SLICE_COUNTS "," ALL_TIMES "}]}"),
    ("{\"waits\":{\"pad.wait_for_writer\":{\"kind\":\"wait_for_writer\",\"count\":100,\"ok\":96,"
    "\"timeout\":0,\"short\":4,\"deadlock\":0,\"stopped\":0,\"refused\":0,\"p50_ms\":50.015,"
    "\"p99_ms\":99.007},"
    "\"a.name.with\\\\ndots and \\\\xff.wait_for_readers\":{\"kind\":\"wait_for_readers\","
    "\"count\":100,\"ok\":96,\"timeout\":0,\"short\":4,\"deadlock\":0,\"stopped\":0,\"refused\":0,"
    "\"p50_ms\":50.015,\"p99_ms\":99.007}}}"),
    ("{\"checks\":{\"body \\\\xff\":{\"passed\":21,\"failed\":0,\"message\":\"\",\"worker\":0,\"step\":0},"
    "\"status is 200\":{\"passed\":20,\"failed\":3,\"message\":\"got 500\",\"worker\":4,\"step\":9}}}"),
    ("{\"thresholds\":[{\"threshold\":\"http.p95 < 200ms over 2s\",\"outcome\":\"missed\",\"value\":312.4,"
    "\"unit\":\"ms\",\"reached\":\"312 ms\",\"missed_at_s\":41.5},{\"threshold\":\"checks > 99%\","
    "\"outcome\":\"met\",\"value\":99.5,\"unit\":\"%\",\"reached\":\"99.5 %\",\"missed_at_s\":null},"
    "{\"threshold\":\"http.rate > 5/s\",\"outcome\":\"pending\",\"value\":null,\"unit\":\"/s\","
    "\"reached\":\"\",\"missed_at_s\":null}]}"),
    ("{\"outputs\":[{\"output\":\"statsd at h:1\",\"points\":60,\"lost\":0,\"error\":\"\"},"
    "{\"output\":\"otlp at http://h\",\"points\":60,\"lost\":12,\"error\":\"connection refused\"}]}"),
    ("{\"websockets\":{\"WS /\\\\xff\":{\"opened\":100,\"failed\":101,\"closed_by_us\":102,"
    "\"closed_by_peer\":103,\"lost\":104,\"messages_in\":105,\"messages_out\":106,"
    "\"bytes_in\":107,\"bytes_out\":108,\"dropped\":109,\"open\":0,\"messages_in_per_s\":1.615,"
    "\"messages_out_per_s\":1.631,\"bytes_in_per_s\":1.646,\"bytes_out_per_s\":1.662,"
    "\"close_codes\":{}," SOCKET_TIMES "},"
    "\"chat\":{\"opened\":1200,\"failed\":201,\"closed_by_us\":202,"
    "\"closed_by_peer\":203,\"lost\":204,\"messages_in\":205,\"messages_out\":206,"
    "\"bytes_in\":207,\"bytes_out\":208,\"dropped\":209,\"open\":591,\"messages_in_per_s\":3.154,"
    "\"messages_out_per_s\":3.169,\"bytes_in_per_s\":3.185,\"bytes_out_per_s\":3.2,"
    "\"close_codes\":{\"other\":3,\"1000\":198},"
    SOCKET_TIMES "}}}"),
    ("{\"seen\":{\"b\":{\"count\":62,\"p50_ms\":50.015,\"p95_ms\":95.039,\"p99_ms\":99.007,"
    "\"max_ms\":100.0,\"spread_p50_ms\":0.977,\"spread_max_ms\":1234.567,"
    "\"last\":{\"1000\":500,\"1001\":499,\"1002\":498},\"last_others\":1,\"before_edit\":3," PARTS
    "\"clock_uncertainty_ms\":1.5},\"pad\":{\"count\":62,\"p50_ms\":50.015,\"p95_ms\":95.039,"
    "\"p99_ms\":99.007,\"max_ms\":100.0,\"spread_p50_ms\":0.977,\"spread_max_ms\":1234.567,"
    "\"last\":{\"1000\":500,\"1001\":499,\"1002\":498},\"last_others\":2,\"before_edit\":3," PARTS
    "\"clock_uncertainty_ms\":3.0}}}"),
    ("{\"convergence\":{\"a \\\"pad\\\\\":{\"steps\":20,\"diverged\":2,\"reads\":80,\"differed\":3,"
    "\"examples\":[{\"room\":1,\"step\":7,\"reads\":5,\"differed\":2,\"from\":\"written\","
    "\"workers\":[1,2]},{\"room\":3,\"step\":9,\"reads\":4,\"differed\":1,\"from\":\"most\","
    "\"workers\":[9]}]},\"pad\":{\"steps\":20,\"diverged\":2,\"reads\":80,\"differed\":3,"
    "\"examples\":[{\"room\":1,\"step\":7,\"reads\":5,\"differed\":2,\"from\":\"written\","
    "\"workers\":[1,2]},{\"room\":3,\"step\":9,\"reads\":4,\"differed\":1,\"from\":\"most\","
    "\"workers\":[9]}]}}}"),
    ("{\"last\":[{\"name\":\"pad \\\\xff\",\"kind\":\"wait_for_readers\",\"times\":41,\"waited_s\":2.5,\"workers\":["
    "{\"worker\":0,\"agent\":\"agent-1\",\"times\":20,\"waited_s\":0.02},{\"worker\":1,\"agent\":\"agent-2\",\"times\":19,\"waited_s\":0.019}],"
    "\"agents\":[{\"agent\":\"agent-1\",\"times\":20,\"waited_s\":0.02},{\"agent\":\"agent-2\",\"times\":19,\"waited_s\":0.019}]},"
    "{\"name\":\"rush\",\"kind\":\"barrier\",\"times\":41,\"waited_s\":2.5,\"workers\":["
    "{\"worker\":0,\"agent\":\"agent-1\",\"times\":20,\"waited_s\":0.02},"
    "{\"worker\":1,\"agent\":\"agent-2\",\"times\":19,\"waited_s\":0.019},"
    "{\"worker\":2,\"agent\":\"\",\"times\":18,\"waited_s\":0.018},"
    "{\"worker\":3,\"agent\":\"agent-1\",\"times\":17,\"waited_s\":0.017},"
    "{\"worker\":4,\"agent\":\"agent-2\",\"times\":16,\"waited_s\":0.016},"
    "{\"worker\":5,\"agent\":\"\",\"times\":15,\"waited_s\":0.015},"
    "{\"worker\":6,\"agent\":\"agent-1\",\"times\":14,\"waited_s\":0.014},"
    "{\"worker\":7,\"agent\":\"agent-2\",\"times\":13,\"waited_s\":0.013},"
    "{\"worker\":8,\"agent\":\"\",\"times\":12,\"waited_s\":0.012},"
    "{\"worker\":9,\"agent\":\"agent-1\",\"times\":11,\"waited_s\":0.011}],"
    "\"others\":{\"times\":22,\"waited_s\":0.026},"
    "\"agents\":[{\"agent\":\"agent-1\",\"times\":62,\"waited_s\":0.062},{\"agent\":\"agent-2\",\"times\":58,\"waited_s\":0.058}]}]}"),
    "{\"release_spread_ms\":{\"p50\":0.977,\"max\":1234.567}}",
    "{\"start_spread_ms\":0.977}",
    "{\"clock_uncertainty_ms\":0.040123}",
    ("{\"bottlenecks\":[{\"agent\":\"agent-1\",\"duration_s\":14.0,\"loop_lag_ms\":{\"p99\":7.777,"
    "\"max\":210.0},\"loop_busy\":0.994321,\"host_cpu\":0.93}]}"),
};
/* clang-format on */

static const struct output_view SAMPLE_OUTPUTS[] = {
    {.name = {(const uint8_t *)"statsd at h:1", 13}, .points = 60},
    {.name = {(const uint8_t *)"otlp at http://h", 16},
     .points = 60,
     .lost = 12,
     .error = {(const uint8_t *)"connection refused", 18}},
};

static void the_json_is_this(void **state)
{
    struct full_report *full = *state;
    full->seen[2].last_count = 3;
    full->sample.options.name = bytes_of_string("nightly");
    full->sample.options.campaign_labels = bytes_of_string("team=web,tier=gold");
    struct artifact artifact = {
        .kind = ARTIFACT_SCREENSHOT, .worker = 7, .step = 3, .content = bytes_of_string("12345")};
    full->sample.report.artifacts = &artifact;
    full->sample.report.artifact_count = 1;
    SCOPED(report_view_free) struct report_view *report = sample_report_view(&full->sample);
    report->outputs = SAMPLE_OUTPUTS;
    report->output_count = 2;
    json_t *object = report_json_object(report);
    const char *key = NULL;
    json_t *value = NULL;
    size_t count = 0;
    json_object_foreach(object, key, value)
    {
        json_t *member = json_pack("{s:O}", key, value);
        SCOPED(memory_free_at) char *text = json_to_text(member, false);
        assert_true(count < sizeof EXPECTED / sizeof EXPECTED[0]);
        assert_string_equal(text, EXPECTED[count++]);
        json_decref(member);
    }
    assert_int_equal(count, sizeof EXPECTED / sizeof EXPECTED[0]);
    json_decref(object);
}

/* Also by a report that was read; one that took all is not worth a line. */
static void what_an_output_lost_is_told(void **state)
{
    struct full_report *full = *state;
    SCOPED(report_view_free) struct report_view *local = sample_report_view(&full->sample);
    local->outputs = SAMPLE_OUTPUTS;
    local->output_count = 2;
    SCOPED(report_view_free) struct report_view *remote = sent(local);
    assert_same_text(local, remote);
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, REPORT_TEXT_MAX_BYTES);
    report_text(remote, false, &text);
    assert_non_null(
        strstr(buffer_string(&text),
               "\n  output  otlp at http://h: 12 of 60 points were not taken: connection refused\n"));
    assert_null(strstr(buffer_string(&text), "statsd"));
}

/* Nothing is lost on the way: what was read is written as the same JSON. */
static void the_json_comes_back(void **state)
{
    struct full_report *full = *state;
    SCOPED(report_view_free) struct report_view *local = sample_report_view(&full->sample);
    SCOPED(report_view_free) struct report_view *remote = sent(local);
    SCOPED(memory_free_at) char *first = report_json(local);
    SCOPED(memory_free_at) char *second = report_json(remote);
    assert_string_equal(first, second);
    assert_int_equal(remote->begun_wall_ns, SAMPLE_WALL_NS);
    assert_int_equal(remote->agents[0].pid, 11);
    assert_true(bytes_equal_string(remote->agents[0].labels, "zone=a,rack=7"));
    assert_int_equal(remote->seed, 42);
}

/* A campaign that never began has neither times nor spreads. */
static void what_is_unknown_stays_unknown(void **state)
{
    struct full_report *full = *state;
    struct campaign_report *report = &full->sample.report;
    report->begun_ns = report->running_ns = 0;
    report->has_start_spread = false;
    report->release_spread_us = NULL;
    report->agents = NULL;
    report->agent_count = 0;
    report->verdict = VERDICT_ABORTED;
    SCOPED(report_view_free) struct report_view *local = sample_report_view(&full->sample);
    SCOPED(report_view_free) struct report_view *remote = sent(local);
    assert_same_text(local, remote);
    assert_int_equal(remote->begun_wall_ns, 0);
    assert_false(remote->has_start_spread || remote->has_release_spread || remote->has_clock_uncertainty);
}

/* Every number that is shown has to come back as it was, to the microsecond. */
static void quantiles_survive(void **state)
{
    struct full_report *full = *state;
    for (uint64_t us = 1; us < 4000000000ULL; us = us * 3 + 1) {
        histogram_record(full->sample.latency_us, us);
        SCOPED(report_view_free) struct report_view *local = sample_report_view(&full->sample);
        SCOPED(report_view_free) struct report_view *remote = sent(local);
        assert_same_text(local, remote);
        const struct quantiles *wanted = &local->requests[0].latency;
        const struct quantiles *got = &remote->requests[0].latency;
        const uint64_t pairs[][2] = {{wanted->p50_us, got->p50_us},
                                     {wanted->p95_us, got->p95_us},
                                     {wanted->p99_us, got->p99_us},
                                     {wanted->maximum_us, got->maximum_us}};
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
            uint64_t off = pairs[i][0] > pairs[i][1] ? pairs[i][0] - pairs[i][1] : pairs[i][1] - pairs[i][0];
            assert_true(off <= pairs[i][0] / 100000000);
        }
    }
}

static void the_live_line_is_that_of_run(void **state)
{
    struct full_report *full = *state;
    full->sample.report.state = CAMPAIGN_STOPPING;
    full->sample.report.verdict = VERDICT_NONE;
    SCOPED(report_view_free) struct report_view *local = sample_report_view(&full->sample);
    local->requests_per_s = 86;
    local->failed_per_s = 12.5;
    local->messages_per_s = 622.3;
    local->window_ns = 10000000000ULL;
    local->recent.p95_us = 95000;
    const struct wait_crowd crowd = {.kind = OPERATION_WAIT_READERS,
                                     .name = bytes_of_string("pad"),
                                     .first_step = 3,
                                     .last_step = 5,
                                     .workers = 4,
                                     .oldest_ns = 1250000000};
    local->crowds = &crowd;
    local->crowd_count = 1;
    json_t *object = report_json_live(local);
    SCOPED(report_view_free) struct report_view *remote = report_json_read(object);
    SCOPED(buffer_finish) struct buffer line;
    SCOPED(buffer_finish) struct buffer expected;
    buffer_init(&line, 1024);
    buffer_init(&expected, 1024);
    live_line_compose(remote, &line);
    live_line_compose(local, &expected);
    assert_string_equal(buffer_string(&line), buffer_string(&expected));
    assert_int_equal(remote->crowd_count, 1);
    assert_int_equal(remote->crowds[0].kind, OPERATION_WAIT_READERS);
    assert_true(bytes_equal_string(remote->crowds[0].name, "pad"));
    assert_int_equal(remote->crowds[0].first_step, 3);
    assert_int_equal(remote->crowds[0].last_step, 5);
    assert_int_equal(remote->crowds[0].workers, 4);
    assert_int_equal(remote->crowds[0].oldest_ns, 1250000000);
    assert_string_equal(buffer_string(&line),
                        "1:05  stopping  6 workers  4,321 ok  12 failed  last 10 s: "
                        "86.0 requests/s, 12.5 failed/s, p95 95.0 ms  591 WebSockets, 622 messages/s  "
                        "seen 50.0 ms  4 wait for the writer of pad@12");
    json_decref(object);
}

/* As an earlier coordinator wrote it. */
static void a_live_object_is_read(void **state)
{
    (void)state;
    json_t *object =
        json_loads("{\"campaign\": 7, \"state\": \"stopping\", \"verdict\": null, \"workers_running\": 3,"
                   "\"elapsed_s\": 65.0, \"steps\": {\"ok\": 4321, \"failed\": 12, \"stopped\": 0},"
                   "\"requests_total\": 1234, \"requests_per_s\": 1.0, \"p95_ms\": 95.0,"
                   "\"waiting\": \"4 wait for the writer of pad@12\"}",
                   0, NULL);
    SCOPED(report_view_free) struct report_view *report = report_json_read(object);
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, 1024);
    live_line_compose(report, &line);
    assert_string_equal(buffer_string(&line),
                        "1:05  stopping  3 workers  4,321 ok  12 failed  1.0 requests/s, p95 95.0 ms  4 "
                        "wait for the writer of pad@12");
    json_decref(object);
}

static void the_state_is_told_or_follows_from_the_verdict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum campaign_state state;
    } rows[] = {
        {"{\"verdict\": \"none\"}", CAMPAIGN_RUNNING},
        {"{\"verdict\": \"failed\"}", CAMPAIGN_ENDED},
        {"{\"verdict\": \"none\", \"state\": \"stopping\"}", CAMPAIGN_STOPPING},
        {"{\"verdict\": null, \"state\": \"ready\", \"elapsed_s\": 0}", CAMPAIGN_READY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *object = json_loads(rows[i].text, 0, NULL);
        SCOPED(report_view_free) struct report_view *report = report_json_read(object);
        assert_int_equal(report->state, rows[i].state);
        json_decref(object);
    }
}

static void nonsense_does_no_harm(void **state)
{
    (void)state;
    static const char *const objects[] = {
        "{}",
        "{\"steps\": 7, \"agents\": {}, \"requests\": [], \"waits\": \"x\", \"errors\": null}",
        "{\"agents\": [7, null, {\"state\": \"odd\", \"pid\": -1}], \"errors\": [[], {\"count\": \"x\"}]}",
        "{\"waits\": {\"a\": {}, \"b.odd\": {\"kind\": \"odd\"}, \"barrier\": {\"kind\": \"barrier\"}}}",
        "{\"requests\": {\"a\": 7, \"b\": {\"p50_ms\": -1, \"max_ms\": 1e300}}, \"duration_s\": 1e300}",
        "{\"groups\": {\"a\": 7}, \"tags\": [7, null, {\"kind\": \"odd\", \"name\": 7, \"count\": -1}]}",
        "{\"groups\": [], \"tags\": {}}",
        "{\"last\": [7, null, {\"kind\": \"odd\", \"workers\": {}, \"others\": 7, \"agents\": [7]}]}",
        "{\"verdict\": \"odd\", \"state\": 7, \"release_spread_ms\": {}}",
        "{\"seen\": {\"a\": 7, \"b\": {\"last\": {\"x\": \"y\"}}}}",
        "{\"convergence\": {\"c\": {\"examples\": [7]}}}",
        "{\"seen\": 7, \"convergence\": [], \"started_at\": \"yesterday\", \"start_spread_ms\": \"x\"}",
        "{\"agents\": [{\"labels\": {\"a\": 7}, \"clock\": {}, \"cpu\": \"x\"}], \"timings\": {\"\": null}}",
        "{\"convergence\": {\"a\": {\"examples\": [{\"workers\": [-1, \"x\", null], \"from\": 7}]}}}",
    };
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        json_t *object = json_loads(objects[i], 0, NULL);
        assert_non_null(object);
        SCOPED(report_view_free) struct report_view *report = report_json_read(object);
        SCOPED(buffer_finish) struct buffer text;
        buffer_init(&text, REPORT_TEXT_MAX_BYTES);
        report_text(report, false, &text);
        assert_non_null(strstr(buffer_string(&text), "running\n"));
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_text_is_that_of_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_json_is_this, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_output_lost_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_json_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_unknown_stays_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quantiles_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_live_line_is_that_of_run, set_up, tear_down),
        cmocka_unit_test(a_live_object_is_read),
        cmocka_unit_test(the_state_is_told_or_follows_from_the_verdict),
        cmocka_unit_test(nonsense_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
