/* An agent and the coordinator's end of its link. */
#include "tests/unit/agent/core/test_agent_support.h"
#include "tests/unit/agent/core/test_agent_transcript.h"

#include "common/memory.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

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
    bool has_message = shared_bytes(effect->message).size > 0;
    bool is_hello = effect->envelope.sequence == 0 && has_message;
    if (!is_hello &&
        (fixture->coordinator == NULL || link_receive(fixture->coordinator, coordinator_now(fixture),
                                                      &effect->envelope, has_message) != LINK_DELIVER)) {
        return;
    }
    if (!message_decode(shared_bytes(effect->message), &message, &error)) {
        fail_msg("the agent sent what cannot be decoded: %s", error.text);
    }
    space(fixture);
    if (is_hello) {
        assert_int_equal(message.kind, MESSAGE_HELLO);
        assert_true(bytes_equal_string(message.hello.name, "a1"));
        buffer_append_string(&fixture->transcript, "hello");
        if (message.hello.gone_pid != 0) {
            buffer_append_format(&fixture->transcript, "-after(%u)", message.hello.gone_pid);
        }
    } else {
        fixture->messages++;
        write_message(&fixture->transcript, &message);
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
        write_command(&fixture->transcript, effect->shard, effect->command);
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
    case AGENT_LOOK:
        space(fixture);
        buffer_append_format(&fixture->transcript, "look(%u)", effect->pid);
        break;
    case AGENT_MAY_LEAVE:
        space(fixture);
        buffer_append_string(&fixture->transcript, "may-leave");
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

void reconnected(struct fixture *fixture)
{
    step(fixture, (struct agent_event){.kind = AGENT_CONNECTED});
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
    struct shared *message;
    while (link_next_frame(fixture->coordinator, coordinator_now(fixture), &envelope, &message)) {
        raw_frame(fixture, &envelope, shared_bytes(message));
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
        .welcome = {
            .version = PROTOCOL_VERSION, .epoch = EPOCH, .lease_ms = LEASE_MS, .heartbeat_ms = HEARTBEAT_MS}};
    say(fixture, &message);
}

void refuse(struct fixture *fixture, const char *text, bool is_final)
{
    struct envelope envelope = {.incarnation = fixture->incarnation, .epoch = EPOCH};
    struct message message = {.kind = MESSAGE_REFUSED,
                              .refused = {.is_final = is_final, .text = bytes_of_string(text)}};
    frame(fixture, &envelope, &message);
}

void holder_is_gone(struct fixture *fixture)
{
    step(fixture, (struct agent_event){.kind = AGENT_GONE});
}

void ask_to_leave(struct fixture *fixture)
{
    step(fixture, (struct agent_event){.kind = AGENT_ASK});
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
    /* An empty file needs no transfer. */
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
