/* Go-back-N with cumulative acknowledgements: simple, and losses are rare where TCP is underneath. */
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

static void grow_ring(struct link *link)
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

void link_send(struct link *link, struct buffer *message)
{
    assert(!message->has_overflowed);
    struct shared *taken = shared_take(message);
    link_send_shared(link, taken);
    shared_release(&taken);
}

void link_send_shared(struct link *link, struct shared *message)
{
    size_t size = shared_bytes(message).size;
    assert(size > 0);
    if (link->end - link->oldest == link->ring_capacity) {
        grow_ring(link);
    }
    link->end++;
    *link_queued_at(link, link->end - 1) = shared_hold(message);
    link->held_bytes += size;
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

static uint64_t timeout_ns(const struct link *link)
{
    uint64_t fixed = LINK_FIRST_TIMEOUT_NS;
    for (unsigned i = 0; i < link->backoff && fixed < LINK_LAST_TIMEOUT_NS; i++) {
        fixed *= 2;
    }
    return fixed + ((link->in_flight_bytes * LINK_TIMEOUT_NS_PER_BYTE) << link->backoff);
}

static bool is_in_flight(const struct link *link)
{
    return link->next > link->oldest;
}

static bool is_window_open(const struct link *link)
{
    if (link->next == link->end) {
        return false;
    }
    if (!is_in_flight(link)) {
        return true;
    }
    uint64_t messages = link->is_probing ? LINK_PROBE_MESSAGES : LINK_WINDOW_MESSAGES;
    return link->next - link->oldest < messages &&
           link->in_flight_bytes + link_size_at(link, link->next) <= LINK_WINDOW_BYTES;
}

static void start_again(struct link *link)
{
    link->next = link->oldest;
    link->in_flight_bytes = 0;
}

static void check_timeout(struct link *link, uint64_t now_ns)
{
    if (!is_in_flight(link) || now_ns < link->timer_start_ns + timeout_ns(link)) {
        return;
    }
    start_again(link);
    link->is_probing = true;
    if (link->backoff < LINK_MAXIMUM_BACKOFF) {
        link->backoff++;
    }
}

static struct shared *take_next(struct link *link, uint64_t now_ns)
{
    if (!is_in_flight(link)) {
        link->timer_start_ns = now_ns;
    }
    struct shared *message = *link_queued_at(link, link->next);
    if (link->highest_sent < link->oldest) {
        link->progress_ns = now_ns; /* until now there was nothing to acknowledge */
    }
    if (link->next > link->highest_sent) {
        link->highest_sent = link->next;
    }
    link->next++;
    link->in_flight_bytes += shared_bytes(message).size;
    return message;
}

/* When a frame without a message has to leave. */
static uint64_t bare_frame_due_ns(const struct link *link)
{
    uint64_t beat_due_ns = link->beat_ns + link->heartbeat_ns;
    bool is_sooner = link->is_acknowledgement_owed && link->acknowledge_due_ns < beat_due_ns;
    return is_sooner ? link->acknowledge_due_ns : beat_due_ns;
}

static void fill_envelope(struct link *link, uint64_t now_ns, struct envelope *envelope)
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
    check_timeout(link, now_ns);
    if (is_window_open(link)) {
        envelope->sequence = link->next;
        *message = take_next(link, now_ns);
    } else if (now_ns >= bare_frame_due_ns(link)) {
        envelope->sequence = 0;
        *message = NULL;
    } else {
        return false;
    }
    fill_envelope(link, now_ns, envelope);
    return true;
}

uint64_t link_due_ns(const struct link *link)
{
    if (is_window_open(link)) {
        return 0;
    }
    uint64_t due_ns = bare_frame_due_ns(link);
    if (is_in_flight(link) && link->timer_start_ns + timeout_ns(link) < due_ns) {
        due_ns = link->timer_start_ns + timeout_ns(link);
    }
    return due_ns;
}

static bool is_foreign(const struct link *link, const struct envelope *envelope, bool has_message)
{
    bool is_other_epoch = link->epoch != 0 && envelope->epoch != link->epoch;
    return envelope->incarnation != link->incarnation || is_other_epoch ||
           envelope->acknowledged > link->highest_sent || (envelope->sequence != 0 && !has_message);
}

static void take_acknowledgement(struct link *link, uint64_t now_ns, uint64_t acknowledged)
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

static void take_sample(struct link *link, uint64_t now_ns, const struct envelope *envelope)
{
    uint64_t echoed_ns = envelope->echoed_sent_ns;
    uint64_t delay_ns = envelope->echo_delay_ns;
    if (now_ns < echoed_ns || delay_ns > now_ns - echoed_ns || delay_ns > envelope->sent_ns) {
        return; /* cannot be: the peer's clock has jumped or it lies */
    }
    uint64_t peer_received_ns = envelope->sent_ns - delay_ns;
    /* Differences may wrap around, as unsigned numbers do; halves, so that their sum cannot overflow. */
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

static void take_times(struct link *link, uint64_t now_ns, const struct envelope *envelope)
{
    link->heard_ns = now_ns > link->heard_ns ? now_ns : link->heard_ns;
    if (envelope->sent_ns > link->newest_received_ns) {
        link->newest_received_ns = envelope->sent_ns;
        link->newest_arrived_ns = now_ns;
    }
    /* An echo of what we have not sent yet would lengthen a lease that nobody gave. */
    if (envelope->echoed_sent_ns > link->newest_echo_ns && envelope->echoed_sent_ns <= link->last_sent_ns) {
        link->newest_echo_ns = envelope->echoed_sent_ns;
        take_sample(link, now_ns, envelope);
    }
}

static void owe_acknowledgement(struct link *link, uint64_t due_ns)
{
    if (!link->is_acknowledgement_owed || due_ns < link->acknowledge_due_ns) {
        link->acknowledge_due_ns = due_ns;
    }
    link->is_acknowledgement_owed = true;
}

enum link_verdict link_receive(struct link *link, uint64_t now_ns, const struct envelope *envelope,
                               bool has_message)
{
    if (is_foreign(link, envelope, has_message)) {
        return LINK_FOREIGN;
    }
    if (link->epoch == 0) {
        link->epoch = envelope->epoch;
    }
    take_times(link, now_ns, envelope);
    take_acknowledgement(link, now_ns, envelope->acknowledged);
    if (envelope->sequence == 0) {
        return LINK_NO_MESSAGE;
    }
    if (envelope->sequence != link->expected) {
        owe_acknowledgement(link, 0); /* the other end is in error about what we have */
        return envelope->sequence < link->expected ? LINK_REPEATED : LINK_GAP;
    }
    link->expected++;
    link->unacknowledged_count++;
    bool is_much = link->unacknowledged_count >= LINK_ACKNOWLEDGE_MESSAGES;
    owe_acknowledgement(link, is_much ? 0 : now_ns + LINK_ACKNOWLEDGE_NS);
    return LINK_DELIVER;
}

void link_reconnected(struct link *link)
{
    start_again(link);
    link->backoff = 0;
    link->is_probing = false;
}

void link_show(struct link *link)
{
    owe_acknowledgement(link, 0);
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
