/* One run of a script on this machine: the coordinator in this process, its agents as children, the screen.
 */
#include "cli/local/session.h"
#include "cli/base/artifact_files.h"
#include "cli/base/open_link.h"
#include "cli/local/agent_process.h"
#include "cli/local/run_dashboard.h"
#include "cli/view/live_view.h"
#include "cli/view/report_text.h"
#include "common/memory.h"
#include "coordinator/json/report_json.h"
#include "coordinator/json/series_json.h"
#include "coordinator/live/live.h"
#include "coordinator/net/server.h"
#include "proto/keys/curve.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000u
#define TICKS_A_PLAIN_LINE 5u
#define JOIN_DEADLINE_MS 30000u
#define AGENT_END_MS 3000u
#define LINGER_MS 100
#define MESSAGE_BYTES 512

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNAL_COUNT (sizeof ending_signals / sizeof ending_signals[0])

struct session {
    const struct session_settings *settings;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_timer_t patience; /* together with agents that were told to end */
    uv_signal_t signals[SIGNAL_COUNT];
    uv_signal_t resized; /* the terminal was */
    uv_signal_t stopped; /* Ctrl-Z */
    struct live_view view;
    struct server *server;
    struct live *live;               /* NULL: no outputs */
    struct run_dashboard *dashboard; /* NULL: none */
    struct agent_key *keys;          /* one per agent, for this run only */
    uint64_t campaign;               /* 0 before it is created */
    enum campaign_state state;
    struct agent_process **agents;
    size_t agent_count;
    size_t running_agents; /* whose process or output has not ended */
    uint64_t ticks;
    unsigned interrupts;
    bool is_ending;  /* agents were told to end */
    bool is_sending; /* all have ended; the last points are being sent */
    bool is_closed;
    enum exit_code code;
};

static void session_say(struct session *session, bool is_error, const char *who, const char *text)
{
    SCOPED(memory_free_at) char *line = memory_format("tutti: %s%s%s", who, *who != '\0' ? ": " : "", text);
    screen_line(session->settings->screen, is_error, bytes_of_string(line));
}

static void session_close_all(struct session *session)
{
    if (session->is_closed) {
        return;
    }
    session->is_closed = true;
    screen_end_live(session->settings->screen);
    uv_close((uv_handle_t *)&session->tick, NULL);
    uv_close((uv_handle_t *)&session->patience, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&session->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&session->resized, NULL);
    uv_close((uv_handle_t *)&session->stopped, NULL);
    for (size_t i = 0; i < session->agent_count; i++) {
        agent_process_close(&session->agents[i]);
    }
    live_close(&session->live);
    run_dashboard_close(&session->dashboard);
    server_close(&session->server, LINGER_MS);
}

static void session_lose(struct session *session, const struct error *error)
{
    session_say(session, true, "run", error->text);
    session->code = exit_code_of_lost_results(session->code);
}

static void session_write_files(struct session *session, const struct report_view *report)
{
    const struct session_settings *settings = session->settings;
    SCOPED(series_view_free)
    struct series_view *view = server_series(session->server, session->campaign);
    SCOPED(memory_free_at) char *text = NULL;
    struct error error;
    if (settings->json != NULL || outputs_want_json(settings->outputs)) {
        SCOPED(memory_free_at) char *series = series_json(view);
        json_t *object = report_json_object(report);
        text = report_json_with_series(object, series);
        json_decref(object);
    }
    if (settings->json != NULL && !json_file_write(settings->json, text, &error)) {
        session_lose(session, &error);
    }
    struct output_content content = {.report = report, .series = view, .json = text};
    content.artifacts = server_artifacts(session->server, session->campaign, &content.artifact_count);
    if (!outputs_write(settings->outputs, &content, &error)) {
        session_lose(session, &error);
    }
}

/* Creates nothing if no step has failed. */
static void write_artifacts(struct session *session)
{
    size_t count = 0;
    const struct artifact *artifacts = server_artifacts(session->server, session->campaign, &count);
    char own_folder[ARTIFACT_FOLDER_BYTES];
    const char *folder = session->settings->options->artifacts;
    char text[MESSAGE_BYTES];
    struct error error;
    if (count == 0) {
        return;
    }
    if (folder == NULL) {
        artifact_files_folder(own_folder);
        folder = own_folder;
    }
    bool is_written = artifact_files_write(artifacts, count, folder, &error);
    (void)snprintf(text, sizeof text, "%zu file%s of failed steps in %s", count, count == 1 ? "" : "s",
                   folder);
    session_say(session, true, "run", is_written ? text : error.text);
}

static void tell_report(struct session *session)
{
    struct screen *screen = session->settings->screen;
    const struct report_view *report = server_report_now(session->server, session->campaign);
    assert(report != NULL);
    screen_end_live(screen);
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, REPORT_TEXT_MAX_BYTES);
    report_text(report, screen_has_colour(screen), &text);
    screen_text(screen, buffer_bytes(&text));
    session->code = session->interrupts > 0 ? EXIT_CODE_INTERRUPTED : exit_code_of_verdict(report->verdict);
    write_artifacts(session);
    session_write_files(session, report);
}

/* Called when the last agent has gone, so that everything that scripts printed appears above the report; and,
 * where that is later, when the last points have been sent. */
static void conclude(struct session *session)
{
    session->is_sending = session->live != NULL && !live_is_settled(session->live, session->campaign);
    if (session->is_sending) {
        return;
    }
    if (session->campaign != 0) {
        tell_report(session);
    }
    session_close_all(session);
}

static void on_patience(uv_timer_t *timer)
{
    struct session *session = timer->data;
    for (size_t i = 0; i < session->agent_count; i++) {
        agent_process_kill(session->agents[i], SIGKILL);
    }
}

static void end_agents(struct session *session, int signal_number)
{
    session->is_ending = true;
    for (size_t i = 0; i < session->agent_count; i++) {
        agent_process_kill(session->agents[i], signal_number);
    }
    (void)uv_timer_start(&session->patience, on_patience, AGENT_END_MS, 0);
}

static void on_idle_end(uv_timer_t *timer)
{
    conclude(timer->data);
}

/* May be called from within our own call to the server, so the server is closed from the loop instead. */
static void session_on_campaign(void *context, uint64_t campaign, enum campaign_state state)
{
    struct session *session = context;
    session->state = state;
    run_dashboard_changed(session->dashboard, campaign, state);
    if (state == CAMPAIGN_ENDED && session->live != NULL) {
        live_campaign_ended(session->live, campaign);
    }
    if (state != CAMPAIGN_ENDED || session->is_ending) {
        return;
    }
    end_agents(session, SIGTERM);
    if (session->running_agents == 0) {
        (void)uv_timer_start(&session->patience, on_idle_end, 0, 0);
    }
}

static void session_on_deadlock(void *context, uint64_t campaign, const char *text)
{
    const struct session *session = context;
    run_dashboard_deadlock(session->dashboard, campaign, text);
}

/* Deadlocks and lost agents are warnings: reported at once, even with --quiet. */
static void on_server_log(void *context, enum log_level level, const char *text)
{
    struct session *session = context;
    bool is_known = session->is_ending && level == LOG_WARNING; /* agents that we end ourselves */
    if (!is_known && (uint32_t)level <= LOG_WARNING + session->settings->options->campaign.verbosity) {
        session_say(session, true, "coordinator", text);
    }
}

static void session_on_logged(void *context, enum log_level level, const struct log_subject *subject,
                              const char *text)
{
    const struct session *session = context;
    run_dashboard_log(session->dashboard, level, subject, text);
}

static void session_on_report(void *context, struct report_view *report)
{
    const struct session *session = context;
    if (session->live != NULL) {
        live_describe(session->live, report);
    }
}

static void session_on_failing(void *context, uint64_t campaign, const char *text)
{
    (void)campaign;
    session_say(context, true, "run", text);
}

static void session_on_settled(void *context, uint64_t campaign)
{
    struct session *session = context;
    (void)campaign;
    if (session->is_sending) {
        conclude(session);
    }
}

static void on_agent_line(void *context, bool is_error, struct bytes line)
{
    struct session *session = context;
    screen_line(session->settings->screen, is_error, line);
}

static void on_agent_exit(void *context, struct agent_process *process, const char *what)
{
    struct session *session = context;
    if (session->is_ending) {
        /* Killed before the campaign ended: it is ended all the same, for the report. */
        if (session->state != CAMPAIGN_ENDED) {
            server_agent_gone(session->server, agent_process_name(process));
        }
        return;
    }
    char text[MESSAGE_BYTES];
    const char *name = agent_process_name(process);
    bool has_joined = session->state > CAMPAIGN_CREATED;
    (void)snprintf(text, sizeof text, "%s %s%s", name, what, has_joined ? "" : " before the run began");
    session_say(session, true, "run", text);
    if (has_joined) {
        server_agent_gone(session->server, name);
    } else {
        server_stop(session->server, session->campaign, true, text);
    }
}

static void on_agent_done(void *context, struct agent_process *process)
{
    struct session *session = context;
    (void)process;
    session->running_agents--;
    if (session->is_ending && session->running_agents == 0) {
        conclude(session);
    }
}

static void on_interrupt(uv_signal_t *handle, int number)
{
    struct session *session = handle->data;
    (void)number;
    session->interrupts++;
    if (session->is_ending) {
        on_patience(&session->patience);
    } else if (session->interrupts == 1) {
        session_say(session, true, "run", "stopping; press Ctrl-C again to stop at once");
        server_stop(session->server, session->campaign, false, "interrupted");
    } else {
        session_say(session, true, "run", "stopping at once");
        server_stop(session->server, session->campaign, true, "interrupted");
        end_agents(session, SIGKILL);
    }
}

static void session_show(struct session *session)
{
    if (session->is_ending || session->campaign == 0 || screen_is_quiet(session->settings->screen)) {
        return;
    }
    const struct report_view *report = server_report_now(session->server, session->campaign);
    live_view_show(&session->view, session->settings->screen, report);
}

static void on_tick(uv_timer_t *timer)
{
    struct session *session = timer->data;
    session->ticks++;
    if (screen_is_terminal(session->settings->screen) || session->ticks % TICKS_A_PLAIN_LINE == 0) {
        session_show(session);
    }
}

static void on_resized(uv_signal_t *handle, int number)
{
    struct session *session = handle->data;
    (void)number;
    if (screen_is_terminal(session->settings->screen)) {
        session_show(session);
    }
}

/* The terminal is the shell's until the process continues. */
static void on_stopped(uv_signal_t *handle, int number)
{
    struct session *session = handle->data;
    screen_yield(session->settings->screen);
    (void)raise(SIGSTOP);
    on_resized(handle, number);
}

static bool start_agent(struct session *session, size_t number, struct error *error)
{
    const struct run_options *options = session->settings->options;
    const struct agent_process_callbacks callbacks = {on_agent_line, on_agent_exit, on_agent_done, session};
    struct agent_key *key = &session->keys[number];
    SCOPED(buffer_finish) struct buffer input;
    buffer_init(&input, AGENT_PROCESS_INPUT_BYTES);
    agent_key_format(key, &input);
    SCOPED(memory_free_at) char *shards = memory_format("--shards=%u", (unsigned)options->shards);
    unsigned starts = uv_available_parallelism() / (unsigned)options->agents;
    SCOPED(memory_free_at)
    char *browser_starts = memory_format("--browser-starts=%u", starts > 0 ? starts : 1);
    SCOPED(memory_free_at)
    char *turn_limit = memory_format("--turn-limit=%llums", (unsigned long long)options->turn_limit_ms);
    SCOPED(memory_free_at)
    char *verbose = memory_format("--verbose=%u", (unsigned)options->campaign.verbosity);
    const struct request_log_options *log = &options->request_log;
    SCOPED(memory_free_at)
    char *log_requests = memory_format("--log-requests=%s", log->path != NULL ? log->path : "");
    SCOPED(memory_free_at) char *sample = memory_format("--sample=%.12f", log->share * 100);
    SCOPED(memory_free_at)
    char *log_bodies = memory_format("--log-bodies=%llu", (unsigned long long)log->body_bytes);
    /* All options are given explicitly, so that the environment has no influence. */
    const char *const arguments[] = {
        "tutti",
        "agent",
        "--coordinator",
        server_endpoint(session->server),
        "--key=-",
        "--name",
        key->name,
        shards,
        browser_starts,
        turn_limit,
        verbose,
        log_requests,
        sample,
        log_bodies,
        options->may_use_system ? "--allow-system=true" : "--allow-system=false",
        options->is_quiet ? "--quiet=true" : "--quiet=false",
        "--parent-bound=true",
        NULL,
    };
    session->agents[number] =
        agent_process_start(&session->loop, key->name, arguments, buffer_bytes(&input), &callbacks, error);
    explicit_bzero(input.data, input.size);
    agent_key_wipe(key);
    if (session->agents[number] == NULL) {
        return false;
    }
    session->agent_count = number + 1;
    session->running_agents++;
    return true;
}

/* One secret each that nobody else learns, so that no other user of this machine can join. */
static struct credentials *draw_tokens(struct session *session)
{
    struct allow_list *list = allow_list_new();
    for (size_t i = 0; i < session->settings->options->agents; i++) {
        struct agent_key *key = &session->keys[i];
        struct key_pair drawn;
        struct error error;
        curve_draw(&drawn);
        (void)snprintf(key->name, sizeof key->name, "agent-%zu", i + 1);
        memcpy(key->token, drawn.secret_key, sizeof key->token);
        key_pair_wipe(&drawn);
        bool is_added = allow_list_add(list, bytes_of_string(key->name), bytes_of_string(key->token), &error);
        assert(is_added);
        (void)is_added;
    }
    return credentials_of_tokens(&list);
}

static bool start_server(struct session *session, struct error *error)
{
    struct credentials *credentials = draw_tokens(session);
    const struct server_options options = {
        .endpoint = "tcp://127.0.0.1:*",
        .settings = coordinator_default_settings(0),
        .callbacks = {.on_campaign = session_on_campaign,
                      .on_deadlock = session_on_deadlock,
                      .on_log = on_server_log,
                      .on_logged = session_on_logged,
                      .on_report = session_on_report,
                      .context = session},
        .credentials = &credentials,
    };
    session->server = server_new(&session->loop, &options, error);
    return session->server != NULL;
}

static bool start_outputs(struct session *session, struct error *error)
{
    const struct live_settings live = {.outputs = &session->settings->options->outputs,
                                       .server = session->server,
                                       .on_failing = session_on_failing,
                                       .on_settled = session_on_settled,
                                       .context = session};
    if (live.outputs->count == 0) {
        return true;
    }
    session->live = live_new(&session->loop, &live, error);
    return session->live != NULL;
}

static bool start_dashboard(struct session *session, struct error *error)
{
    const struct run_options *options = session->settings->options;
    if (!options->dashboard.is_wanted) {
        return true;
    }
    session->dashboard = run_dashboard_new(&session->loop, session->server, options->dashboard.port, error);
    if (session->dashboard == NULL) {
        return false;
    }
    struct error reason;
    SCOPED(memory_free_at) char *link = run_dashboard_link(session->dashboard);
    SCOPED(memory_free_at) char *text = memory_format("dashboard at %s", link);
    session_say(session, true, "run", text);
    if (options->dashboard.is_opened && !open_link(link, &reason)) {
        session_say(session, true, "run", reason.text);
    }
    return true;
}

static void start_campaign(struct session *session)
{
    const struct session_settings *settings = session->settings;
    const struct server_campaign campaign = {
        .options = settings->campaign,
        .bundle = settings->bundle,
        .script = settings->script,
        .agents = (uint32_t)settings->options->agents,
        .deadline_ms = JOIN_DEADLINE_MS,
    };
    session->campaign = server_create(session->server, &campaign, NULL);
    if (settings->options->campaign.verbosity > 0) {
        char text[MESSAGE_BYTES];
        (void)snprintf(text, sizeof text, "seed %llu", (unsigned long long)settings->campaign->seed);
        session_say(session, false, "run", text);
    }
}

static void session_start_handles(struct session *session)
{
    int result = uv_loop_init(&session->loop);
    assert(result == 0);
    (void)result;
    (void)uv_timer_init(&session->loop, &session->tick);
    (void)uv_timer_init(&session->loop, &session->patience);
    session->tick.data = session;
    session->patience.data = session;
    (void)uv_timer_start(&session->tick, on_tick, TICK_MS, TICK_MS);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)uv_signal_init(&session->loop, &session->signals[i]);
        session->signals[i].data = session;
        (void)uv_signal_start(&session->signals[i], on_interrupt, ending_signals[i]);
    }
    (void)uv_signal_init(&session->loop, &session->resized);
    (void)uv_signal_init(&session->loop, &session->stopped);
    session->resized.data = session;
    session->stopped.data = session;
    (void)uv_signal_start(&session->resized, on_resized, SIGWINCH);
    (void)uv_signal_start(&session->stopped, on_stopped, SIGTSTP);
}

static bool start(struct session *session, struct error *error)
{
    if (!start_server(session, error)) {
        return false;
    }
    if (!start_outputs(session, error) || !start_dashboard(session, error)) {
        session->code = EXIT_CODE_USAGE;
        return false;
    }
    start_campaign(session);
    for (size_t i = 0; i < session->settings->options->agents; i++) {
        if (!start_agent(session, i, error)) {
            return false;
        }
    }
    return true;
}

enum exit_code session_run(const struct session_settings *settings)
{
    struct session session = {.settings = settings, .code = EXIT_CODE_LOST};
    struct error error;
    session.agents = memory_new((size_t)settings->options->agents, sizeof(struct agent_process *));
    session.keys = memory_new((size_t)settings->options->agents, sizeof(struct agent_key));
    session_start_handles(&session);
    if (!start(&session, &error)) {
        session_say(&session, true, "run", error.text);
        session_close_all(&session);
    }
    (void)uv_run(&session.loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&session.loop);
    assert(result == 0);
    (void)result;
    memory_free(session.agents);
    memory_free(session.keys);
    return session.code;
}
