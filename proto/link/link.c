/* Go-back-N with cumulative acknowledgements: it is simple, and losses are rare on top of TCP. */
#include "proto/link/link_inside.h"

#include "common/memory.h"

#include <assert.h>

struct link *link_new(uint64_t incarnation, uint64_t epoch, uint64_t heartbeat_ns, uint64_t now_ns)
{
    assert(heartbeat_ns > 0);
    struct link *link = MEMORY_NEW(struct link);
    link->incarnation = incarnation;
    link->epoch = epoch;
    link->heartbeat_ns = heartbeat_ns;
    link->started_ns = now_ns;
    link->progress_ns = now_ns;
    link->beat_ns = now_ns;
    link->heard_ns = now_ns;
    link->oldest = 1;
    link->next = 1;
    link->end = 1;
    link->expected = 1;
    return link;
}

#ifdef LINK_CHECKS
void link_check(const struct link *link)
{
    size_t in_flight_bytes = 0;
    size_t held_bytes = 0;
    assert(link->oldest >= 1 && link->oldest <= link->next && link->next <= link->end);
    assert(link->end - link->oldest <= link->ring_capacity);
    assert((link->ring_capacity & (link->ring_capacity - 1)) == 0);
    /* A pass goes no further than any pass has reached; only what was sent can have been acknowledged. */
    assert(link->highest_sent < link->end && link->next <= link->highest_sent + 1);
    for (uint64_t sequence = link->oldest; sequence < link->next; sequence++) {
        in_flight_bytes += link_size_at(link, sequence);
    }
    assert(link->in_flight_bytes == in_flight_bytes && link->held_bytes >= in_flight_bytes);
    if (link_backlog(link) <= LINK_CHECKED_MESSAGES) {
        for (uint64_t sequence = link->oldest; sequence < link->end; sequence++) {
            held_bytes += link_size_at(link, sequence);
        }
        assert(link->held_bytes == held_bytes);
    }
    assert(link->expected >= 1 && link->heartbeat_ns > 0 && link->backoff <= LINK_MAXIMUM_BACKOFF);
    assert(link->unacknowledged_count == 0 || link->is_acknowledgement_owed);
    assert(link->newest_echo_ns <= link->last_sent_ns);
}
#endif

void link_free(struct link **link)
{
    if (*link == NULL) {
        return;
    }
    for (uint64_t sequence = (*link)->oldest; sequence < (*link)->end; sequence++) {
        shared_release(link_queued_at(*link, sequence));
    }
    memory_free((*link)->ring);
    memory_free(*link);
    *link = NULL;
}

uint64_t link_epoch(const struct link *link)
{
    return link->epoch;
}

static void link_grow_ring(struct link *link)
{
    size_t capacity = link->ring_capacity == 0 ? 16 : 2 * link->ring_capacity;
    struct shared **ring = memory_new(capacity, sizeof *ring);
    for (uint64_t sequence = link->oldest; sequence < link->end; sequence++) {
        ring[sequence & (capacity - 1)] = *link_queued_at(link, sequence);
    }
    memory_free(link->ring);
    link->ring = ring;
    link->ring_capacity = capacity;
}

void link_append(struct link *link, struct shared *message)
{
    size_t size = shared_bytes(message).size;
    assert(size > 0);
    if (link->end - link->oldest == link->ring_capacity) {
        link_grow_ring(link);
    }
    link->end++;
    *link_queued_at(link, link->end - 1) = shared_hold(message);
    link->held_bytes += size;
}

void link_send_shared(struct link *link, struct shared *message)
{
    link_append(link, message);
    link_check(link);
}

void link_send(struct link *link, struct buffer *message)
{
    assert(!message->has_overflowed);
    struct shared *taken = shared_take(message);
    link_send_shared(link, taken);
    shared_release(&taken);
}

size_t link_backlog(const struct link *link)
{
    return (size_t)(link->end - link->oldest);
}

uint64_t link_queued(const struct link *link)
{
    return link->end - 1;
}

uint64_t link_acknowledged(const struct link *link)
{
    return link->oldest - 1;
}

size_t link_held_bytes(const struct link *link)
{
    return link->held_bytes;
}

uint64_t link_progress_ns(const struct link *link)
{
    return link->highest_sent < link->oldest ? UINT64_MAX : link->progress_ns;
}

static uint64_t link_timeout_ns(const struct link *link)
{
    uint64_t fixed = LINK_FIRST_TIMEOUT_NS;
    for (unsigned i = 0; i < link->backoff && fixed < LINK_LAST_TIMEOUT_NS; i++) {
        fixed *= 2;
    }
    return fixed + ((link->in_flight_bytes * LINK_TIMEOUT_NS_PER_BYTE) << link->backoff);
}

static bool link_is_in_flight(const struct link *link)
{
    return link->next > link->oldest;
}

static bool link_is_window_open(const struct link *link)
{
    if (link->next == link->end) {
        return false;
    }
    if (!link_is_in_flight(link)) {
        return true;
    }
    uint64_t messages = link->is_probing ? LINK_PROBE_MESSAGES : LINK_WINDOW_MESSAGES;
    return link->next - link->oldest < messages &&
           link->in_flight_bytes + link_size_at(link, link->next) <= LINK_WINDOW_BYTES;
}

static void link_start_again(struct link *link)
{
    link->next = link->oldest;
    link->in_flight_bytes = 0;
}

static void link_check_timeout(struct link *link, uint64_t now_ns)
{
    if (!link_is_in_flight(link) || now_ns < link->timer_start_ns + link_timeout_ns(link)) {
        return;
    }
    link_start_again(link);
    link->is_probing = true;
    if (link->backoff < LINK_MAXIMUM_BACKOFF) {
        link->backoff++;
    }
}

static struct shared *link_take_next(struct link *link, uint64_t now_ns)
{
    if (!link_is_in_flight(link)) {
        link->timer_start_ns = now_ns;
    }
    struct shared *message = *link_queued_at(link, link->next);
    if (link->highest_sent < link->oldest) {
        link->progress_ns = now_ns; /* there was nothing to acknowledge until now */
    }
    if (link->next > link->highest_sent) {
        link->highest_sent = link->next;
    }
    link->next++;
    link->in_flight_bytes += shared_bytes(message).size;
    return message;
}

/* When a frame without a message has to leave, if no message does before. */
static uint64_t link_bare_frame_due_ns(const struct link *link)
{
    uint64_t beat_due_ns = link->beat_ns + link->heartbeat_ns;
    bool is_sooner = link->is_acknowledgement_owed && link->acknowledge_due_ns < beat_due_ns;
    return is_sooner ? link->acknowledge_due_ns : beat_due_ns;
}

static void link_fill_envelope(struct link *link, uint64_t now_ns, struct envelope *envelope)
{
    envelope->incarnation = link->incarnation;
    envelope->epoch = link->epoch;
    envelope->acknowledged = link->expected - 1;
    envelope->sent_ns = now_ns;
    envelope->echoed_sent_ns = link->newest_received_ns;
    bool has_echo = link->newest_received_ns != 0 && now_ns > link->newest_arrived_ns;
    envelope->echo_delay_ns = has_echo ? now_ns - link->newest_arrived_ns : 0;
    link->is_acknowledgement_owed = false;
    link->unacknowledged_count = 0;
    link->last_sent_ns = now_ns > link->last_sent_ns ? now_ns : link->last_sent_ns;
    link->beat_ns = link->last_sent_ns;
}

bool link_next_frame(struct link *link, uint64_t now_ns, struct envelope *envelope, struct shared **message)
{
    link_check_timeout(link, now_ns);
    if (link_is_window_open(link)) {
        envelope->sequence = link->next;
        *message = link_take_next(link, now_ns);
    } else if (now_ns >= link_bare_frame_due_ns(link)) {
        envelope->sequence = 0;
        *message = NULL;
    } else {
        return false;
    }
    link_fill_envelope(link, now_ns, envelope);
    link_check(link);
    return true;
}

uint64_t link_due_ns(const struct link *link)
{
    if (link_is_window_open(link)) {
        return 0;
    }
    uint64_t due_ns = link_bare_frame_due_ns(link);
    if (link_is_in_flight(link) && link->timer_start_ns + link_timeout_ns(link) < due_ns) {
        due_ns = link->timer_start_ns + link_timeout_ns(link);
    }
    return due_ns;
}

static bool link_is_foreign(const struct link *link, const struct envelope *envelope, bool has_message)
{
    bool is_other_epoch = link->epoch != 0 && envelope->epoch != link->epoch;
    return envelope->incarnation != link->incarnation || is_other_epoch ||
           envelope->acknowledged > link->highest_sent || (envelope->sequence != 0 && !has_message);
}

static void link_take_acknowledgement(struct link *link, uint64_t now_ns, uint64_t acknowledged)
{
    if (acknowledged < link->oldest) {
        return;
    }
    while (link->oldest <= acknowledged) {
        size_t size = link_size_at(link, link->oldest);
        if (link->oldest < link->next) {
            link->in_flight_bytes -= size;
        }
        link->held_bytes -= size;
        shared_release(link_queued_at(link, link->oldest));
        link->oldest++;
    }
    if (link->next < link->oldest) {
        link->next = link->oldest;
    }
    link->backoff = 0;
    link->is_probing = false;
    link->timer_start_ns = now_ns;
    link->progress_ns = now_ns;
}

static void link_measure_clocks(struct link *link, uint64_t now_ns, const struct envelope *envelope)
{
    uint64_t echoed_ns = envelope->echoed_sent_ns;
    uint64_t delay_ns = envelope->echo_delay_ns;
    if (now_ns < echoed_ns || delay_ns > now_ns - echoed_ns || delay_ns > envelope->sent_ns) {
        return; /* impossible: the peer's clock has jumped, or it lies */
    }
    uint64_t peer_received_ns = envelope->sent_ns - delay_ns;
    /* Unsigned differences may wrap around. They are halved so that their sum cannot overflow. */
    int64_t outward_ns = (int64_t)(peer_received_ns - echoed_ns);
    int64_t homeward_ns = (int64_t)(envelope->sent_ns - now_ns);
    link->sample = (struct link_sample){
        .our_sent_ns = echoed_ns,
        .peer_received_ns = peer_received_ns,
        .peer_sent_ns = envelope->sent_ns,
        .our_received_ns = now_ns,
        .round_trip_ns = now_ns - echoed_ns - delay_ns,
        .offset_ns = outward_ns / 2 + homeward_ns / 2 + (outward_ns % 2 + homeward_ns % 2) / 2,
    };
    link->has_sample = true;
}

static void link_take_times(struct link *link, uint64_t now_ns, const struct envelope *envelope)
{
    link->heard_ns = now_ns > link->heard_ns ? now_ns : link->heard_ns;
    if (envelope->sent_ns > link->newest_received_ns) {
        link->newest_received_ns = envelope->sent_ns;
        link->newest_arrived_ns = now_ns;
    }
    /* An echo of what we have not sent yet would extend a lease that was never given. */
    if (envelope->echoed_sent_ns > link->newest_echo_ns && envelope->echoed_sent_ns <= link->last_sent_ns) {
        link->newest_echo_ns = envelope->echoed_sent_ns;
        link_measure_clocks(link, now_ns, envelope);
    }
}

static void link_owe_acknowledgement(struct link *link, uint64_t due_ns)
{
    if (!link->is_acknowledgement_owed || due_ns < link->acknowledge_due_ns) {
        link->acknowledge_due_ns = due_ns;
    }
    link->is_acknowledgement_owed = true;
}

/* The frame is of this link. */
static enum link_verdict link_take_frame(struct link *link, uint64_t now_ns, const struct envelope *envelope)
{
    if (link->epoch == 0) {
        link->epoch = envelope->epoch;
    }
    link_take_times(link, now_ns, envelope);
    link_take_acknowledgement(link, now_ns, envelope->acknowledged);
    if (envelope->sequence == 0) {
        return LINK_NO_MESSAGE;
    }
    if (envelope->sequence != link->expected) {
        /* The other end is wrong about what we have: it is told at once. */
        link_owe_acknowledgement(link, 0);
        return envelope->sequence < link->expected ? LINK_REPEATED : LINK_GAP;
    }
    link->expected++;
    link->unacknowledged_count++;
    bool is_much = link->unacknowledged_count >= LINK_ACKNOWLEDGE_MESSAGES;
    link_owe_acknowledgement(link, is_much ? 0 : now_ns + LINK_ACKNOWLEDGE_NS);
    return LINK_DELIVER;
}

enum link_verdict link_receive(struct link *link, uint64_t now_ns, const struct envelope *envelope,
                               bool has_message)
{
    if (link_is_foreign(link, envelope, has_message)) {
        return LINK_FOREIGN;
    }
    enum link_verdict verdict = link_take_frame(link, now_ns, envelope);
    link_check(link);
    return verdict;
}

void link_reconnected(struct link *link)
{
    link_start_again(link);
    link->backoff = 0;
    link->is_probing = false;
    link_check(link);
}

void link_show(struct link *link)
{
    link_owe_acknowledgement(link, 0);
}

uint64_t link_heard_ns(const struct link *link)
{
    return link->heard_ns;
}

uint64_t link_last_sent_ns(const struct link *link)
{
    return link->last_sent_ns;
}

uint64_t link_confirmed_ns(const struct link *link)
{
    return link->newest_echo_ns > link->started_ns ? link->newest_echo_ns : link->started_ns;
}

bool link_take_sample(struct link *link, struct link_sample *sample)
{
    if (!link->has_sample) {
        return false;
    }
    *sample = link->sample;
    link->has_sample = false;
    return true;
}
