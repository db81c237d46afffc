/* The agents that have joined, and those that were lost. */
#include "coordinator/core/roster/members_inside.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>

#define PARTINGS_WITHIN_MS 60000u

struct members *members_new(const struct coordinator_settings *settings, struct timers *timers)
{
    struct members *members = MEMORY_NEW(struct members);
    members->settings = *settings;
    members->timers = timers;
    members->by_incarnation = map_new();
    members->by_name = map_new();
    return members;
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
    return map_get(members->by_incarnation, bytes_of(&incarnation, sizeof incarnation));
}

struct member *members_find_name(const struct members *members, struct bytes name)
{
    return map_get(members->by_name, name);
}

size_t members_count(const struct members *members)
{
    return members->count;
}

struct member *members_at(const struct members *members, size_t index)
{
    assert(index < members->count);
    return members->items[index];
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

static struct partings *members_partings(struct members *members, struct bytes name)
{
    return &members->partings[bytes_hash(name) % MEMBERS_PARTINGS];
}

static void members_note_parting(struct members *members, uint64_t now_ns, struct bytes name)
{
    struct partings *partings = members_partings(members, name);
    if (partings->since_ns == 0 || now_ns >= due_after_ms(partings->since_ns, PARTINGS_WITHIN_MS)) {
        *partings = (struct partings){.since_ns = now_ns};
    }
    partings->count++;
}

bool members_is_restless(struct members *members, uint64_t now_ns, struct bytes name)
{
    const struct partings *partings = members_partings(members, name);
    return partings->count >= MEMBERS_PARTINGS_MOST &&
           now_ns < due_after_ms(partings->since_ns, PARTINGS_WITHIN_MS);
}

bool members_tell_restless(struct members *members, struct bytes name)
{
    struct partings *partings = members_partings(members, name);
    bool is_told = partings->is_told;
    partings->is_told = true;
    return !is_told;
}

void members_adopt(struct members *members, struct member *member)
{
    members->items =
        memory_reserve(members->items, &members->capacity, members->count + 1, sizeof *members->items);
    members->items[members->count++] = member;
    (void)map_put(members->by_incarnation, bytes_of(&member->incarnation, sizeof member->incarnation),
                  member);
    (void)map_put(members->by_name, member->name.bytes, member);
}

struct member *members_join(struct members *members, uint64_t now_ns, uint64_t incarnation,
                            const struct hello *hello)
{
    assert(members_find(members, incarnation) == NULL && members_find_name(members, hello->name) == NULL);
    struct member *member = member_new(&members->settings, now_ns, incarnation, hello);
    members_adopt(members, member);
    struct message welcome = {.kind = MESSAGE_WELCOME,
                              .welcome = {.version = PROTOCOL_VERSION,
                                          .epoch = members->settings.epoch,
                                          .lease_ms = members->settings.lease_ms,
                                          .heartbeat_ms = members->settings.heartbeat_ms}};
    members_send(members, member, &welcome);
    return member;
}

static void members_remove_from(struct member **items, size_t *count, const struct member *member)
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
    members_note_parting(members, now_ns, gone->name.bytes);
    members->held_bytes -= link_held_bytes(gone->link);
    members->unfinished_count -= gone->is_half_done ? 1 : 0;
    outbox_forget_route(outbox, gone->incarnation);
    members->lost[members->next_lost] = gone->incarnation;
    members->next_lost = (members->next_lost + 1) % MEMBERS_LOST_REMEMBERED;
    timers_unset(members->timers, &gone->due.timer);
    (void)map_remove(members->by_incarnation, bytes_of(&gone->incarnation, sizeof gone->incarnation));
    (void)map_remove(members->by_name, gone->name.bytes);
    members_remove_from(members->items, &members->count, gone);
    members_remove_from(members->attention, &members->attention_count, gone);
    member_free(member);
}

void members_excuse(struct members *members, uint64_t now_ns)
{
    for (size_t i = 0; i < members->count; i++) {
        member_excuse(members->items[i], now_ns);
    }
}

void members_restored(struct members *members, uint64_t now_ns)
{
    for (size_t i = 0; i < members->count; i++) {
        member_restored(members->items[i], now_ns);
        members_wake(members, members->items[i]);
    }
}

void members_wake(struct members *members, struct member *member)
{
    if (member->needs_attention) {
        return;
    }
    member->needs_attention = true;
    members->attention = memory_reserve(members->attention, &members->attention_capacity,
                                        members->attention_count + 1, sizeof *members->attention);
    members->attention[members->attention_count++] = member;
}

enum link_verdict members_receive(struct members *members, uint64_t now_ns, struct member *member,
                                  const struct envelope *envelope, bool has_message)
{
    size_t held_bytes = link_held_bytes(member->link);
    enum link_verdict verdict =
        member_receive(member, now_ns, envelope, has_message, members_may_speak(members, member));
    members->held_bytes -= held_bytes - link_held_bytes(member->link);
    if (verdict != LINK_FOREIGN) {
        members_wake(members, member);
    }
    return verdict;
}

void members_greet_again(struct members *members, uint64_t now_ns, struct member *member)
{
    if (member_greet_again(member, now_ns)) {
        members_wake(members, member);
    }
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

static bool members_have_space(const struct members *members, const struct member *member)
{
    size_t most = MEMBERS_HELD_BYTES + members->count * MEMBERS_HELD_EACH_BYTES;
    return member_has_space(member) && members->held_bytes <= most;
}

bool members_may_speak(const struct members *members, const struct member *member)
{
    return !member->is_half_done && members_have_space(members, member);
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
        if (member->is_half_done && members_have_space(members, member)) {
            *message = member->unfinished;
            member->is_half_done = false;
            member->unfinished = (struct message){.arena = NULL};
            members->unfinished_count--;
            return member;
        }
    }
    return NULL;
}

bool members_need_attention(const struct members *members)
{
    return members->attention_count > 0;
}

void members_hand_out(struct members *members, uint64_t now_ns, struct outbox *outbox)
{
    for (size_t i = 0; i < members->attention_count; i++) {
        struct member *member = members->attention[i];
        member->needs_attention = false;
        deadline_set(members->timers, &member->due, member_hand_out(member, now_ns, outbox));
    }
    members->attention_count = 0;
}
