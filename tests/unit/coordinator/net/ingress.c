/* The agents' port on real sockets, and callers that send what a test wants them to send. */
#include "tests/unit/coordinator/net/ingress.h"

#include "common/clock.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/keys/curve.h"
#include "proto/keys/key_folder.h"
#include "proto/message/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define LOG_BYTES 100000u

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

void run_while(struct scene *scene, bool (*is_waiting)(struct scene *scene, const void *what),
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

void await_log(struct scene *scene, const char *text)
{
    run_while(scene, is_unlogged, text);
}

static bool is_untold(struct scene *scene, const void *caller)
{
    (void)scene;
    return ((const struct caller *)caller)->told == 0;
}

void expect_told(struct scene *scene, struct caller *caller, const char *story)
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

void await_refusal(struct scene *scene, enum refusal refusal)
{
    run_while(scene, is_uncounted, &refusal);
}

void say(struct caller *caller, const struct envelope *envelope, struct bytes message)
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

void say_hello(struct caller *caller, uint64_t incarnation, const char *name)
{
    struct buffer hello;
    encode_hello(name, &hello);
    say(caller, &(struct envelope){.incarnation = incarnation, .sent_ns = clock_now_ns()},
        buffer_bytes(&hello));
    buffer_finish(&hello);
}

void write_list(const struct scene *scene, size_t first, size_t end)
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

void start_server(struct scene *scene, bool has_keys)
{
    struct error error;
    struct error warning;
    struct credentials *credentials = has_keys ? credentials_open(scene->folder, &warning, &error) : NULL;
    struct server_options options = {.endpoint = "tcp://127.0.0.1:*",
                                     .settings = coordinator_default_settings(0),
                                     .callbacks = {.on_log = on_log, .context = scene},
                                     .credentials = has_keys ? &credentials : NULL};
    scene->server = server_new(&scene->loop, &options, &error);
    assert_non_null(scene->server);
    assert_null(credentials);
}

void dial(struct scene *scene, struct caller *caller, bool has_key)
{
    struct socket_callbacks callbacks = {.on_frame = on_caller_frame, .context = caller};
    struct socket_client_keys keys = {.pair = &caller->key.pair, .server = scene->pair.public_key};
    struct error error;
    caller->socket = socket_new_dealer(&scene->loop, server_endpoint(scene->server), has_key ? &keys : NULL,
                                       &callbacks, &error);
    assert_non_null(caller->socket);
}

void come_in(struct scene *scene, struct caller *caller, uint64_t incarnation)
{
    dial(scene, caller, true);
    say_hello(caller, incarnation, caller->key.name);
    expect_told(scene, caller, "welcome ");
}

int set_up(void **state)
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

int tear_down(void **state)
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
