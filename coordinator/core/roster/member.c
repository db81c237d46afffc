/* One agent that has joined. */
#include "coordinator/core/roster/member.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "proto/codec/codec.h"

#define COMPLAINT_EVERY_MS 1000u
#define TOLD_FULL_EVERY_MS 60000u
#define GREETED_EVERY_MS 50u
/* An agent that has missed this many heartbeats may be on the way to being lost. */
#define HEARTBEATS_IN_DOUBT 4u
/* How long a slow line takes for a byte: for what an agent requests of a bundle at once, 2 MiB, a quarter of
 * a minute. */
#define BULK_NS_PER_BYTE 8000u

static uint64_t latest(uint64_t left_ns, uint64_t right_ns)
{
    return left_ns > right_ns ? left_ns : right_ns;
}

static uint64_t earliest(uint64_t left_ns, uint64_t right_ns)
{
    return left_ns < right_ns ? left_ns : right_ns;
}

struct member *member_new(const struct coordinator_settings *settings, uint64_t now_ns, uint64_t incarnation,
                          const struct hello *hello)
{
    struct member *member = MEMORY_NEW(struct member);
    member->settings = settings;
    member->incarnation = incarnation;
    member->name = text_copy(hello->name);
    member->host = text_copy(hello->host);
    member->labels = text_copy(hello->labels);
    member->program = text_copy(hello->program);
    member->capacity = hello->capacity;
    member->pid = hello->pid;
    member->cores = hello->cores;
    member->shards = hello->shards;
    member->memory_bytes = hello->memory_bytes;
    member->link = link_new(incarnation, settings->epoch, settings->heartbeat_ms * NS_PER_MS, now_ns);
    deadline_init(&member->due, DEADLINE_MEMBER, member);
    return member;
}

void member_free(struct member **at)
{
    struct member *member = *at;
    if (member == NULL) {
        return;
    }
    *at = NULL;
    message_finish(&member->unfinished);
    link_free(&member->link);
    text_finish(&member->name);
    text_finish(&member->host);
    memory_free(member->gauges.loops);
    text_finish(&member->labels);
    text_finish(&member->program);
    memory_free(member);
}

uint32_t member_room(const struct member *member)
{
    if (member->capacity == 0) {
        return UINT32_MAX;
    }
    return member->held < member->capacity ? (uint32_t)(member->capacity - member->held) : 0;
}

uint64_t member_heard_ns(const struct member *member)
{
    return latest(link_heard_ns(member->link), member->excused_ns);
}

uint64_t member_round_trip_ns(const struct member *member)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < MEMBER_ROUND_TRIPS; i++) {
        longest_ns = latest(longest_ns, member->round_trips_ns[i]);
    }
    return longest_ns;
}

void member_take_gauges(struct member *member, const struct gauges *gauges)
{
    if (gauges->loop_count != member->gauges.loop_count) {
        memory_free(member->gauges.loops);
        member->gauges.loops = memory_new(gauges->loop_count, sizeof *member->gauges.loops);
    }
    struct loop_gauges *loops = member->gauges.loops;
    for (size_t i = 0; i < gauges->loop_count; i++) {
        loops[i] = gauges->loops[i];
    }
    member->gauges = *gauges;
    member->used_bytes = gauges->memory_bytes;
    member->gauges.loops = loops;
    member->gauges.lag_us = NULL;
}

/* Times are compared and not sequences: a member that has only received heartbeats has seen no sequence that
 * we do not know, and whatever changed a sequence came with a frame that is echoed from then on. */
bool member_knows_better(const struct member *member, const struct envelope *envelope)
{
    return envelope->epoch == link_epoch(member->link) && envelope->echoed_sent_ns > member->known_ns &&
           envelope->echoed_sent_ns < member->restored_ns;
}

/* There is a new way to it. */
static void member_reach_again(struct member *member, uint64_t now_ns)
{
    member->is_awaited = false;
    member->excused_ns = now_ns;
    link_reconnected(member->link);
}

/* Only once until it has heard us: a member that never does would be given more time for ever. */
static void member_note_return(struct member *member, uint64_t now_ns, uint64_t heard_ns)
{
    uint64_t silent_ms = HEARTBEATS_IN_DOUBT * member->settings->heartbeat_ms;
    if (now_ns > due_after_ms(heard_ns, silent_ms) &&
        link_confirmed_ns(member->link) >= member->returned_ns) {
        member->returned_ns = now_ns;
    }
}

enum link_verdict member_receive(struct member *member, uint64_t now_ns, const struct envelope *envelope,
                                 bool has_message, bool is_message_wanted)
{
    uint64_t heard_ns = member_heard_ns(member);
    struct envelope taken = *envelope;
    if (!is_message_wanted) {
        taken.sequence = 0;
    }
    enum link_verdict verdict = link_receive(member->link, now_ns, &taken, has_message);
    struct link_sample sample;
    /* A frame that waited until we were restored says nothing about the network. */
    if (link_take_sample(member->link, &sample) && !member->is_awaited) {
        member->round_trips_ns[member->next_round_trip++ % MEMBER_ROUND_TRIPS] = sample.round_trip_ns;
    }
    if (verdict != LINK_FOREIGN) {
        member_note_return(member, now_ns, heard_ns);
        if (member->is_awaited) {
            member_reach_again(member, now_ns);
        }
    }
    return verdict;
}

bool member_greet_again(struct member *member, uint64_t now_ns)
{
    if (!member->is_awaited && now_ns < due_after_ms(member->greeted_ns, GREETED_EVERY_MS)) {
        return false;
    }
    member->greeted_ns = now_ns;
    member_reach_again(member, now_ns);
    return true;
}

void member_excuse(struct member *member, uint64_t now_ns)
{
    member->excused_ns = now_ns;
}

void member_restored(struct member *member, uint64_t now_ns)
{
    member_excuse(member, now_ns);
    member->is_awaited = true;
    member->known_ns = link_last_sent_ns(member->link);
    member->restored_ns = now_ns;
}

static uint64_t member_silent_from_ns(const struct member *member)
{
    return due_after_ms(member_heard_ns(member), member->settings->loss_ms);
}

/* From when it counts as not hearing us although we hear it. After a silence it has time from its return:
 * what we sent meanwhile was lost with the connection. Its workers pause by then, but each frame that reached
 * it after all would give it a new lease. So nothing is sent to it any more, and it is declared lost when any
 * lease that it may have has run out. */
static uint64_t member_deaf_from_ns(const struct member *member)
{
    uint64_t confirmed_ns = latest(link_confirmed_ns(member->link), member->bulk_ns);
    uint64_t excused_ns = latest(member->excused_ns, member->returned_ns);
    return due_after_ms(latest(confirmed_ns, excused_ns), member->settings->lease_ms);
}

/* From when it counts as not acknowledging what it hears. */
static uint64_t member_stalled_from_ns(const struct member *member)
{
    uint64_t progress_ns = link_progress_ns(member->link);
    if (progress_ns == UINT64_MAX) {
        return TIMERS_NEVER;
    }
    progress_ns =
        latest(latest(progress_ns, member->bulk_ns), latest(member->excused_ns, member->returned_ns));
    return due_after_ms(progress_ns, member->settings->loss_ms);
}

static bool member_is_rude(const struct member *member)
{
    return member->malformed >= MEMBER_MALFORMED_MOST;
}

static bool member_is_hoarding(const struct member *member)
{
    return link_held_bytes(member->link) > MEMBER_HELD_MOST_BYTES;
}

/* From when nothing is sent to it any more: until then a frame may give it a new lease. */
static uint64_t member_muted_from_ns(const struct member *member)
{
    if (member_is_rude(member) || member_is_hoarding(member)) {
        return 0;
    }
    return earliest(member_deaf_from_ns(member), member_stalled_from_ns(member));
}

static uint64_t member_given_up_ns(const struct member *member)
{
    return member->muted_ns == 0 ? TIMERS_NEVER : due_after_ms(member->muted_ns, member->settings->loss_ms);
}

const char *member_loss(const struct member *member, uint64_t now_ns)
{
    if (now_ns >= member_silent_from_ns(member)) {
        return "it was silent for too long";
    }
    if (now_ns < member_given_up_ns(member)) {
        return NULL;
    }
    if (member_is_rude(member)) {
        return "too many of its messages made no sense";
    }
    return member->muted_ns >= member_deaf_from_ns(member) ? "it has not heard us for too long"
                                                           : "it does not acknowledge what is sent to it";
}

bool member_is_in_doubt(const struct member *member, uint64_t now_ns)
{
    uint64_t seen_ns = earliest(link_heard_ns(member->link), link_confirmed_ns(member->link));
    return now_ns > due_after_ms(seen_ns, HEARTBEATS_IN_DOUBT * member->settings->heartbeat_ms);
}

bool member_has_space(const struct member *member)
{
    return !member_is_rude(member) && link_held_bytes(member->link) <= MEMBER_HELD_BYTES;
}

void member_note_unread(struct member *member, uint64_t now_ns, struct outbox *outbox)
{
    member->unread++;
    if (now_ns < member->told_full_ns || member_is_rude(member)) {
        return;
    }
    member->told_full_ns = due_after_ms(now_ns, TOLD_FULL_EVERY_MS);
    outbox_log(outbox, LOG_WARNING, &(struct log_subject){.agent = member->name.bytes},
               "agent %.*s is not read until it acknowledges more: it has not acknowledged %zu KiB that were "
               "sent to it",
               BYTES_FORMAT(member->name.bytes), link_held_bytes(member->link) / 1024);
}

void member_complain(struct member *member, uint64_t now_ns, struct outbox *outbox, const char *what)
{
    member->malformed++;
    if (now_ns < member->complaint_ns || member->complaints == MEMBER_COMPLAINTS_MOST) {
        return;
    }
    member->complaints++;
    member->complaint_ns = due_after_ms(now_ns, COMPLAINT_EVERY_MS);
    outbox_log(outbox, LOG_WARNING, &(struct log_subject){.agent = member->name.bytes},
               "agent %.*s: dropped a message (%llu so far): %s", BYTES_FORMAT(member->name.bytes),
               (unsigned long long)member->malformed, what);
}

static void member_judge_hearing(struct member *member, uint64_t now_ns)
{
    if (member->is_awaited || now_ns < member_muted_from_ns(member)) {
        member->muted_ns = 0;
    } else if (member->muted_ns == 0) {
        member->muted_ns = now_ns;
    }
}

/* A message that is sent again does not count: it would hide for ever that nothing arrives. */
static void member_note_bulk(struct member *member, uint64_t now_ns, uint64_t sequence, size_t size_bytes)
{
    if (sequence > member->newest_sent) {
        member->newest_sent = sequence;
        member->bulk_ns = latest(member->bulk_ns, now_ns) + size_bytes * BULK_NS_PER_BYTE;
    }
}

uint64_t member_hand_out(struct member *member, uint64_t now_ns, struct outbox *outbox)
{
    struct envelope envelope = {0};
    struct shared *message = NULL;
    member_judge_hearing(member, now_ns);
    /* A muted member is looked at as often as one that is sent heartbeats: long pauses show us that we were
     * not running. */
    uint64_t due_ns =
        earliest(member_given_up_ns(member), due_after_ms(now_ns, member->settings->heartbeat_ms));
    if (member->muted_ns == 0 && !member->is_awaited) {
        while (link_next_frame(member->link, now_ns, &envelope, &message)) {
            member_note_bulk(member, now_ns, envelope.sequence, shared_bytes(message).size);
            outbox_frame(outbox, &envelope, message);
        }
        due_ns = earliest(link_due_ns(member->link), member_muted_from_ns(member));
    }
    return earliest(due_ns, member_silent_from_ns(member));
}
