/* A room as bytes: the progress of its workers, and what is known of the steps that are not over. */
#include "coordinator/core/base/timer_pack.h"
#include "coordinator/core/rooms/rooms_inside.h"

#include <assert.h>

static_assert(sizeof(struct room) == 208 && sizeof(struct seat) == 72 && sizeof(struct step_state) == 88 &&
                  sizeof(struct meeting) == 64 && sizeof(struct notifier) == 288 &&
                  sizeof(struct barrier) == 144 && sizeof(struct wait) == 112 &&
                  sizeof(struct sighting) == 104,
              "packing has to cover each field");

enum {
    SEAT_IS_KNOWN = 1,
    SEAT_HAS_FAILED = 2,
    SEAT_HAS_JOINED = 4,
    SEAT_HAS_SIGNALLED = 8,
    SEAT_HAS_BEGUN = 16,
    SEAT_WAS_LOST = 32,
    SEAT_FLAGS = 63,
};

/* `end` and whether it has ended are known from the campaign's worker. */
static void seat_pack(const struct seat *seat, struct buffer *into)
{
    bool has_failed = seat->failure != NULL || seat->failed_step != 0;
    pack_number(into, (seat->is_known ? SEAT_IS_KNOWN : 0u) | (has_failed ? SEAT_HAS_FAILED : 0u) |
                          (seat->joined_past != 0 ? SEAT_HAS_JOINED : 0u) |
                          (seat->signalled != 0 ? SEAT_HAS_SIGNALLED : 0u) |
                          (seat->begun != 0 ? SEAT_HAS_BEGUN : 0u) |
                          (seat->lost_step != 0 ? SEAT_WAS_LOST : 0u));
    pack_number(into, seat->past);
    if (has_failed) {
        pool_string_pack(seat->failure, into);
        pack_number(into, seat->failed_step);
    }
    if (seat->joined_past != 0) {
        pack_number(into, seat->joined_past);
    }
    if (seat->signalled != 0) {
        pack_number(into, seat->signalled);
    }
    if (seat->begun != 0) {
        pack_number(into, seat->begun);
    }
    if (seat->lost_step != 0) {
        pack_number(into, seat->lost_step);
    }
}

static void seat_unpack(const struct rooms *rooms, struct seat *seat, struct unpack *from)
{
    uint64_t flags = unpack_bounded(from, SEAT_FLAGS);
    seat->is_known = (flags & SEAT_IS_KNOWN) != 0;
    seat->past = unpack_number(from);
    if ((flags & SEAT_HAS_FAILED) != 0) {
        seat->failure = pool_string_unpack(rooms->texts, from);
        seat->failed_step = unpack_number(from);
    }
    seat->joined_past = (flags & SEAT_HAS_JOINED) != 0 ? unpack_number(from) : 0;
    seat->signalled = (flags & SEAT_HAS_SIGNALLED) != 0 ? unpack_number(from) : 0;
    seat->begun = (flags & SEAT_HAS_BEGUN) != 0 ? unpack_number(from) : 0;
    seat->lost_step = (flags & SEAT_WAS_LOST) != 0 ? unpack_number(from) : 0;
}

/* Added to the kind of a wait. */
#define PACKED_ASIDE 64u
#define PACKED_OWN_TIMEOUT 128u

static_assert(OPERATION_KIND_COUNT <= PACKED_ASIDE, "a kind and its flags are apart");

void wait_list_pack(const struct wait_list *list, struct buffer *into)
{
    pack_number(into, list->count);
    for (const struct wait *wait = list->first; wait != NULL; wait = wait->next) {
        pack_number(into, wait->worker);
        pack_number(into, (uint64_t)wait->kind + wait->is_aside * PACKED_ASIDE +
                              (wait->is_aside && wait->has_own_timeout) * PACKED_OWN_TIMEOUT);
        pack_number(into, wait->call);
        pack_number(into, wait->timeout_ms);
        pack_number(into, wait->rank);
        pack_flag(into, wait->tally != NULL);
        pack_flag(into, wait->is_strict);
        pack_number(into, wait->on_timeout);
        timer_pack(&wait->timer, into);
    }
}

/* It must belong to a worker that may wait here, and be for this kind of thing. */
static bool wait_makes_sense(const struct rooms *rooms, const struct wait *wait, const struct wait *like)
{
    uint64_t first = (uint64_t)wait->room * rooms->room_size;
    bool is_within =
        wait->room == ROOM_CAMPAIGN || (wait->worker >= first && wait->worker - first < rooms->room_size);
    return wait->worker < rooms->worker_count && is_within && waits_of(&rooms->waits, wait->worker) == NULL &&
           (wait->kind == like->kind || (wait_is_for_variable(wait) && wait_is_for_variable(like)));
}

void wait_list_unpack(struct rooms *rooms, const struct wait *like, struct wait_list *list,
                      struct unpack *from)
{
    uint64_t count = unpack_bounded(from, rooms->worker_count);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct wait wait = *like;
        wait.worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        uint64_t kind = unpack_bounded(from, PACKED_ASIDE + PACKED_OWN_TIMEOUT + OPERATION_KIND_COUNT - 1);
        wait.has_own_timeout = (kind & PACKED_OWN_TIMEOUT) != 0;
        wait.is_aside = (kind & PACKED_ASIDE) != 0;
        wait.kind = (enum operation_kind)(kind & (PACKED_ASIDE - 1));
        wait.call = (uint32_t)unpack_bounded(from, UINT32_MAX);
        wait.timeout_ms = unpack_number(from);
        wait.rank = unpack_number(from);
        wait.tally = unpack_flag(from) ? like->tally : NULL;
        wait.is_strict = unpack_flag(from);
        wait.on_timeout = (enum barrier_timeout)unpack_bounded(from, BARRIER_TIMEOUTS - 1);
        if (from->is_broken || !wait_makes_sense(rooms, &wait, like)) {
            unpack_break(from);
            return;
        }
        timer_unpack(rooms->waits.timers, &waits_put(&rooms->waits, list, &wait)->timer, from);
    }
}

static void instant_pack(const struct instant *instant, struct buffer *into)
{
    pack_number(into, (uint64_t)instant->at_ns);
    pack_number(into, instant->uncertainty_us);
}

static struct instant instant_unpack(struct unpack *from)
{
    int64_t at_ns = (int64_t)unpack_number(from);
    return (struct instant){.at_ns = at_ns, .uncertainty_us = (uint32_t)unpack_bounded(from, UINT32_MAX)};
}

static void sighting_pack(const struct sighting *sighting, struct buffer *into)
{
    sightings_pack_total(sighting->total, into);
    instant_pack(&sighting->edit, into);
    pack_number(into, sighting->early_count);
    for (size_t i = 0; i < sighting->early_count; i++) {
        instant_pack(&sighting->early[i].instant, into);
        pack_number(into, sighting->early[i].part);
    }
    pack_number(into, sighting->seen);
    pack_number(into, (uint64_t)sighting->first_ns);
    pack_number(into, (uint64_t)sighting->last_ns);
    pack_number(into, sighting->last_worker);
    pack_number(into, sighting->text_count);
    for (uint32_t i = 0; i < sighting->text_count; i++) {
        const struct sighting_text *text = &sighting->texts[i];
        pack_bytes(into, bytes_of(text->digest, sizeof text->digest));
        pack_number(into, text->count);
        for (uint32_t j = 0; j < text->count && j < LIMIT_MISSING; j++) {
            pack_number(into, text->workers[j]);
        }
    }
    pack_number(into, sighting->others);
}

/* Charged to the quota as it was originally. */
static void sighting_unpack_texts(struct sighting *sighting, struct quota *quota, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, SIGHTING_TEXTS);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct bytes digest = unpack_bytes(from);
        uint32_t times = (uint32_t)unpack_bounded(from, UINT32_MAX);
        if (digest.size != OPERATION_DIGEST_BYTES || times == 0) {
            unpack_break(from);
            return;
        }
        sighting_compare(sighting, (uint32_t)unpack_bounded(from, UINT32_MAX), digest, quota);
        if (sighting->text_count != i + 1) {
            unpack_break(from); /* twice, or more than there is room for */
            return;
        }
        struct sighting_text *text = &sighting->texts[i];
        for (uint32_t j = 1; j < times && j < LIMIT_MISSING; j++) {
            text->workers[j] = (uint32_t)unpack_bounded(from, UINT32_MAX);
        }
        text->count = times;
    }
}

static void sighting_unpack(struct rooms *rooms, struct sighting *sighting, struct unpack *from)
{
    sighting->total = sightings_unpack_total(rooms->sightings, from);
    sighting->edit = instant_unpack(from);
    /* A worker that repeats its step may have seen twice; the quota bounds them. */
    uint64_t early = unpack_bounded(from, UINT32_MAX);
    while (sighting->early_count < early && !from->is_broken) {
        struct early_sighting one = {.instant = instant_unpack(from)};
        size_t before = sighting->early_count;
        one.part = (uint32_t)unpack_bounded(from, sightings_part_count(sighting->total));
        sighting_keep(sighting, &one, &rooms->meeting_quota);
        if (sighting->early_count == before) {
            unpack_break(from);
        }
    }
    sighting->seen = (uint32_t)unpack_bounded(from, UINT32_MAX);
    sighting->first_ns = (int64_t)unpack_number(from);
    sighting->last_ns = (int64_t)unpack_number(from);
    sighting->last_worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
    sighting_unpack_texts(sighting, &rooms->meeting_quota, from);
    sighting->others = (uint32_t)unpack_bounded(from, UINT32_MAX);
    if (sighting->total == NULL && sighting->edit.at_ns + sighting->text_count + sighting->others != 0) {
        unpack_break(from);
    }
}

static void notifier_pack(const struct notifier *notifier, uint32_t seats, struct buffer *into)
{
    pack_flag(into, notifier->is_written);
    pack_flag(into, notifier->is_declared);
    pack_number(into, notifier->declared);
    pack_number(into, notifier->read);
    bitset_pack(notifier->readers, seats, into);
    pack_bytes(into, notifier->payload);
    pack_number(into, notifier->writer);
    sighting_pack(&notifier->sighting, into);
    wait_list_pack(&notifier->waits_within, into);
    wait_list_pack(&notifier->waits_beyond, into);
    wait_list_pack(&notifier->reader_waits, into);
}

static void notifier_unpack(struct rooms *rooms, struct room *room, struct notifier *notifier,
                            struct unpack *from)
{
    notifier->is_written = unpack_flag(from);
    notifier->is_declared = unpack_flag(from);
    notifier->declared = (uint32_t)unpack_bounded(from, UINT32_MAX);
    notifier->read = (uint32_t)unpack_bounded(from, UINT32_MAX);
    notifier->readers = bitset_unpack(from, room->size);
    struct bytes payload = unpack_bytes(from);
    notifier->writer = (uint32_t)unpack_bounded(from, UINT32_MAX);
    if (notifier->is_written) {
        notifier->shared = shared_new(payload);
        notifier->payload = shared_bytes(notifier->shared);
    }
    sighting_unpack(rooms, &notifier->sighting, from);
    struct wait like = {
        .kind = OPERATION_WAIT_WRITER, .room = room->id, .tally = &room->tally, .notifier = notifier};
    wait_list_unpack(rooms, &like, &notifier->waits_within, from);
    wait_list_unpack(rooms, &like, &notifier->waits_beyond, from);
    like.kind = OPERATION_WAIT_READERS;
    wait_list_unpack(rooms, &like, &notifier->reader_waits, from);
}

static void barrier_pack(const struct barrier *barrier, uint32_t seats, struct buffer *into)
{
    pack_number(into, barrier->parties);
    pack_number(into, barrier->arrived);
    pack_number(into, barrier->ranked);
    bitset_pack(barrier->arrivals, seats, into);
    pack_flag(into, barrier->is_open);
    pack_flag(into, barrier->is_at_once);
    pack_flag(into, barrier->is_overdue);
    pack_number(into, barrier->released);
    pack_number(into, barrier->reported);
    pack_number(into, (uint64_t)barrier->first_ns);
    pack_number(into, (uint64_t)barrier->last_ns);
    wait_list_pack(&barrier->waits, into);
}

static void barrier_unpack(struct rooms *rooms, struct room *room, struct barrier *barrier,
                           struct unpack *from)
{
    barrier->parties = (uint32_t)unpack_bounded(from, UINT32_MAX);
    barrier->arrived = (uint32_t)unpack_bounded(from, UINT32_MAX);
    barrier->ranked = (uint32_t)unpack_bounded(from, UINT32_MAX);
    barrier->arrivals = bitset_unpack(from, room->size);
    barrier->is_open = unpack_flag(from);
    barrier->is_at_once = unpack_flag(from);
    barrier->is_overdue = unpack_flag(from);
    barrier->released = (uint32_t)unpack_bounded(from, UINT32_MAX);
    barrier->reported = (uint32_t)unpack_bounded(from, UINT32_MAX);
    barrier->first_ns = (int64_t)unpack_number(from);
    barrier->last_ns = (int64_t)unpack_number(from);
    const struct wait like = {
        .kind = OPERATION_BARRIER, .room = room->id, .tally = &room->tally, .barrier = barrier};
    wait_list_unpack(rooms, &like, &barrier->waits, from);
}

static void meeting_pack(const struct meeting *meeting, uint32_t seats, struct buffer *into)
{
    pack_number(into, meeting->kind);
    pack_number(into, meeting->nth);
    pack_bytes(into, meeting->name.bytes);
    pack_number(into, meeting->charge);
    if (meeting->kind == MEETING_NOTIFIER) {
        notifier_pack(CONTAINER_OF(meeting, const struct notifier, meeting), seats, into);
    } else {
        barrier_pack(CONTAINER_OF(meeting, const struct barrier, meeting), seats, into);
    }
}

/* 0, and `from` is broken, if the quota is exceeded. */
static size_t charge_unpack(struct room *room, struct unpack *from)
{
    uint64_t charge = unpack_number(from);
    if (!from->is_broken && quota_take(room->quota, charge)) {
        return charge;
    }
    unpack_break(from);
    return 0;
}

static void meeting_unpack(struct rooms *rooms, struct room *room, struct step_state *state,
                           struct unpack *from)
{
    struct meeting like = {.kind = (enum meeting_kind)unpack_bounded(from, MEETING_BARRIER)};
    like.nth = (uint32_t)unpack_bounded(from, UINT32_MAX);
    struct bytes name = unpack_bytes(from);
    if (from->is_broken || name.size == 0 || name.size > LIMIT_NAME_BYTES ||
        room->meeting_count == ROOM_MAX_MEETINGS ||
        step_state_find(state, like.kind, name, like.nth) != NULL) {
        unpack_break(from);
        return;
    }
    like.charge = charge_unpack(room, from);
    like.name = text_copy(name);
    room->meeting_count++;
    if (like.kind == MEETING_NOTIFIER) {
        struct notifier *notifier = notifier_new();
        notifier->meeting = like;
        step_state_add(state, &notifier->meeting);
        notifier_unpack(rooms, room, notifier, from);
    } else {
        struct barrier *barrier = barrier_new(0);
        barrier->meeting = like;
        step_state_add(state, &barrier->meeting);
        barrier_unpack(rooms, room, barrier, from);
    }
}

static void step_pack(const struct step_state *state, struct buffer *into)
{
    pack_number(into, state->step);
    pack_number(into, state->charge);
    bitset_pack(state->past, state->seats, into);
    pack_number(into, state->within);
    pack_number(into, state->within_next);
    pack_flag(into, state->is_dirty);
    pack_number(into, state->count);
    for (const struct meeting *meeting = state->first; meeting != NULL; meeting = meeting->next) {
        meeting_pack(meeting, state->seats, into);
    }
}

static void step_unpack(struct rooms *rooms, struct room *room, struct unpack *from)
{
    uint64_t before = room->step_count > 0 ? room->steps[room->step_count - 1]->step : 0;
    struct step_state *state = step_state_new(unpack_bounded(from, ROOM_MAX_STEP), room->size);
    room->steps =
        memory_reserve(room->steps, &room->step_capacity, room->step_count + 1, sizeof(struct step_state *));
    room->steps[room->step_count++] = state;
    state->charge = charge_unpack(room, from);
    memory_free(state->past);
    state->past = bitset_unpack(from, room->size);
    state->within = (uint32_t)unpack_bounded(from, room->size);
    state->within_next = (uint32_t)unpack_bounded(from, room->size);
    state->is_dirty = unpack_flag(from);
    uint64_t count = unpack_bounded(from, ROOM_MAX_MEETINGS);
    if (state->past == NULL || state->step <= before) {
        unpack_break(from);
    }
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        meeting_unpack(rooms, room, state, from);
    }
}

void room_pack(const struct room *room, struct buffer *into)
{
    timer_pack(&room->search, into);
    pack_flag(into, room->is_done);
    pack_flag(into, room->has_drained);
    pack_flag(into, room->seats != NULL);
    if (room->seats == NULL) {
        return;
    }
    for (uint32_t seat = 0; seat < room->size; seat++) {
        seat_pack(&room->seats[seat], into);
    }
    pack_number(into, room->changes_at);
    pack_number(into, room->furthest);
    pack_flag(into, room->has_passed);
    pack_number(into, room->passed_first);
    pack_number(into, room->passed_last);
    pack_number(into, room->step_count);
    for (size_t i = 0; i < room->step_count; i++) {
        step_pack(room->steps[i], into);
    }
}

void room_unpack(struct rooms *rooms, struct room *room, struct unpack *from)
{
    timer_unpack(rooms->searches, &room->search, from);
    room->is_done = unpack_flag(from);
    room->has_drained = unpack_flag(from);
    if (!unpack_flag(from)) {
        return;
    }
    room_synchronise(room, rooms->ended);
    for (uint32_t seat = 0; seat < room->size && !from->is_broken; seat++) {
        seat_unpack(rooms, &room->seats[seat], from);
        room->seats[seat].end = rooms->ends != NULL ? rooms->ends[room->first + seat] : NULL;
    }
    room->changes_at = unpack_number(from);
    room->furthest = unpack_number(from);
    room->has_passed = unpack_flag(from);
    room->passed_first = unpack_number(from);
    room->passed_last = unpack_number(from);
    uint64_t count = unpack_number(from);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        step_unpack(rooms, room, from);
    }
}
