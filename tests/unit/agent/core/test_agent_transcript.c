/* The transcript of an agent: how its commands and messages are recorded. */
#include "tests/unit/agent/core/test_agent_transcript.h"

#include <inttypes.h>

static void write_set(struct buffer *into, const struct worker_set *set)
{
    struct worker_cursor cursor = {0};
    bool is_first = true;
    while (worker_set_next(set, &cursor)) {
        buffer_append_format(into, "%s%" PRIu32, is_first ? "" : " ", cursor.worker);
        is_first = false;
    }
}

static void write_room_steps(struct buffer *into, const struct room_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(into, "%s%" PRIu32 "@%" PRIu64, i == 0 ? "" : " ", steps[i].room, steps[i].step);
    }
}

static void write_reply(struct buffer *into, const struct command *command)
{
    const struct reply *reply = shared_reply_get(command->reply);
    buffer_append_format(into, "%s %s ", operation_name(reply->kind), outcome_name(reply->outcome));
    write_set(into, &command->workers);
    uint64_t count = command->ranks == NULL ? 0 : worker_set_count(&command->workers);
    for (uint64_t i = 0; i < count; i++) {
        buffer_append_format(into, "%s%" PRIu64, i == 0 ? " #" : ",", command->ranks[i]);
    }
    if (reply->at_ns != 0) {
        buffer_append_format(into, " at %" PRIu64 " ms", ((uint64_t)reply->at_ns - START_NS) / MS);
    }
}

void write_command(struct buffer *into, uint32_t shard, const struct command *command)
{
    static const char *const NAMES[] = {"deploy",      "global", "begin",     "assign",     "reply",
                                        "synchronise", "drain",  "run_until", "rooms_done", "stop",
                                        "forget",      "scale",  "pace",      "known"};
    assert_int_equal(command->campaign, CAMPAIGN);
    buffer_append_format(into, "%" PRIu32 ":%s(", shard, NAMES[command->kind]);
    if (command->kind != COMMAND_REPLY) { /* there they stand with the reply */
        write_set(into, &command->workers);
    }
    write_set(into, &command->rooms);
    write_room_steps(into, command->room_steps, command->room_step_count);
    buffer_append_string(into, command->text == NULL ? "" : command->text);
    if (command->kind == COMMAND_DEPLOY) {
        assert_non_null(command->deployment);
        assert_non_null(deployment_bundle(command->deployment));
        struct bytes target = deployment_options(command->deployment)->target;
        buffer_append_format(into, "%s%.*s", target.size > 0 ? " at " : "", BYTES_FORMAT(target));
    } else if (command->kind == COMMAND_GLOBAL) {
        buffer_append_string(into, command->phase == GLOBAL_SETUP ? "setup" : "teardown");
    } else if (command->kind == COMMAND_ASSIGN) {
        buffer_append_format(into, " from %" PRIu64, command->first_step);
    } else if (command->kind == COMMAND_PACE) {
        assert_true(command->pace.rooms == NULL && command->pace.room_count == 0); /* they are room_steps */
        buffer_append_format(into, " %s after %" PRIu64 " ms, %.1f/s",
                             command->pace.is_paused ? "paused" : "goes on", command->pace.shift_ns / MS,
                             command->pace.rate_per_s);
    } else if (command->kind == COMMAND_REPLY) {
        write_reply(into, command);
    } else if (command->kind == COMMAND_BEGIN) {
        uint64_t at_ms = command->at_ns == 0 ? 0 : (command->at_ns - START_NS) / MS;
        buffer_append_format(into, "%" PRIu64 " ms", at_ms);
    }
    buffer_append_string(into, ")");
}

static void write_operations(struct buffer *into, const struct message *message)
{
    for (size_t i = 0; i < message->operations.count; i++) {
        const struct operation *operation = &message->operations.items[i];
        buffer_append_format(into, "%s%s ", i == 0 ? "" : ", ", operation_name(operation->kind));
        if (worker_set_count(&operation->workers) > 20) {
            buffer_append_format(into, "%" PRIu64 " workers", worker_set_count(&operation->workers));
        } else {
            write_set(into, &operation->workers);
        }
        if (operation->first_ns != 0) {
            buffer_append_format(into, " %" PRId64 "–%" PRId64 " ms", operation->first_ns / (int64_t)MS,
                                 operation->last_ns / (int64_t)MS);
        }
        if (operation->first_ns != 0 && operation->uncertainty_us != 0) {
            buffer_append_format(into, " ± %" PRIu32 " µs", operation->uncertainty_us);
        }
        for (size_t j = 0; j < operation->after_count; j++) {
            buffer_append_format(into, "%s %" PRIu32 "%s", j == 0 ? " after" : "", operation->after_us[j],
                                 j + 1 == operation->after_count ? " µs" : "");
        }
    }
}

static void write_gauges(struct buffer *into, const struct gauges *gauges)
{
    buffer_append_format(
        into, "%" PRIu64 " µs, cpu %" PRIu64 " of %" PRIu64 ", load %" PRIu64 ", %" PRIu64 " bytes, ",
        gauges->interval_us, gauges->cpu_us, gauges->host_cpu_us, (uint64_t)gauges->load_milli,
        gauges->memory_bytes);
    if (gauges->has_clock) {
        buffer_append_format(into, "clock %" PRId64 " ± %" PRIu64 " ms, ",
                             gauges->clock_offset_ns / (int64_t)MS, gauges->clock_uncertainty_ns / MS);
    }
    buffer_append_string(into, "loops");
    for (size_t i = 0; i < gauges->loop_count; i++) {
        const struct loop_gauges *loop = &gauges->loops[i];
        buffer_append_format(into, " %" PRIu64 "/%" PRIu64 "/%" PRIu64, loop->lag_p99_us, loop->lag_max_us,
                             loop->busy_us);
    }
    buffer_append_format(into, ", %" PRIu64 " of lag", histogram_count(gauges->lag_us));
}

static void write_count(struct buffer *into, size_t count, const char *of)
{
    if (count > 0) {
        buffer_append_format(into, ", %zu %s", count, of);
    }
}

static void write_statistics(struct buffer *into, const struct statistics *statistics)
{
    buffer_append_format(into, "%" PRIu64 " ok, %" PRIu32 " running", statistics->steps_ok,
                         statistics->workers_running);
    if (statistics->at_ns != 0) {
        buffer_append_format(into, " at %" PRId64 " ms", statistics->at_ns / (int64_t)MS);
    }
    write_count(into, statistics->request_count, "requests");
    write_count(into, statistics->wait_count, "waits");
    write_count(into, statistics->error_count, "errors");
    write_count(into, statistics->websocket_count, "websockets");
    write_count(into, statistics->check_count, "checks");
}

uint8_t artifact_byte(uint64_t offset)
{
    return (uint8_t)(offset % 251);
}

void write_message(struct buffer *into, const struct message *message)
{
    buffer_append_format(into, "%s(", message_kind_name(message->kind));
    switch (message->kind) {
    case MESSAGE_DEPLOYED:
    case MESSAGE_GLOBAL_DONE:
        buffer_append_format(into, "%s%.*s", message->done.is_ok ? "ok" : "not ok ",
                             BYTES_FORMAT(message->done.text));
        break;
    case MESSAGE_OPERATIONS:
        write_operations(into, message);
        break;
    case MESSAGE_DRAINED:
        write_room_steps(into, message->room_steps.items, message->room_steps.count);
        break;
    case MESSAGE_FAILURE:
        buffer_append_format(into, "%" PRIu32 "@%" PRIu64 " %.*s", message->failure.worker,
                             message->failure.step, BYTES_FORMAT(message->failure.text));
        break;
    case MESSAGE_ARTIFACT:
        for (size_t i = 0; i < message->artifact.content.size; i++) {
            assert_int_equal(message->artifact.content.data[i], artifact_byte(message->artifact.offset + i));
        }
        buffer_append_format(into, "%" PRIu32 "@%" PRIu64 " %" PRIu64 "+%zu of %" PRIu64,
                             message->artifact.worker, message->artifact.step, message->artifact.offset,
                             message->artifact.content.size, message->artifact.size_bytes);
        break;
    case MESSAGE_STATISTICS:
        write_statistics(into, &message->statistics);
        break;
    case MESSAGE_GAUGES:
        write_gauges(into, &message->gauges);
        break;
    case MESSAGE_FINISHED:
        buffer_append_format(into, "%" PRIu64, message->finished.workers);
        break;
    case MESSAGE_BUNDLE_WANTED:
        buffer_append_format(into, "%" PRIu64, message->bundle_chunk.offset);
        break;
    case MESSAGE_WORKERS_WANTED:
        buffer_append_format(into, "%" PRIu32, message->wanted.workers);
        break;
    case MESSAGE_GOODBYE:
    case MESSAGE_LEAVING:
        break;
    default:
        fail_msg("an agent sends no %s", message_kind_name(message->kind));
    }
    buffer_append_string(into, ")");
}
