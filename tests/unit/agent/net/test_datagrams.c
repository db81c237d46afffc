/* Datagrams over the loopback: whole, from the right one, held back with the net, and refused. */
#include "agent/net/datagrams.h"

#include "agent/base/lease.h"
#include "agent/net/address_list.h"
#include "common/buffer.h"
#include "common/memory.h"
#include "tests/unit/agent/net/fake_resolver.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEARD_MAX_BYTES 200000u

struct datagrams_fixture {
    uv_loop_t loop;
    _Atomic(uint64_t) lease_until_ns;
    struct lease lease;
    struct net *net;
    struct datagrams *datagrams;
    int peer;
    uint16_t port;
    struct buffer heard; /* "[one][two]" */
    unsigned opened;
    unsigned ended;
    enum net_failure failure;
    char text[400];
};

static void heard_open(void *context)
{
    struct datagrams_fixture *fixture = context;
    fixture->opened++;
}

static void heard_data(void *context, struct bytes data)
{
    struct datagrams_fixture *fixture = context;
    assert_true(buffer_append_format(&fixture->heard, "[%.*s]", BYTES_FORMAT(data)));
}

static void heard_end(void *context, enum net_failure failure, const char *text)
{
    struct datagrams_fixture *fixture = context;
    fixture->ended++;
    fixture->failure = failure;
    snprintf(fixture->text, sizeof fixture->text, "%s", text);
    datagrams_close(&fixture->datagrams);
}

static int set_up_datagrams(void **state)
{
    struct datagrams_fixture *fixture = MEMORY_NEW(struct datagrams_fixture);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
    } address = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;

    uv_loop_init(&fixture->loop);
    atomic_init(&fixture->lease_until_ns, UINT64_MAX);
    lease_init(&fixture->lease, &fixture->lease_until_ns);
    fixture->net = net_new(&fixture->loop, &fixture->lease);
    buffer_init(&fixture->heard, HEARD_MAX_BYTES);
    fixture->peer = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fixture->peer, &address.any, sizeof address.v4), 0);
    assert_int_equal(getsockname(fixture->peer, &address.any, &size), 0);
    fixture->port = ntohs(address.v4.sin_port);
    fake_addresses = (struct address_list){.count = 0};
    *state = fixture;
    alarm(30);
    return 0;
}

static int tear_down_datagrams(void **state)
{
    struct datagrams_fixture *fixture = *state;

    datagrams_close(&fixture->datagrams);
    net_close(&fixture->net);
    close(fixture->peer);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    buffer_finish(&fixture->heard);
    memory_free(fixture);
    alarm(0);
    return 0;
}

static void pass(struct datagrams_fixture *fixture)
{
    for (int i = 0; i < 20; i++) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void open_datagrams(struct datagrams_fixture *fixture, const char *host, uint16_t port)
{
    static const struct datagrams_callbacks heard = {
        .on_open = heard_open, .on_data = heard_data, .on_end = heard_end};
    const struct datagrams_target target = {.host = host, .port = port};

    fixture->datagrams = datagrams_open(fixture->net, &target, &heard, fixture);
    assert_int_equal(fixture->opened + fixture->ended, 0);
    while (fixture->opened + fixture->ended == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static enum net_failure say(struct datagrams_fixture *fixture, const char *word)
{
    return datagrams_send(fixture->datagrams, bytes_of_string(word), fixture->text, sizeof fixture->text);
}

static void answer(const struct datagrams_fixture *fixture, int from, const char *word)
{
    struct net_address address;
    socklen_t size = sizeof address;
    char taken[100];

    if (recvfrom(fixture->peer, taken, sizeof taken, MSG_PEEK, &address.any, &size) >= 0) {
        (void)sendto(from, word, strlen(word), 0, &address.any, size);
    }
}

static void they_come_whole_and_from_that_address_alone(void **state)
{
    struct datagrams_fixture *fixture = *state;
    int stranger = socket(AF_INET, SOCK_DGRAM, 0);
    char where[40];

    open_datagrams(fixture, "127.0.0.1", fixture->port);
    snprintf(where, sizeof where, "127.0.0.1:%u", fixture->port);
    assert_string_equal(datagrams_peer(fixture->datagrams), where);
    assert_int_equal(say(fixture, "hello"), NET_OK);
    answer(fixture, fixture->peer, "one");
    answer(fixture, stranger, "not mine");
    answer(fixture, fixture->peer, "");
    answer(fixture, fixture->peer, "two");
    pass(fixture);
    assert_string_equal(buffer_string(&fixture->heard), "[one][][two]");
    close(stranger);
}

static void a_name_is_looked_up(void **state)
{
    struct datagrams_fixture *fixture = *state;
    struct net_address address;

    assert_true(net_address_parse("127.0.0.1", &address));
    address_list_add(&fake_addresses, &address);
    open_datagrams(fixture, "later", fixture->port);
    assert_int_equal(fixture->opened, 1);
    assert_int_equal(say(fixture, "hello"), NET_OK);
}

static void a_name_without_an_address_is_said(void **state)
{
    struct datagrams_fixture *fixture = *state;

    open_datagrams(fixture, "nowhere", fixture->port);
    assert_int_equal(fixture->ended, 1);
    assert_int_equal(fixture->failure, NET_RESOLVE);
    assert_non_null(strstr(fixture->text, "nowhere cannot be resolved"));
}

static void that_nobody_listens_is_said(void **state)
{
    struct datagrams_fixture *fixture = *state;

    open_datagrams(fixture, "127.0.0.1", fixture->port);
    close(fixture->peer);
    fixture->peer = -1;
    assert_int_equal(say(fixture, "hello"), NET_OK);
    pass(fixture);
    assert_int_equal(fixture->ended, 1);
    assert_int_equal(fixture->failure, NET_REFUSED);
}

static void what_comes_while_the_net_is_held_waits(void **state)
{
    struct datagrams_fixture *fixture = *state;

    open_datagrams(fixture, "127.0.0.1", fixture->port);
    assert_int_equal(say(fixture, "hello"), NET_OK);
    net_hold(fixture->net);
    answer(fixture, fixture->peer, "one");
    pass(fixture);
    assert_int_equal(fixture->heard.size, 0);
    net_go_on(fixture->net);
    pass(fixture);
    assert_string_equal(buffer_string(&fixture->heard), "[one]");
    /* The lease may be over, and back, without the net being held. */
    atomic_store(&fixture->lease_until_ns, 1);
    answer(fixture, fixture->peer, "two");
    pass(fixture);
    atomic_store(&fixture->lease_until_ns, UINT64_MAX);
    pass(fixture);
    assert_string_equal(buffer_string(&fixture->heard), "[one][two]");
}

static void what_is_paused_stays_in_the_kernel(void **state)
{
    struct datagrams_fixture *fixture = *state;

    open_datagrams(fixture, "127.0.0.1", fixture->port);
    assert_int_equal(say(fixture, "hello"), NET_OK);
    datagrams_pause(fixture->datagrams, true);
    answer(fixture, fixture->peer, "one");
    answer(fixture, fixture->peer, "two");
    pass(fixture);
    assert_int_equal(fixture->heard.size, 0);
    datagrams_pause(fixture->datagrams, false);
    pass(fixture);
    assert_string_equal(buffer_string(&fixture->heard), "[one][two]");
}

#define DATAGRAMS(name) cmocka_unit_test_setup_teardown(name, set_up_datagrams, tear_down_datagrams)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATAGRAMS(they_come_whole_and_from_that_address_alone), DATAGRAMS(a_name_is_looked_up),
        DATAGRAMS(a_name_without_an_address_is_said),           DATAGRAMS(that_nobody_listens_is_said),
        DATAGRAMS(what_comes_while_the_net_is_held_waits),      DATAGRAMS(what_is_paused_stays_in_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
