/* A link as bytes: each of its fields, and what is queued. */
#include "common/memory.h"
#include "proto/link/link_inside.h"

#include <assert.h>

static_assert(sizeof(struct link) == 256, "every field is packed, or follows from those that are");

static void link_pack_queue(const struct link *link, struct buffer *into)
{
    pack_number(into, link->oldest);
    pack_number(into, link->next);
    pack_number(into, link->end);
    pack_number(into, link->highest_sent);
    for (uint64_t sequence = link->oldest; sequence < link->end; sequence++) {
        pack_bytes(into, shared_bytes(*link_queued_at(link, sequence)));
    }
}

/* The sample of the clocks is left out: it is taken right after link_receive, or never. */
void link_pack(const struct link *link, struct buffer *into)
{
    pack_fixed(into, link->incarnation);
    pack_fixed(into, link->epoch);
    pack_number(into, link->heartbeat_ns);
    pack_number(into, link->started_ns);
    link_pack_queue(link, into);
    pack_number(into, link->backoff);
    pack_flag(into, link->is_probing);
    pack_number(into, link->timer_start_ns);
    pack_number(into, link->last_sent_ns);
    pack_number(into, link->beat_ns);
    pack_number(into, link->expected);
    pack_flag(into, link->is_acknowledgement_owed);
    pack_number(into, link->acknowledge_due_ns);
    pack_number(into, link->unacknowledged_count);
    pack_number(into, link->heard_ns);
    pack_number(into, link->newest_received_ns);
    pack_number(into, link->newest_arrived_ns);
    pack_number(into, link->newest_echo_ns);
    pack_number(into, link->progress_ns);
}

static void link_unpack_queue(struct link *link, struct unpack *from)
{
    uint64_t oldest = unpack_number(from);
    uint64_t next = unpack_number(from);
    uint64_t end = unpack_number(from);
    link->highest_sent = unpack_number(from);
    bool is_possible = oldest > 0 && next >= oldest && end >= next;
    link->oldest = is_possible ? oldest : 1;
    link->end = link->oldest;
    while (is_possible && link->end < end && !from->is_broken) {
        struct bytes message = unpack_bytes(from);
        link->in_flight_bytes += link->end < next ? message.size : 0;
        if (message.size > 0) {
            SCOPED(shared_release) struct shared *copy = shared_new(message);
            link_append(link, copy);
        }
        is_possible = message.size > 0;
    }
    link->next = is_possible ? next : link->oldest;
    from->is_broken = from->is_broken || !is_possible;
}

/* What link_unpack_queue has not held yet. */
static bool link_is_possible(const struct link *link)
{
    return link->heartbeat_ns > 0 && link->highest_sent < link->end && link->next <= link->highest_sent + 1 &&
           link->expected > 0 && (link->unacknowledged_count == 0 || link->is_acknowledgement_owed) &&
           link->newest_echo_ns <= link->last_sent_ns;
}

struct link *link_unpack(struct unpack *from)
{
    struct link *link = MEMORY_NEW(struct link);
    link->incarnation = unpack_fixed(from);
    link->epoch = unpack_fixed(from);
    link->heartbeat_ns = unpack_number(from);
    link->started_ns = unpack_number(from);
    link_unpack_queue(link, from);
    link->backoff = (unsigned)unpack_bounded(from, LINK_MAXIMUM_BACKOFF);
    link->is_probing = unpack_flag(from);
    link->timer_start_ns = unpack_number(from);
    link->last_sent_ns = unpack_number(from);
    link->beat_ns = unpack_number(from);
    link->expected = unpack_number(from);
    link->is_acknowledgement_owed = unpack_flag(from);
    link->acknowledge_due_ns = unpack_number(from);
    link->unacknowledged_count = (unsigned)unpack_bounded(from, UINT32_MAX);
    link->heard_ns = unpack_number(from);
    link->newest_received_ns = unpack_number(from);
    link->newest_arrived_ns = unpack_number(from);
    link->newest_echo_ns = unpack_number(from);
    link->progress_ns = unpack_number(from);
    if (from->is_broken || !link_is_possible(link)) {
        unpack_break(from);
        link_free(&link);
        return NULL;
    }
    link_check(link);
    return link;
}
