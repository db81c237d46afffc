/* The agent's main thread: frames in and out, commands to the shards, notices from them, the lease for all.
 */
#include "agent/main/host.h"

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

struct host {
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

static void finish(struct host *host, int exit_code)
{
    host->exit_code = exit_code;
    uv_stop(&host->loop);
}

static void end_shards(struct host *host)
{
    for (uint32_t i = 0; i < host->shard_count; i++) {
        shard_stop(&host->shards[i]);
        memory_free(host->bags[i].items);
    }
    host->shard_count = 0;
}

static void set_lease(struct host *host, uint64_t until_ns)
{
    uint64_t before_ns = atomic_exchange_explicit(&host->lease_until_ns, until_ns, memory_order_acq_rel);

    /* Those that pause look again by themselves too; this only spares them the wait. */
    if (before_ns <= clock_now_ns()) {
        for (uint32_t i = 0; i < host->shard_count; i++) {
            shard_nudge(host->shards[i]);
        }
    }
}

static void put_into_bag(struct bag *bag, struct command *command)
{
    bag->items = memory_reserve(bag->items, &bag->capacity, bag->count + 1, sizeof *bag->items);
    bag->items[bag->count++] = command;
}

static void send_bags(struct host *host)
{
    for (uint32_t i = 0; i < host->shard_count; i++) {
        struct bag *bag = &host->bags[i];
        if (bag->count > 0) {
            shard_commands(host->shards[i], bag->items, bag->count);
        }
        bag->count = 0;
    }
}

static void perform_one(struct host *host, struct agent_effect *effect)
{
    switch (effect->kind) {
    case AGENT_SEND:
        buffer_clear(&host->envelope);
        envelope_encode(&effect->envelope, &host->envelope);
        socket_send(host->socket, bytes_of(NULL, 0), buffer_bytes(&host->envelope), effect->message);
        break;
    case AGENT_COMMAND:
        if (!host->is_leaving) {
            put_into_bag(&host->bags[effect->shard], effect->command);
            effect->command = NULL;
        }
        break;
    case AGENT_LEASE:
        set_lease(host, effect->lease_until_ns);
        break;
    case AGENT_RECONNECT:
        socket_reconnect(host->socket);
        break;
    case AGENT_REFUSED:
        log_about(LOG_ERROR, host->name, &host->subject, "%s", effect->text);
        finish(host, EXIT_REFUSED);
        break;
    case AGENT_LEFT:
        finish(host, 0);
        break;
    case AGENT_LOG:
        log_about(effect->level, host->name, &host->subject, "%s", effect->text);
        break;
    }
}

static void host_on_timer(uv_timer_t *timer);

static void step(struct host *host, struct agent_event *event)
{
    event->now_ns = clock_now_ns();
    agent_step(host->agent, event, &host->effects);
    for (size_t i = 0; i < host->effects.count; i++) {
        perform_one(host, &host->effects.items[i]);
    }
    send_bags(host);
    agent_effects_clear(&host->effects);
}

/* After a turn in which something happened: what has gathered leaves, and the next instant is set. */
static void end_turn(struct host *host)
{
    struct agent_event event = {.kind = AGENT_TURN_END};

    step(host, &event);
    uint64_t due_ns = agent_due_ns(host->agent);
    uint64_t now_ns = clock_now_ns();
    uint64_t in_ms = due_ns <= now_ns ? 0 : (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    if (due_ns == UINT64_MAX) {
        uv_timer_stop(&host->timer);
    } else {
        uv_timer_start(&host->timer, host_on_timer, in_ms, 0);
    }
}

static void host_on_timer(uv_timer_t *timer)
{
    struct host *host = timer->data;
    struct agent_event event = {.kind = AGENT_TICK};

    if (agent_due_ns(host->agent) <= clock_now_ns()) {
        step(host, &event);
    }
    end_turn(host);
}

static void on_frame(void *context, const struct socket_sender *from, struct bytes envelope,
                     struct bytes message)
{
    struct host *host = context;
    struct agent_event event = {.kind = AGENT_FRAME, .message = message};
    struct error error;

    (void)from;
    if (!envelope_decode(envelope, &event.envelope, &error)) {
        host->bad_frames++;
        return;
    }
    step(host, &event);
}

static void on_turn_end(void *context)
{
    end_turn(context);
}

static void on_connected(void *context)
{
    struct host *host = context;
    struct agent_event event = {.kind = AGENT_CONNECTED};

    host->was_let_in = true;
    if (host->agent != NULL) {
        step(host, &event);
        end_turn(host);
    }
}

static void tell_gauges(struct host *host)
{
    struct gauges gauges = {0};
    struct agent_event event = {.kind = AGENT_GAUGES, .gauges = &gauges};

    process_usage_take(&host->usage, &gauges);
    step(host, &event);
}

static void watch_name_files(struct host *host)
{
    const char *lost = name_files_lost(&host->name_files);

    if (lost != NULL) {
        log_about(
            LOG_WARNING, host->name, &host->subject,
            "another file is %s now, and lies behind the walls: names are looked up without it until this "
            "agent is started again (or see --allow-read)",
            lost);
    }
}

static void on_gauges_timer(uv_timer_t *timer)
{
    struct host *host = timer->data;

    watch_name_files(host);
    tell_gauges(host);
    end_turn(host);
}

static void on_notice(void *context, struct mail mail)
{
    struct host *host = context;
    struct notice *notice = mail.item;
    struct agent_event event = {.kind = AGENT_NOTICE, .shard = mail.tag, .notice = &notice};

    /* Of a campaign it is told how we were from its beginning to its end. */
    bool is_mark = notice->kind == NOTICE_LOOP && notice->campaign != 0;
    /* Without an agent we are closing down, and what still comes is dropped. */
    if (host->agent != NULL) {
        step(host, &event);
    }
    if (host->agent != NULL && is_mark) {
        tell_gauges(host);
    }
    notice_free(&notice);
}

static void on_notices_end(void *context)
{
    struct host *host = context;

    if (host->agent != NULL) {
        end_turn(host);
    }
}

/* The workers go before it is said that they have gone. */
static void on_leave(void *context)
{
    struct host *host = context;
    struct agent_event event = {.kind = AGENT_LEAVE};

    if (host->is_leaving || host->agent == NULL) {
        finish(host, 0);
        return;
    }
    host->is_leaving = true;
    end_shards(host);
    step(host, &event);
    end_turn(host);
}

/* Between "tcp://" and the port; behind the address that we may dial from. */
static void find_coordinator(const char *endpoint, char *host, size_t size)
{
    const char *from = strstr(endpoint, "://");
    const char *source = strchr(endpoint, ';');
    const char *port = strrchr(endpoint, ':');

    from = source != NULL ? source + 1 : from != NULL ? from + strlen("://") : endpoint;
    bytes_to_text(bytes_of(from, port > from ? (size_t)(port - from) : strlen(from)), host, size);
}

static void choose_name(struct host *host)
{
    char machine[128] = "agent";

    gethostname(machine, sizeof machine - 1);
    if (host->options->name != NULL) {
        bytes_to_text(bytes_of_string(host->options->name), host->name, sizeof host->name);
    } else {
        snprintf(host->name, sizeof host->name, "%s-%ld", machine, (long)getpid());
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

static void start_agent(struct host *host)
{
    char machine[128] = "";
    char coordinator[LIMIT_NAME_BYTES + 1];
    uint64_t drawn[2] = {1, 1};
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);

    gethostname(machine, sizeof machine - 1);
    find_coordinator(host->options->coordinator, coordinator, sizeof coordinator);
    if (getrandom(drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
        drawn[0] = drawn[1] = clock_wall_ns() ^ ((uint64_t)getpid() << 32);
    }
    struct agent_settings settings = {
        .incarnation = drawn[0] ? drawn[0] : 1,
        .seed = drawn[1],
        .name = host->name,
        .host = machine,
        .coordinator_host = coordinator,
        .pid = (uint32_t)getpid(),
        .cores = uv_available_parallelism(),
        .memory_bytes = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0,
        .shards = host->shard_count,
        .labels = host->options->labels,
        .capacity = host->options->capacity,
    };
    host->agent = agent_new(&settings, clock_now_ns());
    process_usage_init(&host->usage);
    uv_timer_start(&host->gauges_timer, on_gauges_timer, GAUGES_PERIOD_MS, GAUGES_PERIOD_MS);
}

static void start_watchdog(struct host *host)
{
    host->pulse_count = host->shard_count;
    host->pulses = memory_new(host->pulse_count, sizeof *host->pulses);
    for (uint32_t i = 0; i < host->pulse_count; i++) {
        pulse_init(&host->pulses[i]);
    }
    struct watchdog_settings settings = {.agent = host->name,
                                         .pulses = host->pulses,
                                         .count = host->pulse_count,
                                         .warn_ms = STUCK_WARN_MS,
                                         .end_ms = STUCK_END_MS};
    host->watchdog = watchdog_start(&settings);
}

/* One shard alone runs on our own loop: between two threads each way would cost a wake-up, of which a turn of
 * a notifier has nothing but. */
static void start_shards(struct host *host)
{
    const struct agent_run_options *options = host->options;
    struct mailbox_callbacks callbacks = {
        .on_mail = on_notice, .on_batch_end = on_notices_end, .context = host};
    uint32_t starts = options->browser_starts ? options->browser_starts : uv_available_parallelism();

    host->shard_count = options->shards ? options->shards : uv_available_parallelism();
    if (host->shard_count > LIMIT_SHARDS) {
        host->shard_count = LIMIT_SHARDS;
    }
    bool is_alone = host->shard_count == 1;
    host->notices =
        is_alone ? mailbox_new_local(&host->loop, &callbacks) : mailbox_new(&host->loop, &callbacks);
    host->shards = memory_new(host->shard_count, sizeof(struct shard *));
    host->bags = memory_new(host->shard_count, sizeof *host->bags);
    start_watchdog(host);
    for (uint32_t i = 0; i < host->shard_count; i++) {
        struct shard_settings settings = {
            .library = &lua_api_library,
            .hooks = &lua_api_hooks,
            .index = i,
            .loop = is_alone ? &host->loop : NULL,
            .agent = host->name,
            .is_system_allowed = options->is_system_allowed,
            .is_quiet = options->is_quiet,
            .memory_limit_bytes = options->memory_limit_bytes,
            .instruction_limit = options->instruction_limit,
            .turn_limit_ms = options->turn_limit_ms,
            .pulse = &host->pulses[i],
            .driver_starts = (starts + host->shard_count - 1) / host->shard_count,
            .starter = host->starter,
            .notices = host->notices,
            .lease_until_ns = &host->lease_until_ns,
        };
        host->shards[i] = shard_start(&settings);
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
    struct host *host = context;
    const char *what = describe_trouble(trouble, host->options->key != NULL, host->was_let_in);
    uint64_t now_ns = clock_now_ns();

    if (what == NULL || now_ns < host->complaint_ns) {
        return;
    }
    host->complaint_ns = now_ns + COMPLAINT_EVERY_NS;
    log_about(LOG_WARNING, host->name, &host->subject, "cannot join %s: %s; trying on",
              host->options->coordinator, what);
}

static bool open_socket(struct host *host)
{
    const struct socket_callbacks callbacks = {
        .on_frame = on_frame,
        .on_turn_end = on_turn_end,
        .on_trouble = on_trouble,
        .on_connected = on_connected,
        .context = host,
    };
    struct agent_key *key = host->options->key;
    struct socket_client_keys keys = {0};
    struct error error;

    if (key != NULL) {
        keys = (struct socket_client_keys){
            .pair = &key->pair, .server = key->coordinator, .token = key->token[0] ? key->token : NULL};
    }
    host->socket = socket_new_dealer(&host->loop, host->options->coordinator, key != NULL ? &keys : NULL,
                                     &callbacks, &error);
    if (key != NULL) {
        agent_key_wipe(key);
    }
    if (host->socket == NULL) {
        log_about(LOG_ERROR, host->name, &host->subject, "%s", error.text);
    }
    return host->socket != NULL;
}

static void open_loop(struct host *host)
{
    uv_loop_init(&host->loop);
    uv_timer_init(&host->loop, &host->timer);
    uv_timer_init(&host->loop, &host->gauges_timer);
    host->timer.data = host->gauges_timer.data = host;
    host->signals = leave_signals_open(&host->loop, host->options->is_interrupt_ignored, on_leave, host);
}

/* It is forked while we still may start something. An agent without it does all but browsers. */
static void open_starter(struct host *host)
{
    const struct starter_settings settings = {.has_walls = !host->options->has_no_walls,
                                              .readable = host->options->readable,
                                              .runnable = host->options->runnable};
    struct error error;

    host->starter = starter_link_open(&settings, &error);
    if (host->starter == NULL) {
        log_about(LOG_WARNING, host->name, &host->subject, "no browser can be started: %s", error.text);
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
static bool raise_walls(struct host *host)
{
    char folder[FOLDER_PATH_BYTES];
    char text[WALLS_TEXT_BYTES];
    struct walls walls = {.readable = host->options->readable,
                          .is_lasting = !host->options->dies_with_parent,
                          .port = find_own_port(host->options->coordinator)};
    struct walls_standing standing;
    struct error error;

    if (host->options->has_no_walls) {
        log_about(LOG_INFO, host->name, &host->subject, "walls: none, with --allow-system");
        return true;
    }
    host->browsers = browser_folder_open_root(folder);
    if (host->browsers >= 0) {
        walls.writable = folder;
    }
    if (!walls_raise_for_scripts(&walls, &standing, &error)) {
        log_about(LOG_ERROR, host->name, &host->subject, "the walls around scripts cannot be put up: %s",
                  error.text);
        return false;
    }
    name_files_init(&host->name_files);
    walls_describe(&standing, text);
    log_about(LOG_INFO, host->name, &host->subject, "walls: %s", text);
    return true;
}

static void host_close_all(struct host *host)
{
    agent_free(&host->agent);
    end_shards(host);
    watchdog_stop(&host->watchdog);
    for (uint32_t i = 0; i < host->pulse_count; i++) {
        pulse_finish(&host->pulses[i]);
    }
    memory_free(host->pulses);
    memory_free(host->shards);
    memory_free(host->bags);
    mailbox_close(&host->notices);
    if (host->socket != NULL) {
        socket_close(&host->socket, LINGER_MS);
    }
    uv_close((uv_handle_t *)&host->timer, NULL);
    uv_close((uv_handle_t *)&host->gauges_timer, NULL);
    leave_signals_close(&host->signals);
    uv_run(&host->loop, UV_RUN_DEFAULT);
    (void)!uv_loop_close(&host->loop);
    starter_link_close(&host->starter);
    if (host->browsers >= 0) {
        close(host->browsers);
    }
    agent_effects_finish(&host->effects);
    buffer_finish(&host->envelope);
}

int agent_run(const struct agent_run_options *options)
{
    struct host host = {.options = options, .browsers = -1, .exit_code = EXIT_REFUSED};

    if (options->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    }
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    choose_name(&host);
    host.subject.agent = bytes_of_string(host.name);
    buffer_init(&host.envelope, ENVELOPE_MAX_BYTES);
    open_starter(&host);
    bool is_walled = raise_walls(&host);
    open_loop(&host);
    if (is_walled && open_socket(&host)) {
        start_shards(&host);
        start_agent(&host);
        end_turn(&host);
        uv_run(&host.loop, UV_RUN_DEFAULT);
    }
    host_close_all(&host);
    return host.exit_code;
}
