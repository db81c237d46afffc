/* The agent's main thread: frames in and out, commands to the shards, notices from them, the lease for all.
 */
#include "agent/main/agent_daemon.h"

#include "agent/browser/folder.h"
#include "agent/browser/starter_link.h"
#include "agent/core/agent.h"
#include "agent/lua/lua_api.h"
#include "agent/main/leave_signals.h"
#include "agent/main/process_usage.h"
#include "agent/shard/mailbox.h"
#include "agent/shard/shard.h"
#include "agent/shard/watchdog.h"
#include "agent/walls/name_files.h"
#include "agent/walls/walls.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"
#include "proto/socket/socket.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define LINGER_MS 200
#define ENVELOPE_MAX_BYTES 4096u
#define EXIT_REFUSED 2
#define GAUGES_PERIOD_MS 1000u
/* A shard that does not come back: as long as a lease, and its workers are given up with the agent. */
#define STUCK_WARN_MS 1000u
#define STUCK_END_MS 10000u
#define COMPLAINT_EVERY_NS (10 * NS_PER_S)

/* The commands of one step for one shard: they go together, and wake it once. */
struct bag {
    void **items;
    size_t count;
    size_t capacity;
};

struct agent_daemon {
    const struct agent_run_options *options;
    char name[LIMIT_NAME_BYTES + 1];
    struct log_subject subject; /* the name */
    uv_loop_t loop;
    uv_timer_t timer;
    uv_timer_t gauges_timer;
    struct process_usage usage;
    struct leave_signals *signals;
    struct watchdog *watchdog;
    struct pulse *pulses; /* of each shard */
    uint32_t pulse_count;
    struct name_files name_files;
    struct starter_link *starter; /* of browsers; NULL: none can be started */
    int browsers;                 /* the folder in which they have theirs; -1: there is none */
    struct socket *socket;
    struct mailbox *notices;
    struct agent *agent;
    struct agent_effects effects;
    struct buffer envelope;
    struct shard **shards;
    struct bag *bags; /* of each shard */
    uint32_t shard_count;
    _Atomic(uint64_t) lease_until_ns;
    uint64_t bad_frames;
    uint64_t complaint_ns; /* when the next handshake that failed may be told of */
    bool is_leaving;       /* the shards have ended */
    bool was_let_in;       /* by the coordinator, at least once */
    int exit_code;
};

static void finish(struct agent_daemon *daemon, int exit_code)
{
    daemon->exit_code = exit_code;
    uv_stop(&daemon->loop);
}

static void end_shards(struct agent_daemon *daemon)
{
    for (uint32_t i = 0; i < daemon->shard_count; i++) {
        shard_stop(&daemon->shards[i]);
        memory_free(daemon->bags[i].items);
    }
    daemon->shard_count = 0;
}

static void set_lease(struct agent_daemon *daemon, uint64_t until_ns)
{
    uint64_t before_ns = atomic_exchange_explicit(&daemon->lease_until_ns, until_ns, memory_order_acq_rel);

    /* Those that pause look again by themselves too; this only spares them the wait. */
    if (before_ns <= clock_now_ns()) {
        for (uint32_t i = 0; i < daemon->shard_count; i++) {
            shard_nudge(daemon->shards[i]);
        }
    }
}

static void put_into_bag(struct bag *bag, struct command *command)
{
    bag->items = memory_reserve(bag->items, &bag->capacity, bag->count + 1, sizeof *bag->items);
    bag->items[bag->count++] = command;
}

static void send_bags(struct agent_daemon *daemon)
{
    for (uint32_t i = 0; i < daemon->shard_count; i++) {
        struct bag *bag = &daemon->bags[i];
        if (bag->count > 0) {
            shard_commands(daemon->shards[i], bag->items, bag->count);
        }
        bag->count = 0;
    }
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
            put_into_bag(&daemon->bags[effect->shard], effect->command);
            effect->command = NULL;
        }
        break;
    case AGENT_LEASE:
        set_lease(daemon, effect->lease_until_ns);
        break;
    case AGENT_RECONNECT:
        socket_reconnect(daemon->socket);
        break;
    case AGENT_REFUSED:
        log_about(LOG_ERROR, daemon->name, &daemon->subject, "%s", effect->text);
        finish(daemon, EXIT_REFUSED);
        break;
    case AGENT_LEFT:
        finish(daemon, 0);
        break;
    case AGENT_LOG:
        log_about(effect->level, daemon->name, &daemon->subject, "%s", effect->text);
        break;
    }
}

static void agent_daemon_on_timer(uv_timer_t *timer);

static void step(struct agent_daemon *daemon, struct agent_event *event)
{
    event->now_ns = clock_now_ns();
    agent_step(daemon->agent, event, &daemon->effects);
    for (size_t i = 0; i < daemon->effects.count; i++) {
        perform_one(daemon, &daemon->effects.items[i]);
    }
    send_bags(daemon);
    agent_effects_clear(&daemon->effects);
}

/* After a turn in which something happened: what has gathered leaves, and the next instant is set. */
static void end_turn(struct agent_daemon *daemon)
{
    struct agent_event event = {.kind = AGENT_TURN_END};

    step(daemon, &event);
    uint64_t due_ns = agent_due_ns(daemon->agent);
    uint64_t now_ns = clock_now_ns();
    uint64_t in_ms = due_ns <= now_ns ? 0 : (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    if (due_ns == UINT64_MAX) {
        uv_timer_stop(&daemon->timer);
    } else {
        uv_timer_start(&daemon->timer, agent_daemon_on_timer, in_ms, 0);
    }
}

static void agent_daemon_on_timer(uv_timer_t *timer)
{
    struct agent_daemon *daemon = timer->data;
    struct agent_event event = {.kind = AGENT_TICK};

    if (agent_due_ns(daemon->agent) <= clock_now_ns()) {
        step(daemon, &event);
    }
    end_turn(daemon);
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

    daemon->was_let_in = true;
    if (daemon->agent != NULL) {
        step(daemon, &event);
        end_turn(daemon);
    }
}

static void tell_gauges(struct agent_daemon *daemon)
{
    struct gauges gauges = {0};
    struct agent_event event = {.kind = AGENT_GAUGES, .gauges = &gauges};

    process_usage_take(&daemon->usage, &gauges);
    step(daemon, &event);
}

static void watch_name_files(struct agent_daemon *daemon)
{
    const char *lost = name_files_lost(&daemon->name_files);

    if (lost != NULL) {
        log_about(
            LOG_WARNING, daemon->name, &daemon->subject,
            "another file is %s now, and lies behind the walls: names are looked up without it until this "
            "agent is started again (or see --allow-read)",
            lost);
    }
}

static void on_gauges_timer(uv_timer_t *timer)
{
    struct agent_daemon *daemon = timer->data;

    watch_name_files(daemon);
    tell_gauges(daemon);
    end_turn(daemon);
}

static void on_notice(void *context, struct mail mail)
{
    struct agent_daemon *daemon = context;
    struct notice *notice = mail.item;
    struct agent_event event = {.kind = AGENT_NOTICE, .shard = mail.tag, .notice = &notice};

    /* Of a campaign it is told how we were from its beginning to its end. */
    bool is_mark = notice->kind == NOTICE_LOOP && notice->campaign != 0;
    /* Without an agent we are closing down, and what still comes is dropped. */
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

/* The workers go before it is said that they have gone. */
static void on_leave(void *context)
{
    struct agent_daemon *daemon = context;
    struct agent_event event = {.kind = AGENT_LEAVE};

    if (daemon->is_leaving || daemon->agent == NULL) {
        finish(daemon, 0);
        return;
    }
    daemon->is_leaving = true;
    end_shards(daemon);
    step(daemon, &event);
    end_turn(daemon);
}

/* Between "tcp://" and the port; behind the address that we may dial from. */
static void find_coordinator(const char *endpoint, char *daemon, size_t size)
{
    const char *from = strstr(endpoint, "://");
    const char *source = strchr(endpoint, ';');
    const char *port = strrchr(endpoint, ':');

    from = source != NULL ? source + 1 : from != NULL ? from + strlen("://") : endpoint;
    bytes_to_text(bytes_of(from, port > from ? (size_t)(port - from) : strlen(from)), daemon, size);
}

static void choose_name(struct agent_daemon *daemon)
{
    char machine[128] = "agent";

    gethostname(machine, sizeof machine - 1);
    if (daemon->options->name != NULL) {
        bytes_to_text(bytes_of_string(daemon->options->name), daemon->name, sizeof daemon->name);
    } else {
        snprintf(daemon->name, sizeof daemon->name, "%s-%ld", machine, (long)getpid());
    }
}

/* Each worker has connections of its own. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void start_agent(struct agent_daemon *daemon)
{
    char machine[128] = "";
    char coordinator[LIMIT_NAME_BYTES + 1];
    uint64_t drawn[2] = {1, 1};
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);

    gethostname(machine, sizeof machine - 1);
    find_coordinator(daemon->options->coordinator, coordinator, sizeof coordinator);
    if (getrandom(drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
        drawn[0] = drawn[1] = clock_wall_ns() ^ ((uint64_t)getpid() << 32);
    }
    struct agent_settings settings = {
        .incarnation = drawn[0] ? drawn[0] : 1,
        .seed = drawn[1],
        .name = daemon->name,
        .host = machine,
        .coordinator_host = coordinator,
        .pid = (uint32_t)getpid(),
        .cores = uv_available_parallelism(),
        .memory_bytes = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0,
        .shards = daemon->shard_count,
        .labels = daemon->options->labels,
        .capacity = daemon->options->capacity,
    };
    daemon->agent = agent_new(&settings, clock_now_ns());
    process_usage_init(&daemon->usage);
    uv_timer_start(&daemon->gauges_timer, on_gauges_timer, GAUGES_PERIOD_MS, GAUGES_PERIOD_MS);
}

static void start_watchdog(struct agent_daemon *daemon)
{
    daemon->pulse_count = daemon->shard_count;
    daemon->pulses = memory_new(daemon->pulse_count, sizeof *daemon->pulses);
    for (uint32_t i = 0; i < daemon->pulse_count; i++) {
        pulse_init(&daemon->pulses[i]);
    }
    struct watchdog_settings settings = {.agent = daemon->name,
                                         .pulses = daemon->pulses,
                                         .count = daemon->pulse_count,
                                         .warn_ms = STUCK_WARN_MS,
                                         .end_ms = STUCK_END_MS};
    daemon->watchdog = watchdog_start(&settings);
}

/* One shard alone runs on our own loop: between two threads each way would cost a wake-up, of which a turn of
 * a notifier has nothing but. */
static void start_shards(struct agent_daemon *daemon)
{
    const struct agent_run_options *options = daemon->options;
    struct mailbox_callbacks callbacks = {
        .on_mail = on_notice, .on_batch_end = on_notices_end, .context = daemon};
    uint32_t starts = options->browser_starts ? options->browser_starts : uv_available_parallelism();

    daemon->shard_count = options->shards ? options->shards : uv_available_parallelism();
    if (daemon->shard_count > LIMIT_SHARDS) {
        daemon->shard_count = LIMIT_SHARDS;
    }
    bool is_alone = daemon->shard_count == 1;
    daemon->notices =
        is_alone ? mailbox_new_local(&daemon->loop, &callbacks) : mailbox_new(&daemon->loop, &callbacks);
    daemon->shards = memory_new(daemon->shard_count, sizeof(struct shard *));
    daemon->bags = memory_new(daemon->shard_count, sizeof *daemon->bags);
    start_watchdog(daemon);
    for (uint32_t i = 0; i < daemon->shard_count; i++) {
        struct shard_settings settings = {
            .library = &lua_api_library,
            .hooks = &lua_api_hooks,
            .index = i,
            .loop = is_alone ? &daemon->loop : NULL,
            .agent = daemon->name,
            .is_system_allowed = options->is_system_allowed,
            .is_quiet = options->is_quiet,
            .memory_limit_bytes = options->memory_limit_bytes,
            .instruction_limit = options->instruction_limit,
            .turn_limit_ms = options->turn_limit_ms,
            .pulse = &daemon->pulses[i],
            .driver_starts = (starts + daemon->shard_count - 1) / daemon->shard_count,
            .starter = daemon->starter,
            .notices = daemon->notices,
            .lease_until_ns = &daemon->lease_until_ns,
        };
        daemon->shards[i] = shard_start(&settings);
    }
}

/* Who was let in before has the right key, whatever ends the connection now. */
static const char *describe_cut(bool has_key, bool was_let_in)
{
    if (was_let_in) {
        return "it ended the connection in the middle of joining: it may be starting or stopping";
    }
    return has_key ? "it ended the connection at once: is it the coordinator that our key is for?"
                   : "it ended the connection at once: does it want a key (see --key), or is it no "
                     "coordinator?";
}

static const char *describe_trouble(enum socket_trouble trouble, bool has_key, bool was_let_in)
{
    switch (trouble) {
    case SOCKET_KEY_REFUSED:
        return "it does not accept our key, which was revoked or never was on its list";
    case SOCKET_KEYS_ON_ONE_SIDE:
        return has_key ? "it works without keys, and with --key that is not good enough"
                       : "it lets nobody in without a key (see --key)";
    case SOCKET_HANDSHAKE_CUT:
        return describe_cut(has_key, was_let_in);
    case SOCKET_HANDSHAKE_SLOW:
        return "it has not answered in time: it is too busy, or no coordinator";
    case SOCKET_HANDSHAKE_BROKEN:
        return "it does not speak our protocol";
    case SOCKET_FULL:
    case SOCKET_FRAME_BROKEN:
        break;
    }
    return NULL;
}

/* ZeroMQ or the agent core tries again; a person has to know why that does not help. */
static void on_trouble(void *context, enum socket_trouble trouble)
{
    struct agent_daemon *daemon = context;
    const char *what = describe_trouble(trouble, daemon->options->key != NULL, daemon->was_let_in);
    uint64_t now_ns = clock_now_ns();

    if (what == NULL || now_ns < daemon->complaint_ns) {
        return;
    }
    daemon->complaint_ns = now_ns + COMPLAINT_EVERY_NS;
    log_about(LOG_WARNING, daemon->name, &daemon->subject, "cannot join %s: %s; trying on",
              daemon->options->coordinator, what);
}

static bool open_socket(struct agent_daemon *daemon)
{
    const struct socket_callbacks callbacks = {
        .on_frame = on_frame,
        .on_turn_end = on_turn_end,
        .on_trouble = on_trouble,
        .on_connected = on_connected,
        .context = daemon,
    };
    struct agent_key *key = daemon->options->key;
    struct socket_client_keys keys = {0};
    struct error error;

    if (key != NULL) {
        keys = (struct socket_client_keys){
            .pair = &key->pair, .server = key->coordinator, .token = key->token[0] ? key->token : NULL};
    }
    daemon->socket = socket_new_dealer(&daemon->loop, daemon->options->coordinator,
                                       key != NULL ? &keys : NULL, &callbacks, &error);
    if (key != NULL) {
        agent_key_wipe(key);
    }
    if (daemon->socket == NULL) {
        log_about(LOG_ERROR, daemon->name, &daemon->subject, "%s", error.text);
    }
    return daemon->socket != NULL;
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

/* It is forked while we still may start something. An agent without it does all but browsers. */
static void open_starter(struct agent_daemon *daemon)
{
    const struct starter_settings settings = {.has_walls = !daemon->options->has_no_walls,
                                              .readable = daemon->options->readable,
                                              .runnable = daemon->options->runnable};
    struct error error;

    daemon->starter = starter_link_open(&settings, &error);
    if (daemon->starter == NULL) {
        log_about(LOG_WARNING, daemon->name, &daemon->subject, "no browser can be started: %s", error.text);
    }
}

/* Between tcp:// and the semicolon stands the address that we dial from; 0: whatever port the kernel chooses.
 */
static uint16_t find_own_port(const char *endpoint)
{
    const char *end = strchr(endpoint, ';');
    const char *colon = end != NULL ? memrchr(endpoint, ':', (size_t)(end - endpoint)) : NULL;

    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* Before there are threads, which would stay outside. */
static bool raise_walls(struct agent_daemon *daemon)
{
    char folder[FOLDER_PATH_BYTES];
    char text[WALLS_TEXT_BYTES];
    struct walls walls = {.readable = daemon->options->readable,
                          .is_lasting = !daemon->options->dies_with_parent,
                          .port = find_own_port(daemon->options->coordinator)};
    struct walls_standing standing;
    struct error error;

    if (daemon->options->has_no_walls) {
        log_about(LOG_INFO, daemon->name, &daemon->subject, "walls: none, with --allow-system");
        return true;
    }
    daemon->browsers = browser_folder_open_root(folder);
    if (daemon->browsers >= 0) {
        walls.writable = folder;
    }
    if (!walls_raise_for_scripts(&walls, &standing, &error)) {
        log_about(LOG_ERROR, daemon->name, &daemon->subject, "the walls around scripts cannot be put up: %s",
                  error.text);
        return false;
    }
    name_files_init(&daemon->name_files);
    walls_describe(&standing, text);
    log_about(LOG_INFO, daemon->name, &daemon->subject, "walls: %s", text);
    return true;
}

static void agent_daemon_close_all(struct agent_daemon *daemon)
{
    agent_free(&daemon->agent);
    end_shards(daemon);
    watchdog_stop(&daemon->watchdog);
    for (uint32_t i = 0; i < daemon->pulse_count; i++) {
        pulse_finish(&daemon->pulses[i]);
    }
    memory_free(daemon->pulses);
    memory_free(daemon->shards);
    memory_free(daemon->bags);
    mailbox_close(&daemon->notices);
    if (daemon->socket != NULL) {
        socket_close(&daemon->socket, LINGER_MS);
    }
    uv_close((uv_handle_t *)&daemon->timer, NULL);
    uv_close((uv_handle_t *)&daemon->gauges_timer, NULL);
    leave_signals_close(&daemon->signals);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    (void)!uv_loop_close(&daemon->loop);
    starter_link_close(&daemon->starter);
    if (daemon->browsers >= 0) {
        close(daemon->browsers);
    }
    agent_effects_finish(&daemon->effects);
    buffer_finish(&daemon->envelope);
}

int agent_run(const struct agent_run_options *options)
{
    struct agent_daemon daemon = {.options = options, .browsers = -1, .exit_code = EXIT_REFUSED};

    if (options->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    }
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    choose_name(&daemon);
    daemon.subject.agent = bytes_of_string(daemon.name);
    buffer_init(&daemon.envelope, ENVELOPE_MAX_BYTES);
    open_starter(&daemon);
    bool is_walled = raise_walls(&daemon);
    open_loop(&daemon);
    if (is_walled && open_socket(&daemon)) {
        start_shards(&daemon);
        start_agent(&daemon);
        end_turn(&daemon);
        uv_run(&daemon.loop, UV_RUN_DEFAULT);
    }
    agent_daemon_close_all(&daemon);
    return daemon.exit_code;
}
