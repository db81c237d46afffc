/* The coordinator's shell: its core behind a ROUTER socket on a libuv loop. */
#include "coordinator/net/server_inside.h"

#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/net/server_trace.h"
#include "proto/codec/codec.h"
#include "proto/socket/socket.h"

#include <assert.h>

#define ENVELOPE_BYTES 256
/* libuv calls a timer that its own callback starts again with 0 before it looks at any socket: as long as
 * timeouts are left, no frame would be read. */
#define SERVED_BETWEEN_MS 1u

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
    const struct log_subject none = {0};
    if (server->callbacks.on_logged != NULL) {
        server->callbacks.on_logged(server->callbacks.context, level, subject != NULL ? subject : &none,
                                    text);
    }
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

void server_step_now(struct server *server, const struct coordinator_event *event)
{
    step(server, event);
    arm_timer(server);
}

void server_step_or_defer(struct server *server, const struct coordinator_event *event, char *text)
{
    if (server->is_stepping) {
        server->deferred =
            (struct deferred *)memory_reserve(server->deferred, &server->deferred_capacity,
                                              server->deferred_count + 1, sizeof *server->deferred);
        server->deferred[server->deferred_count++] = (struct deferred){.event = *event, .text = text};
        return;
    }
    server_step_now(server, event);
    memory_free(text);
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
