/* How agents are lost: by silence, by not hearing us, by death, by a revoked key. */
#include "tests/unit/coordinator/core/stand.h"

#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Agent a1, two seconds ago. */
static struct played *joined(struct stand *stand)
{
    struct played *agent = stand_agent(stand, "a1");
    stand_pass_ms(stand, 2000);
    stand_forget_story(stand);
    return agent;
}

static void who_is_silent_too_long_is_lost_and_told_so(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_pass_ms(stand, 60000); /* heartbeats keep it alive */
    stand_expect(stand, "a1: welcome\n");
    uint32_t heartbeats = agent->heartbeats;
    assert_in_range(heartbeats, 55, 130);
    agent->is_silent = true;
    stand_pass_ms(stand, 13900);
    stand_expect(stand, "");
    stand_pass_ms(stand, 2000);
    stand_expect(stand, "forget the route of a1\n");
    agent->is_silent = false;
    stand_pass_ms(stand, 900);
    stand_expect(stand, "a1: refused: you were declared lost\nforget the route of a1\n");
    /* Nor does another hello bring it back. */
    stand_say_hello(stand, agent);
    stand_expect(stand, "a1: refused: you were declared lost\nforget the route of a1\n");
}

/* A frame that got through would give it a new lease just before its workers are reassigned. */
static void who_does_not_hear_us_is_sent_nothing_and_then_lost(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = joined(stand);
    agent->is_deaf = true;
    stand_pass_ms(stand, 9000);
    assert_true(stand->frames > 9);
    stand_pass_ms(stand, 2000);
    stand->frames = 0;
    stand_pass_ms(stand, 12000);
    assert_int_equal(stand->frames, 0);
    stand_expect(stand, "");
    stand_pass_ms(stand, 3500);
    assert_non_null(strstr(buffer_string(&stand->story), "forget the route of a1\n"));
}

static void who_hears_us_again_is_spoken_to_again(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = joined(stand);
    /* It has received the last frame after all, and says so when nothing is sent to it any more. */
    agent->is_deaf = true;
    stand_pass_ms(stand, 9000);
    uint64_t heard_ns = stand->now_ns;
    stand_pass_ms(stand, 2000);
    stand->frames = 0;
    stand_pass_ms(stand, 2000);
    assert_int_equal(stand->frames, 0);
    agent->is_deaf = false;
    struct envelope late = {.incarnation = agent->incarnation,
                            .epoch = STAND_EPOCH,
                            .sent_ns = stand->now_ns,
                            .echoed_sent_ns = heard_ns};
    stand_frame(stand, &late, bytes_of(NULL, 0));
    stand_exchange(stand);
    assert_true(stand->frames > 0);
    stand_pass_ms(stand, 60000);
    stand_expect(stand, "");
}

/* What we have sent meanwhile is lost with the connection: it cannot have received anything yet. */
static void who_was_silent_for_longer_than_the_lease_is_spoken_to_again(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = joined(stand);
    for (int round = 0; round < 3; round++) {
        agent->is_silent = true;
        stand_pass_ms(stand, 12500);
        agent->is_silent = false;
        stand_pass_ms(stand, 5000);
        assert_true(stand->frames > 0);
        stand->frames = 0;
    }
    stand_pass_ms(stand, 60000);
    stand_expect(stand, "");
}

static void who_comes_and_goes_and_never_hears_us_is_lost_all_the_same(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = joined(stand);
    agent->is_deaf = true;
    for (int round = 0; round < 7; round++) {
        agent->is_silent = true;
        stand_pass_ms(stand, 4500);
        agent->is_silent = false;
        stand_pass_ms(stand, 1000);
    }
    assert_non_null(strstr(buffer_string(&stand->story), "forget the route of a1\n"));
}

static void a_large_bundle_on_a_slow_line_is_no_deafness(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    static uint8_t script[8u << 20];
    struct bundle_file file = {.path = bytes_of_string("pad.lua"),
                               .content = bytes_of(script, sizeof script)};
    struct coordinator_event event = {
        .kind = EVENT_CREATE,
        .now_ns = stand->now_ns,
        .create = {.options = stand_options(2),
                   .bundle = {.files = &file,
                              .file_count = 1,
                              .hash = bytes_of_string("e3b0c44298fc1c149afbf4c8996fb924"
                                                      "27ae41e4649b934ca495991b7852b855")},
                   .agents = 1,
                   .deadline_ms = 1000}};
    stand_forget_story(stand);
    agent->is_obliging = false;
    stand_step(stand, &event);
    stand_exchange(stand);
    agent->is_deaf = true;
    for (uint64_t offset = 0; offset < sizeof script; offset += LIMIT_CHUNK_BYTES) {
        stand_send(stand, agent,
                   &(struct message){.kind = MESSAGE_BUNDLE_WANTED,
                                     .campaign = 1,
                                     .bundle_chunk = {.hash = event.create.bundle.hash, .offset = offset}});
    }
    agent->is_obliging = true;
    stand_pass_ms(stand, 60000);
    agent->is_deaf = false;
    stand_pass_ms(stand, 60000);
    assert_null(strstr(buffer_string(&stand->story), "forget"));
    assert_non_null(strstr(buffer_string(&stand->story), "bundle_chunk at 8126464: 262144 bytes"));
}

static void our_own_sleep_is_nobodys_silence(void **state)
{
    struct stand *stand = (struct stand *)*state;
    (void)stand_agent(stand, "a1");
    stand_pass_ms(stand, 3000);
    stand_forget_story(stand);
    stand->now_ns += 3600u * 1000000000ull; /* the machine was suspended */
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = stand->now_ns});
    stand_pass_ms(stand, 30000);
    stand_expect(stand, "");
}

static void a_dead_process_is_lost_at_once(void **state)
{
    struct stand *stand = (struct stand *)*state;
    (void)stand_agent(stand, "a1");
    (void)stand_agent(stand, "a2");
    stand_forget_story(stand);
    stand_gone(stand, "nobody");
    stand_gone(stand, "a1");
    stand_expect(stand, "forget the route of a1\n");
}

static void who_dies_in_the_middle_of_a_turn_is_answered_no_more(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_forget_story(stand);
    struct envelope envelope = {.incarnation = agent->incarnation, .epoch = STAND_EPOCH, .sequence = 2};
    stand_frame(stand, &envelope, bytes_of_string("a gap, to be told of"));
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_AGENT_GONE,
                                                  .now_ns = stand->now_ns,
                                                  .gone.name = bytes_of_string("a1")});
    assert_int_equal(stand->effects.count, 2); /* the log line and the route: no frame */
    stand_expect(stand, "forget the route of a1\n");
}

/* It works on as long as its lease lasts, so its workers are given up only when it has been silent. */
static void who_is_revoked_is_told_so_and_lost_later(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "a1");
    stand_forget_story(stand);
    stand_step(stand, &(struct coordinator_event){
                          .kind = EVENT_REVOKED, .now_ns = stand->now_ns, .revoked.incarnation = 4711});
    stand_expect(stand, "");
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_REVOKED,
                                                  .now_ns = stand->now_ns,
                                                  .revoked.incarnation = agent->incarnation});
    stand_expect(stand, "a1: refused for good: the key of this agent was revoked\n"
                        "forget the route of a1\n");
    agent->is_silent = true; /* its frames are no longer accepted */
    stand_pass_ms(stand, 14900);
    stand_expect(stand, "");
    stand_pass_ms(stand, 200);
    stand_expect(stand, "forget the route of a1\n");
    /* The name is free for another key. */
    (void)stand_agent(stand, "a1");
    stand_expect(stand, "a1: welcome\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(who_is_silent_too_long_is_lost_and_told_so),
        STORY(who_does_not_hear_us_is_sent_nothing_and_then_lost),
        STORY(who_hears_us_again_is_spoken_to_again),
        STORY(who_was_silent_for_longer_than_the_lease_is_spoken_to_again),
        STORY(who_comes_and_goes_and_never_hears_us_is_lost_all_the_same),
        STORY(a_large_bundle_on_a_slow_line_is_no_deafness),
        STORY(our_own_sleep_is_nobodys_silence),
        STORY(a_dead_process_is_lost_at_once),
        STORY(who_dies_in_the_middle_of_a_turn_is_answered_no_more),
        STORY(who_is_revoked_is_told_so_and_lost_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
