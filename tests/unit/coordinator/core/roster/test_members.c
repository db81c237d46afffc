/* How agents join: which are welcomed, which are refused, and what is dropped. */
#include "tests/unit/coordinator/core/stand.h"

#include "common/shared.h"
#include "coordinator/core/roster/members.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct played *add_without_hello(struct stand *stand, const char *name)
{
    struct played *agent = &stand->agents[stand->agent_count++];
    *agent = (struct played){.incarnation = 100 + stand->agent_count, .is_obliging = true};
    (void)snprintf(agent->name, sizeof agent->name, "%s", name);
    return agent;
}

static void who_says_hello_is_welcome(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_expect(stand, "a1: welcome\n");
    assert_int_equal(link_epoch(agent->link), STAND_EPOCH);
}

static void a_repeated_hello_changes_nothing(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_forget_story(stand);
    stand_say_hello(stand, agent);
    stand_pass_ms(stand, 5000);
    stand_expect(stand, "");
}

static void a_welcome_that_got_lost_goes_again_with_the_next_hello(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = add_without_hello(stand, "a1");
    agent->is_silent = true;
    stand_say_hello(stand, agent);
    stand_expect(stand, "");
    agent->is_silent = false;
    stand_say_hello(stand, agent);
    stand_expect(stand, "a1: welcome\n");
}

static void another_version_is_refused_for_good(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = add_without_hello(stand, "a1");
    stand_hello_of_version(stand, agent, 7, 7);
    stand_expect(stand, "a1: refused for good: the agent speaks version 7 of the protocol, "
                        "this coordinator version 2: upgrade the coordinator\n"
                        "forget the route of a1\n");
    stand_hello_of_version(stand, agent, 3, 9);
    stand_expect(stand, "a1: refused for good: the agent speaks versions 3 to 9 of the protocol, "
                        "this coordinator version 2: upgrade the coordinator\n"
                        "forget the route of a1\n");
    agent->link = link_new(agent->incarnation, 0, 1000000000u, stand->now_ns);
    stand_hello_of_version(stand, agent, 1, 9);
    stand_expect(stand, "a1: welcome\n");
}

static void a_name_is_held_until_its_holder_is_lost(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *first = stand_agent(stand, "a1");
    stand_forget_story(stand);
    struct played *second = add_without_hello(stand, "a1");
    stand_say_hello(stand, second);
    stand_expect(stand, "a1: refused: the name a1 is in use by another process until it is declared lost\n"
                        "forget the route of a1\n");
    first->is_silent = true;
    stand_pass_ms(stand, 15000);
    stand_expect(stand, "forget the route of a1\n");
    stand_say_hello(stand, second);
    stand_expect(stand, "a1: welcome\n");
}

static void who_was_never_seen_is_told_to_say_hello(void **state)
{
    struct stand *stand = (struct stand *)*state;
    (void)add_without_hello(stand, "a1");
    struct envelope envelope = {.incarnation = 101, .epoch = 5, .sequence = 9};
    stand_frame(stand, &envelope, bytes_of_string("whatever"));
    stand_expect(stand, "a1: refused: you are unknown here, say hello\nforget the route of a1\n");
    envelope.sequence = 0;
    stand_frame(stand, &envelope, bytes_of(NULL, 0));
    stand_expect(stand, "a1: refused: you are unknown here, say hello\nforget the route of a1\n");
    stand_frame(stand, &envelope, bytes_of_string("\xff\xff\xff"));
    assert_non_null(strstr(buffer_string(&stand->story), "a1: refused: not a valid hello: "));
}

/* Without a number only a hello makes sense, from a stranger as from an agent that has joined. */
static void an_unnumbered_message_that_is_no_hello_is_refused(void **state)
{
    struct stand *stand = (struct stand *)*state;
    SCOPED(buffer_finish) struct buffer encoded;
    struct message message = {.kind = MESSAGE_STATISTICS, .campaign = 1};
    buffer_init(&encoded, 1000);
    message_encode(&message, &encoded);
    struct played *agent = add_without_hello(stand, "a1");
    struct envelope envelope = {.incarnation = 101, .epoch = 5};
    stand_frame(stand, &envelope, buffer_bytes(&encoded));
    stand_expect(stand, "a1: refused: you are unknown here, say hello\nforget the route of a1\n");
    stand_say_hello(stand, agent);
    stand_forget_story(stand);
    stand->is_log_told = true;
    envelope.epoch = STAND_EPOCH;
    stand_frame(stand, &envelope, buffer_bytes(&encoded));
    assert_non_null(strstr(buffer_string(&stand->story), "an unnumbered message that is not a hello"));
}

static void nonsense_is_dropped_and_told_of_once_a_second(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand->logged = 0;
    for (int i = 0; i < 50; i++) {
        stand_send_bytes(stand, agent, "\xff\xff nonsense", 11);
        stand->now_ns += 10000000u;
    }
    assert_int_equal(stand->logged, 1);
    stand_pass_ms(stand, 1000);
    stand_send_bytes(stand, agent, "\xff", 1);
    assert_int_equal(stand->logged, 2);
    /* A kind that agents never send, to no campaign and to one that does not exist. */
    stand_pass_ms(stand, 1000);
    stand_send(stand, agent, &(struct message){.kind = MESSAGE_WELCOME, .welcome.epoch = 1});
    assert_int_equal(stand->logged, 3);
    stand_send(stand, agent, &(struct message){.kind = MESSAGE_FORGET, .campaign = 99});
    stand_expect(stand, "a1: welcome\n");
    stand_say_hello(stand, agent);
    stand_pass_ms(stand, 20000);
    stand_expect(stand, "");
}

static void frames_of_another_epoch_are_not_applied(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_forget_story(stand);
    struct envelope envelope = {.incarnation = agent->incarnation, .epoch = 5, .sequence = 1};
    stand_frame(stand, &envelope, bytes_of_string("whatever"));
    stand_exchange(stand);
    stand_expect(stand, "");
    assert_int_equal(stand->logged, 2); /* that it has joined, and this line */
}

static void idle_agents_cost_their_heartbeats_only_and_are_bounded(void **state)
{
    (void)state;
    struct coordinator_settings settings = coordinator_default_settings(STAND_EPOCH);
    struct coordinator *coordinator = coordinator_new(&settings);
    struct coordinator_effects effects = {0};
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    for (uint64_t i = 1; i <= LIMIT_AGENTS + 3; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a%u", (unsigned)i);
        struct message message = {.kind = MESSAGE_HELLO,
                                  .hello = {.version_lowest = PROTOCOL_VERSION,
                                            .version_highest = PROTOCOL_VERSION,
                                            .name = bytes_of_string(name),
                                            .host = bytes_of_string("host"),
                                            .pid = 42,
                                            .cores = 2,
                                            .shards = 1}};
        buffer_clear(&buffer);
        message_encode(&message, &buffer);
        struct coordinator_event event = {
            .kind = EVENT_FRAME,
            .now_ns = STAND_START_NS + i * 1000,
            .frame = {.envelope = {.incarnation = i, .sent_ns = 1}, .message = buffer_bytes(&buffer)}};
        coordinator_step(coordinator, &event, &effects);
        bool is_refused = false;
        for (size_t j = 0; j < effects.count; j++) {
            is_refused |= effects.items[j].kind == EFFECT_LOG &&
                          strstr(effects.items[j].text, "there is no room for more") != NULL;
        }
        assert_int_equal(is_refused, i == LIMIT_AGENTS + 1); /* logged once a second */
        event = (struct coordinator_event){.kind = EVENT_TURN_END, .now_ns = event.now_ns};
        coordinator_step(coordinator, &event, &effects);
        /* The welcome, and nothing to those that wait; beyond the limit nothing is remembered. */
        assert_int_equal(effects.count, i <= LIMIT_AGENTS ? 1 : 0);
    }
    buffer_finish(&buffer);
    coordinator_effects_finish(&effects);
    coordinator_free(&coordinator);
}

static void a_key_is_good_for_its_own_name_only(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = add_without_hello(stand, "a2");
    agent->key_name = "a1";
    stand_hello_of_version(stand, agent, 1, 1);
    stand_expect(stand, "a2: refused for good: the key is that of agent a1 and not of a2\n"
                        "forget the route of a2\n");
    agent->key_name = "a2";
    stand_say_hello(stand, agent);
    stand_expect(stand, "a2: welcome\n");
}

/* What was sent between the last frame in the journal and the restart is not in the journal. */
static void who_has_heard_frames_that_the_journal_has_not_knows_better(void **state)
{
    (void)state;
    const uint64_t known_ns = 1000;
    const uint64_t restored_ns = 2000;
    struct link *link = link_new(1, STAND_EPOCH, 1000000000u, known_ns);
    const struct member member = {.link = link, .known_ns = known_ns, .restored_ns = restored_ns};
    const struct {
        uint64_t epoch;
        uint64_t echoed_ns;
        bool knows_better;
    } cases[] = {
        {STAND_EPOCH, 0, false},
        {STAND_EPOCH, known_ns, false},
        {STAND_EPOCH, known_ns + 1, true},
        {STAND_EPOCH, restored_ns - 1, true},
        {STAND_EPOCH, restored_ns, false}, /* of this incarnation: sent when it was restored */
        {STAND_EPOCH, restored_ns + 1, false},
        {STAND_EPOCH + 1, known_ns + 1, false}, /* by another coordinator's clock */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct envelope envelope = {.epoch = cases[i].epoch, .echoed_sent_ns = cases[i].echoed_ns};
        assert_int_equal(member_knows_better(&member, &envelope), cases[i].knows_better);
    }
    link_free(&link);
}

/* One that takes nothing shuts up the others too, once all links together hold too much. */
static void each_member_adds_to_what_all_may_hold(void **state)
{
    (void)state;
    struct coordinator_settings settings = coordinator_default_settings(STAND_EPOCH);
    struct timers *timers = timers_new();
    struct members *members = members_new(&settings, timers);
    struct hello first = {.name = bytes_of_string("a1")};
    struct hello second = {.name = bytes_of_string("a2")};
    struct member *slow = members_join(members, STAND_START_NS, 1, &first);
    struct member *other = members_join(members, STAND_START_NS, 2, &second);
    static const uint8_t HALF[MEMBERS_HELD_EACH_BYTES * 2];
    struct shared *half = shared_new(bytes_of(HALF, sizeof HALF));
    for (size_t held = 0; held < MEMBERS_HELD_BYTES; held += sizeof HALF) {
        assert_true(members_may_speak(members, other));
        members_send_encoded(members, slow, half);
    }
    assert_false(members_may_speak(members, slow));
    assert_true(members_may_speak(members, other)); /* what is held for each of the two is left */
    members_send_encoded(members, slow, half);
    assert_false(members_may_speak(members, other));
    shared_release(&half);
    members_free(&members);
    timers_free(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(who_says_hello_is_welcome),
        STORY(a_repeated_hello_changes_nothing),
        STORY(a_welcome_that_got_lost_goes_again_with_the_next_hello),
        STORY(another_version_is_refused_for_good),
        STORY(a_name_is_held_until_its_holder_is_lost),
        STORY(who_was_never_seen_is_told_to_say_hello),
        STORY(an_unnumbered_message_that_is_no_hello_is_refused),
        STORY(nonsense_is_dropped_and_told_of_once_a_second),
        STORY(frames_of_another_epoch_are_not_applied),
        cmocka_unit_test(idle_agents_cost_their_heartbeats_only_and_are_bounded),
        STORY(a_key_is_good_for_its_own_name_only),
        cmocka_unit_test(who_has_heard_frames_that_the_journal_has_not_knows_better),
        cmocka_unit_test(each_member_adds_to_what_all_may_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
