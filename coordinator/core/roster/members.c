/* The agents that have joined. */
#include "coordinator/core/roster/members_inside.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>

#define COMPLAINT_EVERY_MS 1000u
#define TOLD_FULL_EVERY_MS 60000u
#define PARTINGS_WITHIN_MS 60000u
#define GREETED_EVERY_MS 50u
/* Who has missed so many may be on the way to being lost. */
#define HEARTBEATS_IN_DOUBT 4u
/* A slow line takes so long for a byte: what an agent asks for of a bundle at once, 2 MiB, a quarter of a
 * minute. */
#define BULK_NS_PER_BYTE 8000u

static uint64_t latest(uint64_t left_ns, uint64_t right_ns)
{
    return left_ns > right_ns ? left_ns : right_ns;
}

static uint64_t earliest(uint64_t left_ns, uint64_t right_ns)
{
    return left_ns < right_ns ? left_ns : right_ns;
}

struct members *members_new(const struct coordinator_settings *settings, struct timers *timers)
{
    struct members *members = MEMORY_NEW(struct members);
    members->settings = *settings;
    members->timers = timers;
    members->by_incarnation = map_new();
    members->by_name = map_new();
    return members;
}

void member_free(struct member **at)
{
    struct member *member = *at;
    *at = NULL;
    message_finish(&member->unfinished);
    link_free(&member->link);
    memory_free((void *)member->name.data);
    memory_free((void *)member->host.data);
    memory_free(member->gauges.loops);
    memory_free((void *)member->labels.data);
    memory_free(member);
}

void members_free(struct members **members)
{
    if (*members == NULL) {
        return;
    }
    for (size_t i = 0; i < (*members)->count; i++) {
        timers_unset((*members)->timers, &(*members)->items[i]->due.timer);
        member_free(&(*members)->items[i]);
    }
    map_free(&(*members)->by_incarnation);
    map_free(&(*members)->by_name);
    memory_free((*members)->items);
    memory_free((*members)->attention);
    memory_free(*members);
    *members = NULL;
}

struct member *members_find(const struct members *members, uint64_t incarnation)
{
    return (struct member *)map_get(members->by_incarnation, bytes_of(&incarnation, sizeof incarnation));
}

struct member *members_find_name(const struct members *members, struct bytes name)
{
    return (struct member *)map_get(members->by_name, name);
}

size_t members_count(const struct members *members)
{
    return members->count;
}

struct member *members_at(const struct members *members, size_t place)
{
    assert(place < members->count);
    return members->items[place];
}

bool members_were_lost(const struct members *members, uint64_t incarnation)
{
    for (size_t i = 0; i < MEMBERS_LOST_REMEMBERED; i++) {
        if (members->lost[i] == incarnation && incarnation != 0) {
            return true;
        }
    }
    return false;
}

static bool speaks_our_version(const struct hello *hello, struct error *error)
{
    if (hello->version_lowest <= PROTOCOL_VERSION && PROTOCOL_VERSION <= hello->version_highest) {
        return true;
    }
    if (hello->version_lowest == hello->version_highest) {
        return error_set(error, "the agent speaks version %u of the protocol, this coordinator version %u",
                         hello->version_lowest, PROTOCOL_VERSION);
    }
    return error_set(error, "the agent speaks versions %u to %u of the protocol, this coordinator version %u",
                     hello->version_lowest, hello->version_highest, PROTOCOL_VERSION);
}

static struct member *member_new(const struct coordinator_settings *settings, uint64_t now_ns,
                                 uint64_t incarnation, const struct hello *hello)
{
    struct member *member = MEMORY_NEW(struct member);
    member->incarnation = incarnation;
    member->name = bytes_copy_new(hello->name);
    member->host = bytes_copy_new(hello->host);
    member->labels = bytes_copy_new(hello->labels);
    member->capacity = hello->capacity;
    member->pid = hello->pid;
    member->cores = hello->cores;
    member->shards = hello->shards;
    member->memory_bytes = hello->memory_bytes;
    member->link = link_new(incarnation, settings->epoch, settings->heartbeat_ms * NS_PER_MS, now_ns);
    deadline_init(&member->due, DEADLINE_MEMBER, member);
    return member;
}

static void welcome(struct members *members, struct member *member)
{
    struct message message = {.kind = MESSAGE_WELCOME,
                              .welcome = {.version = PROTOCOL_VERSION,
                                          .epoch = members->settings.epoch,
                                          .lease_ms = members->settings.lease_ms,
                                          .heartbeat_ms = members->settings.heartbeat_ms}};
    members_send(members, member, &message);
}

void members_adopt(struct members *members, struct member *member)
{
    members->items =
        memory_reserve(members->items, &members->capacity, members->count + 1, sizeof *members->items);
    members->items[members->count++] = member;
    (void)map_put(members->by_incarnation, bytes_of(&member->incarnation, sizeof member->incarnation),
                  member);
    (void)map_put(members->by_name, member->name, member);
}

static struct partings *partings_of(struct members *members, struct bytes name)
{
    return &members->partings[bytes_hash(name) % MEMBERS_PARTINGS];
}

static void note_parting(struct members *members, uint64_t now_ns, struct bytes name)
{
    struct partings *partings = partings_of(members, name);
    if (partings->since_ns == 0 || now_ns >= due_after_ms(partings->since_ns, PARTINGS_WITHIN_MS)) {
        *partings = (struct partings){.since_ns = now_ns};
    }
    partings->count++;
}

static bool is_restless(struct members *members, uint64_t now_ns, struct bytes name)
{
    const struct partings *partings = partings_of(members, name);
    return partings->count >= MEMBER_PARTINGS_MOST &&
           now_ns < due_after_ms(partings->since_ns, PARTINGS_WITHIN_MS);
}

bool members_tell_restless(struct members *members, struct bytes name)
{
    struct partings *partings = partings_of(members, name);
    bool is_told = partings->is_told;
    partings->is_told = true;
    return !is_told;
}

enum admission_result members_admit(struct members *members, uint64_t now_ns, uint64_t incarnation,
                                    const struct hello *hello, struct member **member, struct error *error)
{
    assert(members_find(members, incarnation) == NULL);
    if (!speaks_our_version(hello, error)) {
        return ADMISSION_WRONG_VERSION;
    }
    if (members_were_lost(members, incarnation)) {
        (void)error_set(error, "you were declared lost");
        return ADMISSION_WAS_LOST;
    }
    if (is_restless(members, now_ns, hello->name)) {
        (void)error_set(error, "it has joined and gone %u times within a minute", MEMBER_PARTINGS_MOST);
        return ADMISSION_RESTLESS;
    }
    if (members_find_name(members, hello->name) != NULL) {
        (void)error_set(error, "the name %.*s is in use by another process until it is declared lost",
                        BYTES_FORMAT(hello->name));
        return ADMISSION_NAME_IN_USE;
    }
    if (members->count >= LIMIT_AGENTS) {
        (void)error_set(error, "%u agents have joined already, and there is no room for more", LIMIT_AGENTS);
        return ADMISSION_FULL;
    }
    *member = member_new(&members->settings, now_ns, incarnation, hello);
    members_adopt(members, *member);
    welcome(members, *member);
    return ADMITTED;
}

uint32_t members_room(const struct member *member)
{
    if (member->capacity == 0) {
        return UINT32_MAX;
    }
    return member->held < member->capacity ? (uint32_t)(member->capacity - member->held) : 0;
}

void members_wake(struct members *members, struct member *member)
{
    if (member->needs_attention) {
        return;
    }
    member->needs_attention = true;
    members->attention =
        (struct member **)memory_reserve(members->attention, &members->attention_capacity,
                                         members->attention_count + 1, sizeof *members->attention);
    members->attention[members->attention_count++] = member;
}

/* There is a new way to it. */
static void reach_anew(struct member *member, uint64_t now_ns)
{
    member->is_awaited = false;
    member->excused_ns = now_ns;
    link_reconnected(member->link);
}

/* Once only, until it has heard us: else one that never does would be given time for ever. */
static void note_return(const struct members *members, uint64_t now_ns, uint64_t heard_ns,
                        struct member *member)
{
    uint64_t silent_ms = HEARTBEATS_IN_DOUBT * members->settings.heartbeat_ms;
    if (now_ns > due_after_ms(heard_ns, silent_ms) &&
        link_confirmed_ns(member->link) >= member->returned_ns) {
        member->returned_ns = now_ns;
    }
}

/* By the times and not by the numbers: whoever has only listened to heartbeats may have no number that we
 * have not, and whatever changed a number came with a frame that is echoed from then on. */
bool members_knows_better(const struct member *member, const struct envelope *envelope)
{
    return envelope->epoch == link_epoch(member->link) && envelope->echoed_sent_ns > member->known_ns &&
           envelope->echoed_sent_ns < member->restored_ns;
}

enum link_verdict members_receive(struct members *members, uint64_t now_ns, struct member *member,
                                  const struct envelope *envelope, bool has_message)
{
    uint64_t heard_ns = members_heard_ns(member);
    size_t held_bytes = link_held_bytes(member->link);
    struct envelope taken = *envelope;
    if (!members_may_speak(members, member)) {
        taken.sequence = 0; /* as if only the envelope had come: the message will be sent again */
    }
    enum link_verdict verdict = link_receive(member->link, now_ns, &taken, has_message);
    members->held_bytes -= held_bytes - link_held_bytes(member->link);
    struct link_sample sample;
    /* What waited for us to be there again says nothing about the way. */
    if (link_take_sample(member->link, &sample) && !member->is_awaited) {
        member->round_trips_ns[member->next_round_trip++ % MEMBER_ROUND_TRIPS] = sample.round_trip_ns;
    }
    if (verdict != LINK_FOREIGN) {
        note_return(members, now_ns, heard_ns, member);
        if (member->is_awaited) {
            reach_anew(member, now_ns);
        }
        members_wake(members, member);
    }
    return verdict;
}

void members_greet_again(struct members *members, uint64_t now_ns, struct member *member)
{
    if (!member->is_awaited && now_ns < due_after_ms(member->greeted_ns, GREETED_EVERY_MS)) {
        return; /* all that it has not acknowledged is on its way already */
    }
    member->greeted_ns = now_ns;
    reach_anew(member, now_ns);
    members_wake(members, member);
}

uint64_t members_round_trip_ns(const struct member *member)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < MEMBER_ROUND_TRIPS; i++) {
        longest_ns = latest(longest_ns, member->round_trips_ns[i]);
    }
    return longest_ns;
}

void members_take_gauges(struct member *member, const struct gauges *gauges)
{
    if (gauges->loop_count != member->gauges.loop_count) {
        memory_free(member->gauges.loops);
        member->gauges.loops =
            (struct loop_gauges *)memory_new(gauges->loop_count, sizeof *member->gauges.loops);
    }
    struct loop_gauges *loops = member->gauges.loops;
    for (size_t i = 0; i < gauges->loop_count; i++) {
        loops[i] = gauges->loops[i];
    }
    member->gauges = *gauges;
    member->gauges.loops = loops;
    member->gauges.lag_us = NULL;
}

struct shared *members_encode(const struct message *message)
{
    struct buffer buffer;
    buffer_init(&buffer, LIMIT_FRAME_BYTES);
    message_encode(message, &buffer);
    assert(!buffer.has_overflowed);
    return shared_take(&buffer);
}

void members_send_encoded(struct members *members, struct member *member, struct shared *message)
{
    members->held_bytes += shared_bytes(message).size;
    link_send_shared(member->link, message);
    members_wake(members, member);
}

void members_send(struct members *members, struct member *member, const struct message *message)
{
    SCOPED(shared_release) struct shared *encoded = members_encode(message);
    members_send_encoded(members, member, encoded);
}

void members_acknowledge(struct members *members, struct member *member)
{
    link_show(member->link);
    members_wake(members, member);
}

uint64_t members_heard_ns(const struct member *member)
{
    return latest(link_heard_ns(member->link), member->excused_ns);
}

static uint64_t silent_from_ns(const struct members *members, const struct member *member)
{
    return due_after_ms(members_heard_ns(member), members->settings.loss_ms);
}

/* From when it is held not to hear us though we hear it. Who was silent has time from its return: what we
 * have sent meanwhile is lost with the line. Its workers pause by then, but each frame that reached it after
 * all would give it a new lease. So it is sent nothing any more, and declared lost when any lease has run out
 * that it may have. */
static uint64_t deaf_from_ns(const struct members *members, const struct member *member)
{
    uint64_t confirmed_ns = latest(link_confirmed_ns(member->link), member->bulk_ns);
    uint64_t excused_ns = latest(member->excused_ns, member->returned_ns);
    return due_after_ms(latest(confirmed_ns, excused_ns), members->settings.lease_ms);
}

/* From when it is held not to acknowledge what it hears. */
static uint64_t stalled_from_ns(const struct members *members, const struct member *member)
{
    uint64_t progress_ns = link_progress_ns(member->link);
    if (progress_ns == UINT64_MAX) {
        return TIMERS_NEVER;
    }
    progress_ns =
        latest(latest(progress_ns, member->bulk_ns), latest(member->excused_ns, member->returned_ns));
    return due_after_ms(progress_ns, members->settings.loss_ms);
}

static bool is_rude(const struct member *member)
{
    return member->malformed >= MEMBER_MALFORMED_MOST;
}

static bool is_hoarding(const struct member *member)
{
    return link_held_bytes(member->link) > MEMBER_HELD_MOST_BYTES;
}

/* From when it is sent nothing any more: until then it may be given a new lease. */
static uint64_t muted_from_ns(const struct members *members, const struct member *member)
{
    if (is_rude(member) || is_hoarding(member)) {
        return 0;
    }
    return earliest(deaf_from_ns(members, member), stalled_from_ns(members, member));
}

static uint64_t given_up_ns(const struct members *members, const struct member *member)
{
    return member->muted_ns == 0 ? TIMERS_NEVER : due_after_ms(member->muted_ns, members->settings.loss_ms);
}

const char *members_loss(const struct members *members, uint64_t now_ns, const struct member *member)
{
    if (now_ns >= silent_from_ns(members, member)) {
        return "nothing was heard of it for too long";
    }
    if (now_ns < given_up_ns(members, member)) {
        return NULL;
    }
    if (is_rude(member)) {
        return "too much of what it said made no sense";
    }
    return member->muted_ns >= deaf_from_ns(members, member) ? "it has not heard us for too long"
                                                             : "it does not acknowledge what it was sent";
}

bool members_is_in_doubt(const struct members *members, uint64_t now_ns, const struct member *member)
{
    uint64_t seen_ns = link_heard_ns(member->link);
    uint64_t confirmed_ns = link_confirmed_ns(member->link);
    seen_ns = confirmed_ns < seen_ns ? confirmed_ns : seen_ns;
    return now_ns > due_after_ms(seen_ns, HEARTBEATS_IN_DOUBT * members->settings.heartbeat_ms);
}

static void remove_from(struct member **items, size_t *count, const struct member *member)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (items[i] != member) {
            items[kept++] = items[i];
        }
    }
    *count = kept;
}

void members_lose(struct members *members, uint64_t now_ns, struct member **member, struct outbox *outbox)
{
    struct member *gone = *member;
    note_parting(members, now_ns, gone->name);
    members->held_bytes -= link_held_bytes(gone->link);
    members->unfinished_count -= gone->is_half_done ? 1 : 0;
    outbox_forget_route(outbox, gone->incarnation);
    members->lost[members->next_lost] = gone->incarnation;
    members->next_lost = (members->next_lost + 1) % MEMBERS_LOST_REMEMBERED;
    timers_unset(members->timers, &gone->due.timer);
    (void)map_remove(members->by_incarnation, bytes_of(&gone->incarnation, sizeof gone->incarnation));
    (void)map_remove(members->by_name, gone->name);
    remove_from(members->items, &members->count, gone);
    remove_from(members->attention, &members->attention_count, gone);
    member_free(&gone);
    *member = NULL;
}

void members_forgive(struct members *members, uint64_t now_ns)
{
    for (size_t i = 0; i < members->count; i++) {
        members->items[i]->excused_ns = now_ns;
    }
}

void members_restored(struct members *members, uint64_t now_ns)
{
    members_forgive(members, now_ns);
    for (size_t i = 0; i < members->count; i++) {
        struct member *member = members->items[i];
        member->is_awaited = true;
        member->known_ns = link_last_sent_ns(member->link);
        member->restored_ns = now_ns;
        members_wake(members, member);
    }
}

void members_complain(struct member *member, uint64_t now_ns, struct outbox *outbox, const char *what)
{
    member->malformed++;
    if (now_ns < member->complaint_ns || member->complaints == MEMBER_COMPLAINTS_MOST) {
        return;
    }
    member->complaints++;
    member->complaint_ns = due_after_ms(now_ns, COMPLAINT_EVERY_MS);
    outbox_log(outbox, LOG_WARNING, &(struct log_subject){.agent = member->name},
               "agent %.*s: dropped a message (%llu so far): %s", BYTES_FORMAT(member->name),
               (unsigned long long)member->malformed, what);
}

bool members_may_speak(const struct members *members, const struct member *member)
{
    size_t most = MEMBERS_HELD_BYTES + members->count * MEMBERS_HELD_EACH_BYTES;
    return !member->is_half_done && !is_rude(member) && link_held_bytes(member->link) <= MEMBER_HELD_BYTES &&
           members->held_bytes <= most;
}

void members_note_unread(struct member *member, uint64_t now_ns, struct outbox *outbox)
{
    member->unread++;
    if (now_ns < member->told_full_ns || is_rude(member)) {
        return;
    }
    member->told_full_ns = due_after_ms(now_ns, TOLD_FULL_EVERY_MS);
    outbox_log(outbox, LOG_WARNING, &(struct log_subject){.agent = member->name},
               "agent %.*s is not listened to for now: %zu KiB that it was sent are not acknowledged",
               BYTES_FORMAT(member->name), link_held_bytes(member->link) / 1024);
}

void members_put_off(struct members *members, struct member *member, struct message *message)
{
    assert(member->is_half_done);
    member->unfinished = *message;
    message->arena = NULL;
    members->unfinished_count++;
}

struct member *members_take_up(struct members *members, struct message *message)
{
    for (size_t i = 0; members->unfinished_count > 0 && i < members->count; i++) {
        struct member *member = members->items[i];
        if (!member->is_half_done) {
            continue;
        }
        member->is_half_done = false; /* which is no reason here not to go on */
        if (members_may_speak(members, member)) {
            *message = member->unfinished;
            member->unfinished = (struct message){.arena = NULL};
            members->unfinished_count--;
            return member;
        }
        member->is_half_done = true;
    }
    return NULL;
}

size_t members_held_bytes(const struct members *members)
{
    return members->held_bytes;
}

bool members_are_restless(const struct members *members)
{
    return members->attention_count > 0;
}

static void judge_hearing(const struct members *members, uint64_t now_ns, struct member *member)
{
    if (member->is_awaited || now_ns < muted_from_ns(members, member)) {
        member->muted_ns = 0;
    } else if (member->muted_ns == 0) {
        member->muted_ns = now_ns;
    }
}

/* What is sent again does not count: it would hide for ever that nothing arrives. */
static void note_bulk(struct member *member, uint64_t now_ns, uint64_t sequence, size_t size_bytes)
{
    if (sequence > member->newest_sent) {
        member->newest_sent = sequence;
        member->bulk_ns = latest(member->bulk_ns, now_ns) + size_bytes * BULK_NS_PER_BYTE;
    }
}

static void hand_out_of(struct members *members, uint64_t now_ns, struct member *member,
                        struct outbox *outbox)
{
    struct envelope envelope = {0};
    struct shared *message = NULL;
    judge_hearing(members, now_ns, member);
    /* Looked after as often as one that is spoken to: by long pauses we know that we have slept. */
    uint64_t due_ns =
        earliest(given_up_ns(members, member), due_after_ms(now_ns, members->settings.heartbeat_ms));
    if (member->muted_ns == 0 && !member->is_awaited) {
        while (link_next_frame(member->link, now_ns, &envelope, &message)) {
            note_bulk(member, now_ns, envelope.sequence, shared_bytes(message).size);
            outbox_frame(outbox, &envelope, message);
        }
        due_ns = earliest(link_due_ns(member->link), muted_from_ns(members, member));
    }
    deadline_set(members->timers, &member->due, earliest(due_ns, silent_from_ns(members, member)));
}

void members_hand_out(struct members *members, uint64_t now_ns, struct outbox *outbox)
{
    for (size_t i = 0; i < members->attention_count; i++) {
        members->attention[i]->needs_attention = false;
        hand_out_of(members, now_ns, members->attention[i], outbox);
    }
    members->attention_count = 0;
}
