/* A coordinator on a test stand. */
#include "tests/unit/coordinator/core/stand.h"

#include "common/memory.h"
#include "coordinator/core/coordinator_pack.h"
#include "proto/codec/codec.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"
#include "tests/unit/coordinator/core/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NS_PER_MS 1000000u
#define STORY_BYTES (1024u * 1024u)
#define BASE_BYTES UINT32_MAX
#define COPIED_TURNS 50u

void stand_init(struct stand *stand)
{
    *stand = (struct stand){.now_ns = STAND_START_NS};
    struct coordinator_settings settings = coordinator_default_settings(STAND_EPOCH);
    stand->coordinator = coordinator_new(&settings);
    buffer_init(&stand->story, STORY_BYTES);
}

void stand_finish(struct stand *stand)
{
    coordinator_free(&stand->coordinator);
    coordinator_effects_finish(&stand->effects);
    for (size_t i = 0; i < stand->agent_count; i++) {
        link_free(&stand->agents[i].link);
    }
    buffer_finish(&stand->story);
    memory_free(stand->bundle);
}

int stand_set_up(void **state)
{
    static struct stand stand;
    stand_init(&stand);
    *state = &stand;
    return 0;
}

int stand_tear_down(void **state)
{
    stand_finish((struct stand *)*state);
    return 0;
}

static struct played *find_agent(struct stand *stand, uint64_t incarnation)
{
    for (size_t i = 0; i < stand->agent_count; i++) {
        if (stand->agents[i].incarnation == incarnation) {
            return &stand->agents[i];
        }
    }
    return NULL;
}

static void queue(struct played *agent, struct message message)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    message_encode(&message, &buffer);
    link_send(agent->link, &buffer);
    buffer_finish(&buffer);
}

/* The answers of a healthy agent. */
static void oblige(struct played *agent, const struct message *message)
{
    uint64_t campaign = message->campaign;
    if (message->kind == MESSAGE_DEPLOY) {
        queue(agent,
              (struct message){.kind = MESSAGE_DEPLOYED, .campaign = campaign, .done = {.is_ok = true}});
    } else if (message->kind == MESSAGE_GLOBAL) {
        queue(agent, (struct message){.kind = MESSAGE_GLOBAL_DONE,
                                      .campaign = campaign,
                                      .done = {.phase = message->global.phase, .is_ok = true}});
    } else if (message->kind == MESSAGE_STOP) {
        queue(agent, (struct message){
                         .kind = MESSAGE_FINISHED, .campaign = campaign, .finished.workers = agent->workers});
    }
}

static void note_workers(struct played *agent, const struct message *message)
{
    if (message->kind == MESSAGE_DEPLOY) {
        agent->workers = worker_set_count(&message->deploy.workers);
    } else if (message->kind == MESSAGE_ASSIGN) {
        for (size_t i = 0; i < message->assign.count; i++) {
            agent->workers += worker_set_count(&message->assign.items[i].workers);
        }
    }
}

static void hear(struct stand *stand, struct played *agent, const struct coordinator_effect *effect)
{
    struct message message;
    struct error error;
    bool is_numbered = effect->envelope.sequence != 0;
    if (!is_numbered && shared_bytes(effect->message).size == 0) {
        agent->heartbeats++;
    }
    enum link_verdict verdict = LINK_NO_MESSAGE;
    if (agent->link != NULL) {
        verdict = link_receive(agent->link, stand->now_ns, &effect->envelope,
                               shared_bytes(effect->message).size > 0);
    }
    if (shared_bytes(effect->message).size == 0 || (is_numbered && verdict != LINK_DELIVER)) {
        return;
    }
    if (!message_decode(shared_bytes(effect->message), &message, &error)) {
        fail_msg("the coordinator sent a malformed message: %s", error.text);
    }
    story_tell_message(&stand->story, agent->name, &message);
    note_workers(agent, &message);
    if (agent->is_obliging && agent->link != NULL) {
        oblige(agent, &message);
    }
    message_finish(&message);
}

static void take_effect(struct stand *stand, const struct coordinator_effect *effect)
{
    struct played *agent = find_agent(stand, effect->incarnation);
    switch (effect->kind) {
    case EFFECT_SEND:
        stand->frames += agent != NULL;
        if (agent != NULL && !agent->is_silent && !agent->is_deaf) {
            hear(stand, agent, effect);
        }
        break;
    case EFFECT_LOG:
        stand->logged++;
        if (stand->is_log_told) {
            (void)buffer_append_format(&stand->story, "log: %s\n", effect->text);
        }
        break;
    case EFFECT_CAMPAIGN:
        (void)buffer_append_format(&stand->story, "campaign %llu %s\n", (unsigned long long)effect->campaign,
                                   campaign_state_name(effect->state));
        break;
    case EFFECT_DEADLOCK:
        (void)buffer_append_format(&stand->story, "deadlock\n");
        break;
    case EFFECT_FORGET_ROUTE:
        (void)buffer_append_format(&stand->story, "forget the route of %s\n",
                                   agent != NULL ? agent->name : "?");
        break;
    }
}

static void keep_bundle(struct stand *stand, const struct bundle *bundle)
{
    size_t size = 0;
    for (size_t i = 0; i < bundle->file_count; i++) {
        size += bundle->files[i].content.size;
    }
    memory_free(stand->bundle);
    stand->bundle = memory_new(size + 1, 1);
    for (size_t i = 0, at = 0; i < bundle->file_count; at += bundle->files[i++].content.size) {
        if (bundle->files[i].content.size > 0) {
            memcpy(stand->bundle + at, bundle->files[i].content.data, bundle->files[i].content.size);
        }
    }
}

static uint8_t *load_bundle(void *context, const struct bundle_listing *listing)
{
    const struct stand *stand = context;
    return memory_copy(stand->bundle, (size_t)bundle_listing_bytes(listing));
}

/* At the end of each turn the test continues with another coordinator, unpacked from the bytes of this one:
 * so every story also covers a journal whose base was written at any of its turns. Ended campaigns are not in
 * a base. */
static void go_on_as_a_copy(struct stand *stand)
{
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    if (overview->campaign_count > overview->live_campaign_count) {
        return;
    }
    SCOPED(buffer_finish) struct buffer once;
    SCOPED(buffer_finish) struct buffer twice;
    buffer_init(&once, BASE_BYTES);
    buffer_init(&twice, BASE_BYTES);
    assert_true(coordinator_is_at_rest(stand->coordinator));
    coordinator_pack(stand->coordinator, &once);
    const struct bundle_source bundles = {.load = load_bundle, .context = stand};
    struct coordinator *copy = coordinator_unpack(buffer_bytes(&once), &bundles);
    assert_non_null(copy);
    coordinator_pack(copy, &twice);
    assert_true(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    coordinator_free(&stand->coordinator);
    stand->coordinator = copy;
}

void stand_step(struct stand *stand, const struct coordinator_event *event)
{
    if (stand->on_event != NULL) {
        stand->on_event(stand->context, event);
    }
    if (event->kind == EVENT_CREATE) {
        keep_bundle(stand, &event->create.bundle);
    }
    coordinator_step(stand->coordinator, event, &stand->effects);
    for (size_t i = 0; i < stand->effects.count; i++) {
        take_effect(stand, &stand->effects.items[i]);
    }
    bool is_turn = event->kind != EVENT_FRAME;
    stand->turns += is_turn ? 1 : 0;
    /* Long stories repeat the same turns. */
    if (is_turn && !stand->is_original &&
        (stand->turns < COPIED_TURNS || stand->turns % (COPIED_TURNS * 10) == 0)) {
        go_on_as_a_copy(stand);
    }
}

void stand_frame(struct stand *stand, const struct envelope *envelope, struct bytes message)
{
    const struct played *agent = find_agent(stand, envelope->incarnation);
    struct bytes key_name = bytes_of_string(agent != NULL ? agent->key_name : NULL);
    stand_step(stand, &(struct coordinator_event){
                          .kind = EVENT_FRAME,
                          .now_ns = stand->now_ns,
                          .frame = {.envelope = *envelope, .message = message, .key_name = key_name}});
}

/* Whether the agent had anything to send. A frozen one has nothing. */
static bool talk(struct stand *stand, struct played *agent)
{
    struct envelope envelope;
    struct shared *message;
    bool has_talked = false;
    while (!agent->is_silent && agent->link != NULL && link_epoch(agent->link) != 0 &&
           link_next_frame(agent->link, stand->now_ns, &envelope, &message)) {
        stand_frame(stand, &envelope, shared_bytes(message));
        has_talked = true;
    }
    return has_talked;
}

void stand_exchange(struct stand *stand)
{
    bool is_quiet = false;
    while (!is_quiet) {
        is_quiet = true;
        for (size_t i = 0; i < stand->agent_count; i++) {
            is_quiet = !talk(stand, &stand->agents[i]) && is_quiet;
        }
        stand_step(stand, &(struct coordinator_event){.kind = EVENT_TURN_END, .now_ns = stand->now_ns});
        is_quiet = is_quiet && stand->effects.count == 0;
    }
}

static uint64_t next_due_ns(const struct stand *stand)
{
    uint64_t due_ns = coordinator_due_ns(stand->coordinator);
    for (size_t i = 0; i < stand->agent_count; i++) {
        const struct played *agent = &stand->agents[i];
        if (agent->link != NULL && !agent->is_silent && link_epoch(agent->link) != 0 &&
            link_due_ns(agent->link) < due_ns) {
            due_ns = link_due_ns(agent->link);
        }
    }
    return due_ns;
}

void stand_pass_ms(struct stand *stand, uint64_t milliseconds)
{
    uint64_t end_ns = stand->now_ns + milliseconds * NS_PER_MS;
    stand_exchange(stand);
    for (uint64_t due_ns = next_due_ns(stand); due_ns <= end_ns; due_ns = next_due_ns(stand)) {
        assert_true(due_ns > stand->now_ns); /* else it would be asked for ever */
        stand->now_ns = due_ns;
        stand_step(stand, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = due_ns});
        stand_exchange(stand);
    }
    stand->now_ns = end_ns;
}

void stand_hello_of_version(struct stand *stand, struct played *agent, uint32_t lowest, uint32_t highest)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    struct message message = {.kind = MESSAGE_HELLO,
                              .hello = {.version_lowest = lowest,
                                        .version_highest = highest,
                                        .name = bytes_of_string(agent->name),
                                        .host = bytes_of_string("host"),
                                        .pid = 42,
                                        .cores = 2,
                                        .shards = 1,
                                        .memory_bytes = STAND_MEMORY_BYTES,
                                        .labels = bytes_of_string(stand->labels),
                                        .capacity = stand->capacity}};
    message_encode(&message, &buffer);
    struct envelope envelope = {.incarnation = agent->incarnation, .sent_ns = stand->now_ns};
    stand_frame(stand, &envelope, buffer_bytes(&buffer));
    buffer_finish(&buffer);
    stand_exchange(stand);
}

void stand_say_hello(struct stand *stand, struct played *agent)
{
    if (agent->link == NULL) {
        agent->link = link_new(agent->incarnation, 0, 1000u * NS_PER_MS, stand->now_ns);
    }
    stand_hello_of_version(stand, agent, PROTOCOL_VERSION, PROTOCOL_VERSION);
}

struct played *stand_agent(struct stand *stand, const char *name)
{
    assert_true(stand->agent_count < STAND_AGENTS);
    struct played *agent = &stand->agents[stand->agent_count++];
    *agent = (struct played){.incarnation = 100 + stand->agent_count, .is_obliging = true};
    (void)snprintf(agent->name, sizeof agent->name, "%s", name);
    stand_say_hello(stand, agent);
    return agent;
}

void stand_send(struct stand *stand, struct played *agent, const struct message *message)
{
    queue(agent, *message);
    stand_exchange(stand);
}

void stand_send_bytes(struct stand *stand, struct played *agent, const void *bytes, size_t size)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    (void)buffer_append(&buffer, bytes, size);
    link_send(agent->link, &buffer);
    buffer_finish(&buffer);
    stand_exchange(stand);
}

void stand_expect(struct stand *stand, const char *story)
{
    assert_string_equal(buffer_string(&stand->story), story);
    buffer_clear(&stand->story);
}

void stand_forget_story(struct stand *stand)
{
    buffer_clear(&stand->story);
}
