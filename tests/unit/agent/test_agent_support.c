/* An agent and the coordinator's end of its link. */
#include "test_agent_support.h"

#include "common/memory.h"
#include "proto/bundle.h"
#include "proto/limits.h"

#include <inttypes.h>
#include <string.h>

int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    fixture->settings = (struct agent_settings){.incarnation = INCARNATION,
                                                .seed = 3,
                                                .name = "a1",
                                                .host = "here",
                                                .coordinator_host = "10.0.0.1",
                                                .cores = 2,
                                                .shards = 2};
    fixture->now_ns = START_NS;
    buffer_init(&fixture->transcript, 4000000);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    agent_effects_finish(&fixture->effects);
    agent_free(&fixture->agent);
    link_free(&fixture->coordinator);
    buffer_finish(&fixture->transcript);
    memory_free(fixture);
    return 0;
}

static void space(struct fixture *fixture)
{
    buffer_append_string(&fixture->transcript, fixture->transcript.size == 0 ? "" : " ");
}

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
    const struct reply *reply = command->reply;
    buffer_append_format(into, "%s %s ", operation_name(reply->kind), outcome_name(reply->outcome));
    write_set(into, &reply->workers);
    uint64_t count = command->ranks == NULL ? 0 : worker_set_count(&reply->workers);
    for (uint64_t i = 0; i < count; i++) {
        buffer_append_format(into, "%s%" PRIu64, i == 0 ? " #" : ",", command->ranks[i]);
    }
    if (reply->at_ns != 0) {
        buffer_append_format(into, " at %" PRIu64 " ms", ((uint64_t)reply->at_ns - START_NS) / MS);
    }
}

static void write_command(struct fixture *fixture, uint32_t shard, const struct command *command)
{
    static const char *const NAMES[] = {"deploy", "global",    "begin",      "assign", "reply", "synchronise",
                                        "drain",  "run_until", "rooms_done", "stop",   "forget"};
    struct buffer *into = &fixture->transcript;
    assert_int_equal(command->campaign, CAMPAIGN);
    buffer_append_format(into, "%" PRIu32 ":%s(", shard, NAMES[command->kind]);
    write_set(into, &command->workers);
    write_set(into, &command->rooms);
    write_room_steps(into, command->room_steps, command->room_step_count);
    buffer_append_string(into, command->text == NULL ? "" : command->text);
    if (command->kind == COMMAND_DEPLOY) {
        assert_non_null(command->deployment);
        struct bytes target = deployment_options(command->deployment)->target;
        buffer_append_format(into, "%s%.*s", target.size > 0 ? " at " : "", BYTES_FORMAT(target));
    } else if (command->kind == COMMAND_GLOBAL) {
        buffer_append_string(into, command->phase == GLOBAL_SETUP ? "setup" : "teardown");
    } else if (command->kind == COMMAND_ASSIGN) {
        buffer_append_format(into, " from %" PRIu64, command->first_step);
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
        for (size_t j = 0; j < operation->after_count; j++) {
            buffer_append_format(into, "%s %" PRIu32 "%s", j == 0 ? " after" : "", operation->after_us[j],
                                 j + 1 == operation->after_count ? " µs" : "");
        }
    }
}

static void write_gauges(struct buffer *into, const struct gauges *gauges)
{
    buffer_append_format(into, "%" PRIu64 " µs, cpu %" PRIu64 ", %" PRIu64 " bytes, ", gauges->interval_us,
                         gauges->cpu_us, gauges->memory_bytes);
    if (gauges->has_clock) {
        buffer_append_format(into, "clock %" PRId64 " ms, ", gauges->clock_offset_ns / (int64_t)MS);
    }
    buffer_append_string(into, "loops");
    for (size_t i = 0; i < gauges->loop_count; i++) {
        const struct loop_gauges *loop = &gauges->loops[i];
        buffer_append_format(into, " %" PRIu64 "/%" PRIu64 "/%" PRIu64, loop->lag_p99_us, loop->lag_max_us,
                             loop->busy_us);
    }
    buffer_append_format(into, ", %" PRIu64 " of lag", histogram_count(gauges->lag_us));
}

static void write_message(struct fixture *fixture, const struct message *message)
{
    struct buffer *into = &fixture->transcript;
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
        buffer_append_format(into, "%" PRIu32 "@%" PRIu64 " %" PRIu64 "+%zu of %" PRIu64,
                             message->artifact.worker, message->artifact.step, message->artifact.offset,
                             message->artifact.content.size, message->artifact.size_bytes);
        break;
    case MESSAGE_STATISTICS:
        buffer_append_format(into, "%" PRIu64 " ok, %" PRIu32 " running", message->statistics.steps_ok,
                             message->statistics.workers_running);
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
    case MESSAGE_GOODBYE:
        break;
    default:
        fail_msg("an agent sends no %s", message_kind_name(message->kind));
    }
    buffer_append_string(into, ")");
}

static uint64_t coordinator_now(const struct fixture *fixture)
{
    return fixture->now_ns + OFFSET_NS;
}

static void take_frame(struct fixture *fixture, const struct agent_effect *effect)
{
    fixture->incarnation = effect->envelope.incarnation;
    fixture->frames++;
    if (fixture->is_cut) {
        return;
    }
    struct message message;
    struct error error;
    bool has_message = effect->message.size > 0;
    bool is_hello = effect->envelope.sequence == 0 && has_message;
    if (!is_hello &&
        (fixture->coordinator == NULL || link_receive(fixture->coordinator, coordinator_now(fixture),
                                                      &effect->envelope, has_message) != LINK_DELIVER)) {
        return;
    }
    if (!message_decode(effect->message, &message, &error)) {
        fail_msg("the agent sent what cannot be decoded: %s", error.text);
    }
    space(fixture);
    if (is_hello) {
        assert_int_equal(message.kind, MESSAGE_HELLO);
        assert_true(bytes_equal_string(message.hello.name, "a1"));
        buffer_append_string(&fixture->transcript, "hello");
    } else {
        fixture->messages++;
        write_message(fixture, &message);
    }
    message_finish(&message);
}

static void write_effect(struct fixture *fixture, const struct agent_effect *effect)
{
    switch (effect->kind) {
    case AGENT_SEND:
        take_frame(fixture, effect);
        break;
    case AGENT_COMMAND:
        space(fixture);
        write_command(fixture, effect->shard, effect->command);
        break;
    case AGENT_LEASE:
        fixture->lease_until_ns = effect->lease_until_ns;
        fixture->leases++;
        if (effect->lease_until_ns == 0) {
            space(fixture);
            buffer_append_string(&fixture->transcript, "pause");
        }
        break;
    case AGENT_RECONNECT:
        space(fixture);
        buffer_append_string(&fixture->transcript, "reconnect");
        break;
    case AGENT_REFUSED:
        space(fixture);
        buffer_append_format(&fixture->transcript, "refused(%s)", effect->text);
        break;
    case AGENT_LEFT:
        space(fixture);
        buffer_append_string(&fixture->transcript, "left");
        break;
    case AGENT_LOG:
        if (effect->level <= LOG_WARNING) {
            space(fixture);
            buffer_append_format(&fixture->transcript, "log(%s)", effect->text);
        }
        break;
    }
}

static void step(struct fixture *fixture, struct agent_event event)
{
    event.now_ns = fixture->now_ns;
    agent_step(fixture->agent, &event, &fixture->effects);
    for (size_t i = 0; i < fixture->effects.count; i++) {
        write_effect(fixture, &fixture->effects.items[i]);
    }
}

void start(struct fixture *fixture)
{
    fixture->agent = agent_new(&fixture->settings, fixture->now_ns);
}

void start_joined(struct fixture *fixture)
{
    start(fixture);
    tick(fixture);
    welcome(fixture);
    turn_end(fixture);
    pass(fixture, HEARTBEAT_MS);
    pump(fixture);
    turn_end(fixture);
    ignore(fixture);
}

void tick(struct fixture *fixture)
{
    step(fixture, (struct agent_event){.kind = AGENT_TICK});
}

void turn_end(struct fixture *fixture)
{
    step(fixture, (struct agent_event){.kind = AGENT_TURN_END});
}

void pass(struct fixture *fixture, uint64_t milliseconds)
{
    uint64_t end_ns = fixture->now_ns + milliseconds * MS;
    while (agent_due_ns(fixture->agent) <= end_ns) {
        uint64_t due_ns = agent_due_ns(fixture->agent);
        fixture->now_ns = due_ns > fixture->now_ns ? due_ns : fixture->now_ns;
        tick(fixture);
        assert_true(agent_due_ns(fixture->agent) > fixture->now_ns); /* or it would spin */
    }
    fixture->now_ns = end_ns;
}

void raw_frame(struct fixture *fixture, const struct envelope *envelope, struct bytes message)
{
    step(fixture, (struct agent_event){.kind = AGENT_FRAME, .envelope = *envelope, .message = message});
}

void frame(struct fixture *fixture, const struct envelope *envelope, const struct message *message)
{
    struct buffer encoded;
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(message, &encoded);
    raw_frame(fixture, envelope, buffer_bytes(&encoded));
    buffer_finish(&encoded);
}

void pump(struct fixture *fixture)
{
    struct envelope envelope;
    struct bytes message;
    while (link_next_frame(fixture->coordinator, coordinator_now(fixture), &envelope, &message)) {
        raw_frame(fixture, &envelope, message);
    }
}

void say(struct fixture *fixture, const struct message *message)
{
    struct buffer encoded;
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(message, &encoded);
    link_send(fixture->coordinator, &encoded);
    pump(fixture);
}

void say_kind(struct fixture *fixture, enum message_kind kind)
{
    say(fixture, &(struct message){.kind = kind, .campaign = CAMPAIGN});
}

void welcome(struct fixture *fixture)
{
    link_free(&fixture->coordinator);
    fixture->coordinator = link_new(fixture->incarnation, EPOCH, HEARTBEAT_MS * MS, coordinator_now(fixture));
    struct message message = {
        .kind = MESSAGE_WELCOME,
        .welcome = {.version = 1, .epoch = EPOCH, .lease_ms = LEASE_MS, .heartbeat_ms = HEARTBEAT_MS}};
    say(fixture, &message);
}

void refuse(struct fixture *fixture, const char *text, bool is_final)
{
    struct envelope envelope = {.incarnation = fixture->incarnation, .epoch = EPOCH};
    struct message message = {.kind = MESSAGE_REFUSED,
                              .refused = {.is_final = is_final, .text = bytes_of_string(text)}};
    frame(fixture, &envelope, &message);
}

void leave(struct fixture *fixture)
{
    step(fixture, (struct agent_event){.kind = AGENT_LEAVE});
}

void notify(struct fixture *fixture, uint32_t shard, struct notice *notice)
{
    step(fixture, (struct agent_event){.kind = AGENT_NOTICE, .shard = shard, .notice = &notice});
    assert_null(notice);
}

void operate(struct fixture *fixture, uint32_t shard, uint32_t worker, struct operation operation)
{
    worker_set_init(&operation.workers);
    worker_set_add(&operation.workers, worker);
    struct notice *notice = notice_new(NOTICE_OPERATION, CAMPAIGN);
    notice->operation = operation_copy(&operation);
    worker_set_finish(&operation.workers);
    notify(fixture, shard, notice);
}

void finish_shard(struct fixture *fixture, uint32_t shard, uint64_t workers)
{
    struct notice *notice = notice_new(NOTICE_FINISHED, CAMPAIGN);
    notice->finished_workers = workers;
    notify(fixture, shard, notice);
}

void deployed(struct fixture *fixture, uint32_t shard, const char *failure)
{
    struct notice *notice = notice_new(NOTICE_DEPLOYED, CAMPAIGN);
    notice->is_ok = failure == NULL;
    notice->text = memory_copy_string(failure);
    notify(fixture, shard, notice);
}

void give_workers(struct worker_set *set, uint32_t first, uint32_t stride, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        worker_set_add(set, first + i * stride);
    }
}

void deploy(struct fixture *fixture, uint32_t workers, uint32_t first, uint32_t stride, uint32_t count)
{
    /* An empty file is here at once. */
    struct bundle_entry file = {bytes_of_string("pad.lua"), 0};
    struct bundle_file empty = {bytes_of_string("pad.lua"), {0}};
    char hash[DIGEST_TEXT_BYTES];
    bundle_hash(&(struct bundle){.files = &empty, .file_count = 1}, hash);
    struct message message = {.kind = MESSAGE_DEPLOY, .campaign = CAMPAIGN};
    message.deploy.options = (struct campaign_options){
        .workers = workers, .runs = 3, .sync_timeout_ms = 60000, .target_port = fixture->target_port};
    message.deploy.bundle =
        (struct bundle_listing){.files = &file, .file_count = 1, .hash = bytes_of_string(hash)};
    give_workers(&message.deploy.workers, first, stride, count);
    say(fixture, &message);
    worker_set_finish(&message.deploy.workers);
}

void start_deployed(struct fixture *fixture, uint32_t workers, uint32_t count)
{
    start_joined(fixture);
    deploy(fixture, workers, 0, 1, count);
    ignore(fixture);
}

void expect(struct fixture *fixture, const char *transcript)
{
    assert_string_equal(buffer_string(&fixture->transcript), transcript);
    buffer_clear(&fixture->transcript);
}

void ignore(struct fixture *fixture)
{
    buffer_clear(&fixture->transcript);
}
