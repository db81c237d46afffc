/* Many sockets on one descriptor of the loop. */
#include "agent/net/poller.h"

#include "common/container.h"
#include "tests/unit/common/check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIDES 2

/* One end of a pair; the other is written to by the test. */
struct side {
    struct poller_socket polled;
    struct poller *poller;
    int far;
    int near;
    unsigned told;
    struct side *removes; /* when it is told */
    struct side *adds;
};

static void side_on_ready(struct poller_socket *polled, uint32_t events);

static void side_open(struct side *side, struct poller *poller)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    *side = (struct side){.poller = poller, .far = ends[0], .near = ends[1]};
    side->polled.on_ready = side_on_ready;
    assert_int_equal(poller_add(poller, &side->polled, side->near, EPOLLIN), 0);
}

static void side_remove(struct side *side)
{
    poller_remove(&side->polled);
    close(side->near);
    close(side->far);
}

static void side_on_ready(struct poller_socket *polled, uint32_t events)
{
    struct side *side = CONTAINER_OF(polled, struct side, polled);
    char byte;

    if ((events & EPOLLIN) == 0) {
        return; /* it can be written to */
    }
    side->told++;
    assert_int_equal(read(side->near, &byte, 1), 1);
    if (side->removes != NULL) {
        side_remove(side->removes);
        side->removes = NULL;
    }
    if (side->adds != NULL) {
        side_open(side->adds, side->poller);
        side->adds = NULL;
    }
}

static void count_idle(void *context)
{
    ++*(unsigned *)context;
}

struct fixture {
    uv_loop_t loop;
    struct poller *poller;
    unsigned idle;
    struct side sides[SIDES];
    struct side late;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.idle = 0};
    uv_loop_init(&fixture.loop);
    fixture.poller = poller_new(&fixture.loop, count_idle, &fixture.idle);
    for (size_t i = 0; i < SIDES; i++) {
        side_open(&fixture.sides[i], fixture.poller);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    poller_close(&fixture->poller);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    return 0;
}

static void each_is_told_of_its_own(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(write(fixture->sides[1].far, "x", 1), 1);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(fixture->sides[0].told, 0);
    assert_int_equal(fixture->sides[1].told, 1);
    assert_int_equal(fixture->idle, 1);
    side_remove(&fixture->sides[0]);
    side_remove(&fixture->sides[1]);
}

/* Both are ready at once; the one that comes first removes the other, in whose place a third one comes. */
static void one_that_was_removed_meanwhile_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    struct side *sides = fixture->sides;

    for (size_t i = 0; i < SIDES; i++) {
        sides[i].removes = &sides[1 - i];
        sides[i].adds = &fixture->late;
        assert_int_equal(write(sides[i].far, "x", 1), 1);
    }
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(sides[0].told + sides[1].told, 1);
    assert_int_equal(fixture->late.told, 0);
    side_remove(sides[0].told == 1 ? &sides[0] : &sides[1]);
    side_remove(&fixture->late);
}

/* As a child does between fork and exec: the kernel goes on to report the socket. */
static void one_that_another_process_holds_open_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    int held = dup(fixture->sides[0].near);
    int far = dup(fixture->sides[0].far);

    side_remove(&fixture->sides[0]);
    fixture->sides[0].told = 0;
    assert_int_equal(write(far, "x", 1), 1);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(fixture->sides[0].told, 0);
    close(held);
    close(far);
    side_remove(&fixture->sides[1]);
}

static void an_edge_comes_again_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct side *side = &fixture->sides[0];

    poller_change(&side->polled, POLLER_EDGES);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(write(side->far, "xyz", 3), 3);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(side->told, 1);
    poller_again(&side->polled);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(side->told, 2);
    side_remove(&fixture->sides[0]);
    side_remove(&fixture->sides[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_told_of_its_own),
        TEST(one_that_was_removed_meanwhile_is_not_told),
        TEST(one_that_another_process_holds_open_is_not_told),
        TEST(an_edge_comes_again_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
