/* The coordinator's shell with real agents' ends on real sockets, played by the test. */
#include "coordinator/net/server.h"

#include "common/clock.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"
#include "proto/socket/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 20000u

/* One agent: a DEALER, its link, and what it was told. */
struct caller {
    struct scene *scene;
    struct socket *socket;
    struct link *link;
    uint64_t incarnation;
    char story[1000];
    struct worker_set workers;
    bool is_obliging;
};

struct scene {
    uv_loop_t loop;
    uv_timer_t pulse;    /* drives the links of the callers */
    uv_timer_t patience; /* ends a test that hangs */
    uv_check_t round;    /* each round of the loop */
    struct server *server;
    struct caller callers[2];
    char states[200];
    bool stops_when_running;
    bool asks_for_reports; /* at each state */
    bool runs_on;          /* workers do not finish */
    bool was_logged;
    uint64_t live_waits; /* when the loop came round the last time */
    uint64_t most_ended; /* of them, from one round to the next */
};

static void send_frame(struct caller *caller, const struct envelope *envelope, struct bytes message)
{
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    envelope_encode(envelope, &buffer);
    (void)socket_send(caller->socket, bytes_of(NULL, 0), buffer_bytes(&buffer), message);
    buffer_finish(&buffer);
}

static void talk(struct caller *caller)
{
    struct envelope envelope;
    struct shared *message;
    while (caller->link != NULL && link_epoch(caller->link) != 0 &&
           link_next_frame(caller->link, clock_now_ns(), &envelope, &message)) {
        send_frame(caller, &envelope, shared_bytes(message));
    }
}

static void say(struct caller *caller, const struct message *message)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    message_encode(message, &buffer);
    link_send(caller->link, &buffer);
    buffer_finish(&buffer);
}

static void say_hello(struct caller *caller, const char *name)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    struct message message = {.kind = MESSAGE_HELLO,
                              .hello = {.version_lowest = PROTOCOL_VERSION,
                                        .version_highest = PROTOCOL_VERSION,
                                        .name = bytes_of_string(name),
                                        .host = bytes_of_string("host"),
                                        .pid = 1,
                                        .cores = 1,
                                        .shards = 1}};
    message_encode(&message, &buffer);
    struct envelope envelope = {.incarnation = caller->incarnation, .sent_ns = clock_now_ns()};
    send_frame(caller, &envelope, buffer_bytes(&buffer));
    buffer_finish(&buffer);
}

static void oblige(struct caller *caller, const struct message *message)
{
    struct message answer = {.campaign = message->campaign, .done = {.is_ok = true}};
    if (message->kind == MESSAGE_DEPLOY) {
        answer.kind = MESSAGE_DEPLOYED;
        worker_set_copy(&caller->workers, &message->deploy.workers);
    } else if (message->kind == MESSAGE_GLOBAL) {
        answer.kind = MESSAGE_GLOBAL_DONE;
        answer.done.phase = message->global.phase;
    } else if (message->kind == MESSAGE_BEGIN && !caller->scene->runs_on) {
        struct message counts = {
            .kind = MESSAGE_STATISTICS, .campaign = message->campaign, .statistics = {.steps_ok = 3}};
        say(caller, &counts);
        answer =
            (struct message){.kind = MESSAGE_FINISHED, .campaign = message->campaign, .finished.workers = 1};
    } else {
        return;
    }
    say(caller, &answer);
}

static void on_caller_frame(void *context, const struct socket_sender *from, struct bytes envelope_bytes,
                            struct bytes message_bytes)
{
    struct caller *caller = (struct caller *)context;
    struct envelope envelope;
    struct message message;
    struct error error;
    (void)from;
    assert_true(envelope_decode(envelope_bytes, &envelope, &error));
    enum link_verdict verdict = link_receive(caller->link, clock_now_ns(), &envelope, message_bytes.size > 0);
    bool is_refusal = envelope.sequence == 0 && message_bytes.size > 0;
    if (verdict != LINK_DELIVER && !is_refusal) {
        return;
    }
    assert_true(message_decode(message_bytes, &message, &error));
    size_t size = strlen(caller->story);
    (void)snprintf(caller->story + size, sizeof caller->story - size, "%s ", message_kind_name(message.kind));
    if (caller->is_obliging) {
        oblige(caller, &message);
    }
    message_finish(&message);
}

static void on_caller_turn_end(void *context)
{
    talk((struct caller *)context);
}

static void close_all(struct scene *scene)
{
    server_close(&scene->server, 0);
    for (int i = 0; i < 2; i++) {
        socket_close(&scene->callers[i].socket, 0);
    }
    if (!uv_is_closing((uv_handle_t *)&scene->pulse)) {
        uv_close((uv_handle_t *)&scene->pulse, NULL);
        uv_close((uv_handle_t *)&scene->patience, NULL);
        uv_close((uv_handle_t *)&scene->round, NULL);
    }
}

static void on_campaign(void *context, uint64_t campaign, enum campaign_state state)
{
    struct scene *scene = (struct scene *)context;
    size_t size = strlen(scene->states);
    (void)snprintf(scene->states + size, sizeof scene->states - size, "%s ", campaign_state_name(state));
    if (scene->asks_for_reports) {
        const struct report_view *report = server_report(scene->server, campaign);
        assert_true(report->state >= state);
        assert_int_equal(report->verdict != VERDICT_NONE, report->state == CAMPAIGN_ENDED);
    }
    if (state == CAMPAIGN_RUNNING && scene->stops_when_running) {
        server_stop(scene->server, campaign, true, "from within a callback");
    }
    if (state == CAMPAIGN_ENDED) {
        uv_stop(&scene->loop);
    }
}

static void on_log(void *context, enum log_level level, const char *text)
{
    (void)level;
    (void)text;
    ((struct scene *)context)->was_logged = true;
}

static void on_pulse(uv_timer_t *timer)
{
    struct scene *scene = (struct scene *)timer->data;
    for (int i = 0; i < 2; i++) {
        talk(&scene->callers[i]);
    }
}

static void on_patience(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){0};
    uv_loop_init(&scene.loop);
    struct error error;
    struct server_options options = {
        .endpoint = "tcp://127.0.0.1:*",
        .settings = coordinator_default_settings(0),
        .callbacks = {.on_campaign = on_campaign, .on_log = on_log, .context = &scene}};
    scene.server = server_new(&scene.loop, &options, &error);
    assert_non_null(scene.server);
    for (int i = 0; i < 2; i++) {
        struct caller *caller = &scene.callers[i];
        struct socket_callbacks callbacks = {
            .on_frame = on_caller_frame, .on_turn_end = on_caller_turn_end, .context = caller};
        *caller = (struct caller){.scene = &scene, .incarnation = 500 + (uint64_t)i, .is_obliging = true};
        caller->socket =
            socket_new_dealer(&scene.loop, server_endpoint(scene.server), NULL, &callbacks, &error);
        assert_non_null(caller->socket);
        caller->link = link_new(caller->incarnation, 0, NS_PER_S, clock_now_ns());
        worker_set_init(&caller->workers);
    }
    uv_timer_init(&scene.loop, &scene.pulse);
    uv_timer_init(&scene.loop, &scene.patience);
    uv_check_init(&scene.loop, &scene.round);
    scene.round.data = &scene;
    scene.pulse.data = &scene;
    uv_timer_start(&scene.pulse, on_pulse, 5, 5);
    uv_timer_start(&scene.patience, on_patience, PATIENCE_MS, 0);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    close_all(scene);
    while (uv_run(&scene->loop, UV_RUN_DEFAULT) != 0) { /* stopped before it ran */
    }
    for (int i = 0; i < 2; i++) {
        link_free(&scene->callers[i].link);
        worker_set_finish(&scene->callers[i].workers);
    }
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    return 0;
}

static uint64_t create_for(struct scene *scene, uint32_t workers, uint64_t deadline_ms)
{
    struct campaign_options options = {.workers = workers, .sync_timeout_ms = 1000, .fail_steps = 1};
    struct bundle_file file = {.path = bytes_of_string("pad.lua"), .content = bytes_of_string("-- script")};
    struct bundle bundle = {.files = &file,
                            .file_count = 1,
                            .hash = bytes_of_string("e3b0c44298fc1c149afbf4c8996fb924"
                                                    "27ae41e4649b934ca495991b7852b855")};
    struct server_campaign campaign = {
        .options = &options, .bundle = &bundle, .script = "pad.lua", .agents = 2, .deadline_ms = deadline_ms};
    return server_create(scene->server, &campaign, NULL);
}

static uint64_t create(struct scene *scene, uint64_t deadline_ms)
{
    return create_for(scene, 2, deadline_ms);
}

static void run_until_running(struct scene *scene)
{
    say_hello(&scene->callers[0], "a1");
    say_hello(&scene->callers[1], "a2");
    while (strstr(scene->states, "running") == NULL && uv_is_active((uv_handle_t *)&scene->patience)) {
        uv_run(&scene->loop, UV_RUN_ONCE);
    }
}

static void a_campaign_over_real_sockets(void **state)
{
    struct scene *scene = (struct scene *)*state;
    uint64_t campaign = create(scene, 10000);
    assert_int_equal(campaign, 1);
    say_hello(&scene->callers[0], "a1");
    say_hello(&scene->callers[1], "a2");
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_string_equal(scene->states, "created deploying ready running stopping ended ");
    const struct report_view *report = server_report(scene->server, campaign);
    assert_string_equal(verdict_name(report->verdict), "passed");
    assert_int_equal(report->steps_ok, 6);
    assert_true(scene->was_logged);
    assert_null(server_report(scene->server, 2));
}

static void the_last_report_is_not_one_from_before(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene->asks_for_reports = true;
    uint64_t campaign = create(scene, 10000);
    say_hello(&scene->callers[0], "a1");
    say_hello(&scene->callers[1], "a2");
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    const struct report_view *report = server_report(scene->server, campaign);
    assert_int_equal(report->state, CAMPAIGN_ENDED);
    assert_string_equal(verdict_name(report->verdict), "passed");
    assert_int_equal(report->steps_ok, 6);
}

static void a_report_is_built_once_a_second(void **state)
{
    struct scene *scene = (struct scene *)*state;
    uint64_t campaign = create(scene, 10000);
    uint64_t asked_ns = clock_now_ns();
    const struct report_view *first = server_report(scene->server, campaign);
    for (int i = 0; i < 100; i++) {
        assert_non_null(server_report(scene->server, campaign));
    }
    if (clock_now_ns() - asked_ns < NS_PER_S) {
        assert_ptr_equal(server_report(scene->server, campaign), first);
        assert_int_equal(server_reports_built(scene->server), 1);
    }
    uint64_t built = server_reports_built(scene->server);
    uv_sleep(1001);
    assert_non_null(server_report(scene->server, campaign));
    assert_int_equal(server_reports_built(scene->server), built + 1);
    assert_non_null(server_report_now(scene->server, campaign));
    assert_int_equal(server_reports_built(scene->server), built + 2);
    /* Its own doing is seen at once. */
    server_stop(scene->server, campaign, true, "enough");
    const struct report_view *last = server_report(scene->server, campaign);
    assert_true(bytes_equal_string(last->reason, "enough"));
    assert_null(server_report(scene->server, campaign + 1));
    assert_null(server_report_now(scene->server, campaign + 1));
    assert_true(server_knows(scene->server, campaign));
    assert_false(server_knows(scene->server, campaign + 1));
}

static void another_number_of_workers_is_seen_at_once(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct error error;
    scene->runs_on = true;
    uint64_t campaign = create(scene, 10000);
    run_until_running(scene);
    assert_int_equal(server_report_now(scene->server, campaign)->workers, 2);
    assert_true(server_scale(scene->server, campaign, 3, &error));
    assert_int_equal(server_report(scene->server, campaign)->workers, 3);
}

/* Each waits for readers at a notifier of its own, so that each timeout has a text of its own. */
static void wait_for_readers_of_each(struct caller *caller, uint64_t timeout_ms)
{
    static struct operation items[LIMIT_OPERATIONS];
    static uint32_t ids[LIMIT_OPERATIONS];
    static char names[LIMIT_OPERATIONS][16];
    struct worker_cursor cursor = {0};
    size_t count = 0;
    while (count < LIMIT_OPERATIONS && worker_set_next(&caller->workers, &cursor)) {
        ids[count] = cursor.worker;
        (void)snprintf(names[count], sizeof names[count], "n%u", ids[count]);
        items[count] = (struct operation){.kind = OPERATION_WAIT_READERS,
                                          .room = 0,
                                          .name = bytes_of_string(names[count]),
                                          .step = 1,
                                          .timeout_ms = timeout_ms};
        worker_set_init(&items[count].workers);
        worker_set_add(&items[count].workers, ids[count]);
        count++;
    }
    say(caller, &(struct message){.kind = MESSAGE_OPERATIONS,
                                  .campaign = 1,
                                  .operations = {.items = items, .count = count}});
    for (size_t i = 0; i < count; i++) {
        worker_set_finish(&items[i].workers);
    }
}

static void count_ended(uv_check_t *check)
{
    struct scene *scene = (struct scene *)check->data;
    uint64_t live_waits = server_report_now(scene->server, 1)->live_waits;
    if (scene->live_waits > live_waits && scene->live_waits - live_waits > scene->most_ended) {
        scene->most_ended = scene->live_waits - live_waits;
    }
    scene->live_waits = live_waits;
}

static void timeouts_end_in_portions_with_frames_read_in_between(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene->runs_on = true;
    (void)create_for(scene, 2400, 10000);
    run_until_running(scene);
    for (int i = 0; i < 2; i++) {
        wait_for_readers_of_each(&scene->callers[i], 100);
    }
    uv_check_start(&scene->round, count_ended);
    bool has_begun = false;
    while ((!has_begun || scene->live_waits > 0) && uv_is_active((uv_handle_t *)&scene->patience)) {
        uv_run(&scene->loop, UV_RUN_ONCE);
        has_begun = has_begun || scene->live_waits > 0;
    }
    assert_in_range(scene->most_ended, 1, 800);
}

static void the_begin_of_a_campaign_does_not_move(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene->runs_on = true;
    uint64_t campaign = create(scene, 10000);
    run_until_running(scene);
    uint64_t first_ns = server_report_now(scene->server, campaign)->begun_wall_ns;
    /* They begin together at an instant a little ahead. */
    assert_in_range(first_ns, clock_wall_ns() - 20 * NS_PER_S, clock_wall_ns() + NS_PER_S);
    for (int i = 0; i < 50; i++) {
        uint64_t begun_ns = server_report_now(scene->server, campaign)->begun_wall_ns;
        assert_in_range(begun_ns, first_ns - NS_PER_MS, first_ns + NS_PER_MS);
    }
}

static void nobody_comes_and_the_deadline_passes(void **state)
{
    struct scene *scene = (struct scene *)*state;
    uint64_t campaign = create(scene, 50);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_string_equal(scene->states, "created ended ");
    assert_int_equal(server_report(scene->server, campaign)->verdict, VERDICT_ABORTED);
}

static void a_callback_may_stop_the_campaign(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene->stops_when_running = true;
    uint64_t campaign = create(scene, 10000);
    say_hello(&scene->callers[0], "a1");
    say_hello(&scene->callers[1], "a2");
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_string_equal(scene->states, "created deploying ready running stopping ended ");
    const struct report_view *report = server_report(scene->server, campaign);
    assert_true(bytes_equal_string(report->reason, "from within a callback"));
    assert_non_null(strstr(scene->callers[0].story, "stop "));
}

static void an_agent_that_is_gone_is_lost(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene->callers[0].is_obliging = false;
    scene->callers[1].is_obliging = false;
    uint64_t campaign = create(scene, 10000);
    say_hello(&scene->callers[0], "a1");
    say_hello(&scene->callers[1], "a2");
    while (strstr(scene->states, "deploying") == NULL && uv_is_active((uv_handle_t *)&scene->patience)) {
        uv_run(&scene->loop, UV_RUN_ONCE);
    }
    server_agent_gone(scene->server, "a1");
    server_agent_gone(scene->server, "a2");
    assert_string_equal(scene->states, "created deploying ended ");
    assert_int_equal(server_report(scene->server, campaign)->verdict, VERDICT_ABORTED);
    /* They are told so as soon as they send anything. */
    for (int i = 0; i < 2; i++) {
        while (strstr(scene->callers[i].story, "refused") == NULL &&
               uv_is_active((uv_handle_t *)&scene->patience)) {
            uv_run(&scene->loop, UV_RUN_ONCE);
        }
        assert_non_null(strstr(scene->callers[i].story, "refused"));
    }
}

static void a_port_in_use_is_an_error_in_words(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct error error;
    struct server_options options = {.endpoint = server_endpoint(scene->server),
                                     .settings = coordinator_default_settings(1)};
    assert_null(server_new(&scene->loop, &options, &error));
    assert_non_null(strstr(error.text, "in use"));
}

static void a_trace_tells_what_happened(void **state)
{
    struct scene *scene = (struct scene *)*state;
    FILE *out = tmpfile();
    struct error error;
    struct server_options options = {
        .endpoint = "tcp://127.0.0.1:0",
        .settings = coordinator_default_settings(1),
        .callbacks = {.on_campaign = on_campaign, .on_log = on_log, .context = scene},
        .trace = out};
    struct server *former = scene->server;
    scene->server = server_new(&scene->loop, &options, &error);
    assert_non_null(scene->server);
    uint64_t campaign = create(scene, 10000);
    server_stop(scene->server, campaign, false, "enough");
    server_close(&scene->server, 0);
    scene->server = former;
    rewind(out);
    char text[2000] = "";
    size_t size = fread(text, 1, sizeof text - 1, out);
    text[size] = '\0';
    (void)fclose(out);
    assert_non_null(strstr(text, " create agents=2\n"));
    assert_non_null(strstr(text, " campaign 1 created\n"));
    assert_non_null(strstr(text, " stop 1\n"));
    assert_non_null(strstr(text, " log campaign 1 has ended: aborted: enough\n"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(another_number_of_workers_is_seen_at_once),
        STORY(the_last_report_is_not_one_from_before),
        STORY(a_report_is_built_once_a_second),
        STORY(a_campaign_over_real_sockets),
        STORY(timeouts_end_in_portions_with_frames_read_in_between),
        STORY(the_begin_of_a_campaign_does_not_move),
        STORY(nobody_comes_and_the_deadline_passes),
        STORY(a_callback_may_stop_the_campaign),
        STORY(an_agent_that_is_gone_is_lost),
        STORY(a_port_in_use_is_an_error_in_words),
        STORY(a_trace_tells_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
