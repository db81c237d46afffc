/* Events of the coordinator as bytes and back. */
#include "coordinator/core/record.h"

#include "common/memory.h"
#include "proto/limits.h"

#include <string.h>

_Static_assert(sizeof(struct campaign_options) == 144,
               "put_options and take_options have to know each option");
_Static_assert(sizeof(struct envelope) == 56, "put_envelope and take_envelope have to know each field");

static void put_envelope(struct buffer *into, const struct envelope *envelope)
{
    pack_fixed(into, envelope->incarnation);
    pack_fixed(into, envelope->epoch);
    pack_number(into, envelope->sequence);
    pack_number(into, envelope->acknowledged);
    pack_number(into, envelope->sent_ns);
    pack_number(into, envelope->echoed_sent_ns);
    pack_number(into, envelope->echo_delay_ns);
}

static void take_envelope(struct unpack *from, struct envelope *envelope)
{
    envelope->incarnation = unpack_fixed(from);
    envelope->epoch = unpack_fixed(from);
    envelope->sequence = unpack_number(from);
    envelope->acknowledged = unpack_number(from);
    envelope->sent_ns = unpack_number(from);
    envelope->echoed_sent_ns = unpack_number(from);
    envelope->echo_delay_ns = unpack_number(from);
}

static void put_options(struct buffer *into, const struct campaign_options *options)
{
    uint64_t fail_percent = 0;
    memcpy(&fail_percent, &options->fail_percent, sizeof fail_percent);
    pack_number(into, options->workers);
    pack_number(into, options->runs);
    pack_number(into, options->duration_ms);
    pack_number(into, options->ramp_up_ms);
    pack_number(into, options->delay_ms);
    pack_number(into, options->room_size);
    pack_number(into, options->on_loss);
    pack_number(into, options->on_deadlock);
    pack_number(into, options->sync_timeout_ms);
    pack_fixed(into, options->seed);
    pack_flag(into, options->is_single_run);
    pack_bytes(into, options->single_mode);
    pack_flag(into, options->is_stopped_by_failure);
    pack_number(into, options->fail_steps);
    pack_fixed(into, fail_percent);
    pack_bytes(into, options->target);
    pack_number(into, options->verbosity);
}

static void take_options(struct unpack *from, struct campaign_options *options)
{
    options->workers = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    options->runs = unpack_number(from);
    options->duration_ms = unpack_number(from);
    options->ramp_up_ms = unpack_number(from);
    options->delay_ms = unpack_number(from);
    options->room_size = (uint32_t)unpack_bounded(from, LIMIT_ROOM_SIZE);
    options->on_loss = (enum on_loss)unpack_bounded(from, ON_LOSS_FAIL);
    options->on_deadlock = (enum on_deadlock)unpack_bounded(from, ON_DEADLOCK_FAIL);
    options->sync_timeout_ms = unpack_number(from);
    options->seed = unpack_fixed(from);
    options->is_single_run = unpack_flag(from);
    options->single_mode = unpack_bytes(from);
    options->is_stopped_by_failure = unpack_flag(from);
    options->fail_steps = unpack_number(from);
    uint64_t fail_percent = unpack_fixed(from);
    memcpy(&options->fail_percent, &fail_percent, sizeof fail_percent);
    options->target = unpack_bytes(from);
    options->verbosity = (uint32_t)unpack_bounded(from, UINT32_MAX);
}

static void put_bundle(struct buffer *into, const struct bundle *bundle)
{
    pack_bytes(into, bundle->hash);
    pack_number(into, bundle->file_count);
    for (size_t i = 0; i < bundle->file_count; i++) {
        pack_bytes(into, bundle->files[i].path);
        pack_bytes(into, bundle->files[i].content);
    }
}

static void take_bundle(struct unpack *from, struct record *record)
{
    struct bundle *bundle = &record->event.create.bundle;
    bundle->hash = unpack_bytes(from);
    bundle->file_count = (size_t)unpack_bounded(from, LIMIT_BUNDLE_FILES);
    record->files = (struct bundle_file *)memory_reserve(record->files, &record->file_capacity,
                                                         bundle->file_count, sizeof *record->files);
    for (size_t i = 0; i < bundle->file_count; i++) {
        record->files[i] = (struct bundle_file){.path = unpack_bytes(from)};
        record->files[i].content = unpack_bytes(from);
    }
    bundle->files = record->files;
}

static void put_create(struct buffer *into, const struct coordinator_event *event)
{
    put_options(into, &event->create.options);
    put_bundle(into, &event->create.bundle);
    pack_bytes(into, event->create.script);
    pack_bytes(into, event->create.key);
    pack_number(into, event->create.agents);
    pack_number(into, event->create.deadline_ms);
}

static void take_create(struct unpack *from, struct record *record)
{
    struct coordinator_event *event = &record->event;
    take_options(from, &event->create.options);
    take_bundle(from, record);
    event->create.script = unpack_bytes(from);
    event->create.key = unpack_bytes(from);
    event->create.agents = (uint32_t)unpack_bounded(from, UINT32_MAX);
    event->create.deadline_ms = unpack_number(from);
    from->is_broken = from->is_broken || event->create.options.workers == 0;
}

/* Without a default: who adds an event is told by the compiler that it has to go into the journal. */
void record_put(struct buffer *into, uint64_t before_ns, const struct coordinator_event *event)
{
    pack_number(into, event->kind);
    pack_number(into, event->now_ns - before_ns);
    switch (event->kind) {
    case EVENT_TICK:
    case EVENT_TURN_END:
    case EVENT_RESTORED:
        break;
    case EVENT_FRAME:
        put_envelope(into, &event->frame.envelope);
        pack_bytes(into, event->frame.message);
        pack_bytes(into, event->frame.key_name);
        break;
    case EVENT_AGENT_GONE:
        pack_bytes(into, event->gone.name);
        break;
    case EVENT_REVOKED:
        pack_fixed(into, event->revoked.incarnation);
        break;
    case EVENT_CREATE:
        put_create(into, event);
        break;
    case EVENT_STOP:
        pack_number(into, event->stop.campaign);
        pack_flag(into, event->stop.is_at_once);
        pack_bytes(into, event->stop.text);
        break;
    }
}

static void take_inside(struct unpack *from, struct record *record)
{
    struct coordinator_event *event = &record->event;
    switch (event->kind) {
    case EVENT_TICK:
    case EVENT_TURN_END:
    case EVENT_RESTORED:
        return;
    case EVENT_FRAME:
        take_envelope(from, &event->frame.envelope);
        event->frame.message = unpack_bytes(from);
        event->frame.key_name = unpack_bytes(from);
        return;
    case EVENT_AGENT_GONE:
        event->gone.name = unpack_bytes(from);
        return;
    case EVENT_REVOKED:
        event->revoked.incarnation = unpack_fixed(from);
        return;
    case EVENT_CREATE:
        take_create(from, record);
        return;
    case EVENT_STOP:
        event->stop.campaign = unpack_number(from);
        event->stop.is_at_once = unpack_flag(from);
        event->stop.text = unpack_bytes(from);
        return;
    }
    from->is_broken = true; /* no such kind */
}

bool record_take(struct unpack *from, uint64_t before_ns, struct record *record)
{
    struct coordinator_event *event = &record->event;
    *event = (struct coordinator_event){.kind = (enum coordinator_event_kind)unpack_bounded(from, UINT8_MAX)};
    event->now_ns = before_ns + unpack_number(from); /* may wrap around, as the difference does */
    take_inside(from, record);
    return !from->is_broken;
}

void record_finish(struct record *record)
{
    memory_free(record->files);
    *record = (struct record){0};
}
