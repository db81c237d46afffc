/* An agent with a key that does what none of ours does: it is refused, left unread or lost, and disturbs
 * nobody. */
#include "common/memory.h"
#include "coordinator/core/roster/members.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LONG_BYTES 60005u
#define VALUES 20u
#define GETS 1000u
#define MEBIBYTE (1024u * 1024u)

/* Its link is played here, so that it can leave things unsaid. */
struct stranger {
    struct stand *stand;
    struct played *agent;
    uint64_t sequence;
    uint64_t acknowledged;
    uint64_t heard; /* the last message that it was sent */
    size_t answers; /* to GETs, in all of them */
};

static void hear(struct stranger *stranger)
{
    const struct coordinator_effects *effects = &stranger->stand->effects;
    /* If another coordinator continues at each turn, this one's output is lost with it. */
    for (size_t i = 0; stranger->stand->is_original && i < effects->count; i++) {
        const struct coordinator_effect *effect = &effects->items[i];
        struct message message;
        struct error error;
        if (effect->kind != EFFECT_SEND || effect->envelope.sequence != stranger->heard + 1) {
            continue;
        }
        stranger->heard++;
        assert_true(message_decode(shared_bytes(effect->message), &message, &error));
        for (size_t j = 0; message.kind == MESSAGE_REPLIES && j < message.replies.count; j++) {
            stranger->answers += message.replies.items[j].kind == OPERATION_GET;
        }
        message_finish(&message);
    }
}

static void say(struct stranger *stranger, struct bytes message)
{
    struct stand *stand = stranger->stand;
    stand->now_ns += 1000;
    struct envelope envelope = {.incarnation = stranger->agent->incarnation,
                                .epoch = STAND_EPOCH,
                                .sequence = message.size > 0 ? stranger->sequence + 1 : 0,
                                .acknowledged = stranger->acknowledged,
                                .sent_ns = stand->now_ns,
                                .echoed_sent_ns = stand->now_ns - 1000};
    stand_frame(stand, &envelope, message);
    hear(stranger);
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_TURN_END, .now_ns = stand->now_ns});
    hear(stranger);
}

static const struct agent_overview *seen(const struct stranger *stranger)
{
    const struct coordinator_overview *overview = coordinator_overview(stranger->stand->coordinator);
    for (size_t i = 0; i < overview->agent_count; i++) {
        if (bytes_equal_string(overview->agents[i].name, stranger->agent->name)) {
            return &overview->agents[i];
        }
    }
    return NULL;
}

/* Returns whether it was accepted. */
static bool say_operations(struct stranger *stranger, struct operation *items, size_t count)
{
    struct buffer encoded;
    struct message message = {
        .kind = MESSAGE_OPERATIONS, .campaign = 1, .operations = {.items = items, .count = count}};
    uint64_t unread = seen(stranger)->unread;
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(&message, &encoded);
    say(stranger, buffer_bytes(&encoded));
    buffer_finish(&encoded);
    bool is_taken = seen(stranger) != NULL && seen(stranger)->unread == unread;
    stranger->sequence += is_taken;
    return is_taken;
}

/* One agent with all workers of campaign 1, which is played here from now on. */
static struct stranger a_stranger(void **state, uint32_t workers)
{
    struct stand *stand = stand_running(state, workers, 1);
    struct played *agent = &stand->agents[0];
    struct stranger stranger = {.stand = stand, .agent = agent};
    /* What its link has sent and received so far. */
    struct envelope envelope = {0};
    struct shared *message = NULL;
    struct message nothing = {.kind = MESSAGE_STATISTICS, .campaign = 1};
    stand_send(stand, agent, &nothing);
    while (!link_next_frame(agent->link, stand->now_ns, &envelope, &message)) {
        stand->now_ns += 1000000;
    }
    stranger.acknowledged = stranger.heard = envelope.acknowledged;
    SCOPED(buffer_finish) struct buffer last;
    buffer_init(&last, 1000);
    message_encode(&nothing, &last);
    struct buffer probe;
    buffer_init(&probe, 1000);
    message_encode(&nothing, &probe);
    link_send(agent->link, &probe);
    buffer_finish(&probe);
    while (!link_next_frame(agent->link, stand->now_ns, &envelope, &message) || envelope.sequence == 0) {
        stand->now_ns += 1000000;
    }
    stranger.sequence = envelope.sequence - 1;
    agent->is_silent = true; /* for the stand */
    stand_forget_story(stand);
    stand->is_log_told = true;
    return stranger;
}

static void set_values(struct stranger *stranger)
{
    static uint8_t value[LONG_BYTES] = {'s', 0, 0, 0xea, 0x60}; /* 60,000 bytes follow */
    for (uint32_t i = 0; i < VALUES; i++) {
        char name[8];
        struct worker_run run = {i, 1, 1};
        (void)snprintf(name, sizeof name, "v%u", i);
        struct operation set = {.kind = OPERATION_SET,
                                .workers = {.runs = &run, .run_count = 1},
                                .room = ROOM_CAMPAIGN,
                                .name = bytes_of_string(name),
                                .value = bytes_of(value, sizeof value)};
        assert_true(say_operations(stranger, &set, 1));
    }
}

/* From as many workers, each with a different value. */
static bool get_values(struct stranger *stranger, size_t count)
{
    static const char *const NAMES[VALUES] = {"v0",  "v1",  "v2",  "v3",  "v4",  "v5",  "v6",
                                              "v7",  "v8",  "v9",  "v10", "v11", "v12", "v13",
                                              "v14", "v15", "v16", "v17", "v18", "v19"};
    static struct operation items[GETS];
    static struct worker_run runs[GETS];
    for (uint32_t i = 0; i < count; i++) {
        runs[i] = (struct worker_run){i, 1, 1};
        items[i] = (struct operation){.kind = OPERATION_GET,
                                      .workers = {.runs = &runs[i], .run_count = 1},
                                      .room = ROOM_CAMPAIGN,
                                      .name = bytes_of_string(NAMES[i % VALUES]),
                                      .call = 1};
    }
    return say_operations(stranger, items, count);
}

static size_t occurrences(struct stand *stand, const char *words)
{
    size_t count = 0;
    for (const char *at = buffer_string(&stand->story); (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

static void who_does_not_acknowledge_is_not_listened_to(void **state)
{
    struct stranger stranger = a_stranger(state, GETS);
    set_values(&stranger);
    assert_true(get_values(&stranger, GETS)); /* 60 MB in answer, if all of it were given */
    assert_in_range(seen(&stranger)->held_bytes, 12 * MEBIBYTE, 14 * MEBIBYTE);
    for (int i = 0; i < 100; i++) {
        assert_false(get_values(&stranger, 10));
    }
    assert_in_range(seen(&stranger)->held_bytes, 12 * MEBIBYTE, 14 * MEBIBYTE);
    assert_int_equal(occurrences(stranger.stand, "agent a1 is not read until it acknowledges more"), 1);
}

/* The rest of what was begun is sent when there is space for it. */
static void it_is_answered_as_it_acknowledges(void **state)
{
    struct stranger stranger = a_stranger(state, GETS);
    stranger.stand->is_original = true;
    set_values(&stranger);
    assert_true(get_values(&stranger, GETS));
    assert_true(stranger.answers < GETS / 2);
    for (int i = 0; i < 1000 && stranger.answers < GETS; i++) {
        stranger.acknowledged = stranger.heard;
        say(&stranger, bytes_of(NULL, 0));
    }
    assert_int_equal(stranger.answers, GETS);
    stranger.acknowledged = stranger.heard;
    say(&stranger, bytes_of(NULL, 0));
    assert_int_equal(seen(&stranger)->held_bytes, 0);
}

static void who_never_acknowledges_is_lost(void **state)
{
    struct stranger stranger = a_stranger(state, GETS);
    struct stand *stand = stranger.stand;
    set_values(&stranger);
    assert_true(get_values(&stranger, GETS));
    for (int i = 0; i < 300 && seen(&stranger) != NULL && !seen(&stranger)->is_lost; i++) {
        stand->now_ns += 1000000000u;
        stand_step(stand, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = stand->now_ns});
        say(&stranger, bytes_of(NULL, 0)); /* it is alive, and receives our frames */
    }
    assert_non_null(
        strstr(buffer_string(&stand->story), "agent a1 is lost: it does not acknowledge what is sent to it"));
}

static void who_says_too_much_that_makes_no_sense_is_lost(void **state)
{
    struct stranger stranger = a_stranger(state, 10);
    struct stand *stand = stranger.stand;
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t unread = seen(&stranger)->unread;
        say(&stranger, bytes_of_string("\xff\xff nonsense"));
        stranger.sequence += seen(&stranger)->unread == unread;
    }
    assert_int_equal(seen(&stranger)->malformed, MEMBER_MALFORMED_MOST);
    for (int i = 0; i < 30 && !seen(&stranger)->is_lost; i++) {
        stand->now_ns += 1000000000u;
        stand_step(stand, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = stand->now_ns});
        say(&stranger, bytes_of(NULL, 0));
    }
    assert_non_null(
        strstr(buffer_string(&stand->story), "agent a1 is lost: too many of its messages made no sense"));
    assert_true(occurrences(stand, "dropped a message") <= 10);
}

/* Of those that are answered, each that is refused is answered as well. */
static void more_calls_than_an_agent_lets_through_are_refused(void **state)
{
    struct stand *stand = stand_running(state, 4, 1);
    struct worker_run run = {2, 1, 1};
    struct operation items[20];
    for (uint32_t i = 0; i < 20; i++) {
        items[i] = (struct operation){.kind = OPERATION_GET,
                                      .workers = {.runs = &run, .run_count = 1},
                                      .room = ROOM_CAMPAIGN,
                                      .name = bytes_of_string("v"),
                                      .call = i + 1};
    }
    struct message message = {
        .kind = MESSAGE_OPERATIONS, .campaign = 1, .operations = {.items = items, .count = 20}};
    stand_send(stand, &stand->agents[0], &message);
    assert_int_equal(occurrences(stand, "get_var ok to worker 2"), LIMIT_CALLS_AT_ONCE);
    assert_int_equal(occurrences(stand, "get_var refused to worker 2"), 20 - LIMIT_CALLS_AT_ONCE);
    stand_forget_story(stand);
    stand_send(stand, &stand->agents[0], &message); /* they have had their answers */
    assert_int_equal(occurrences(stand, "get_var ok to worker 2"), LIMIT_CALLS_AT_ONCE);
}

/* A large expected value is only needed to detect a change: it is not kept for each wait. */
static void waits_for_a_change_take_nothing_of_the_quota(void **state)
{
    struct stranger stranger = a_stranger(state, 2000);
    static uint8_t value[LONG_BYTES] = {'s', 0, 0, 0xea, 0x60};
    set_values(&stranger);
    for (uint32_t i = 0; i < 2000; i++) { /* 120 MB, if it were */
        struct worker_run run = {i, 1, 1};
        struct operation wait = {.kind = OPERATION_WAIT_CHANGED,
                                 .workers = {.runs = &run, .run_count = 1},
                                 .room = ROOM_CAMPAIGN,
                                 .name = bytes_of_string("v0"),
                                 .expected = bytes_of(value, sizeof value),
                                 .call = 1};
        assert_true(say_operations(&stranger, &wait, 1));
    }
    assert_int_equal(occurrences(stranger.stand, "refused"), 0);
}

static void hello_again(struct stand *stand, struct played *agent)
{
    agent->incarnation += 100;
    link_free(&agent->link);
    stand_say_hello(stand, agent);
}

static void who_joins_and_goes_again_and_again_has_to_wait(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_gone(stand, "a1");
    for (int i = 1; i < 10; i++) {
        hello_again(stand, agent);
        stand_gone(stand, "a1");
    }
    stand->is_log_told = true;
    stand_forget_story(stand);
    for (int i = 0; i < 100; i++) {
        hello_again(stand, agent);
        stand->now_ns += 100000000u;
    }
    assert_int_equal(occurrences(stand, "welcome"), 0);
    assert_int_equal(occurrences(stand, "log: agent a1 was refused: it has joined and left 10 times"), 1);
    stand_forget_story(stand);
    stand->now_ns += 60000000000u;
    hello_again(stand, agent);
    assert_int_equal(occurrences(stand, "welcome"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(who_does_not_acknowledge_is_not_listened_to),
        STORY(it_is_answered_as_it_acknowledges),
        STORY(who_never_acknowledges_is_lost),
        STORY(who_says_too_much_that_makes_no_sense_is_lost),
        STORY(more_calls_than_an_agent_lets_through_are_refused),
        STORY(waits_for_a_change_take_nothing_of_the_quota),
        STORY(who_joins_and_goes_again_and_again_has_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
