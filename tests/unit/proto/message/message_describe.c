/* Every field of a message as text. */
#include "common/escape.h"
#include "proto/message/campaign_option.h"
#include "tests/unit/proto/message/message_samples.h"

#include <inttypes.h>

static void number(struct buffer *text, const char *name, uint64_t value)
{
    buffer_append_format(text, "%s=%" PRIu64 " ", name, value);
}

static void bytes(struct buffer *text, const char *name, struct bytes value)
{
    buffer_append_format(text, "%s=(%zu)", name, value.size);
    escape_text(text, value);
    buffer_append_string(text, " ");
}

/* What is absent means nil in a value. */
static void value(struct buffer *text, const char *name, struct bytes value)
{
    bytes(text, name, value.size == 0 ? bytes_of_string("n") : value);
}

static void workers(struct buffer *text, const char *name, const struct worker_set *set)
{
    buffer_append_format(text, "%s=[", name);
    for (size_t i = 0; i < set->run_count; i++) {
        buffer_append_format(text, "%u+%u*%u ", set->runs[i].first, set->runs[i].stride, set->runs[i].count);
    }
    buffer_append_string(text, "] ");
}

static void histogram(struct buffer *text, const char *name, const struct histogram *histogram)
{
    struct histogram_cursor cursor = {0};
    buffer_append_format(text, "%s={max %" PRIu64 ",", name, histogram_maximum(histogram));
    while (histogram_next(histogram, &cursor)) {
        buffer_append_format(text, " %u:%" PRIu64, cursor.bucket, cursor.count);
    }
    buffer_append_string(text, "} ");
}

static void hello(struct buffer *text, const struct hello *hello)
{
    number(text, "lowest", hello->version_lowest);
    number(text, "highest", hello->version_highest);
    number(text, "features", hello->features);
    bytes(text, "name", hello->name);
    bytes(text, "host", hello->host);
    number(text, "pid", hello->pid);
    number(text, "cores", hello->cores);
    number(text, "memory", hello->memory_bytes);
    number(text, "shards", hello->shards);
    bytes(text, "labels", hello->labels);
    number(text, "capacity", hello->capacity);
    number(text, "gone", hello->gone_pid);
    bytes(text, "program", hello->program);
}

static void option(struct buffer *text, const struct campaign_option *row,
                   const struct campaign_options *options)
{
    const void *at = (const char *)options + row->option.offset;
    if (row->field == NULL) {
        return;
    }
    switch (row->option.type) {
    case OPTION_FLAG:
        number(text, row->field, *(const bool *)at);
        break;
    case OPTION_BYTES:
        bytes(text, row->field, *(const struct bytes *)at);
        break;
    case OPTION_REAL:
        buffer_append_format(text, "%s=%a ", row->field, *(const double *)at);
        break;
    default:
        number(text, row->field, option_number(&row->option, options));
        break;
    }
}

static void deploy(struct buffer *text, const struct deploy *deploy)
{
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        option(text, &campaign_option_table[i], &deploy->options);
    }
    for (size_t i = 0; i < deploy->bundle.file_count; i++) {
        bytes(text, "path", deploy->bundle.files[i].path);
        number(text, "size", deploy->bundle.files[i].size_bytes);
    }
    bytes(text, "hash", deploy->bundle.hash);
    workers(text, "workers", &deploy->workers);
    number(text, "seed_fixed", deploy->is_seed_fixed);
}

static void operation(struct buffer *text, const struct operation *operation)
{
    buffer_append_format(text, "\n%s/%d ", operation_name(operation->kind), (int)operation->kind);
    workers(text, "workers", &operation->workers);
    number(text, "room", operation->room);
    bytes(text, "name", operation->name);
    number(text, "step", operation->step);
    number(text, "nth", operation->nth);
    number(text, "call", operation->call);
    number(text, "count", operation->count);
    number(text, "timeout", operation->timeout_ms);
    number(text, "strict", operation->is_strict);
    number(text, "on timeout", operation->on_timeout);
    number(text, "at_once", operation->is_at_once);
    number(text, "aside", operation->is_aside);
    value(text, "value", operation->value);
    value(text, "expected", operation->expected);
    bytes(text, "text", operation->text);
    number(text, "first", (uint64_t)operation->first_ns);
    number(text, "last", (uint64_t)operation->last_ns);
    for (size_t i = 0; i < operation->after_count; i++) {
        number(text, "after", operation->after_us[i]);
    }
    number(text, "uncertainty", operation->uncertainty_us);
    bytes(text, "digest", operation->digest);
}

static void reply(struct buffer *text, const struct reply *reply)
{
    buffer_append_format(text, "\n%s/%d %s ", operation_name(reply->kind), (int)reply->kind,
                         outcome_name(reply->outcome));
    workers(text, "workers", &reply->workers);
    number(text, "room", reply->room);
    bytes(text, "name", reply->name);
    number(text, "step", reply->step);
    number(text, "nth", reply->nth);
    number(text, "call", reply->call);
    number(text, "count", reply->count);
    number(text, "total", reply->total);
    number(text, "rank", reply->rank);
    number(text, "won", reply->is_won);
    number(text, "maker", reply->is_maker);
    number(text, "by loss", reply->is_by_loss);
    number(text, "present", reply->present);
    value(text, "value", reply->value);
    number(text, "at", (uint64_t)reply->at_ns);
    workers(text, "missing", &reply->missing);
    bytes(text, "text", reply->text);
}

static void websocket(struct buffer *text, const struct websocket_statistics *websocket)
{
    bytes(text, "\nwebsocket", websocket->name);
    for (int count = 0; count < WEBSOCKET_COUNTS; count++) {
        number(text, websocket_count_name((enum websocket_count)count), websocket->counts[count]);
    }
    for (size_t i = 0; i < websocket->codes.size; i++) {
        number(text, "code", websocket->codes.items[i].code);
        number(text, "times", websocket->codes.items[i].count);
    }
    histogram(text, "handshake", websocket->handshake_us);
    histogram(text, "ping", websocket->ping_us);
    histogram(text, "queued", websocket->queued_us);
}

/* One that need not be there. */
static void own_histogram(struct buffer *text, const char *name, const struct histogram *it)
{
    if (it != NULL) {
        histogram(text, name, it);
    }
}

static void check(struct buffer *text, const struct check_statistics *check)
{
    bytes(text, "\ncheck", check->name);
    number(text, "passed", check->passed);
    number(text, "failed", check->failed);
    bytes(text, "text", check->text);
    number(text, "worker", check->worker);
    number(text, "step", check->step);
}

static void slow_trace(struct buffer *text, const struct slow_trace *trace)
{
    bytes(text, "trace", bytes_of(trace->id, sizeof trace->id));
    number(text, "took", trace->latency_us);
    number(text, "has worker", trace->has_worker);
    number(text, "worker", trace->worker);
    number(text, "step", trace->step);
}

static void statistics(struct buffer *text, const struct statistics *statistics)
{
    number(text, "ok", statistics->steps_ok);
    number(text, "failed", statistics->steps_failed);
    number(text, "failed by loss", statistics->steps_failed_by_loss);
    number(text, "stopped", statistics->steps_stopped);
    number(text, "running", statistics->workers_running);
    number(text, "at", (uint64_t)statistics->at_ns);
    histogram(text, "steps", statistics->step_us);
    own_histogram(text, "late", statistics->late_us);
    own_histogram(text, "response", statistics->response_us);
    number(text, "arrivals", statistics->arrivals);
    number(text, "dropped", statistics->dropped);
    for (size_t i = 0; i < statistics->request_count; i++) {
        bytes(text, "\nrequest", statistics->requests[i].name);
        number(text, "timing", statistics->requests[i].is_timing);
        number(text, "count", statistics->requests[i].count);
        number(text, "failed", statistics->requests[i].failed);
        number(text, "forgiven", statistics->requests[i].forgiven);
        number(text, "received", statistics->requests[i].received_bytes);
        number(text, "sent", statistics->requests[i].sent_bytes);
        for (size_t code = 0; code < statistics->requests[i].statuses.size; code++) {
            number(text, "status", statistics->requests[i].statuses.items[code].code);
            number(text, "of it", statistics->requests[i].statuses.items[code].count);
        }
        for (size_t trace = 0; trace < statistics->requests[i].slowest.size; trace++) {
            slow_trace(text, &statistics->requests[i].slowest.items[trace]);
        }
        histogram(text, "latency", statistics->requests[i].latency_us);
        own_histogram(text, "response", statistics->requests[i].response_us);
        for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            own_histogram(text, request_phase_name((enum request_phase)phase),
                          statistics->requests[i].phase_us[phase]);
        }
    }
    for (size_t i = 0; i < statistics->wait_count; i++) {
        bytes(text, "\nwait", statistics->waits[i].name);
        number(text, "kind", (uint64_t)statistics->waits[i].kind);
        for (size_t outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            number(text, "outcome", statistics->waits[i].outcomes[outcome]);
        }
        histogram(text, "waited", statistics->waits[i].waited_us);
    }
    for (size_t i = 0; i < statistics->error_count; i++) {
        bytes(text, "\nerror", statistics->errors[i].text);
        bytes(text, "key", statistics->errors[i].key);
        bytes(text, "scenario", statistics->errors[i].scenario);
        number(text, "count", statistics->errors[i].count);
        number(text, "worker", statistics->errors[i].worker);
        number(text, "step", statistics->errors[i].step);
    }
    for (size_t i = 0; i < statistics->websocket_count; i++) {
        websocket(text, &statistics->websockets[i]);
    }
    for (size_t i = 0; i < statistics->check_count; i++) {
        check(text, &statistics->checks[i]);
    }
    for (size_t i = 0; i < statistics->scenario_count; i++) {
        bytes(text, "\nscenario", statistics->scenarios[i].name);
        number(text, "weight", statistics->scenarios[i].weight_milli);
        for (size_t result = 0; result < 3; result++) {
            number(text, "steps", statistics->scenarios[i].steps[result]);
        }
        histogram(text, "steps", statistics->scenarios[i].step_us);
    }
    for (size_t i = 0; i < statistics->slice_count; i++) {
        bytes(text, "\nslice", statistics->slices[i].name);
        bytes(text, slice_kind_name(statistics->slices[i].kind), statistics->slices[i].tag);
        number(text, "count", statistics->slices[i].count);
        number(text, "failed", statistics->slices[i].failed);
        number(text, "forgiven", statistics->slices[i].forgiven);
        histogram(text, "took", statistics->slices[i].us);
    }
}

static void gauges(struct buffer *text, const struct gauges *gauges)
{
    number(text, "interval", gauges->interval_us);
    number(text, "cpu", gauges->cpu_us);
    number(text, "host", gauges->host_cpu_us);
    number(text, "load", gauges->load_milli);
    number(text, "memory", gauges->memory_bytes);
    number(text, "clock", gauges->has_clock);
    number(text, "offset", (uint64_t)gauges->clock_offset_ns);
    number(text, "uncertainty", gauges->clock_uncertainty_ns);
    for (size_t i = 0; i < gauges->loop_count; i++) {
        number(text, "p99", gauges->loops[i].lag_p99_us);
        number(text, "max", gauges->loops[i].lag_max_us);
        number(text, "busy", gauges->loops[i].busy_us);
    }
    histogram(text, "lag", gauges->lag_us);
}

static void room_steps(struct buffer *text, const char *name, const struct room_step *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        number(text, name, items[i].room);
        number(text, "step", items[i].step);
    }
}

static void pace(struct buffer *text, const struct pace *pace)
{
    number(text, "paused", pace->is_paused);
    number(text, "paused_at", pace->paused_at_ns);
    number(text, "shift", pace->shift_ns);
    number(text, "has_rate", pace->has_rate);
    number(text, "rate_at", pace->rate_at_ns);
    buffer_append_format(text, "rate=%a before=%a ", pace->rate_per_s, pace->before);
    number(text, "slots_at", pace->slots_at_ns);
    number(text, "slots", pace->slots);
    number(text, "load", pace->load);
    room_steps(text, "room", pace->rooms, pace->room_count);
    room_steps(text, "start", pace->starts, pace->start_count);
}

static void items(const struct message *message, struct buffer *text)
{
    for (size_t i = 0; message->kind == MESSAGE_OPERATIONS && i < message->operations.count; i++) {
        operation(text, &message->operations.items[i]);
    }
    for (size_t i = 0; message->kind == MESSAGE_REPLIES && i < message->replies.count; i++) {
        reply(text, &message->replies.items[i]);
    }
    for (size_t i = 0; message->kind == MESSAGE_ASSIGN && i < message->assign.count; i++) {
        workers(text, "workers", &message->assign.items[i].workers);
        number(text, "first_step", message->assign.items[i].first_step);
    }
    if (message->kind == MESSAGE_ASSIGN) {
        number(text, "answer", message->assign.is_answer);
    }
    if (message->kind == MESSAGE_DRAINED || message->kind == MESSAGE_RUN_UNTIL) {
        room_steps(text, "room", message->room_steps.items, message->room_steps.count);
    } else if (message->kind == MESSAGE_SCALE) {
        number(text, "workers", message->scale.workers);
        number(text, "load", message->scale.load);
        room_steps(text, "room", message->scale.rooms, message->scale.room_count);
    } else if (message->kind == MESSAGE_PACE) {
        pace(text, &message->pace);
    }
}

static void small_body(const struct message *message, struct buffer *text)
{
    switch (message->kind) {
    case MESSAGE_WELCOME:
        number(text, "version", message->welcome.version);
        number(text, "epoch", message->welcome.epoch);
        number(text, "lease", message->welcome.lease_ms);
        number(text, "heartbeat", message->welcome.heartbeat_ms);
        break;
    case MESSAGE_REFUSED:
    case MESSAGE_STOP:
        number(text, "final", message->refused.is_final);
        bytes(text, "text", message->refused.text);
        number(text, "holder", message->refused.holder_pid);
        break;
    case MESSAGE_GLOBAL:
        number(text, "phase", (uint64_t)message->global.phase);
        break;
    case MESSAGE_WORKERS_WANTED:
        number(text, "workers", message->wanted.workers);
        number(text, "load", message->wanted.load);
        break;
    case MESSAGE_DEPLOYED:
    case MESSAGE_GLOBAL_DONE:
        number(text, "phase", (uint64_t)message->done.phase);
        number(text, "ok", message->done.is_ok);
        bytes(text, "text", message->done.text);
        break;
    case MESSAGE_BEGIN:
        number(text, "at", (uint64_t)message->begin.at_ns);
        number(text, "from", message->begin.from_plan_ns);
        break;
    case MESSAGE_FINISHED:
        number(text, "workers", message->finished.workers);
        break;
    case MESSAGE_BUNDLE_WANTED:
    case MESSAGE_BUNDLE_CHUNK:
        bytes(text, "hash", message->bundle_chunk.hash);
        number(text, "offset", message->bundle_chunk.offset);
        bytes(text, "content", message->bundle_chunk.content);
        break;
    case MESSAGE_SYNCHRONISE:
    case MESSAGE_ROOMS_DONE:
        workers(text, "rooms", &message->rooms);
        break;
    case MESSAGE_ARTIFACT:
        number(text, "kind", (uint64_t)message->artifact.kind);
        number(text, "worker", message->artifact.worker);
        number(text, "step", message->artifact.step);
        number(text, "size", message->artifact.size_bytes);
        number(text, "offset", message->artifact.offset);
        bytes(text, "content", message->artifact.content);
        break;
    case MESSAGE_FAILURE:
        number(text, "worker", message->failure.worker);
        number(text, "step", message->failure.step);
        bytes(text, "text", message->failure.text);
        break;
    default:
        break;
    }
}

void message_describe(const struct message *message, struct buffer *text)
{
    buffer_append_format(text, "kind=%d campaign=%" PRIu64 " ", (int)message->kind, message->campaign);
    if (message->kind == MESSAGE_HELLO) {
        hello(text, &message->hello);
    } else if (message->kind == MESSAGE_DEPLOY) {
        deploy(text, &message->deploy);
    } else if (message->kind == MESSAGE_STATISTICS) {
        statistics(text, &message->statistics);
    } else if (message->kind == MESSAGE_GAUGES) {
        gauges(text, &message->gauges);
    }
    items(message, text);
    small_body(message, text);
}
