/* The coordinator's door on real sockets: keys bound to names, revocation, frames in another's name, floods.
 */
#include "coordinator/server.h"

#include "common/clock.h"
#include "common/memory.h"
#include "proto/codec.h"
#include "proto/curve.h"
#include "proto/key_folder.h"
#include "proto/limits.h"
#include "proto/socket.h"

#include "../common/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define LOG_BYTES 100000u
#define CALLERS 3

/* One end of a connection, which says what the test wants it to say. */
struct caller {
    struct socket *socket;
    struct agent_key key;
    char story[400]; /* what it was told: "welcome refused(why) " */
    size_t told;
    bool hears_welcome; /* that comes again and again, for nobody acknowledges it */
};

struct scene {
    uv_loop_t loop;
    uv_timer_t guard;
    bool is_late;
    char folder[40];
    struct key_pair pair;
    struct server *server;
    struct caller callers[CALLERS];
    struct buffer log;
    size_t lines;
};

static void on_caller_frame(void *context, const struct socket_sender *from, struct bytes envelope_bytes,
                            struct bytes message_bytes)
{
    struct caller *caller = context;
    struct message message;
    struct envelope envelope;
    struct error error;
    (void)from;
    assert_true(envelope_decode(envelope_bytes, &envelope, &error));
    if (message_bytes.size == 0) {
        return;
    }
    assert_true(message_decode(message_bytes, &message, &error));
    size_t size = strlen(caller->story);
    if (message.kind == MESSAGE_REFUSED) {
        (void)snprintf(caller->story + size, sizeof caller->story - size, "%s(%.*s) ",
                       message.refused.is_final ? "shown-out" : "refused",
                       BYTES_FORMAT(message.refused.text));
        caller->told++;
    } else if (caller->hears_welcome) {
        caller->hears_welcome = false;
        (void)snprintf(caller->story, sizeof caller->story, "%s ", message_kind_name(message.kind));
        caller->told++;
    }
    message_finish(&message);
}

static void on_log(void *context, enum log_level level, const char *text)
{
    struct scene *scene = context;
    (void)level;
    buffer_append_string(&scene->log, text);
    buffer_append_string(&scene->log, "\n");
    scene->lines++;
}

static void on_late(uv_timer_t *timer)
{
    ((struct scene *)timer->data)->is_late = true;
}

static void run_while(struct scene *scene, bool (*is_waiting)(struct scene *scene, const void *what),
                      const void *what)
{
    uv_update_time(&scene->loop);
    uv_timer_start(&scene->guard, on_late, PATIENCE_MS, 0);
    while (is_waiting(scene, what) && !scene->is_late) {
        uv_run(&scene->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&scene->guard);
    if (scene->is_late) {
        fail_msg("stalled; the log:\n%s", buffer_string(&scene->log));
    }
}

static bool is_unlogged(struct scene *scene, const void *text)
{
    return strstr(buffer_string(&scene->log), text) == NULL;
}

static void await_log(struct scene *scene, const char *text)
{
    run_while(scene, is_unlogged, text);
}

static bool is_untold(struct scene *scene, const void *caller)
{
    (void)scene;
    return ((const struct caller *)caller)->told == 0;
}

static void expect_told(struct scene *scene, struct caller *caller, const char *story)
{
    caller->hears_welcome = strcmp(story, "welcome ") == 0;
    run_while(scene, is_untold, caller);
    assert_string_equal(caller->story, story);
    caller->told = 0;
    caller->story[0] = '\0';
}

static bool is_uncounted(struct scene *scene, const void *refusal)
{
    return server_refusals(scene->server)->counts[*(const enum refusal *)refusal] == 0;
}

static void await_refusal(struct scene *scene, enum refusal refusal)
{
    run_while(scene, is_uncounted, &refusal);
}

static bool is_no_handshake_refused(struct scene *scene, const void *nothing)
{
    const uint64_t *counts = server_refusals(scene->server)->counts;
    (void)nothing;
    return counts[REFUSAL_HANDSHAKE] + counts[REFUSAL_CUT] == 0;
}

static void say(struct caller *caller, const struct envelope *envelope, struct bytes message)
{
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    envelope_encode(envelope, &buffer);
    (void)socket_send(caller->socket, bytes_of(NULL, 0), buffer_bytes(&buffer), message);
    buffer_finish(&buffer);
}

static void encode_hello(const char *name, struct buffer *into)
{
    struct message message = {.kind = MESSAGE_HELLO,
                              .hello = {.version_lowest = PROTOCOL_VERSION,
                                        .version_highest = PROTOCOL_VERSION,
                                        .name = bytes_of_string(name),
                                        .host = bytes_of_string("host"),
                                        .pid = 1,
                                        .cores = 1,
                                        .shards = 1}};
    buffer_init(into, LIMIT_FRAME_BYTES);
    message_encode(&message, into);
}

static void say_hello(struct caller *caller, uint64_t incarnation, const char *name)
{
    struct buffer hello;
    encode_hello(name, &hello);
    say(caller, &(struct envelope){.incarnation = incarnation, .sent_ns = clock_now_ns()},
        buffer_bytes(&hello));
    buffer_finish(&hello);
}

static void write_list(const struct scene *scene, size_t first, size_t end)
{
    struct allow_list *list = allow_list_new();
    struct error error;
    for (size_t i = first; i < end; i++) {
        assert_true(allow_list_add(list, TEXT(scene->callers[i].key.name),
                                   TEXT(scene->callers[i].key.pair.public_key), &error));
    }
    assert_true(key_folder_write_list(scene->folder, list, &error));
    allow_list_free(&list);
}

static void start_server(struct scene *scene, bool has_keys)
{
    struct error error;
    struct error warning;
    struct gate *gate = has_keys ? gate_open(scene->folder, &warning, &error) : NULL;
    struct server_options options = {.endpoint = "tcp://127.0.0.1:*",
                                     .settings = coordinator_default_settings(0),
                                     .callbacks = {.on_log = on_log, .context = scene},
                                     .gate = has_keys ? &gate : NULL};
    scene->server = server_new(&scene->loop, &options, &error);
    assert_non_null(scene->server);
    assert_null(gate);
}

static void dial(struct scene *scene, struct caller *caller, bool has_key)
{
    struct socket_callbacks callbacks = {.on_frame = on_caller_frame, .context = caller};
    struct socket_client_keys keys = {.pair = &caller->key.pair, .server = scene->pair.public_key};
    struct error error;
    caller->socket = socket_new_dealer(&scene->loop, server_endpoint(scene->server), has_key ? &keys : NULL,
                                       &callbacks, &error);
    assert_non_null(caller->socket);
}

static int set_up(void **state)
{
    static const char *const NAMES[CALLERS] = {"a1", "a2", "stranger"};
    struct scene *scene = MEMORY_NEW(struct scene);
    struct error error;
    struct error warning;
    uv_loop_init(&scene->loop);
    uv_timer_init(&scene->loop, &scene->guard);
    scene->guard.data = scene;
    buffer_init(&scene->log, LOG_BYTES);
    (void)snprintf(scene->folder, sizeof scene->folder, "/tmp/tutti-door.XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    assert_true(key_folder_make(scene->folder, &error));
    assert_true(key_folder_read_pair(scene->folder, &scene->pair, &warning, &error));
    for (size_t i = 0; i < CALLERS; i++) {
        curve_draw(&scene->callers[i].key.pair);
        (void)snprintf(scene->callers[i].key.name, KEY_NAME_BYTES, "%s", NAMES[i]);
    }
    write_list(scene, 0, 2);
    *state = scene;
    return 0;
}

static void remove_file(const struct scene *scene, const char *name)
{
    SCOPED(memory_free_at) char *path = memory_format("%s/%s", scene->folder, name);
    (void)unlink(path);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    server_close(&scene->server, 0);
    for (size_t i = 0; i < CALLERS; i++) {
        socket_close(&scene->callers[i].socket, 0);
    }
    uv_close((uv_handle_t *)&scene->guard, NULL);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    remove_file(scene, "coordinator.key");
    remove_file(scene, "agents.allow");
    assert_int_equal(rmdir(scene->folder), 0);
    buffer_finish(&scene->log);
    memory_free(scene);
    return 0;
}

static void who_is_on_the_list_joins_under_the_keys_name(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    dial(scene, &scene->callers[0], true);
    say_hello(&scene->callers[0], 500, "a1");
    expect_told(scene, &scene->callers[0], "welcome ");
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
              NULL); /* by us, or by ZeroMQ at the other end, which is quicker now and then */
    assert_int_equal(server_refusals(scene->server)->counts[REFUSAL_STRANGER], 1);
    dial(scene, &scene->callers[0], true);
    say_hello(&scene->callers[0], 500, "a1");
    expect_told(scene, &scene->callers[0], "welcome ");
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
    /* Answers still go where they went. */
    say_hello(victim, 500, "a1");
    expect_told(scene, victim, "welcome ");
    assert_int_equal(thief->told, 0);
    /* Its owner may come by another connection. */
    socket_close(&victim->socket, 0);
    dial(scene, victim, true);
    say_hello(victim, 500, "a1");
    expect_told(scene, victim, "welcome ");
}

static void who_is_revoked_is_shown_out_while_connected(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    for (int i = 0; i < 2; i++) {
        dial(scene, &scene->callers[i], true);
        say_hello(&scene->callers[i], 500 + (uint64_t)i, scene->callers[i].key.name);
        expect_told(scene, &scene->callers[i], "welcome ");
    }
    write_list(scene, 1, 2);
    expect_told(scene, &scene->callers[0], "shown-out(the key of this agent was revoked) ");
    /* Its connection stands, and nothing that comes over it counts. */
    say_hello(&scene->callers[0], 500, "a1");
    say_hello(&scene->callers[0], 600, "a1");
    await_refusal(scene, REFUSAL_REVOKED);
    await_log(scene, "with a key that was revoked");
    say_hello(&scene->callers[1], 501, "a2");
    expect_told(scene, &scene->callers[1], "welcome ");
    assert_int_equal(scene->callers[0].told, 0);
    /* Nor is there a new connection. */
    socket_close(&scene->callers[0].socket, 0);
    dial(scene, &scene->callers[0], true);
    await_refusal(scene, REFUSAL_STRANGER);
}

/* Revoked and given a new key between two looks at the list: the name is there, the key is another. */
static void a_new_key_for_a_name_revokes_the_old_one(void **state)
{
    struct scene *scene = *state;
    start_server(scene, true);
    dial(scene, &scene->callers[0], true);
    say_hello(&scene->callers[0], 500, "a1");
    expect_told(scene, &scene->callers[0], "welcome ");
    (void)snprintf(scene->callers[2].key.name, KEY_NAME_BYTES, "a1");
    write_list(scene, 1, 3);
    expect_told(scene, &scene->callers[0], "shown-out(the key of this agent was revoked) ");
    dial(scene, &scene->callers[2], true);
    say_hello(&scene->callers[2], 700, "a1");
    expect_told(scene, &scene->callers[2], "welcome ");
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
    await_log(scene, "agents.allow: line 1: what stands behind a1 is not a key");
    dial(scene, &scene->callers[0], true);
    say_hello(&scene->callers[0], 500, "a1");
    expect_told(scene, &scene->callers[0], "welcome ");
    write_list(scene, 1, 3);
    expect_told(scene, &scene->callers[0], "shown-out(the key of this agent was revoked) ");
}

/* As fast as they go, each of a new incarnation and name, by one connection. */
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
    static uint8_t large[LIMIT_FRAME_BYTES + 1];
    start_server(scene, true);
    dial(scene, rude, true);
    say_hello(rude, 501, "a2");
    expect_told(scene, rude, "welcome ");
    (void)socket_send(rude->socket, bytes_of(NULL, 0), TEXT("no envelope"), TEXT("no message"));
    await_refusal(scene, REFUSAL_FRAME);
    await_log(scene, "refused: 1 frame that made no sense");
    say(rude, &(struct envelope){.incarnation = 501}, TEXT("\xff\xff no protobuf"));
    await_log(scene, "agent a2: dropped a message (1 so far)");
    say(rude, &(struct envelope){.incarnation = 501}, bytes_of(large, sizeof large)); /* cut off for this */
    dial(scene, &scene->callers[0], true);
    say_hello(&scene->callers[0], 500, "a1");
    expect_told(scene, &scene->callers[0], "welcome ");
    say_hello(rude, 501, "a2"); /* by the connection that ZeroMQ makes anew */
    expect_told(scene, rude, "welcome ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        STORY(who_is_on_the_list_joins_under_the_keys_name),
        STORY(strangers_are_counted_and_told_of),
        STORY(nobody_speaks_for_another),
        STORY(who_is_revoked_is_shown_out_while_connected),
        STORY(a_new_key_for_a_name_revokes_the_old_one),
        STORY(a_broken_list_leaves_the_old_one_in_force),
        STORY(a_flood_of_hellos_with_a_key),
        STORY(a_flood_of_hellos_without_keys),
        STORY(nonsense_of_all_kinds_disturbs_nobody),
#undef STORY
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
