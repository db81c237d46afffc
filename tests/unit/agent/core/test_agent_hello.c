/* What a hello, its answer and a new connection change: whose clock and heartbeat hold, and since when. */
#include "proto/message/limits.h"
#include "tests/unit/agent/core/test_agent_support.h"

#include <string.h>

static bool has_logged(const struct fixture *fixture, const char *text)
{
    for (size_t i = 0; i < fixture->effects.count; i++) {
        const struct agent_effect *effect = &fixture->effects.items[i];
        if (effect->kind == AGENT_LOG && strcmp(effect->text, text) == 0) {
            return true;
        }
    }
    return false;
}

static void settings_are_the_agents_own(void **state)
{
    struct fixture *fixture = *state;
    char name[] = "a1";
    char address[] = "10.0.0.1";
    fixture->settings.name = name;
    fixture->settings.coordinator_host = address;
    start(fixture);
    name[0] = 'x';
    address[0] = 'x';
    tick(fixture);
    expect(fixture, "hello");
    welcome(fixture);
    assert_true(has_logged(fixture, "joined as a1"));
    fixture->target_port = 9090;
    deploy(fixture, 10, 0, 1, 1);
    expect(fixture, "0:deploy(0 at http://10.0.0.1:9090)");
}

static void what_is_not_there_is_freed_as_well(void **state)
{
    (void)state;
    struct agent *nobody = NULL;
    agent_free(&nobody);
    assert_null(nobody);
}

/* Says hello as soon as it is due, and returns when that was. */
static uint64_t next_hello(struct fixture *fixture)
{
    fixture->now_ns = agent_due_ns(fixture->agent);
    tick(fixture);
    expect(fixture, "hello");
    return fixture->now_ns;
}

static void welcome_that_echoes(struct fixture *fixture, uint64_t echoed_ns, uint64_t heartbeat_ms)
{
    struct envelope envelope = {
        .incarnation = fixture->incarnation, .epoch = EPOCH, .sequence = 1, .echoed_sent_ns = echoed_ns};
    struct message message = {
        .kind = MESSAGE_WELCOME,
        .welcome = {
            .version = PROTOCOL_VERSION, .epoch = EPOCH, .lease_ms = LEASE_MS, .heartbeat_ms = heartbeat_ms}};
    frame(fixture, &envelope, &message);
    assert_true(agent_is_joined(fixture->agent));
}

static void lease_counts_from_the_hello_that_the_welcome_names(void **state)
{
    struct fixture *fixture = *state;
    for (int named = 0; named < 4; named++) {
        start(fixture);
        uint64_t hellos[3];
        for (int i = 0; i < 3; i++) {
            hellos[i] = next_hello(fixture);
        }
        /* The last one names a hello that was never said. */
        welcome_that_echoes(fixture, named < 3 ? hellos[named] : hellos[2] + 1, HEARTBEAT_MS);
        assert_int_equal(fixture->lease_until_ns, hellos[named % 3] + LEASE_MS * MS);
        agent_free(&fixture->agent);
    }
}

static void silence_is_measured_by_the_heartbeat_of_the_welcome(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    welcome_that_echoes(fixture, next_hello(fixture), HEARTBEAT_MS / 4);
    pass(fixture, HEARTBEAT_MS / 2 - 1);
    expect(fixture, "");
    pass(fixture, 1);
    expect(fixture, "reconnect");
}

static void what_cannot_be_read_is_no_answer_to_a_hello(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    uint64_t hello_ns = next_hello(fixture);
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .sequence = 1};
    raw_frame(fixture, &envelope, bytes_of_string("\xff\xff"));
    assert_non_null(strstr(buffer_string(&fixture->transcript), "(1 so far)"));
    assert_false(agent_is_joined(fixture->agent));
    fixture->now_ns += 1000 * MS;
    ignore(fixture);
    envelope.sequence = 0; /* as a refusal */
    raw_frame(fixture, &envelope, bytes_of_string("\xff\xff"));
    assert_non_null(strstr(buffer_string(&fixture->transcript), "(2 so far)"));
    fixture->now_ns += 1000 * MS;
    ignore(fixture);
    frame(fixture, &envelope, &(struct message){.kind = MESSAGE_DRAIN, .campaign = CAMPAIGN});
    expect(fixture, "log(dropped what the coordinator sent: drain (3 so far))");
    welcome_that_echoes(fixture, hello_ns, HEARTBEAT_MS);
}

static void new_life_knows_nothing_of_the_old_one(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    pass(fixture, 60000);
    refuse(fixture, "you were declared lost", false);
    assert_int_equal(fixture->lease_until_ns, 0);
    uint64_t uncertainty_ns = 0;
    (void)agent_clock_offset_ns(fixture->agent, &uncertainty_ns);
    assert_true(uncertainty_ns == UINT64_MAX);
    assert_true(agent_due_ns(fixture->agent) > fixture->now_ns); /* many that were lost do not come at once */
    assert_true(agent_due_ns(fixture->agent) <= fixture->now_ns + 2000 * MS);
    ignore(fixture);
    uint64_t hello_ns = next_hello(fixture);
    welcome(fixture); /* names no hello */
    assert_int_equal(fixture->lease_until_ns, hello_ns + LEASE_MS * MS);
}

static void refused_for_good_it_stops_what_runs(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 4);
    refuse(fixture, "you are not on the list any more", true);
    expect(fixture, "0:forget() 1:forget() pause refused(you are not on the list any more)");
    assert_false(agent_is_joined(fixture->agent));
}

/* Only frames of the link are a sign of life, and a refusal of the hello that was welcomed is late. */
static void late_refusal_is_no_sign_of_life(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    uint64_t hello_ns = next_hello(fixture);
    welcome(fixture);
    pass(fixture, 1500);
    struct envelope envelope = {.incarnation = INCARNATION, .epoch = EPOCH, .echoed_sent_ns = hello_ns};
    struct message refused = {.kind = MESSAGE_REFUSED,
                              .refused = {.text = bytes_of_string("not yet"), .is_final = true}};
    frame(fixture, &envelope, &refused);
    assert_true(agent_is_joined(fixture->agent));
    expect(fixture, "");
    pass(fixture, 500);
    expect(fixture, "reconnect");
}

static void over_a_new_connection_it_says_hello_soon(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    fixture->is_cut = true;
    pass(fixture, 4900);
    fixture->is_cut = false;
    fixture->now_ns =
        agent_due_ns(fixture->agent) < START_NS + 5000 * MS ? agent_due_ns(fixture->agent) : fixture->now_ns;
    tick(fixture);
    ignore(fixture);
    reconnected(fixture);
    expect(fixture, "");
    assert_true(agent_due_ns(fixture->agent) > fixture->now_ns);
    assert_true(agent_due_ns(fixture->agent) <= fixture->now_ns + 100 * MS);
    fixture->is_cut = true;
    pass(fixture, 4999); /* as patient with it as with the first */
    expect(fixture, "");
    pass(fixture, 1);
    expect(fixture, "reconnect");
}

static void over_a_new_connection_it_shows_itself_and_sends_again(void **state)
{
    struct fixture *fixture = *state;
    start_deployed(fixture, 4, 1);
    size_t before = fixture->frames;
    reconnected(fixture);
    assert_int_equal(fixture->frames - before, 1); /* nothing but the connection is new */
    fixture->is_cut = true;
    deployed(fixture, 0, NULL);
    turn_end(fixture);
    fixture->is_cut = false;
    expect(fixture, "");
    pass(fixture, 10);
    reconnected(fixture);
    expect(fixture, "deployed(ok)");
}

static void leaving_stops_the_workers_at_once(void **state)
{
    struct fixture *fixture = *state;
    start_joined(fixture);
    leave(fixture);
    assert_int_equal(fixture->lease_until_ns, 0);
    expect(fixture, "pause");
    pass(fixture, 999);
    expect(fixture, "goodbye()");
    pass(fixture, 1);
    expect(fixture, "left");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(settings_are_the_agents_own),
        CASE(what_is_not_there_is_freed_as_well),
        CASE(lease_counts_from_the_hello_that_the_welcome_names),
        CASE(silence_is_measured_by_the_heartbeat_of_the_welcome),
        CASE(what_cannot_be_read_is_no_answer_to_a_hello),
        CASE(new_life_knows_nothing_of_the_old_one),
        CASE(refused_for_good_it_stops_what_runs),
        CASE(late_refusal_is_no_sign_of_life),
        CASE(over_a_new_connection_it_says_hello_soon),
        CASE(over_a_new_connection_it_shows_itself_and_sends_again),
        CASE(leaving_stops_the_workers_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
