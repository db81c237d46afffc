/* Names that are looked up: how often they are asked for, for how long they are known, and what cannot be
 * answered. */
#include "agent/net/resolver.h"

#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/net/dns_server.h"
#include "tests/unit/common/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MANY 500
#define TRY_MS 100

/* One who asks. */
struct waiter {
    struct fixture *fixture;
    struct resolver_query *query;
    struct address_list list;
    unsigned answers;
    bool is_failed;
    bool is_local;
    bool asks_again;
    char text[200];
};

struct fixture {
    uv_loop_t loop;
    struct dns_server *server;
    struct resolver *resolver;
    struct waiter waiters[MANY];
};

static int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);

    uv_loop_init(&fixture->loop);
    fixture->server = dns_server_new(&fixture->loop);
    struct resolver_options options = {
        .servers = dns_server_address(fixture->server), .timeout_ms = TRY_MS, .tries = 2};
    fixture->resolver = resolver_new(&fixture->loop, &options);
    *state = fixture;
    alarm(30);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    resolver_close(&fixture->resolver);
    dns_server_close(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    memory_free(fixture);
    alarm(0);
    return 0;
}

/* A loop that waits for an event would not come back from one that has run its timer before. */
static void turn(struct fixture *fixture)
{
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    usleep(200);
}

static void on_answer(void *context, const struct address_list *list, const struct resolver_failure *failure)
{
    struct waiter *waiter = context;

    waiter->query = NULL;
    waiter->answers++;
    waiter->list = *list;
    waiter->is_failed = failure != NULL;
    assert_int_equal(failure == NULL, list->count > 0);
    if (failure != NULL) {
        waiter->is_local = failure->is_local;
        snprintf(waiter->text, sizeof waiter->text, "%s", failure->text);
    }
    if (waiter->asks_again) {
        waiter->asks_again = false;
        waiter->query = resolver_ask(waiter->fixture->resolver, "three.test", on_answer, waiter);
    }
}

static struct waiter *ask(struct fixture *fixture, int number, const char *name)
{
    struct waiter *waiter = &fixture->waiters[number];

    *waiter = (struct waiter){.fixture = fixture};
    waiter->query = resolver_ask(fixture->resolver, name, on_answer, waiter);
    assert_int_equal(waiter->answers, 0); /* never from within */
    return waiter;
}

static struct waiter *resolve(struct fixture *fixture, const char *name)
{
    struct waiter *waiter = ask(fixture, 0, name);

    while (waiter->answers == 0) {
        turn(fixture);
    }
    assert_int_equal(waiter->answers, 1);
    return waiter;
}

static void turn_for(struct fixture *fixture, unsigned ms)
{
    uint64_t until_ns = clock_now_ns() + ms * NS_PER_MS;

    while (clock_now_ns() < until_ns) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void expect_address(const struct waiter *waiter, uint32_t at, const char *text)
{
    char have[60];

    net_address_text(&waiter->list.items[at], have, sizeof have);
    assert_string_equal(have, text);
}

static void a_name_has_the_addresses_of_both_families(void **state)
{
    struct waiter *waiter = resolve(*state, "both.test");
    bool is_six_first = waiter->list.items[0].any.sa_family == AF_INET6;

    assert_int_equal(waiter->list.count, 2);
    expect_address(waiter, is_six_first ? 1 : 0, "10.0.0.1:0");
    expect_address(waiter, is_six_first ? 0 : 1, "[fd00::1]:0");
    waiter = resolve(*state, "six.test");
    assert_int_equal(waiter->list.count, 1);
    expect_address(waiter, 0, "[fd00::1]:0");
}

static void each_begins_with_another_address(void **state)
{
    struct waiter *waiter = resolve(*state, "three.test");
    bool is_seen[4] = {false};

    assert_int_equal(waiter->list.count, 3);
    for (uint32_t worker = 0; worker < 3; worker++) {
        struct address_list list;
        char text[60];
        assert_true(resolver_look(((struct fixture *)*state)->resolver, "three.test", &list));
        address_list_arrange(&list, worker);
        net_address_text(&list.items[0], text, sizeof text);
        assert_in_range(text[7], '1', '3');
        assert_false(is_seen[text[7] - '0']);
        is_seen[text[7] - '0'] = true;
    }
}

/* One question for each family, however many wait. */
static void a_name_is_asked_for_once_for_all_who_wait(void **state)
{
    struct fixture *fixture = *state;
    unsigned answered = 0;

    for (int i = 0; i < MANY; i++) {
        ask(fixture, i, "three.test");
    }
    while (answered < MANY) {
        turn(fixture);
        answered = 0;
        for (int i = 0; i < MANY; i++) {
            answered += fixture->waiters[i].answers;
        }
    }
    assert_int_equal(dns_server_questions(fixture->server, "three.test"), 2);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(fixture->waiters[i].answers, 1);
        assert_int_equal(fixture->waiters[i].list.count, 3);
    }
    /* And it is known from then on, also to one who asks all the same. */
    struct address_list list;
    assert_true(resolver_look(fixture->resolver, "three.test", &list));
    assert_int_equal(list.count, 3);
    assert_int_equal(resolve(fixture, "three.test")->list.count, 3);
    assert_int_equal(dns_server_questions(fixture->server, "three.test"), 2);
}

static void a_name_is_known_for_as_long_as_its_records_may_be(void **state)
{
    struct fixture *fixture = *state;
    struct address_list list;

    resolve(fixture, "ttl-1.test");
    resolve(fixture, "ttl-0.test");
    resolve(fixture, "ttl-2.test");
    turn_for(fixture, 700);
    assert_true(resolver_look(fixture->resolver, "ttl-1.test", &list));
    assert_true(resolver_look(fixture->resolver, "ttl-0.test", &list)); /* a second at least */
    turn_for(fixture, 500);
    assert_false(resolver_look(fixture->resolver, "ttl-1.test", &list));
    assert_false(resolver_look(fixture->resolver, "ttl-0.test", &list));
    assert_true(resolver_look(fixture->resolver, "ttl-2.test", &list));
    resolve(fixture, "ttl-1.test");
    assert_int_equal(dns_server_questions(fixture->server, "ttl-1.test"), 4);
    assert_true(resolver_look(fixture->resolver, "ttl-1.test", &list));
}

static void expect_failure(struct fixture *fixture, const char *name, const char *text)
{
    struct waiter *waiter = resolve(fixture, name);
    struct address_list list;

    assert_true(waiter->is_failed);
    assert_false(waiter->is_local);
    if (strcasestr(waiter->text, text) == NULL) {
        fail_msg("%s: %s", name, waiter->text);
    }
    assert_false(resolver_look(fixture->resolver, name, &list));
}

static void what_cannot_be_answered_says_why(void **state)
{
    struct fixture *fixture = *state;

    expect_failure(fixture, "none.test", "not found");
    expect_failure(fixture, "empty.test", "no data");
    expect_failure(fixture, "broken.test", "DNS server");
    expect_failure(fixture, "refused.test", "DNS server");
    expect_failure(fixture, "garbage.test", "");
    expect_failure(fixture, "a..test", "");
    /* A literal needs no server. */
    struct address_list list;
    assert_true(resolver_look(fixture->resolver, "10.1.2.3", &list));
    assert_true(resolver_look(fixture->resolver, "fd00::3", &list));
}

static void a_failure_is_not_asked_for_again_at_once(void **state)
{
    struct fixture *fixture = *state;

    resolve(fixture, "none.test");
    unsigned asked = dns_server_questions(fixture->server, "none.test");
    resolve(fixture, "none.test");
    resolve(fixture, "none.test");
    assert_int_equal(dns_server_questions(fixture->server, "none.test"), asked);
    turn_for(fixture, RESOLVER_FAILED_TTL_S * 1000 + 100);
    resolve(fixture, "none.test");
    assert_in_range(dns_server_questions(fixture->server, "none.test"), asked + 1, 2 * asked);
}

static void a_server_that_is_silent_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began_ns = clock_now_ns();
    struct waiter *silent = ask(fixture, 1, "silent.test");

    /* Others do not wait for it. */
    resolve(fixture, "three.test");
    assert_int_equal(silent->answers, 0);
    while (silent->answers == 0) {
        turn(fixture);
    }
    assert_in_range((clock_now_ns() - began_ns) / NS_PER_MS, TRY_MS, 20 * TRY_MS);
    assert_non_null(strcasestr(silent->text, "timeout"));
    assert_int_equal(dns_server_questions(fixture->server, "silent.test"), 4); /* two tries, two families */
}

static void an_answer_that_is_cut_off_is_asked_for_by_tcp(void **state)
{
    struct fixture *fixture = *state;
    struct waiter *waiter = resolve(fixture, "many.test");

    assert_int_equal(waiter->list.count, 16);
    assert_true(dns_server_tcp_questions(fixture->server) > 0);
    assert_int_equal(dns_server_questions(fixture->server, "many.test"),
                     dns_server_tcp_questions(fixture->server));
}

static void who_has_cancelled_is_not_told(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 1; i < 10; i++) {
        ask(fixture, i, i % 3 == 0 ? "none.test" : "three.test");
    }
    for (int i = 1; i < 10; i += 2) {
        resolver_cancel(&fixture->waiters[i].query);
        assert_null(fixture->waiters[i].query);
    }
    turn_for(fixture, 50);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(fixture->waiters[i].answers, i % 2 == 0);
    }
    resolver_cancel(&fixture->waiters[2].query); /* done already: nothing */
    /* All have gone: the answer is kept for the next. */
    ask(fixture, 1, "both.test");
    resolver_cancel(&fixture->waiters[1].query);
    turn_for(fixture, 50);
    assert_int_equal(resolve(fixture, "both.test")->list.count, 2);
    assert_int_equal(dns_server_questions(fixture->server, "both.test"), 2);
    /* Closed under them, in tear_down. */
    ask(fixture, 1, "silent.test");
    ask(fixture, 2, "ttl-9.test");
    resolver_cancel(&fixture->waiters[1].query);
    resolver_cancel(&fixture->waiters[2].query);
}

static void who_asks_from_within_an_answer_gets_another(void **state)
{
    struct fixture *fixture = *state;
    struct waiter *waiter = ask(fixture, 0, "three.test");

    waiter->asks_again = true;
    while (waiter->answers < 2) {
        turn(fixture);
    }
    assert_int_equal(waiter->list.count, 3);
    assert_int_equal(dns_server_questions(fixture->server, "three.test"), 2);
}

static void a_machine_without_descriptors_is_to_blame_itself(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;

    /* Before the first question of all, and later. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        int next = dup(0);
        close(next);
        struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        struct waiter *waiter = resolve(fixture, "three.test");
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_true(waiter->is_failed && waiter->is_local);
        assert_non_null(strstr(waiter->text, "ulimit"));
        /* It is asked for as soon as there are some. */
        assert_int_equal(resolve(fixture, i == 0 ? "both.test" : "three.test")->is_failed, false);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_has_the_addresses_of_both_families),
        TEST(each_begins_with_another_address),
        TEST(a_name_is_asked_for_once_for_all_who_wait),
        TEST(a_name_is_known_for_as_long_as_its_records_may_be),
        TEST(what_cannot_be_answered_says_why),
        TEST(a_failure_is_not_asked_for_again_at_once),
        TEST(a_server_that_is_silent_is_given_up),
        TEST(an_answer_that_is_cut_off_is_asked_for_by_tcp),
        TEST(who_has_cancelled_is_not_told),
        TEST(who_asks_from_within_an_answer_gets_another),
        TEST(a_machine_without_descriptors_is_to_blame_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
