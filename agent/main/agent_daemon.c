/* The agent's main thread: frames in and out, commands to the shards, notices from them, the lease. */
#include "agent/main/agent_daemon.h"

#include "agent/base/line_log.h"
#include "agent/core/agent.h"
#include "agent/lua/lua_api.h"
#include "agent/main/agent_shards.h"
#include "agent/main/descriptor_room.h"
#include "agent/main/dialler.h"
#include "agent/main/join_trouble.h"
#include "agent/main/leave_signals.h"
#include "agent/main/process_setup.h"
#include "agent/main/process_usage.h"
#include "agent/shard/mailbox.h"
#include "agent/shard/vu_log.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"
#include "proto/socket/socket.h"

#include <stdatomic.h>

#define LINGER_MS 200
#define ENVELOPE_MAX_BYTES 4096u
#define EXIT_REFUSED 2
#define EXIT_WITHOUT_MEANS 3
#define GAUGES_PERIOD_MS 1000u

struct agent_daemon {
    const struct agent_run_options *options;
    struct process_setup setup;
    struct request_log request_log;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_timer_t gauges_timer;
    struct process_usage usage;
    struct leave_signals *signals;
    struct socket *socket;
    struct dialler dialler;
    struct mailbox *notices;
    struct agent *agent;
    struct agent_effects effects;
    struct buffer envelope;
    struct agent_shards *shards;
    struct descriptor_room descriptor_room;
    _Atomic(uint64_t) lease_until_ns;
    uint64_t bad_frames;
    bool has_asked;      /* the operator has told it to leave: the coordinator decides when */
    bool is_holder_gone; /* the process that had our name; told at the end of the turn */
    bool may_leave;      /* done at the end of the turn */
    bool is_leaving;     /* the shards have ended */
    int exit_code;
};

static void finish(struct agent_daemon *daemon, int exit_code)
{
    daemon->exit_code = exit_code;
    uv_stop(&daemon->loop);
}

static void set_lease(struct agent_daemon *daemon, uint64_t until_ns)
{
    uint64_t before_ns = atomic_exchange_explicit(&daemon->lease_until_ns, until_ns, memory_order_acq_rel);

    /* Shards that pause look again by themselves too; this only spares them the wait. */
    if (before_ns <= clock_now_ns()) {
        agent_shards_nudge(daemon->shards);
    }
}

static void tell(const struct agent_daemon *daemon, const struct agent_effect *effect)
{
    struct log_subject subject = daemon->setup.subject;

    subject.campaign = effect->campaign;
    log_about(effect->level, daemon->setup.name, &subject, "%s", effect->text);
}

static void perform_one(struct agent_daemon *daemon, struct agent_effect *effect)
{
    switch (effect->kind) {
    case AGENT_SEND:
        buffer_clear(&daemon->envelope);
        envelope_encode(&effect->envelope, &daemon->envelope);
        socket_send_shared(daemon->socket, bytes_of(NULL, 0), buffer_bytes(&daemon->envelope),
                           effect->message);
        break;
    case AGENT_COMMAND:
        if (!daemon->is_leaving) {
            descriptor_room_count(&daemon->descriptor_room, effect->command);
            agent_shards_put(daemon->shards, effect->shard, effect->command);
            effect->command = NULL;
        }
        break;
    case AGENT_LEASE:
        set_lease(daemon, effect->lease_until_ns);
        break;
    case AGENT_LOOK:
        daemon->is_holder_gone = process_setup_is_gone(effect->pid);
        break;
    case AGENT_RECONNECT:
        dialler_reconnect(&daemon->dialler);
        break;
    case AGENT_REFUSED:
        log_about(LOG_ERROR, daemon->setup.name, &daemon->setup.subject, "%s", effect->text);
        finish(daemon, EXIT_REFUSED);
        break;
    case AGENT_MAY_LEAVE:
        daemon->may_leave = true;
        break;
    case AGENT_LEFT:
        finish(daemon, 0);
        break;
    case AGENT_LOG:
        tell(daemon, effect);
        break;
    }
}

static void agent_daemon_on_timer(uv_timer_t *timer);
static void agent_daemon_leave(struct agent_daemon *daemon);

static void step(struct agent_daemon *daemon, struct agent_event *event)
{
    event->now_ns = clock_now_ns();
    agent_step(daemon->agent, event, &daemon->effects);
    for (size_t i = 0; i < daemon->effects.count; i++) {
        perform_one(daemon, &daemon->effects.items[i]);
    }
    descriptor_room_tell(&daemon->descriptor_room, daemon->setup.name, &daemon->setup.subject);
    agent_shards_send(daemon->shards);
    agent_effects_clear(&daemon->effects);
}

/* After a turn in which something happened: sends what has gathered, and sets the timer, in at least
 * `least_ms`. From the timer's own callback that is 1: libuv calls a timer that is set to 0 there again
 * before it looks at any socket. */
static void end_turn_for(struct agent_daemon *daemon, uint64_t least_ms)
{
    struct agent_event event = {.kind = AGENT_TURN_END};

    step(daemon, &event);
    uint64_t due_ns = agent_due_ns(daemon->agent);
    uint64_t now_ns = clock_now_ns();
    uint64_t in_ms = due_ns <= now_ns ? 0 : (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    if (due_ns == UINT64_MAX) {
        uv_timer_stop(&daemon->timer);
    } else {
        uv_timer_start(&daemon->timer, agent_daemon_on_timer, in_ms > least_ms ? in_ms : least_ms, 0);
    }
    if (daemon->is_holder_gone) {
        struct agent_event gone = {.kind = AGENT_GONE};
        daemon->is_holder_gone = false;
        step(daemon, &gone);
    }
    if (daemon->may_leave && !daemon->is_leaving) {
        agent_daemon_leave(daemon);
    }
}

static void end_turn(struct agent_daemon *daemon)
{
    end_turn_for(daemon, 0);
}

static void agent_daemon_on_timer(uv_timer_t *timer)
{
    struct agent_daemon *daemon = timer->data;
    struct agent_event event = {.kind = AGENT_TICK};

    if (agent_due_ns(daemon->agent) <= clock_now_ns()) {
        step(daemon, &event);
    }
    end_turn_for(daemon, 1);
}

static void on_frame(void *context, const struct socket_sender *from, struct bytes envelope,
                     struct bytes message)
{
    struct agent_daemon *daemon = context;
    struct agent_event event = {.kind = AGENT_FRAME, .message = message};
    struct error error;

    (void)from;
    if (!envelope_decode(envelope, &event.envelope, &error)) {
        daemon->bad_frames++;
        return;
    }
    step(daemon, &event);
}

static void on_turn_end(void *context)
{
    end_turn(context);
}

static void on_connected(void *context)
{
    struct agent_daemon *daemon = context;
    struct agent_event event = {.kind = AGENT_CONNECTED};

    dialler_connected(&daemon->dialler);
    if (daemon->agent != NULL) {
        step(daemon, &event);
        end_turn(daemon);
    }
}

static void on_away(void *context, bool was_connected)
{
    struct agent_daemon *daemon = context;

    if (daemon->is_leaving) {
        return;
    }
    dialler_away(&daemon->dialler, was_connected);
    if (daemon->has_asked && was_connected) {
        agent_daemon_leave(daemon); /* nobody is there to end its campaigns */
    }
}

static void tell_gauges(struct agent_daemon *daemon)
{
    struct gauges gauges = {0};
    struct agent_event event = {.kind = AGENT_GAUGES, .gauges = &gauges};

    process_usage_take(&daemon->usage, &gauges);
    step(daemon, &event);
}

static void on_gauges_timer(uv_timer_t *timer)
{
    struct agent_daemon *daemon = timer->data;

    process_setup_watch_names(&daemon->setup);
    tell_gauges(daemon);
    end_turn(daemon);
}

static void on_notice(void *context, struct mail mail)
{
    struct agent_daemon *daemon = context;
    struct notice *notice = mail.item;
    struct agent_event event = {.kind = AGENT_NOTICE, .shard = mail.tag, .notice = &notice};

    /* The coordinator gets gauges of exactly the campaign's time, from its beginning to its end. */
    bool is_mark = notice->kind == NOTICE_LOOP && notice->campaign != 0;
    /* Without an agent we are shutting down, and what still comes is dropped. */
    if (daemon->agent != NULL) {
        step(daemon, &event);
    }
    if (daemon->agent != NULL && is_mark) {
        tell_gauges(daemon);
    }
    notice_free(&notice);
}

static void on_notices_end(void *context)
{
    struct agent_daemon *daemon = context;

    if (daemon->agent != NULL) {
        end_turn(daemon);
    }
}

/* The workers end, and tell what they counted last, before the coordinator is told that they have. */
static void agent_daemon_leave(struct agent_daemon *daemon)
{
    struct agent_event event = {.kind = AGENT_LEAVE};

    daemon->is_leaving = true;
    log_about(LOG_INFO, daemon->setup.name, &daemon->setup.subject, "leaving");
    agent_shards_stop(daemon->shards);
    mailbox_take(daemon->notices);
    step(daemon, &event);
    end_turn(daemon);
}

/* Once: when its campaigns have ended in order, if they stop; the parent of one that is bound to it has seen
 * to that, or is gone. Twice: at once. */
static void on_leave(void *context)
{
    struct agent_daemon *daemon = context;
    struct agent_event event = {.kind = AGENT_ASK};

    if (daemon->is_leaving || daemon->agent == NULL) {
        finish(daemon, 0);
    } else if (daemon->has_asked) {
        agent_daemon_leave(daemon);
        finish(daemon, 0);
    } else if (daemon->options->dies_with_parent || !daemon->dialler.is_connected) {
        agent_daemon_leave(daemon);
    } else {
        daemon->has_asked = true;
        step(daemon, &event);
        end_turn(daemon);
    }
}

static void start_agent(struct agent_daemon *daemon, uint32_t shard_count)
{
    struct agent_settings settings = process_setup_describe(&daemon->setup);

    settings.shards = shard_count;
    daemon->agent = agent_new(&settings, clock_now_ns());
    process_usage_init(&daemon->usage);
    uv_timer_start(&daemon->gauges_timer, on_gauges_timer, GAUGES_PERIOD_MS, GAUGES_PERIOD_MS);
}

/* One shard alone runs on our own loop: two threads would cost a wake-up each way, and a round of a notifier
 * is little else. */
static bool start_shards(struct agent_daemon *daemon, uint32_t count)
{
    const struct agent_run_options *options = daemon->options;
    struct mailbox_callbacks callbacks = {
        .on_mail = on_notice, .on_batch_end = on_notices_end, .context = daemon};
    uint32_t starts = options->browser_starts ? options->browser_starts : daemon->setup.means.cores;

    daemon->request_log = (struct request_log){.lines = daemon->setup.lines,
                                               .share = options->request_log_share,
                                               .body_bytes = options->request_log_body_bytes};
    daemon->notices =
        count == 1 ? mailbox_new_local(&daemon->loop, &callbacks) : mailbox_new(&daemon->loop, &callbacks);
    struct shard_settings settings = {
        .library = &lua_api_library,
        .hooks = &lua_api_hooks,
        .loop = &daemon->loop,
        .agent = daemon->setup.name,
        .is_system_allowed = options->is_system_allowed,
        .is_quiet = options->is_quiet,
        .memory_limit_bytes = options->memory_limit_bytes,
        .instruction_limit = options->instruction_limit,
        .turn_limit_ms = options->turn_limit_ms,
        .driver_starts = (starts + count - 1) / count,
        .starter = daemon->setup.starter,
        .request_log = daemon->setup.lines != NULL ? &daemon->request_log : NULL,
        .notices = daemon->notices,
        .lease_until_ns = &daemon->lease_until_ns,
    };
    struct error error;
    if (daemon->setup.lines == NULL || line_log_start(daemon->setup.lines, &error)) {
        daemon->shards = agent_shards_start(&settings, count, &error);
    }
    if (daemon->shards == NULL) {
        log_about(LOG_ERROR, daemon->setup.name, &daemon->setup.subject, "%s", error.text);
        daemon->exit_code = EXIT_WITHOUT_MEANS;
    }
    return daemon->shards != NULL;
}

/* ZeroMQ or the agent core tries again; this says why that does not help. */
static void on_trouble(void *context, enum socket_trouble trouble, const char *address)
{
    struct agent_daemon *daemon = context;
    const char *what =
        join_trouble_describe(trouble, daemon->options->key != NULL, daemon->dialler.was_let_in);

    (void)address; /* the coordinator's */
    if (what != NULL) {
        dialler_complain(&daemon->dialler, what);
    }
}

static bool open_socket(struct agent_daemon *daemon)
{
    const struct socket_callbacks callbacks = {
        .on_frame = on_frame,
        .on_turn_end = on_turn_end,
        .on_trouble = on_trouble,
        .on_connected = on_connected,
        .on_away = on_away,
        .context = daemon,
    };
    const struct dialler_settings dialler = {.coordinator = daemon->options->coordinator,
                                             .name = daemon->setup.name,
                                             .subject = &daemon->setup.subject,
                                             .is_quiet = daemon->options->dies_with_parent};
    struct agent_key *key = daemon->options->key;
    struct socket_client_keys keys = {0};
    struct error error;

    if (key != NULL) {
        keys = (struct socket_client_keys){
            .pair = &key->pair, .server = key->coordinator, .token = key->token[0] ? key->token : NULL};
    }
    const char *endpoint = dialler_open(&daemon->dialler, &daemon->loop, &dialler);
    daemon->socket =
        socket_new_dealer(&daemon->loop, endpoint, key != NULL ? &keys : NULL, &callbacks, &error);
    if (key != NULL) {
        agent_key_wipe(key);
    }
    if (daemon->socket == NULL) {
        log_about(LOG_ERROR, daemon->setup.name, &daemon->setup.subject, "%s", error.text);
        return false;
    }
    dialler_start(&daemon->dialler, daemon->socket);
    return true;
}

static void open_loop(struct agent_daemon *daemon)
{
    uv_loop_init(&daemon->loop);
    uv_timer_init(&daemon->loop, &daemon->timer);
    uv_timer_init(&daemon->loop, &daemon->gauges_timer);
    daemon->timer.data = daemon->gauges_timer.data = daemon;
    daemon->signals =
        leave_signals_open(&daemon->loop, daemon->options->is_interrupt_ignored, on_leave, daemon);
}

static void agent_daemon_close_all(struct agent_daemon *daemon)
{
    agent_free(&daemon->agent);
    agent_shards_free(&daemon->shards);
    mailbox_close(&daemon->notices);
    dialler_close(&daemon->dialler);
    if (daemon->socket != NULL) {
        socket_close(&daemon->socket, LINGER_MS);
    }
    uv_close((uv_handle_t *)&daemon->timer, NULL);
    uv_close((uv_handle_t *)&daemon->gauges_timer, NULL);
    leave_signals_close(&daemon->signals);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    (void)!uv_loop_close(&daemon->loop);
    process_setup_close(&daemon->setup);
    agent_effects_finish(&daemon->effects);
    buffer_finish(&daemon->envelope);
}

static uint32_t choose_shard_count(const struct agent_daemon *daemon)
{
    uint32_t count = daemon->options->shards ? daemon->options->shards : daemon->setup.means.cores;

    return count < LIMIT_SHARDS ? count : LIMIT_SHARDS;
}

int agent_run(const struct agent_run_options *options)
{
    struct agent_daemon daemon = {.options = options, .exit_code = EXIT_REFUSED};

    bool is_walled = process_setup_open(&daemon.setup, options);
    uint32_t shard_count = choose_shard_count(&daemon);
    buffer_init(&daemon.envelope, ENVELOPE_MAX_BYTES);
    open_loop(&daemon);
    if (is_walled && open_socket(&daemon) && start_shards(&daemon, shard_count)) {
        start_agent(&daemon, shard_count);
        end_turn(&daemon);
        uv_run(&daemon.loop, UV_RUN_DEFAULT);
    }
    agent_daemon_close_all(&daemon);
    return daemon.exit_code;
}
