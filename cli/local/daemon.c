/* The coordinator as a daemon. */
#include "cli/local/daemon.h"
#include "cli/local/service_notify.h"
#include "cli/local/shared_target.h"
#include "cli/options/kept_token.h"
#include "cli/options/token.h"
#include "common/log.h"
#include "common/memory.h"
#include "coordinator/api/api.h"
#include "coordinator/live/live.h"
#include "coordinator/net/server.h"

#include <assert.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>

#define WHO "coordinator"
#define LINGER_MS 200
/* How long watchers may still take to receive the end. */
#define LAST_WORDS_MS 3000u
#define LOOK_MS 20u

/* A body of this size or more is grown by remapping pages, since copying bytes takes the loop 10 ms for 16
 * MiB. */
#define MAPPED_BYTES (2 * 1024 * 1024)

static const int ending_signals[] = {SIGTERM, SIGINT, SIGHUP};
#define SIGNAL_COUNT (sizeof ending_signals / sizeof ending_signals[0])

struct daemon {
    uv_loop_t loop;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t ending; /* polls whether everything has been sent */
    uint64_t ending_until_ms;
    struct server *server;
    struct archive *archive;          /* NULL: ended campaigns are forgotten */
    struct artifact_store *artifacts; /* NULL: likewise */
    struct api *api;                  /* NULL until it is open */
    struct live *live;                /* NULL: no outputs, or not open yet */
    char *secret;                     /* the token that the API requires; NULL: it requires none */
    struct token_file *token;         /* NULL: the operator has handed it out */
    struct shared_target target;
    bool is_draining;
    bool is_closed;
    enum exit_code code;
};

static void daemon_close_all(struct daemon *daemon)
{
    if (daemon->is_closed) {
        return;
    }
    daemon->is_closed = true;
    uv_close((uv_handle_t *)&daemon->ending, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    }
    api_close(&daemon->api);
    live_close(&daemon->live);
    shared_target_close(&daemon->target);
    server_close(&daemon->server, LINGER_MS);
}

static void on_ending(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    if (server_overview(daemon->server)->live_campaign_count > 0) {
        return; /* one more has ended, but not the last */
    }
    bool is_quiet = api_is_quiet(daemon->api) && (daemon->live == NULL || live_is_quiet(daemon->live));
    if (is_quiet || uv_now(&daemon->loop) >= daemon->ending_until_ms) {
        daemon_close_all(daemon);
    }
}

/* Callbacks of the server are called from within it, so it is closed from the loop instead. */
static void end_soon(struct daemon *daemon)
{
    daemon->ending_until_ms = uv_now(&daemon->loop) + LAST_WORDS_MS;
    (void)uv_timer_start(&daemon->ending, on_ending, 0, LOOK_MS);
}

static void daemon_on_campaign(void *context, uint64_t campaign, enum campaign_state state)
{
    struct daemon *daemon = context;
    if (state != CAMPAIGN_ENDED) { /* the end is reported with its verdict */
        log_about(LOG_INFO, WHO, &(struct log_subject){.campaign = campaign}, "campaign %llu is %s",
                  (unsigned long long)campaign, campaign_state_name(state));
    }
    if (daemon->api != NULL) {
        api_campaign_changed(daemon->api, campaign, state);
    }
    if (state != CAMPAIGN_ENDED) {
        return;
    }
    if (daemon->live != NULL) {
        live_campaign_ended(daemon->live, campaign);
    }
    if (daemon->target.target != NULL) {
        shared_target_close_unused(&daemon->target, server_overview(daemon->server));
    }
    if (daemon->is_draining) {
        end_soon(daemon);
    }
}

static bool open_target(void *context, uint16_t *port, struct error *error)
{
    struct daemon *daemon = context;
    return shared_target_open(&daemon->target, port, error);
}

static void on_deadlock(void *context, uint64_t campaign, const char *text)
{
    struct daemon *daemon = context;
    if (daemon->api != NULL) {
        api_deadlock_found(daemon->api, campaign, text);
    }
}

static void daemon_on_report(void *context, struct report_view *report)
{
    const struct daemon *daemon = context;
    if (daemon->live != NULL) {
        live_describe(daemon->live, report);
    }
}

static void daemon_on_logged(void *context, enum log_level level, const struct log_subject *subject,
                             const char *text)
{
    const struct daemon *daemon = context;
    if (daemon->api != NULL) {
        api_log(daemon->api, level, subject, text);
    }
}

static void daemon_on_output(void *context, uint64_t campaign, const char *text)
{
    (void)context;
    log_about(LOG_WARNING, WHO, &(struct log_subject){.campaign = campaign}, "campaign %llu: %s",
              (unsigned long long)campaign, text);
}

/* The report that the archive has is of before its last points were sent. */
static void daemon_on_settled(void *context, uint64_t campaign)
{
    struct daemon *daemon = context;
    if (daemon->api != NULL && server_knows(daemon->server, campaign)) {
        api_campaign_counted(daemon->api, campaign);
    }
}

static bool open_outputs(struct daemon *daemon, const struct daemon_settings *settings, struct error *error)
{
    const struct live_settings live = {.outputs = settings->outputs,
                                       .server = daemon->server,
                                       .on_failing = daemon_on_output,
                                       .on_lost = daemon_on_output,
                                       .on_settled = daemon_on_settled,
                                       .context = daemon};
    if (settings->outputs->count == 0) {
        return true;
    }
    daemon->live = live_new(&daemon->loop, &live, error);
    return daemon->live != NULL;
}

/* Returns how many there were. */
static size_t stop_campaigns(struct daemon *daemon, bool is_at_once)
{
    const struct coordinator_overview *overview = server_overview(daemon->server);
    size_t count = 0;
    uint64_t *campaigns = memory_new(overview->campaign_count + 1, sizeof(uint64_t));
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED) {
            campaigns[count++] = overview->campaigns[i].campaign;
        }
    }
    for (size_t i = 0; i < count; i++) {
        server_stop(daemon->server, campaigns[i], is_at_once, "the coordinator was shut down");
    }
    memory_free(campaigns);
    return count;
}

static void drain(struct daemon *daemon)
{
    daemon->is_draining = true;
    service_notify("STOPPING=1");
    api_drain(daemon->api);
    size_t count = stop_campaigns(daemon, false);
    log_line(LOG_INFO, WHO, "shutting down; stopping %zu %s", count, count == 1 ? "campaign" : "campaigns");
    end_soon(daemon);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    (void)number;
    if (!daemon->is_draining) {
        drain(daemon);
        return;
    }
    size_t count = stop_campaigns(daemon, true);
    if (count > 0) {
        log_line(LOG_WARNING, WHO, "shut down at once, with %zu %s under way", count,
                 count == 1 ? "campaign" : "campaigns");
        daemon->code = EXIT_CODE_LOST;
    }
    daemon_close_all(daemon);
}

static void daemon_start_handles(struct daemon *daemon)
{
    int result = uv_loop_init(&daemon->loop);
    assert(result == 0);
    (void)result;
    (void)uv_timer_init(&daemon->loop, &daemon->ending);
    daemon->ending.data = daemon;
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        (void)uv_signal_start(&daemon->signals[i], on_signal, ending_signals[i]);
    }
}

static void on_recovery_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    log_line(level, WHO, "%s", text);
}

static void warn_if(bool is_open, const struct error *warning)
{
    if (is_open && warning->text[0] != '\0') {
        log_line(LOG_WARNING, WHO, "%s", warning->text);
    }
}

static bool open_artifacts(struct daemon *daemon, const char *state, struct error *error)
{
    SCOPED(memory_free_at) char *folder = memory_format("%s/artifacts", state);
    struct error warning;
    daemon->artifacts = artifact_store_open(folder, daemon->archive, &warning, error);
    warn_if(daemon->artifacts != NULL, &warning);
    return daemon->artifacts != NULL;
}

static bool open_reports(struct daemon *daemon, const char *state, struct error *error)
{
    SCOPED(memory_free_at) char *folder = memory_format("%s/reports", state);
    struct error warning;
    daemon->archive = archive_open(&daemon->loop, folder, &warning, error);
    warn_if(daemon->archive != NULL, &warning);
    return daemon->archive != NULL;
}

/* Locked first: the process that holds the folder owns its campaigns. */
static bool open_state(struct daemon *daemon, const struct daemon_settings *settings,
                       struct recovery **recovery, struct error *error)
{
    if (settings->state == NULL) {
        return true;
    }
    const struct recovery_settings of_recovery = {.loop = &daemon->loop,
                                                  .folder = settings->state,
                                                  .max_bytes = settings->journal_max_bytes,
                                                  .policy = settings->on_journal_failure,
                                                  .on_log = on_recovery_log};
    *recovery = recovery_open(&of_recovery, error);
    return (*recovery != NULL && open_reports(daemon, settings->state, error) &&
            open_artifacts(daemon, settings->state, error)) ||
           error_wrap(error, "--state: ");
}

/* A generated token is the one of the previous process, if it has left one. */
static void choose_token(struct daemon *daemon, const struct daemon_settings *settings)
{
    if (settings->is_token_drawn && settings->state != NULL) {
        struct error warning;
        daemon->secret = kept_token(settings->state, settings->token, &warning);
        warn_if(true, &warning);
    } else if (settings->token != NULL) {
        daemon->secret = memory_copy_string(settings->token);
    }
}

static bool open_ports(struct daemon *daemon, const struct daemon_settings *settings, struct error *error)
{
    SCOPED(recovery_free) struct recovery *recovery = NULL;
    if (!open_state(daemon, settings, &recovery, error)) {
        return false;
    }
    choose_token(daemon, settings);
    struct server_options server = {
        .endpoint = settings->endpoint,
        .settings = coordinator_default_settings(0),
        .callbacks = {.on_campaign = daemon_on_campaign,
                      .on_deadlock = on_deadlock,
                      .on_report = daemon_on_report,
                      .on_logged = daemon_on_logged,
                      .context = daemon},
        .credentials = settings->credentials,
        .recovery = settings->state != NULL ? &recovery : NULL,
    };
    server.settings.last_campaign = daemon->archive != NULL ? archive_last(daemon->archive) : 0;
    daemon->server = server_new(&daemon->loop, &server, error);
    if (daemon->server == NULL) {
        return error_wrap(error, "--listen: ");
    }
    daemon->target = (struct shared_target){.endpoint = server_endpoint(daemon->server),
                                            .wanted_port = settings->target_port};
    const struct api_settings api = {.address = settings->http,
                                     .token = daemon->secret,
                                     .names = settings->names,
                                     .proxies = settings->proxies,
                                     .archive = daemon->archive,
                                     .artifacts = daemon->artifacts,
                                     .server = daemon->server,
                                     .target = {.open = open_target, .context = daemon}};
    daemon->api = api_new(&daemon->loop, &api, error);
    return daemon->api != NULL || error_wrap(error, "--http: ");
}

/* No request is answered before the loop runs, so all clients find the file. */
static bool leave_token(struct daemon *daemon, const struct daemon_settings *settings, struct error *error)
{
    if (settings->token == NULL) {
        log_line(LOG_WARNING, WHO, "--no-token: everybody who can reach the API may start campaigns");
    }
    if (!settings->is_token_drawn) {
        return true;
    }
    struct error reason;
    daemon->token = token_file_new(api_port(daemon->api), daemon->secret, &reason);
    if (daemon->token != NULL) {
        log_line(LOG_INFO, WHO, "the API requires the token in %s", token_file_path(daemon->token));
    }
    return daemon->token != NULL ||
           error_set(error, "%.800s (pass a token of your own: --token-file)", reason.text);
}

/* On the same port as before, which agents know. */
static void lend_target_again(struct daemon *daemon, uint16_t port)
{
    struct error error;
    if (port == 0 || daemon->target.target != NULL) {
        return;
    }
    uint16_t wanted_port = daemon->target.wanted_port;
    daemon->target.wanted_port = port;
    if (!shared_target_open(&daemon->target, &port, &error)) {
        log_line(LOG_ERROR, WHO, "the practice target cannot be restarted: %s", error.text);
    }
    daemon->target.wanted_port = wanted_port;
}

static void go_on(struct daemon *daemon)
{
    const struct recovery *recovery = server_recovery(daemon->server);
    api_catch_up(daemon->api, recovery != NULL ? recovery_lost_reason(recovery) : NULL);
    const struct coordinator_overview *overview = server_overview(daemon->server);
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED) {
            lend_target_again(daemon, overview->campaigns[i].target_port);
            log_line(LOG_INFO, WHO, "campaign %llu goes on: it is %s",
                     (unsigned long long)overview->campaigns[i].campaign,
                     campaign_state_name(overview->campaigns[i].state));
        }
    }
}

static void tell_ready(const struct daemon *daemon, const struct daemon_settings *settings)
{
    bool is_bracketed = strchr(settings->http->host, ':') != NULL;
    log_line(LOG_INFO, WHO, "ready: agents at %s, API at http://%s%s%s:%u", server_endpoint(daemon->server),
             is_bracketed ? "[" : "", settings->http->host, is_bracketed ? "]" : "",
             (unsigned)api_port(daemon->api));
    service_notify("READY=1");
}

enum exit_code daemon_run(const struct daemon_settings *settings)
{
    struct daemon daemon = {.code = EXIT_CODE_PASSED};
    struct error error;
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    daemon_start_handles(&daemon);
    if (open_ports(&daemon, settings, &error) && open_outputs(&daemon, settings, &error) &&
        leave_token(&daemon, settings, &error)) {
        go_on(&daemon);
        tell_ready(&daemon, settings);
    } else {
        log_line(LOG_ERROR, WHO, "%s", error.text);
        daemon.code = EXIT_CODE_USAGE;
        daemon_close_all(&daemon);
    }
    (void)uv_run(&daemon.loop, UV_RUN_DEFAULT);
    archive_free(&daemon.archive);
    artifact_store_free(&daemon.artifacts);
    token_file_free(&daemon.token);
    token_free(&daemon.secret);
    int result = uv_loop_close(&daemon.loop);
    assert(result == 0);
    (void)result;
    return daemon.code;
}
