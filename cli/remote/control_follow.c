/* Follows a campaign on a coordinator to its end. */
#include "cli/remote/control_follow.h"
#include "cli/remote/control.h"
#include "cli/remote/control_outputs.h"
#include "cli/view/live_view.h"
#include "cli/view/report_text.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/memory.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/report_json.h"
#include "coordinator/json/series_json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOST_MAX_BYTES 4096u
#define EVENTS_A_PLAIN_LINE 5u
#define RETRY_MS 500

struct follow_session {
    const struct control_follow *follow;
    struct live_view view;
    struct report_view *shown; /* what the live screen shows; NULL: nothing yet */
    int resizes;               /* is readable when the terminal has another size; -1: there is none */
    uint64_t progress_events;
    bool has_heard;
    uint64_t since_ns; /* when the coordinator was last heard, or it began to ask */
    uint64_t patience_ms;
    size_t lost_agents; /* that have been reported */
    unsigned interrupts;
    bool is_stop_told;
    bool is_lost; /* and that has been reported */
    bool has_ended;
    enum exit_code code;
};

int control_signals_take(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    int result = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    assert(result == 0 && descriptor >= 0);
    (void)result;
    return descriptor;
}

static void control_follow_say(const struct follow_session *session, const char *who, const char *text)
{
    SCOPED(memory_free_at) char *line = memory_format("tutti: %s: %s", who, text);
    screen_line(session->follow->screen, true, bytes_of_string(line));
}

/* One line for each message, for a program to read. */
static void put_json_line(const struct follow_session *session, struct bytes name, json_t *object)
{
    json_t *line = json_object();
    json_put_text(line, "event", name);
    json_put(line, "data", json_incref(object));
    SCOPED(memory_free_at) char *text = json_to_text(line, false);
    json_decref(line);
    SCOPED(memory_free_at) char *whole = memory_format("%s\n", text);
    screen_text(session->follow->screen, bytes_of_string(whole));
}

/* Lost agents are a warning: reported at once, and also when quiet. */
static void tell_lost(struct follow_session *session, const json_t *agents)
{
    SCOPED(buffer_finish) struct buffer text;
    size_t count = 0;
    buffer_init(&text, LOST_MAX_BYTES);
    for (size_t i = 0; i < json_array_size(agents); i++) {
        const json_t *agent = json_array_get(agents, i);
        if (bytes_equal_string(json_get_text(agent, "state"), agent_state_name(AGENT_LOST))) {
            buffer_append_string(&text, count++ == 0 ? "lost agents: " : ", ");
            escape_text(&text, json_get_text(agent, "name"));
        }
    }
    if (count > session->lost_agents) {
        control_follow_say(session, "coordinator", buffer_string(&text));
    }
    session->lost_agents = count;
}

/* A watcher that comes late sees the last minute at once. */
static void control_follow_look_back(struct follow_session *session, const struct report_view *report)
{
    struct screen_area area;
    if (session->view.history.is_begun || !screen_has_room(session->follow->screen, &area)) {
        return;
    }
    json_t *object = control_series(session->follow->client, session->follow->campaign);
    SCOPED(series_view_free) struct series_view *series = series_json_read(object);
    live_history_seed(&session->view.history, series, report);
    json_decref(object);
}

static void on_progress(struct follow_session *session, json_t *object)
{
    tell_lost(session, json_object_get(object, "agents"));
    struct screen *screen = session->follow->screen;
    session->progress_events++;
    bool is_wanted = screen_is_terminal(screen) || session->progress_events % EVENTS_A_PLAIN_LINE == 0;
    if (screen_is_quiet(screen) || !is_wanted) {
        return;
    }
    report_view_free(&session->shown);
    session->shown = report_json_read(object);
    control_follow_look_back(session, session->shown);
    live_view_show(&session->view, screen, session->shown);
}

static void control_follow_write_json(struct follow_session *session, const json_t *object)
{
    const struct control_follow *follow = session->follow;
    SCOPED(memory_free_at) char *text = control_report_text(follow->client, follow->campaign, object);
    struct error error;
    if (!json_file_write(session->follow->json, text, &error)) {
        control_follow_say(session, session->follow->who, error.text);
        session->code = exit_code_of_lost_results(session->code);
    }
}

static void control_follow_write_outputs(struct follow_session *session, const json_t *object)
{
    const struct control_follow *follow = session->follow;
    struct error error;
    if (!control_outputs_write(follow->outputs, follow->client, object, &error)) {
        control_follow_say(session, follow->who, error.text);
        session->code = exit_code_of_lost_results(session->code);
    }
}

static void on_ended(struct follow_session *session, json_t *object)
{
    struct screen *screen = session->follow->screen;
    SCOPED(report_view_free) struct report_view *report = report_json_read(object);
    screen_end_live(screen);
    if (!session->follow->has_json_lines) {
        SCOPED(buffer_finish) struct buffer text;
        buffer_init(&text, REPORT_TEXT_MAX_BYTES);
        report_text(report, screen_has_colour(screen), &text);
        screen_text(screen, buffer_bytes(&text));
    }
    session->has_ended = true;
    session->code = session->interrupts > 0 ? EXIT_CODE_INTERRUPTED : exit_code_of_verdict(report->verdict);
    if (session->follow->json != NULL) {
        control_follow_write_json(session, object);
    }
    if (session->follow->outputs != NULL && outputs_want_json(session->follow->outputs)) {
        control_follow_write_outputs(session, object);
    }
}

/* Repeated when the coordinator is back, if it could not be reached. */
static void tell_stop(struct follow_session *session)
{
    struct error error;
    json_t *answer = NULL;
    const struct control_follow *follow = session->follow;
    SCOPED(memory_free_at) char *path = control_path(follow->campaign, "/stop");
    SCOPED(memory_free_at) char *body = control_stop_body(false, "interrupted");
    enum api_result result = api_client_ask(follow->client, path, body, &answer, &error);
    json_decref(answer);
    if (result == API_INTERRUPTED) {
        return; /* on_wake is called again */
    }
    session->is_stop_told = result == API_DONE || result == API_CONFLICT;
    if (!session->is_stop_told) {
        control_follow_say(session, follow->who, error.text);
    }
}

static void end_patience(struct follow_session *session)
{
    SCOPED(memory_free_at) char *text = NULL;
    uint64_t campaign = session->follow->campaign;
    if (!session->follow->stops_campaign) {
        return;
    }
    if (session->is_stop_told) {
        text = memory_format("leaving; campaign %" PRIu64 " is stopping (tutti stop %" PRIu64
                             " --at-once ends it without its teardown)",
                             campaign, campaign);
    } else {
        text = memory_format("leaving; campaign %" PRIu64 " may still run (see tutti status %" PRIu64 ")",
                             campaign, campaign);
    }
    control_follow_say(session, session->follow->who, text);
}

static bool on_wake(void *context)
{
    struct follow_session *session = context;
    struct signalfd_siginfo information;
    while (read(session->follow->signals, &information, sizeof information) == (ssize_t)sizeof information) {
        session->interrupts++;
    }
    if (session->interrupts > 1 || (session->interrupts == 1 && !session->follow->stops_campaign)) {
        end_patience(session);
        return false;
    }
    if (session->interrupts == 1) {
        control_follow_say(session, session->follow->who, "stopping the campaign; once more leaves it alone");
        tell_stop(session);
    }
    return true;
}

/* A large report is not in the event, which has its path. The caller's to json_decref; NULL after logging
 * why. */
static json_t *fetch_report(struct follow_session *session, json_t *ended)
{
    struct error error;
    json_t *answer = NULL;
    if (!json_is_string(json_object_get(ended, "report"))) {
        return json_incref(ended);
    }
    const struct control_follow *follow = session->follow;
    SCOPED(memory_free_at) char *path = control_path(follow->campaign, "/report");
    enum api_result result = API_INTERRUPTED;
    for (int attempt = 0; attempt < 2 && result == API_INTERRUPTED; attempt++) {
        result = api_client_ask(follow->client, path, NULL, &answer, &error);
    }
    if (result == API_DONE && json_is_object(answer)) {
        return answer;
    }
    json_decref(answer);
    control_follow_say(session, follow->who,
                       result == API_DONE ? "the report cannot be understood" : error.text);
    return NULL;
}

static void take_event(struct follow_session *session, struct bytes name, json_t *object)
{
    if (session->follow->has_json_lines) {
        put_json_line(session, name, object);
    } else if (bytes_equal_string(name, "progress")) {
        on_progress(session, object);
    } else if (bytes_equal_string(name, "deadlock")) {
        SCOPED(memory_free_at)
        char *text = memory_format("%.*s", BYTES_FORMAT(json_get_text(object, "text")));
        control_follow_say(session, "coordinator", text);
    }
    if (bytes_equal_string(name, "ended")) {
        on_ended(session, object);
    }
}

static bool on_event(void *context, struct bytes name, struct bytes data)
{
    struct follow_session *session = context;
    json_t *object = json_loadb((const char *)data.data, data.size, 0, NULL);
    session->since_ns = clock_now_ns();
    session->has_heard = true;
    session->patience_ms = CONTROL_PATIENCE_MS;
    session->is_lost = false;
    if (json_is_object(object)) {
        json_t *whole =
            bytes_equal_string(name, "ended") ? fetch_report(session, object) : json_incref(object);
        if (whole != NULL) {
            take_event(session, name, whole);
        }
        session->has_ended = session->has_ended || whole == NULL;
        json_decref(whole);
    } else {
        control_follow_say(session, session->follow->who, "the coordinator says what cannot be understood");
        session->has_ended = true;
    }
    json_decref(object);
    if (session->interrupts > 0 && !session->is_stop_told && !session->has_ended) {
        tell_stop(session);
    }
    /* A watcher can leave; the command that started the campaign waits for its verdict. */
    bool is_in_vain = !session->follow->stops_campaign && screen_has_failed(session->follow->screen);
    return !session->has_ended && !is_in_vain;
}

/* False: the user wants to leave. */
static bool rest(struct follow_session *session)
{
    struct pollfd signals = {.fd = session->follow->signals, .events = POLLIN};
    return poll(&signals, 1, RETRY_MS) <= 0 || on_wake(session);
}

/* Whether to try again; logs it once. */
static bool may_come_back(struct follow_session *session, enum api_result result, const struct error *error)
{
    const char *who = session->follow->who;
    screen_end_live(session->follow->screen);
    bool may_return = session->has_heard || api_client_is_away(session->follow->client);
    if (result != API_UNREACHABLE || session->patience_ms == 0 || !may_return) {
        control_follow_say(session, who, error->text);
        return false;
    }
    if (clock_now_ns() - session->since_ns > session->patience_ms * NS_PER_MS) {
        control_follow_say(session, who,
                           session->has_heard ? "the coordinator has not come back" : error->text);
        return false;
    }
    if (!session->is_lost) {
        char patience[CONTROL_PATIENCE_BYTES];
        SCOPED(memory_free_at)
        char *text = memory_format("%s; trying again for %s", error->text,
                                   control_patience_text(session->patience_ms, patience));
        control_follow_say(session, who, text);
        session->is_lost = true;
    }
    return true;
}

static void on_resize(void *context)
{
    struct follow_session *session = context;
    struct signalfd_siginfo information;
    while (read(session->resizes, &information, sizeof information) == (ssize_t)sizeof information) {
    }
    if (session->shown != NULL && !session->has_ended) {
        live_view_show(&session->view, session->follow->screen, session->shown);
    }
}

/* A signal that is blocked is not ignored, so that it arrives here though nobody handles it. */
static int control_follow_resizes(const struct screen *screen)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGWINCH);
    if (!screen_is_terminal(screen) || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum exit_code control_follow_all(struct follow_session *session)
{
    const struct control_follow *follow = session->follow;
    const struct api_stream stream = {.on_event = on_event,
                                      .on_wake = on_wake,
                                      .descriptor = session->resizes,
                                      .on_readable = on_resize,
                                      .context = session};
    SCOPED(memory_free_at) char *path = control_path(follow->campaign, "/events");
    for (;;) {
        struct error error;
        enum api_result result = api_client_follow(follow->client, path, &stream, &error);
        if (result == API_DONE) {
            return session->code;
        }
        if (result == API_INTERRUPTED) {
            return EXIT_CODE_INTERRUPTED;
        }
        if (!may_come_back(session, result, &error)) {
            return result == API_UNREACHABLE || session->has_heard ? EXIT_CODE_LOST
                                                                   : control_exit_code(result);
        }
        if (!rest(session)) {
            return EXIT_CODE_INTERRUPTED;
        }
    }
}

enum exit_code control_follow(const struct control_follow *follow)
{
    struct follow_session session = {.follow = follow, .code = EXIT_CODE_LOST};
    session.resizes = control_follow_resizes(follow->screen);
    session.since_ns = clock_now_ns();
    session.has_heard = follow->stops_campaign; /* it has answered the request that started the campaign */
    session.patience_ms = session.has_heard ? CONTROL_PATIENCE_MS : api_client_patience_ms(follow->client);
    enum exit_code code = control_follow_all(&session);
    report_view_free(&session.shown);
    if (session.resizes >= 0) {
        (void)close(session.resizes);
    }
    return code;
}
