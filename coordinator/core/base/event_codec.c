/* Events of the coordinator as bytes and back. */
#include "coordinator/core/base/event_codec.h"

#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>

static_assert(sizeof(struct envelope) == 56, "every field of an envelope is written");

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

/* Options and file list in the encoding for agents: whatever is added to them is journalled as well. */
static void put_deploy(struct buffer *into, const struct campaign_options *options,
                       const struct bundle *bundle)
{
    SCOPED(buffer_finish) struct buffer encoded;
    struct bundle_entry *files =
        (struct bundle_entry *)memory_new(bundle->file_count + 1, sizeof(struct bundle_entry));
    for (size_t i = 0; i < bundle->file_count; i++) {
        files[i] =
            (struct bundle_entry){.path = bundle->files[i].path, .size_bytes = bundle->files[i].content.size};
    }
    struct message message = {
        .kind = MESSAGE_DEPLOY,
        .campaign = 1,
        .deploy = {.options = *options,
                   .bundle = {.files = files, .file_count = bundle->file_count, .hash = bundle->hash}}};
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(&message, &encoded);
    pack_bytes(into, buffer_bytes(&encoded));
    memory_free(files);
}

static void take_deploy(struct unpack *from, struct decoded_event *record)
{
    struct coordinator_event *event = &record->event;
    struct bytes encoded = unpack_bytes(from);
    if (from->is_broken || !message_decode(encoded, &record->message, NULL)) {
        from->is_broken = true;
        return;
    }
    record->has_message = true;
    if (record->message.kind != MESSAGE_DEPLOY) {
        from->is_broken = true;
        return;
    }
    const struct bundle_listing *listing = &record->message.deploy.bundle;
    event->create.options = record->message.deploy.options;
    event->create.bundle = (struct bundle){.hash = listing->hash, .file_count = listing->file_count};
    record->files = memory_new(listing->file_count, sizeof *record->files);
    event->create.bundle.files = record->files;
    for (size_t i = 0; i < listing->file_count; i++) {
        record->files[i] = (struct bundle_file){.path = listing->files[i].path};
    }
}

static void put_create(struct buffer *into, const struct coordinator_event *event)
{
    put_deploy(into, &event->create.options, &event->create.bundle);
    pack_bytes(into, event->create.script);
    pack_bytes(into, event->create.key);
    pack_number(into, event->create.agents);
    pack_number(into, event->create.deadline_ms);
}

static void take_create(struct unpack *from, struct decoded_event *record)
{
    struct coordinator_event *event = &record->event;
    take_deploy(from, record);
    event->create.script = unpack_bytes(from);
    event->create.key = unpack_bytes(from);
    event->create.agents = (uint32_t)unpack_bounded(from, UINT32_MAX);
    event->create.deadline_ms = unpack_number(from);
}

/* Without a default: the compiler reports an event that is not journalled. */
void event_encode(struct buffer *into, uint64_t before_ns, const struct coordinator_event *event)
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
    case EVENT_SCALE:
        pack_number(into, event->scale.campaign);
        pack_number(into, event->scale.workers);
        break;
    case EVENT_PACE:
        pack_number(into, event->pace.campaign);
        pack_number(into, event->pace.change);
        pack_real(into, event->pace.rate_per_s);
        break;
    case EVENT_DELETE:
        pack_number(into, event->deleted.campaign);
        break;
    }
}

static void take_inside(struct unpack *from, struct decoded_event *record)
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
    case EVENT_SCALE:
        event->scale.campaign = unpack_number(from);
        event->scale.workers = (uint32_t)unpack_bounded(from, UINT32_MAX);
        return;
    case EVENT_PACE:
        event->pace.campaign = unpack_number(from);
        event->pace.change = (enum pace_change)unpack_bounded(from, PACE_CHANGES - 1);
        event->pace.rate_per_s = unpack_real(from);
        return;
    case EVENT_DELETE:
        event->deleted.campaign = unpack_number(from);
        return;
    }
    from->is_broken = true; /* no such kind */
}

static void forget(struct decoded_event *record)
{
    memory_free(record->files);
    memory_free(record->content);
    if (record->has_message) {
        message_finish(&record->message);
    }
    *record = (struct decoded_event){0};
}

bool event_decode(struct unpack *from, uint64_t before_ns, struct decoded_event *record)
{
    forget(record);
    struct coordinator_event *event = &record->event;
    *event = (struct coordinator_event){.kind = (enum coordinator_event_kind)unpack_bounded(from, UINT8_MAX)};
    event->now_ns = before_ns + unpack_number(from); /* may wrap around, like the difference */
    take_inside(from, record);
    return !from->is_broken;
}

void decoded_event_load_bundle(struct decoded_event *record, const struct bundle_source *source)
{
    if (record->event.kind != EVENT_CREATE) {
        return;
    }
    memory_free(record->content);
    const struct bundle_listing *listing = &record->message.deploy.bundle;
    record->content = bundle_source_load(source, listing);
    size_t at = 0;
    for (size_t i = 0; i < listing->file_count; i++) {
        record->files[i].content = bytes_of(record->content + at, (size_t)listing->files[i].size_bytes);
        at += record->files[i].content.size;
    }
    record->event.create.content = &record->content;
}

void decoded_event_finish(struct decoded_event *record)
{
    forget(record);
}
