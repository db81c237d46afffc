/* The agents' port on real sockets: keys bound to names, revocation, frames in another agent's name. */
#include "common/memory.h"
#include "tests/unit/coordinator/net/ingress.h"

#include <stdio.h>

static bool is_no_handshake_refused(struct scene *scene, const void *nothing)
{
    const uint64_t *counts = server_refusals(scene->server)->counts;
    (void)nothing;
    return counts[REFUSAL_HANDSHAKE] + counts[REFUSAL_CUT] == 0;
}

static void who_is_on_the_list_joins_under_the_keys_name(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    come_in(scene, &scene->callers[0], 500);
    dial(scene, &scene->callers[1], true);
    say_hello(&scene->callers[1], 501, "a3");
    expect_told(scene, &scene->callers[1], "shown-out(the key is that of agent a2 and not of a3) ");
    say_hello(&scene->callers[1], 502, "a2");
    expect_told(scene, &scene->callers[1], "welcome ");
}

static void strangers_are_counted_and_told_of(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    dial(scene, &scene->callers[2], true);
    say_hello(&scene->callers[2], 500, "stranger");
    await_log(scene, "refused: 1 connection with a key that is not on the list");
    assert_int_equal(server_refusals(scene->server)->counts[REFUSAL_STRANGER], 1);
    socket_close(&scene->callers[2].socket, 0);
    dial(scene, &scene->callers[2], false);
    say_hello(&scene->callers[2], 500, "stranger");
    run_while(scene, is_no_handshake_refused,
              NULL); /* by us, or occasionally first by ZeroMQ at the other end */
    assert_int_equal(server_refusals(scene->server)->counts[REFUSAL_STRANGER], 1);
    come_in(scene, &scene->callers[0], 500);
    assert_null(strstr(buffer_string(&scene->log), "stranger"));
}

/* Another agent with a key of its own has got hold of an incarnation, and sends what that one has sent. */
static void nobody_speaks_for_another(void **state)
{
    struct scene *scene = *state;
    struct caller *victim = &scene->callers[0];
    struct caller *thief = &scene->callers[1];
    start_server(scene, true);
    dial(scene, victim, true);
    dial(scene, thief, true);
    say_hello(victim, 500, "a1");
    expect_told(scene, victim, "welcome ");
    say_hello(thief, 500, "a1");
    await_refusal(scene, REFUSAL_FOREIGN);
    say(thief, &(struct envelope){.incarnation = 500, .sequence = 1}, TEXT("x"));
    await_log(scene, "in the name of another agent");
    /* Answers are still sent to the same connection. */
    say_hello(victim, 500, "a1");
    expect_told(scene, victim, "welcome ");
    assert_int_equal(thief->told, 0);
    /* Its owner may use another connection. */
    socket_close(&victim->socket, 0);
    come_in(scene, victim, 500);
}

static void who_is_revoked_is_shown_out_while_connected(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    for (int i = 0; i < 2; i++) {
        come_in(scene, &scene->callers[i], 500 + (uint64_t)i);
    }
    write_list(scene, 1, 2);
    expect_told(scene, &scene->callers[0], "shown-out(the key of this agent was revoked) ");
    /* Its connection still exists, but nothing on it is accepted. */
    say_hello(&scene->callers[0], 500, "a1");
    say_hello(&scene->callers[0], 600, "a1");
    await_refusal(scene, REFUSAL_REVOKED);
    await_log(scene, "with a key that was revoked");
    say_hello(&scene->callers[1], 501, "a2");
    expect_told(scene, &scene->callers[1], "welcome ");
    assert_int_equal(scene->callers[0].told, 0);
    /* Nor is a new connection accepted. */
    socket_close(&scene->callers[0].socket, 0);
    dial(scene, &scene->callers[0], true);
    await_refusal(scene, REFUSAL_STRANGER);
}

/* Revoked and given a new key between two reads of the list: the name is the same, the key differs. */
static void a_new_key_for_a_name_revokes_the_old_one(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    come_in(scene, &scene->callers[0], 500);
    (void)snprintf(scene->callers[2].key.name, KEY_NAME_BYTES, "a1");
    write_list(scene, 1, 3);
    expect_told(scene, &scene->callers[0], "shown-out(the key of this agent was revoked) ");
    /* The old one may work on as long as its lease lasts, so it keeps the name. */
    dial(scene, &scene->callers[2], true);
    say_hello(&scene->callers[2], 700, "a1");
    expect_told(scene, &scene->callers[2],
                "refused(the name a1 is in use by another process until it is declared lost) ");
}

static void a_broken_list_leaves_the_old_one_in_force(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    SCOPED(memory_free_at) char *path = memory_format("%s/agents.allow", scene->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("agent a1 nonsense\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    await_log(scene, "agents.allow: line 1: the text after a1 is not a key");
    come_in(scene, &scene->callers[0], 500);
    write_list(scene, 1, 3);
    expect_told(scene, &scene->callers[0], "shown-out(the key of this agent was revoked) ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INGRESS_TEST(who_is_on_the_list_joins_under_the_keys_name),
        INGRESS_TEST(strangers_are_counted_and_told_of),
        INGRESS_TEST(nobody_speaks_for_another),
        INGRESS_TEST(who_is_revoked_is_shown_out_while_connected),
        INGRESS_TEST(a_new_key_for_a_name_revokes_the_old_one),
        INGRESS_TEST(a_broken_list_leaves_the_old_one_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
