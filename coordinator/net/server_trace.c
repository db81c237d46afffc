/* Writes the inputs and outputs of the coordinator's core. */
#include "coordinator/net/server_trace.h"

#include "proto/codec/codec.h"

#include <inttypes.h>

static void trace_frame(FILE *out, uint64_t now_ns, const char *direction, const struct envelope *envelope,
                        struct bytes bytes)
{
    struct message message = {0};
    struct error error;
    const char *kind = "-";
    if (bytes.size > 0) {
        kind = message_decode(bytes, &message, &error) ? message_kind_name(message.kind) : "malformed";
    }
    (void)fprintf(out, "%" PRIu64 " %s %016" PRIx64 " sequence=%" PRIu64 " acknowledged=%" PRIu64 " %s %zu\n",
                  now_ns, direction, envelope->incarnation, envelope->sequence, envelope->acknowledged, kind,
                  bytes.size);
    message_finish(&message);
}

void server_trace_event(FILE *out, const struct coordinator_event *event)
{
    uint64_t now_ns = event->now_ns;
    switch (event->kind) {
    case EVENT_FRAME:
        trace_frame(out, now_ns, "<", &event->frame.envelope, event->frame.message);
        break;
    case EVENT_AGENT_GONE:
        (void)fprintf(out, "%" PRIu64 " gone %.*s\n", now_ns, BYTES_FORMAT(event->gone.name));
        break;
    case EVENT_REVOKED:
        (void)fprintf(out, "%" PRIu64 " revoked %016" PRIx64 "\n", now_ns, event->revoked.incarnation);
        break;
    case EVENT_CREATE:
        (void)fprintf(out, "%" PRIu64 " create agents=%" PRIu32 "\n", now_ns, event->create.agents);
        break;
    case EVENT_STOP:
        (void)fprintf(out, "%" PRIu64 " stop %" PRIu64 "%s\n", now_ns, event->stop.campaign,
                      event->stop.is_at_once ? " at once" : "");
        break;
    case EVENT_RESTORED:
        (void)fprintf(out, "%" PRIu64 " restored\n", now_ns);
        break;
    case EVENT_SCALE:
        (void)fprintf(out, "%" PRIu64 " scale %" PRIu64 " workers=%" PRIu32 "\n", now_ns,
                      event->scale.campaign, event->scale.workers);
        break;
    case EVENT_PACE:
        (void)fprintf(out, "%" PRIu64 " pace %" PRIu64 " change=%d rate=%g\n", now_ns, event->pace.campaign,
                      (int)event->pace.change, event->pace.rate_per_s);
        break;
    case EVENT_DELETE:
        (void)fprintf(out, "%" PRIu64 " delete %" PRIu64 "\n", now_ns, event->deleted.campaign);
        break;
    case EVENT_TICK:
    case EVENT_TURN_END:
        break; /* their effects show it */
    }
}

void server_trace_effect(FILE *out, uint64_t now_ns, const struct coordinator_effect *effect)
{
    switch (effect->kind) {
    case EFFECT_SEND:
        trace_frame(out, now_ns, ">", &effect->envelope, shared_bytes(effect->message));
        break;
    case EFFECT_LOG:
        (void)fprintf(out, "%" PRIu64 " log %s\n", now_ns, effect->text);
        break;
    case EFFECT_CAMPAIGN:
        (void)fprintf(out, "%" PRIu64 " campaign %" PRIu64 " %s\n", now_ns, effect->campaign,
                      campaign_state_name(effect->state));
        break;
    case EFFECT_DEADLOCK:
        (void)fprintf(out, "%" PRIu64 " deadlock %" PRIu64 " %s\n", now_ns, effect->campaign, effect->text);
        break;
    case EFFECT_FORGET_ROUTE:
        (void)fprintf(out, "%" PRIu64 " forget %016" PRIx64 "\n", now_ns, effect->incarnation);
        break;
    }
}
