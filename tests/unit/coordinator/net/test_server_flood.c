/* The agents' port on real sockets: floods and nonsense, which disturb nobody. */
#include "proto/message/limits.h"
#include "tests/unit/coordinator/net/ingress.h"

#include <stdio.h>

/* As fast as possible, each of a new incarnation and name, on one connection. */
static void a_flood_of_hellos_disturbs_nobody(struct scene *scene, bool has_keys)
{
    struct caller *flooder = &scene->callers[1];
    struct caller *other = &scene->callers[0];
    char name[20];
    start_server(scene, has_keys);
    dial(scene, other, has_keys);
    say_hello(other, 500, "a1");
    expect_told(scene, other, "welcome ");
    dial(scene, flooder, has_keys);
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof name, has_keys ? "a2" : "flood-%u", i);
        say_hello(flooder, 1000 + i, name);
        if (i % 500 == 0) {
            say_hello(other, 500, "a1");
            expect_told(scene, other, "welcome ");
        }
    }
    await_log(scene, "refused: ");
    say_hello(other, 500, "a1");
    expect_told(scene, other, "welcome ");
    const char *joined = strstr(buffer_string(&scene->log), "has joined");
    joined = strstr(joined + 1, "has joined");
    assert_non_null(joined);
    assert_null(strstr(joined + 1, "has joined"));
    assert_true(server_refusals(scene->server)->counts[REFUSAL_SECOND] > 1000);
    assert_true(scene->lines < 60); /* two have joined, and at most a line a second */
}

static void a_flood_of_hellos_with_a_key(void **state)
{
    a_flood_of_hellos_disturbs_nobody(*state, true);
}

static void a_flood_of_hellos_without_keys(void **state)
{
    a_flood_of_hellos_disturbs_nobody(*state, false);
}

static void nonsense_of_all_kinds_disturbs_nobody(void **state)
{
    struct scene *scene = *state;
    struct caller *rude = &scene->callers[1];
    static uint8_t large[LIMIT_CUT_BYTES + 1];
    start_server(scene, true);
    come_in(scene, rude, 501);
    (void)socket_send(rude->socket, bytes_of(NULL, 0), TEXT("no envelope"), TEXT("no message"));
    await_refusal(scene, REFUSAL_FRAME);
    await_log(scene, "refused: 1 frame that made no sense");
    say(rude, &(struct envelope){.incarnation = 501}, TEXT("\xff\xff no protobuf"));
    await_log(scene, "agent a2: dropped a message (1 so far)");
    say(rude, &(struct envelope){.incarnation = 501}, bytes_of(large, sizeof large)); /* cut off for this */
    await_refusal(scene, REFUSAL_LARGE);
    await_log(scene, "refused: 1 connection cut off for a frame above 4 MiB, from 127.0.0.1:");
    come_in(scene, &scene->callers[0], 500);
    say_hello(rude, 501, "a2"); /* on the connection that ZeroMQ makes again */
    expect_told(scene, rude, "welcome ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INGRESS_TEST(a_flood_of_hellos_with_a_key),
        INGRESS_TEST(a_flood_of_hellos_without_keys),
        INGRESS_TEST(nonsense_of_all_kinds_disturbs_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
