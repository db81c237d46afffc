/* A message of each kind with every field filled. */
#include "tests/unit/proto/message/message_samples.h"

#include "common/memory.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"
#include "proto/message/load_text.h"

#include <string.h>

/* The source of the fields of a variant. */
struct palette {
    struct bytes name;
    struct bytes text;
    struct bytes value;
    uint32_t small;
    uint64_t wide;
    uint64_t duration_ms;
    int64_t instant_ns;
    bool flag;
};

static uint8_t LONG_NAME[LIMIT_NAME_BYTES];
static uint8_t LONG_TEXT[LIMIT_TEXT_BYTES];
static const char LABELS[] = "zone=a,disk=ssd";
static const uint8_t CHUNK[LIMIT_CHUNK_BYTES] = {1, 0, 3};
static const uint8_t INTEGER_VALUE[] = {'i', 0, 0, 0, 0, 0, 0, 0, 42};
static const uint8_t TABLE_VALUE[] = {'{', 0, 0, 0, 1, 's', 0, 0, 0, 1, 'k', 's', 0, 0, 0, 2, 'o', 'k'};
static const char HASH[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct palette palette_of(enum sample_variant variant)
{
    memset(LONG_NAME, 0xff, sizeof LONG_NAME);
    memset(LONG_TEXT, 't', sizeof LONG_TEXT);
    if (variant == SAMPLE_SMALLEST) {
        return (struct palette){.name = bytes_of_string("a")};
    }
    if (variant == SAMPLE_LARGEST) {
        return (struct palette){.name = bytes_of(LONG_NAME, sizeof LONG_NAME),
                                .text = bytes_of(LONG_TEXT, sizeof LONG_TEXT),
                                .value = bytes_of(TABLE_VALUE, sizeof TABLE_VALUE),
                                .small = UINT32_MAX,
                                .wide = UINT64_MAX,
                                .duration_ms = LIMIT_DURATION_MS,
                                .instant_ns = INT64_MIN,
                                .flag = true};
    }
    return (struct palette){.name = bytes_of_string("pad"),
                            .text = bytes_of_string("line 12: what a pity"),
                            .value = bytes_of(INTEGER_VALUE, sizeof INTEGER_VALUE),
                            .small = 1000,
                            .wide = 1ull << 40,
                            .duration_ms = 60000,
                            .instant_ns = 1700000000000000000,
                            .flag = true};
}

/* One for each worker of the typical set. */
static const uint32_t AFTER_US[29] = {0, 1, 127, 128, 70000, UINT32_MAX};

static struct worker_set set_of(enum sample_variant variant)
{
    static struct worker_run one[] = {{7, 1, 1}};
    static struct worker_run typical[] = {{0, 4, 25}, {101, 1, 3}, {200, 1, 1}};
    static struct worker_run all[] = {{0, 1, LIMIT_WORKERS}};
    switch (variant) {
    case SAMPLE_SMALLEST:
        return (struct worker_set){.runs = one, .run_count = 1};
    case SAMPLE_LARGEST:
        return (struct worker_set){.runs = all, .run_count = 1};
    default:
        return (struct worker_set){.runs = typical, .run_count = 3};
    }
}

static struct histogram *histogram_of(struct sample *sample, enum sample_variant variant)
{
    struct histogram *histogram = histogram_new();
    sample->histograms[sample->histogram_count++] = histogram;
    if (variant != SAMPLE_SMALLEST) {
        histogram_add(histogram, 0, 2);
        histogram_add(histogram, 3, 1 + sample->histogram_count);
        histogram_add(histogram, 123456, 7);
    }
    if (variant == SAMPLE_LARGEST) {
        histogram_add(histogram, UINT64_MAX, 1ull << 62);
    }
    return histogram;
}

static void make_hello(struct message *message, const struct palette *palette, enum sample_variant variant)
{
    struct bytes name = variant == SAMPLE_LARGEST ? bytes_of_string("agent ä") : palette->name;
    message->hello = (struct hello){.version_lowest = 1,
                                    .version_highest = 1 + palette->small / 2,
                                    .features = palette->wide,
                                    .name = name,
                                    .host = palette->text,
                                    .pid = palette->small,
                                    .cores = palette->small / 3,
                                    .memory_bytes = palette->wide / 5,
                                    .shards = palette->small == 0 ? 1 : LIMIT_SHARDS,
                                    .labels = bytes_of_string(palette->small == 0 ? "" : LABELS),
                                    .capacity = palette->small,
                                    .gone_pid = palette->small / 7,
                                    .program = bytes_of_string(palette->small == 0 ? "" : "0.1.0")};
}

static void make_deploy(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    bool is_small = variant == SAMPLE_SMALLEST;
    struct bundle_entry *files = memory_new(2, sizeof *files);
    bool is_large = variant == SAMPLE_LARGEST;
    files[0] = (struct bundle_entry){.path = bytes_of_string("pad.lua"), .size_bytes = palette->text.size};
    files[1] = (struct bundle_entry){.path = bytes_of_string("data/ünicode/a..b"),
                                     .size_bytes = is_large ? LIMIT_BUNDLE_BYTES - palette->text.size : 5};
    sample->items = files;
    sample->message.deploy = (struct deploy){
        .options = {.workers = is_small ? 1 : LIMIT_WORKERS,
                    .runs = palette->wide,
                    .duration_ms = palette->duration_ms,
                    .ramp_up_ms = palette->duration_ms / 2,
                    .delay_ms = palette->duration_ms / 3,
                    .room_size = is_small ? 0 : 5,
                    .on_loss = is_small ? ON_LOSS_SHRINK : ON_LOSS_FAIL,
                    .on_deadlock = is_small ? ON_DEADLOCK_STOP : ON_DEADLOCK_FAIL,
                    .sync_timeout_ms = palette->duration_ms / 5,
                    .setup_timeout_ms = palette->duration_ms / 7,
                    .seed = palette->wide / 7,
                    .is_single_run = palette->flag,
                    .single_mode = is_small ? bytes_of(NULL, 0) : palette->name,
                    .is_stopped_by_failure = palette->flag,
                    .fail_steps = palette->wide / 11,
                    .fail_percent = is_small ? 0 : 12.5,
                    .trace_percent = is_small ? 0 : 0.5,
                    .target = palette->text,
                    .resolve =
                        bytes_of_string(is_small ? "" : "app.example:443:10.0.0.7,fd00::7 *:80:10.0.0.8"),
                    .source = bytes_of_string(is_small ? "" : "10.0.0.0/28"),
                    .verbosity = palette->small,
                    .browser = palette->small > 0 ? BROWSER_WEBKIT : BROWSER_CHROMIUM,
                    .target_port = (uint16_t)palette->small,
                    .browsers = bytes_of_string(is_small ? "" : "webkit,chromium"),
                    .labels = bytes_of_string(is_small ? "" : LABELS)},
        .bundle = {.files = files, .file_count = is_small ? 1 : 2, .hash = bytes_of_string(HASH)},
        .workers = set_of(variant),
        .is_seed_fixed = palette->flag,
    };
}

static void make_assign(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    struct assignment *items = memory_new(2, sizeof *items);
    items[0] = (struct assignment){.workers = set_of(variant), .first_step = palette->wide};
    items[1] = (struct assignment){.workers = set_of(SAMPLE_SMALLEST), .first_step = 2};
    sample->items = items;
    sample->message.assign.items = items;
    sample->message.assign.count = variant == SAMPLE_SMALLEST ? 0 : 2;
    sample->message.assign.is_answer = palette->flag;
}

static void make_operations(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    struct operation *items = memory_new(OPERATION_KIND_COUNT, sizeof *items);
    for (unsigned kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
        bool is_aggregated = operation_is_aggregated((enum operation_kind)kind);
        bool has_instants = kind == OPERATION_READ && variant == SAMPLE_TYPICAL;
        items[kind] = (struct operation){
            .kind = (enum operation_kind)kind,
            .workers = set_of(is_aggregated ? variant : SAMPLE_SMALLEST),
            .room = variant == SAMPLE_LARGEST ? ROOM_CAMPAIGN : kind,
            .name = palette->name,
            .step = palette->wide,
            .nth = palette->small,
            .call = palette->small / 2,
            .count = palette->small / 3,
            .timeout_ms = palette->duration_ms,
            .on_timeout = palette->flag ? BARRIER_TIMEOUT_LEAVE : BARRIER_TIMEOUT_FAIL,
            .is_strict = palette->flag,
            .is_at_once = palette->flag,
            .is_aside = palette->flag,
            .value = palette->value,
            .expected = variant == SAMPLE_TYPICAL ? bytes_of_string("t") : palette->value,
            .text = palette->text,
            .first_ns = palette->instant_ns,
            .last_ns = palette->instant_ns / 2,
            .after_us = has_instants ? AFTER_US : NULL,
            .after_count = has_instants ? sizeof AFTER_US / sizeof *AFTER_US : 0,
            .uncertainty_us = palette->small,
            .digest = bytes_of(HASH, variant == SAMPLE_SMALLEST ? 0 : OPERATION_DIGEST_BYTES),
        };
    }
    sample->items = items;
    sample->message.operations.items = items;
    sample->message.operations.count = OPERATION_KIND_COUNT;
}

static void make_replies(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    static struct worker_run missing[] = {{4, 2, LIMIT_MISSING}};
    struct reply *items = memory_new(OPERATION_KIND_COUNT, sizeof *items);
    for (unsigned kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
        items[kind] = (struct reply){
            .kind = (enum operation_kind)kind,
            .outcome = (enum outcome)(kind % OUTCOME_COUNT),
            .workers = set_of(variant),
            .room = kind % 2 == 0 ? ROOM_CAMPAIGN : LIMIT_WORKERS - 1,
            .name = palette->name,
            .step = palette->wide,
            .nth = palette->small,
            .call = palette->small / 2,
            .count = palette->wide / 3,
            .total = palette->wide / 5,
            .rank = palette->wide / 7,
            .is_won = palette->flag,
            .is_maker = palette->flag,
            .is_by_loss = palette->flag,
            .present = palette->wide / 3,
            .value = palette->value,
            .at_ns = palette->instant_ns,
            .missing = {.runs = missing, .run_count = variant == SAMPLE_SMALLEST ? 0 : 1},
            .text = palette->text,
        };
    }
    sample->items = items;
    sample->message.replies.items = items;
    sample->message.replies.count = OPERATION_KIND_COUNT;
}

static void make_room_steps(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    struct room_step *items = memory_new(3, sizeof *items);
    items[0] = (struct room_step){.room = 0, .step = palette->wide};
    items[1] = (struct room_step){.room = LIMIT_WORKERS - 1, .step = 0};
    items[2] = (struct room_step){.room = 5, .step = palette->small};
    sample->items = items;
    size_t count = variant == SAMPLE_SMALLEST ? 0 : 3;
    if (sample->message.kind == MESSAGE_SCALE) {
        sample->message.scale = (struct scale){.workers = variant == SAMPLE_LARGEST ? LIMIT_WORKERS : 7,
                                               .load = variant == SAMPLE_LARGEST ? LOADS_MAX - 1 : 2,
                                               .rooms = items,
                                               .room_count = count};
        return;
    }
    if (sample->message.kind == MESSAGE_PACE) {
        bool is_largest = variant == SAMPLE_LARGEST;
        sample->message.pace = (struct pace){.is_paused = count > 0,
                                             .paused_at_ns = is_largest ? LIMIT_PLAN_NS : palette->small,
                                             .shift_ns = is_largest ? LIMIT_PLAN_NS : 7,
                                             .has_rate = count > 0,
                                             .rate_at_ns = is_largest ? LIMIT_PLAN_NS : 8,
                                             .rate_per_s = is_largest ? LOAD_RATE_MAX : 0.125,
                                             .before = is_largest ? LIMIT_ARRIVALS : 3.5,
                                             .slots_at_ns = is_largest ? LIMIT_PLAN_NS : 9,
                                             .slots = is_largest ? LIMIT_WORKERS : palette->small,
                                             .load = is_largest ? LOADS_MAX - 1 : 1,
                                             .rooms = items,
                                             .room_count = count,
                                             .starts = items + 1,
                                             .start_count = count > 0 ? 2 : 0};
        return;
    }
    sample->message.room_steps.items = items;
    sample->message.room_steps.count = count;
}

struct statistics_items {
    struct slow_trace traces[2][SLOW_TRACES];
    struct request_statistics requests[2];
    struct wait_statistics waits[2];
    struct error_statistics errors[2];
    struct websocket_statistics websockets[2];
    struct check_statistics checks[2];
    struct scenario_statistics scenarios[2];
    struct slice_statistics slices[2];
};

/* The first request has them, the second does not. */
static void make_phases(struct sample *sample, struct request_statistics *request,
                        enum sample_variant variant)
{
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        request->phase_us[phase] = histogram_of(sample, variant);
    }
}

static void make_websocket(struct sample *sample, const struct palette *palette, enum sample_variant variant,
                           struct websocket_statistics *websocket)
{
    *websocket = (struct websocket_statistics){.name = palette->name,
                                               .handshake_us = histogram_of(sample, variant),
                                               .ping_us = histogram_of(sample, variant),
                                               .queued_us = histogram_of(sample, variant)};
    for (size_t i = 0; i < WEBSOCKET_COUNTS; i++) {
        websocket->counts[i] = palette->wide / (i + 1);
    }
    size_t codes = variant == SAMPLE_LARGEST ? LIMIT_CLOSE_CODES : 1;
    for (size_t i = 0; i < codes; i++) {
        close_counts_add(&websocket->codes, i == 0 ? 0 : 1000 + (uint32_t)i, palette->wide);
    }
}

/* As many as there may be, but of a small message none. */
static void make_traces(const struct palette *palette, struct slow_traces *traces)
{
    for (unsigned i = 0; palette->small > 0 && i < SLOW_TRACES; i++) {
        struct slow_trace trace = {.latency_us = palette->wide / (i + 1),
                                   .has_worker = i > 0,
                                   .worker = i > 0 ? LIMIT_WORKERS - i : 0,
                                   .step = palette->wide / 9 * i};
        memset(trace.id, 0xf0 + (int)i, sizeof trace.id);
        slow_traces_add(traces, &trace);
    }
}

static void make_statistics(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    struct statistics_items *items = memory_new(1, sizeof *items);
    sample->items = items;
    for (unsigned i = 0; i < 2; i++) {
        items->requests[i] = (struct request_statistics){.name = palette->name,
                                                         .is_timing = i == 1,
                                                         .count = palette->wide,
                                                         .failed = palette->wide / 3,
                                                         .forgiven = palette->wide / 7,
                                                         .latency_us = histogram_of(sample, variant)};
        if (i == 0 && variant != SAMPLE_SMALLEST) {
            make_phases(sample, &items->requests[i], variant);
            items->requests[i].response_us = histogram_of(sample, variant);
        }
        items->waits[i] = (struct wait_statistics){.name = palette->name,
                                                   .kind = i == 0 ? OPERATION_BARRIER : OPERATION_PAST,
                                                   .outcomes = {1, palette->wide, 0, 4, 5, 6 + i},
                                                   .waited_us = histogram_of(sample, variant)};
        items->errors[i] = (struct error_statistics){.key = palette->text,
                                                     .text = palette->text,
                                                     .scenario = palette->text,
                                                     .count = palette->wide,
                                                     .worker = i * (LIMIT_WORKERS - 1),
                                                     .step = palette->wide / 9};
        make_websocket(sample, palette, variant, &items->websockets[i]);
        items->checks[i] = (struct check_statistics){.name = palette->name,
                                                     .passed = palette->wide,
                                                     .failed = palette->wide / 5,
                                                     .text = palette->text,
                                                     .worker = i * (LIMIT_WORKERS - 1),
                                                     .step = palette->wide / 9};
        items->requests[i].received_bytes = palette->wide / 7;
        items->requests[i].sent_bytes = palette->wide / 8;
        items->requests[i].statuses = items->websockets[i].codes;
        items->requests[i].slowest.items = items->traces[i];
        make_traces(palette, &items->requests[i].slowest);
        items->scenarios[i] = (struct scenario_statistics){.name = palette->name,
                                                           .weight_milli = palette->wide / 6,
                                                           .steps = {palette->wide, 2, palette->small},
                                                           .step_us = histogram_of(sample, variant)};
        items->slices[i] =
            (struct slice_statistics){.kind = i == 0 ? SLICE_GROUP : SLICE_CHECK,
                                      .name = palette->name,
                                      .tag = bytes_of_string(i == 0 ? "" : "tier=a=\xc3\xa4 b"),
                                      .count = palette->wide / 2,
                                      .failed = palette->wide / 3,
                                      .forgiven = palette->small,
                                      .us = histogram_of(sample, variant)};
    }
    size_t count = variant == SAMPLE_SMALLEST ? 0 : 2;
    sample->message.statistics =
        (struct statistics){.steps_ok = palette->wide,
                            .steps_failed = palette->wide / 2,
                            .steps_failed_by_loss = palette->wide / 5,
                            .steps_stopped = palette->wide / 3,
                            .workers_running = palette->small == 0 ? 0 : LIMIT_WORKERS,
                            .at_ns = (int64_t)(palette->wide / 2),
                            .step_us = histogram_of(sample, variant),
                            .late_us = count > 0 ? histogram_of(sample, variant) : NULL,
                            .response_us = count > 0 ? histogram_of(sample, variant) : NULL,
                            .arrivals = palette->wide / 5,
                            .dropped = palette->wide / 7,
                            .requests = items->requests,
                            .request_count = count,
                            .waits = items->waits,
                            .wait_count = count,
                            .errors = items->errors,
                            .error_count = count,
                            .websockets = items->websockets,
                            .websocket_count = count,
                            .checks = items->checks,
                            .check_count = count,
                            .scenarios = items->scenarios,
                            .scenario_count = count,
                            .slices = items->slices,
                            .slice_count = count};
}

static void make_gauges(struct sample *sample, const struct palette *palette, enum sample_variant variant)
{
    size_t count = variant == SAMPLE_LARGEST ? LIMIT_SHARDS : 1;
    struct loop_gauges *loops = memory_new(count, sizeof *loops);
    for (size_t i = 0; i < count; i++) {
        loops[i] = (struct loop_gauges){
            .lag_p99_us = palette->wide / 3, .lag_max_us = palette->wide, .busy_us = palette->small + i};
    }
    sample->items = loops;
    sample->message.gauges = (struct gauges){
        .interval_us = variant == SAMPLE_LARGEST ? LIMIT_INTERVAL_US : palette->small,
        .cpu_us = palette->wide,
        .host_cpu_us = palette->wide / 2,
        .load_milli = palette->small,
        .memory_bytes = palette->wide / 5,
        .has_clock = palette->flag,
        .clock_offset_ns = variant == SAMPLE_LARGEST ? INT64_MIN : (int64_t)palette->small - 7,
        .clock_uncertainty_ns = palette->wide / 9,
        .loops = loops,
        .loop_count = variant == SAMPLE_SMALLEST ? 0 : count,
        .lag_us = histogram_of(sample, variant)};
}

static void make_small_body(struct message *message, const struct palette *palette,
                            enum sample_variant variant)
{
    switch (message->kind) {
    case MESSAGE_WELCOME:
        message->welcome = (struct welcome){.version = 1 + palette->small / 2,
                                            .epoch = palette->wide | 1,
                                            .lease_ms = palette->duration_ms | 1,
                                            .heartbeat_ms = palette->duration_ms / 2 + 1};
        message->welcome.lease_ms -= palette->duration_ms == LIMIT_DURATION_MS ? 1 : 0;
        break;
    case MESSAGE_REFUSED:
    case MESSAGE_STOP:
        message->refused =
            (struct refused){.is_final = palette->flag, .text = palette->text, .holder_pid = palette->small};
        break;
    case MESSAGE_GLOBAL:
        message->global.phase = variant == SAMPLE_SMALLEST ? GLOBAL_SETUP : GLOBAL_TEARDOWN;
        break;
    case MESSAGE_DEPLOYED:
    case MESSAGE_GLOBAL_DONE:
        message->done = (struct done){.phase = variant == SAMPLE_SMALLEST ? GLOBAL_SETUP : GLOBAL_TEARDOWN,
                                      .is_ok = palette->flag,
                                      .text = palette->text};
        break;
    case MESSAGE_BEGIN:
        message->begin.at_ns = palette->instant_ns;
        message->begin.from_plan_ns = palette->small;
        break;
    case MESSAGE_FINISHED:
        message->finished.workers = palette->wide / 13;
        break;
    case MESSAGE_WORKERS_WANTED:
        message->wanted.workers = variant == SAMPLE_LARGEST ? LIMIT_WORKERS : palette->small + 1;
        message->wanted.load = variant == SAMPLE_SMALLEST ? 0 : LOADS_MAX - 1;
        break;
    case MESSAGE_BUNDLE_WANTED:
    case MESSAGE_BUNDLE_CHUNK:
        message->bundle_chunk = (struct bundle_chunk){
            .hash = bytes_of_string(HASH),
            .offset = variant == SAMPLE_LARGEST ? LIMIT_BUNDLE_BYTES - 1 : palette->small};
        if (message->kind == MESSAGE_BUNDLE_CHUNK) {
            message->bundle_chunk.content =
                variant == SAMPLE_LARGEST ? bytes_of(CHUNK, sizeof CHUNK) : palette->name;
        }
        break;
    case MESSAGE_SYNCHRONISE:
    case MESSAGE_ROOMS_DONE:
        message->rooms = set_of(variant);
        break;
    case MESSAGE_ARTIFACT:
        message->artifact = (struct artifact_piece){
            .kind = variant == SAMPLE_SMALLEST ? ARTIFACT_SCREENSHOT : ARTIFACT_SOURCE,
            .worker = palette->small == 0 ? 0 : LIMIT_WORKERS - 1,
            .step = palette->wide,
            .size_bytes = LIMIT_ARTIFACT_BYTES,
            .offset = variant == SAMPLE_LARGEST ? LIMIT_ARTIFACT_BYTES - sizeof CHUNK : palette->small,
            .content = variant == SAMPLE_LARGEST ? bytes_of(CHUNK, sizeof CHUNK) : palette->name};
        break;
    case MESSAGE_FAILURE:
        message->failure = (struct failure){.worker = palette->small == 0 ? 0 : LIMIT_WORKERS - 1,
                                            .step = palette->wide,
                                            .text = palette->text};
        break;
    default:
        break;
    }
}

void sample_make(struct sample *sample, enum message_kind kind, enum sample_variant variant)
{
    struct palette palette = palette_of(variant);
    bool is_of_none = kind == MESSAGE_HELLO || kind == MESSAGE_WELCOME || kind == MESSAGE_REFUSED ||
                      kind == MESSAGE_GAUGES || kind == MESSAGE_GOODBYE || kind == MESSAGE_LEAVING ||
                      kind == MESSAGE_LEAVE;
    *sample = (struct sample){.message = {.kind = kind, .campaign = is_of_none ? 0 : palette.wide | 1}};
    switch (kind) {
    case MESSAGE_HELLO:
        make_hello(&sample->message, &palette, variant);
        break;
    case MESSAGE_DEPLOY:
        make_deploy(sample, &palette, variant);
        break;
    case MESSAGE_ASSIGN:
        make_assign(sample, &palette, variant);
        break;
    case MESSAGE_OPERATIONS:
        make_operations(sample, &palette, variant);
        break;
    case MESSAGE_REPLIES:
        make_replies(sample, &palette, variant);
        break;
    case MESSAGE_DRAINED:
    case MESSAGE_RUN_UNTIL:
    case MESSAGE_SCALE:
    case MESSAGE_PACE:
        make_room_steps(sample, &palette, variant);
        break;
    case MESSAGE_STATISTICS:
        make_statistics(sample, &palette, variant);
        break;
    case MESSAGE_GAUGES:
        make_gauges(sample, &palette, variant);
        break;
    default:
        make_small_body(&sample->message, &palette, variant);
        break;
    }
}

void sample_finish(struct sample *sample)
{
    for (size_t i = 0; i < sample->histogram_count; i++) {
        histogram_free(&sample->histograms[i]);
    }
    memory_free(sample->items);
    *sample = (struct sample){.message = {.kind = sample->message.kind}};
}
