/* The members as bytes. */
#include "coordinator/core/roster/members_inside.h"

#include "common/memory.h"
#include "coordinator/core/base/timer_pack.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>

static_assert(sizeof(struct member) - sizeof(struct message) == 488,
              "every field is packed, shown only, or borrowed; the codec packs a message");

/* The rest of a message that is half done; empty if there is none. */
static void member_pack_unfinished(const struct member *member, struct buffer *into)
{
    SCOPED(buffer_finish) struct buffer encoded;
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    if (member->is_half_done) {
        struct message rest = member->unfinished;
        rest.operations.items += member->next_operation;
        rest.operations.count -= member->next_operation;
        message_encode(&rest, &encoded);
    }
    pack_bytes(into, buffer_bytes(&encoded));
}

static void member_unpack_unfinished(struct member *member, struct unpack *from)
{
    struct bytes encoded = unpack_bytes(from);
    struct error error;
    if (from->is_broken || encoded.size == 0) {
        return;
    }
    member->is_half_done = message_decode_from_agent(encoded, &member->unfinished, &error);
    from->is_broken = !member->is_half_done || member->unfinished.kind != MESSAGE_OPERATIONS;
}

/* The gauges are left out: they are only shown, and arrive again within a second. */
static void member_pack(const struct member *member, struct buffer *into)
{
    pack_fixed(into, member->incarnation);
    pack_bytes(into, member->name.bytes);
    pack_bytes(into, member->host.bytes);
    pack_number(into, member->pid);
    pack_number(into, member->cores);
    pack_number(into, member->shards);
    pack_number(into, member->memory_bytes);
    pack_number(into, member->used_bytes);
    pack_bytes(into, member->labels.bytes);
    pack_bytes(into, member->program.bytes);
    pack_number(into, member->capacity);
    pack_number(into, member->held);
    link_pack(member->link, into);
    pack_number(into, member->excused_ns);
    pack_number(into, member->returned_ns);
    pack_number(into, member->greeted_ns);
    pack_number(into, member->newest_sent);
    pack_number(into, member->bulk_ns);
    pack_number(into, member->muted_ns);
    for (size_t i = 0; i < MEMBER_ROUND_TRIPS; i++) {
        pack_number(into, member->round_trips_ns[i]);
    }
    pack_number(into, member->next_round_trip % MEMBER_ROUND_TRIPS);
    pack_flag(into, member->is_awaited);
    pack_number(into, member->restored_ns);
    pack_number(into, member->known_ns);
    pack_number(into, member->malformed);
    pack_number(into, member->complaint_ns);
    pack_number(into, member->complaints);
    pack_number(into, member->unread);
    pack_number(into, member->told_full_ns);
    member_pack_unfinished(member, into);
    pack_number(into, member->leaving_ns);
    pack_flag(into, member->is_let_go);
    pack_flag(into, member->has_left);
    timer_pack(&member->due.timer, into);
}

static struct member *member_unpack(struct members *members, struct unpack *from)
{
    struct member *member = MEMORY_NEW(struct member);
    member->settings = &members->settings;
    member->incarnation = unpack_fixed(from);
    member->name = text_copy(unpack_bytes(from));
    member->host = text_copy(unpack_bytes(from));
    member->pid = (uint32_t)unpack_bounded(from, UINT32_MAX);
    member->cores = (uint32_t)unpack_bounded(from, UINT32_MAX);
    member->shards = (uint32_t)unpack_bounded(from, UINT32_MAX);
    member->memory_bytes = unpack_number(from);
    member->used_bytes = unpack_number(from);
    member->labels = text_copy(unpack_bytes(from));
    member->program = text_copy(unpack_bytes(from));
    member->capacity = (uint32_t)unpack_bounded(from, UINT32_MAX);
    member->held = unpack_number(from);
    member->link = link_unpack(from);
    member->excused_ns = unpack_number(from);
    member->returned_ns = unpack_number(from);
    member->greeted_ns = unpack_number(from);
    member->newest_sent = unpack_number(from);
    member->bulk_ns = unpack_number(from);
    member->muted_ns = unpack_number(from);
    for (size_t i = 0; i < MEMBER_ROUND_TRIPS; i++) {
        member->round_trips_ns[i] = unpack_number(from);
    }
    member->next_round_trip = (unsigned)unpack_bounded(from, MEMBER_ROUND_TRIPS - 1);
    member->is_awaited = unpack_flag(from);
    member->restored_ns = unpack_number(from);
    member->known_ns = unpack_number(from);
    member->malformed = unpack_number(from);
    member->complaint_ns = unpack_number(from);
    member->complaints = (unsigned)unpack_bounded(from, MEMBER_COMPLAINTS_MOST);
    member->unread = unpack_number(from);
    member->told_full_ns = unpack_number(from);
    member_unpack_unfinished(member, from);
    member->leaving_ns = unpack_number(from);
    member->is_let_go = unpack_flag(from);
    member->has_left = unpack_flag(from);
    deadline_init(&member->due, DEADLINE_MEMBER, member);
    timer_unpack(members->timers, &member->due.timer, from);
    return member;
}

/* Most names have none. Numbered from 1; 0 ends them. */
static void members_pack_partings(const struct members *members, struct buffer *into)
{
    for (size_t i = 0; i < MEMBERS_PARTINGS; i++) {
        const struct partings *partings = &members->partings[i];
        if (partings->since_ns != 0) {
            pack_number(into, i + 1);
            pack_number(into, partings->since_ns);
            pack_number(into, partings->count);
            pack_flag(into, partings->is_told);
        }
    }
    pack_number(into, 0);
}

static void members_unpack_partings(struct members *members, struct unpack *from)
{
    uint64_t number = 0;
    while ((number = unpack_bounded(from, MEMBERS_PARTINGS)) != 0 && !from->is_broken) {
        struct partings *partings = &members->partings[number - 1];
        partings->since_ns = unpack_number(from);
        partings->count = (uint32_t)unpack_bounded(from, UINT32_MAX);
        partings->is_told = unpack_flag(from);
    }
}

void members_pack(const struct members *members, struct buffer *into)
{
    pack_number(into, members->count);
    for (size_t i = 0; i < members->count; i++) {
        member_pack(members->items[i], into);
    }
    for (size_t i = 0; i < members->attention_count; i++) {
        pack_fixed(into, members->attention[i]->incarnation);
    }
    pack_fixed(into, 0);
    for (size_t i = 0; i < MEMBERS_LOST_REMEMBERED; i++) {
        uint64_t lost = members->lost[(members->next_lost + i) % MEMBERS_LOST_REMEMBERED];
        if (lost != 0) {
            pack_fixed(into, lost);
        }
    }
    pack_fixed(into, 0);
    members_pack_partings(members, into);
}

static bool members_is_new(const struct members *members, const struct member *member)
{
    return member->link != NULL && member->incarnation != 0 &&
           members_find(members, member->incarnation) == NULL &&
           members_find_name(members, member->name.bytes) == NULL;
}

bool members_unpack(struct members *members, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, LIMIT_AGENTS);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct member *member = member_unpack(members, from);
        if (from->is_broken || !members_is_new(members, member)) {
            timers_unset(members->timers, &member->due.timer);
            member_free(&member);
            return false;
        }
        members_adopt(members, member);
        members->held_bytes += link_held_bytes(member->link);
        members->unfinished_count += member->is_half_done ? 1 : 0;
    }
    uint64_t incarnation = 0;
    while ((incarnation = unpack_fixed(from)) != 0) {
        struct member *member = members_find(members, incarnation);
        if (member == NULL) {
            return false;
        }
        members_wake(members, member);
    }
    uint64_t lost = 0;
    while ((lost = unpack_fixed(from)) != 0) {
        members->lost[members->next_lost] = lost;
        members->next_lost = (members->next_lost + 1) % MEMBERS_LOST_REMEMBERED;
    }
    members_unpack_partings(members, from);
    return !from->is_broken;
}
