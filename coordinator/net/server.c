/* The coordinator's shell: its core behind a ROUTER socket on a libuv loop. */
#include "coordinator/net/server.h"

#include "common/clock.h"
#include "common/map.h"
#include "common/memory.h"
#include "coordinator/core/report/report.h"
#include "coordinator/net/ingress.h"
#include "coordinator/net/report_cache.h"
#include "coordinator/net/server_trace.h"
#include "proto/codec/codec.h"
#include "proto/socket/socket.h"

#include <assert.h>

#define ENVELOPE_BYTES 256
/* libuv calls a timer that its own callback starts again with 0 before it looks at any socket: as long as
 * timeouts are left, no frame would be read. */
#define SERVED_BETWEEN_MS 1u

/* A call made from within a callback: performed when the step that caused it is over. */
struct deferred {
    struct coordinator_event event; /* EVENT_STOP or EVENT_AGENT_GONE */
    char *text;
};

struct server {
    struct server_callbacks callbacks;
    FILE *trace;
    struct coordinator *coordinator;
    struct coordinator_settings settings;
    uint64_t offset_ns; /* offset from the clock of this machine to the coordinator's time; may wrap around */
    struct recovery *recovery; /* NULL: without one */
    struct coordinator_effects effects;
    struct report_cache reports;
    struct socket *socket;
    struct ingress *ingress;
    uv_timer_t timer;
    unsigned open_parts; /* the timer and the ingress */
    struct buffer envelope;
    struct deferred *deferred;
    size_t deferred_count;
    size_t deferred_capacity;
    bool is_stepping;
    bool is_to_stop;       /* stop what runs, since it has no journal any more */
    bool has_lost_bundles; /* the campaigns that have them are still to be stopped */
    bool is_closing;
};

uint64_t server_now_ns(const struct server *server)
{
    return clock_now_ns() + server->offset_ns;
}

static void send_frame(struct server *server, const struct coordinator_effect *effect)
{
    struct bytes route = ingress_route(server->ingress, effect->incarnation);
    if (route.size == 0) {
        return; /* the link will send it again */
    }
    buffer_clear(&server->envelope);
    envelope_encode(&effect->envelope, &server->envelope);
    (void)socket_send_shared(server->socket, route, buffer_bytes(&server->envelope), effect->message);
}

static void tell_log(const struct server *server, enum log_level level, const struct log_subject *subject,
                     const char *text)
{
    if (server->callbacks.on_log != NULL) {
        server->callbacks.on_log(server->callbacks.context, level, text);
    } else {
        log_about(level, "coordinator", subject, "%s", text);
    }
}

static void perform(struct server *server, const struct coordinator_effect *effect)
{
    const struct server_callbacks *callbacks = &server->callbacks;
    switch (effect->kind) {
    case EFFECT_SEND:
        send_frame(server, effect);
        break;
    case EFFECT_LOG:
        tell_log(server, effect->level, &effect->subject, effect->text);
        break;
    case EFFECT_CAMPAIGN:
        if (effect->state == CAMPAIGN_ENDED && server->recovery != NULL) {
            recovery_drop_bundles(server->recovery, server->coordinator);
        }
        if (callbacks->on_campaign != NULL) {
            callbacks->on_campaign(callbacks->context, effect->campaign, effect->state);
        }
        break;
    case EFFECT_DEADLOCK:
        if (callbacks->on_deadlock != NULL) {
            callbacks->on_deadlock(callbacks->context, effect->campaign, effect->text);
        }
        break;
    case EFFECT_FORGET_ROUTE:
        ingress_forget(server->ingress, effect->incarnation);
        break;
    }
}

/* Frames leave before any callback, which may close the server. */
static void perform_all(struct server *server, uint64_t now_ns)
{
    struct coordinator_effects *effects = &server->effects;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < effects->count && !server->is_closing; i++) {
            enum coordinator_effect_kind kind = effects->items[i].kind;
            bool is_of_wire = kind == EFFECT_SEND || kind == EFFECT_FORGET_ROUTE;
            if (is_of_wire != (pass == 0)) {
                continue;
            }
            if (server->trace != NULL) {
                server_trace_effect(server->trace, now_ns, &effects->items[i]);
            }
            perform(server, &effects->items[i]);
        }
    }
}

void server_flush(struct server *server)
{
    if (server->recovery != NULL && !recovery_write(server->recovery)) {
        server->is_to_stop = true;
    }
}

static void step_once(struct server *server, const struct coordinator_event *event)
{
    if (server->trace != NULL) {
        server_trace_event(server->trace, event);
    }
    server->is_stepping = true;
    if (server->recovery != NULL) {
        recovery_note(server->recovery, event);
    }
    coordinator_step(server->coordinator, event, &server->effects);
    if (server->effects.count > 0) {
        server_flush(server);
        perform_all(server, event->now_ns);
    }
    server->is_stepping = false;
}

/* Stops the campaigns for which there is a reason; `what` stands before it. */
static void stop_because(struct server *server, const char *what,
                         const char *(*why)(const struct server *server, uint64_t campaign))
{
    const struct coordinator_overview *overview = coordinator_overview(server->coordinator);
    uint64_t last = coordinator_last_campaign(server->coordinator);
    uint64_t next = overview->campaign_count > 0 ? overview->campaigns[0].campaign : last + 1;
    for (; next <= last && !server->is_closing; next++) {
        const char *reason = why(server, next);
        if (reason != NULL) {
            SCOPED(memory_free_at) char *text = memory_format("%s%s", what, reason);
            step_once(server,
                      &(struct coordinator_event){.kind = EVENT_STOP,
                                                  .now_ns = server_now_ns(server),
                                                  .stop = {.campaign = next, .text = bytes_of_string(text)}});
        }
    }
}

static const char *why_without_journal(const struct server *server, uint64_t campaign)
{
    (void)campaign;
    return recovery_state(server->recovery).reason;
}

/* Agents may still ask for it, and could not tell zeros from the files of a script. */
static const char *why_without_bundle(const struct server *server, uint64_t campaign)
{
    return bundle_store_lost_reason(recovery_bundles(server->recovery),
                                    coordinator_bundle(server->coordinator, campaign));
}

/* There is no journal any more, and campaigns must not continue without. */
static void stop_all(struct server *server)
{
    server->is_to_stop = false;
    stop_because(server, "the journal has failed: ", why_without_journal);
}

static void step(struct server *server, const struct coordinator_event *event)
{
    assert(!server->is_stepping);
    step_once(server, event);
    for (size_t i = 0; i < server->deferred_count; i++) {
        struct deferred deferred = server->deferred[i];
        if (!server->is_closing) {
            step_once(server, &deferred.event);
        }
        memory_free(deferred.text);
    }
    server->deferred_count = 0;
    if (server->is_to_stop) {
        stop_all(server);
    }
    if (server->has_lost_bundles && event->kind != EVENT_RESTORED) {
        server->has_lost_bundles = false;
        stop_because(server, "the coordinator was restarted, and ", why_without_bundle);
    }
    /* The receiver of state changes does not listen yet while we are being restored. */
    if (server->recovery != NULL && event->kind != EVENT_RESTORED) {
        server->is_to_stop = !recovery_rest(server->recovery, server->coordinator, &server->settings);
    }
    if (server->is_to_stop) {
        stop_all(server);
    }
}

static void server_on_timer(uv_timer_t *timer);

/* In at least `least_ms`. */
static void arm_timer_in(struct server *server, uint64_t least_ms)
{
    if (server->is_closing) {
        return;
    }
    uint64_t due_ns = server->has_lost_bundles ? 0 : coordinator_due_ns(server->coordinator);
    if (due_ns == UINT64_MAX) {
        (void)uv_timer_stop(&server->timer);
        return;
    }
    uint64_t now_ns = server_now_ns(server);
    uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    uint64_t wait_ms = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
    uv_update_time(server->timer.loop);
    (void)uv_timer_start(&server->timer, server_on_timer, wait_ms > least_ms ? wait_ms : least_ms, 0);
}

static void arm_timer(struct server *server)
{
    arm_timer_in(server, 0);
}

static void server_on_timer(uv_timer_t *timer)
{
    struct server *server = (struct server *)timer->data;
    step(server, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = server_now_ns(server)});
    arm_timer_in(server, SERVED_BETWEEN_MS);
}

static void on_revoked(void *context, uint64_t incarnation)
{
    struct server *server = (struct server *)context;
    if (!server->is_closing) {
        step(server, &(struct coordinator_event){.kind = EVENT_REVOKED,
                                                 .now_ns = server_now_ns(server),
                                                 .revoked.incarnation = incarnation});
        arm_timer(server);
    }
}

static void on_ingress_log(void *context, enum log_level level, const char *text)
{
    tell_log((const struct server *)context, level, NULL, text);
}

static void on_trouble(void *context, enum socket_trouble trouble, const char *address)
{
    ingress_trouble(((struct server *)context)->ingress, trouble, address);
}

static void on_frame(void *context, const struct socket_sender *from, struct bytes envelope,
                     struct bytes message)
{
    struct server *server = (struct server *)context;
    struct coordinator_event event = {.kind = EVENT_FRAME, .frame.message = message};
    struct error error;
    if (server->is_closing) {
        return;
    }
    if (!envelope_decode(envelope, &event.frame.envelope, &error)) {
        ingress_refuse(server->ingress, REFUSAL_FRAME);
        return;
    }
    if (!ingress_lets_speak(server->ingress, event.frame.envelope.incarnation, from, &event.frame.key_name)) {
        return;
    }
    event.now_ns = server_now_ns(server);
    step(server, &event);
}

static void on_turn_end(void *context)
{
    struct server *server = (struct server *)context;
    if (!server->is_closing) {
        step(server, &(struct coordinator_event){.kind = EVENT_TURN_END, .now_ns = server_now_ns(server)});
        arm_timer(server);
    }
}

static uint64_t draw_epoch(void)
{
    uint64_t epoch = 0;
    int failed = uv_random(NULL, NULL, &epoch, sizeof epoch, 0, NULL);
    assert(failed == 0);
    return epoch != 0 ? epoch : 1;
}

/* Returns whether it is one that continues. */
static bool make_coordinator(struct server *server, const struct server_options *options)
{
    bool is_restored = false;
    server->settings = options->settings;
    if (server->settings.epoch == 0) {
        server->settings.epoch = draw_epoch();
    }
    if (server->recovery != NULL) {
        server->coordinator = recovery_restore(server->recovery, &server->settings, &is_restored);
        server->offset_ns = recovery_offset_ns(server->recovery);
        server->has_lost_bundles = is_restored && bundle_store_has_lost(recovery_bundles(server->recovery));
    } else {
        server->coordinator = coordinator_new(&server->settings);
    }
    return is_restored;
}

static struct server *new_around(struct socket *socket, uv_loop_t *loop, const struct server_options *options,
                                 struct server *server)
{
    bool is_restored = make_coordinator(server, options);
    server->socket = socket;
    server->callbacks = options->callbacks;
    server->trace = options->trace;
    buffer_init(&server->envelope, ENVELOPE_BYTES);
    (void)uv_timer_init(loop, &server->timer);
    server->timer.data = server;
    server->open_parts = 2;
    ingress_start(server->ingress, loop);
    if (is_restored) {
        struct coordinator_event event = {.kind = EVENT_RESTORED, .now_ns = server_now_ns(server)};
        step(server, &event);
        arm_timer(server);
    }
    return server;
}

struct server *server_new(uv_loop_t *loop, const struct server_options *options, struct error *error)
{
    struct server *server = MEMORY_NEW(struct server);
    const struct socket_callbacks callbacks = {
        .on_frame = on_frame, .on_turn_end = on_turn_end, .on_trouble = on_trouble, .context = server};
    const struct ingress_callbacks of_ingress = {
        .on_revoked = on_revoked, .on_log = on_ingress_log, .context = server};
    server->ingress = ingress_new(options->credentials, &of_ingress);
    if (options->recovery != NULL) {
        server->recovery = *options->recovery;
        *options->recovery = NULL;
    }
    struct socket *socket =
        socket_new_router(loop, options->endpoint, ingress_keys(server->ingress), &callbacks, error);
    if (socket == NULL) {
        ingress_free(&server->ingress);
        recovery_free(&server->recovery);
        memory_free(server);
        return NULL;
    }
    return new_around(socket, loop, options, server);
}

const char *server_endpoint(const struct server *server)
{
    return socket_endpoint(server->socket);
}

bool server_has_room(const struct server *server, const struct server_campaign *campaign, struct error *error)
{
    return coordinator_has_room(server->coordinator, campaign->options, campaign->agents, error);
}

static bool server_may_create(struct server *server, const struct server_campaign *campaign,
                              struct error *error)
{
    assert(server->recovery == NULL || campaign->upload != NULL);
    return server->recovery == NULL ||
           (recovery_allows_campaign(server->recovery, server->coordinator, error) &&
            recovery_keep_bundle(server->recovery, campaign->upload, campaign->bundle->hash, error));
}

uint64_t server_create(struct server *server, const struct server_campaign *campaign, struct error *error)
{
    struct coordinator_event event = {.kind = EVENT_CREATE,
                                      .now_ns = server_now_ns(server),
                                      .create = {.options = *campaign->options,
                                                 .bundle = *campaign->bundle,
                                                 .content = campaign->content,
                                                 .script = bytes_of_string(campaign->script),
                                                 .key = bytes_of_string(campaign->key),
                                                 .agents = campaign->agents,
                                                 .deadline_ms = campaign->deadline_ms}};
    if (!server_may_create(server, campaign, error)) {
        return 0;
    }
    step(server, &event);
    arm_timer(server);
    return coordinator_last_campaign(server->coordinator);
}

/* Takes ownership of `text`, which the event points to. */
static void step_or_defer(struct server *server, const struct coordinator_event *event, char *text)
{
    if (server->is_stepping) {
        server->deferred =
            (struct deferred *)memory_reserve(server->deferred, &server->deferred_capacity,
                                              server->deferred_count + 1, sizeof *server->deferred);
        server->deferred[server->deferred_count++] = (struct deferred){.event = *event, .text = text};
        return;
    }
    step(server, event);
    memory_free(text);
    arm_timer(server);
}

void server_stop(struct server *server, uint64_t campaign, bool is_at_once, const char *text)
{
    char *copy = memory_copy_string(text != NULL ? text : "");
    struct coordinator_event event = {
        .kind = EVENT_STOP,
        .now_ns = server_now_ns(server),
        .stop = {.campaign = campaign, .is_at_once = is_at_once, .text = bytes_of_string(copy)}};
    step_or_defer(server, &event, copy);
}

bool server_scale(struct server *server, uint64_t campaign, uint32_t workers, struct error *error)
{
    if (!coordinator_may_scale(server->coordinator, campaign, workers, error)) {
        return false;
    }
    step(server, &(struct coordinator_event){.kind = EVENT_SCALE,
                                             .now_ns = server_now_ns(server),
                                             .scale = {.campaign = campaign, .workers = workers}});
    report_cache_drop(&server->reports, campaign);
    arm_timer(server);
    return true;
}

void server_agent_gone(struct server *server, const char *name)
{
    char *copy = memory_copy_string(name);
    struct coordinator_event event = {
        .kind = EVENT_AGENT_GONE, .now_ns = server_now_ns(server), .gone.name = bytes_of_string(copy)};
    step_or_defer(server, &event, copy);
}

uint64_t server_find_key(const struct server *server, struct bytes key)
{
    return coordinator_find_key(server->coordinator, key);
}

const struct recovery *server_recovery(const struct server *server)
{
    return server->recovery;
}

struct bundle_store *server_bundles(const struct server *server)
{
    return server->recovery != NULL ? recovery_bundles(server->recovery) : NULL;
}

bool server_knows(const struct server *server, uint64_t campaign)
{
    enum campaign_state state;
    return coordinator_find(server->coordinator, campaign, &state);
}

static bool is_known_campaign(const void *context, uint64_t campaign)
{
    return server_knows(context, campaign);
}

const struct report_view *server_report_now(struct server *server, uint64_t campaign)
{
    struct clock_pair clocks = clock_pair_now();
    uint64_t now_ns = clocks.now_ns + server->offset_ns;
    const struct campaign_report *report = coordinator_report(server->coordinator, campaign, now_ns);
    if (report == NULL) {
        return NULL;
    }
    struct report_view *view = report_view_of(report, clocks.wall_ns);
    report_cache_prune(&server->reports, is_known_campaign, server);
    return report_cache_put(&server->reports, &view, now_ns);
}

const struct report_view *server_report(struct server *server, uint64_t campaign)
{
    enum campaign_state state;
    if (!coordinator_find(server->coordinator, campaign, &state)) {
        return NULL;
    }
    const struct report_view *known =
        report_cache_find(&server->reports, campaign, state, server_now_ns(server));
    return known != NULL ? known : server_report_now(server, campaign);
}

uint64_t server_reports_built(const struct server *server)
{
    return server->reports.built;
}

const struct artifact *server_artifacts(const struct server *server, uint64_t campaign, size_t *count)
{
    const struct artifacts *artifacts = coordinator_artifacts(server->coordinator, campaign);
    *count = artifacts != NULL ? artifacts->count : 0;
    return artifacts != NULL ? artifacts->items : NULL;
}

const struct coordinator_overview *server_overview(struct server *server)
{
    return coordinator_overview(server->coordinator);
}

const struct refusals *server_refusals(const struct server *server)
{
    return ingress_refusals(server->ingress);
}

static void server_release(struct server *server)
{
    if (--server->open_parts > 0) {
        return;
    }
    for (size_t i = 0; i < server->deferred_count; i++) {
        memory_free(server->deferred[i].text);
    }
    coordinator_effects_finish(&server->effects);
    report_cache_finish(&server->reports);
    coordinator_free(&server->coordinator);
    recovery_free(&server->recovery);
    buffer_finish(&server->envelope);
    memory_free(server->deferred);
    memory_free(server);
}

static void server_on_timer_closed(uv_handle_t *handle)
{
    server_release((struct server *)handle->data);
}

static void on_ingress_closed(void *context)
{
    server_release((struct server *)context);
}

void server_close(struct server **at, int linger_ms)
{
    struct server *server = *at;
    *at = NULL;
    if (server == NULL || server->is_closing) {
        return;
    }
    server->is_closing = true;
    socket_close(&server->socket, linger_ms);
    (void)uv_timer_stop(&server->timer);
    uv_close((uv_handle_t *)&server->timer, server_on_timer_closed);
    ingress_close(&server->ingress, on_ingress_closed, server);
}
