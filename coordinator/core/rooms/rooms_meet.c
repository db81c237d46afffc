/* What workers do at notifiers and barriers. */
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/wait_text.h"

#define STOPPING "the campaign is stopping"
#define FULL                                                                                                 \
    "too many notifiers and barriers at once: a room may have 100,000, and all of them together 64 MiB and " \
    "256 bytes for each worker, with their payloads"

/* Answers for all workers of the operation, with a text that names the notifier or barrier. */
static void answer_with(struct rooms *rooms, const struct operation *operation, enum outcome outcome,
                        struct buffer *text)
{
    rooms_answer(rooms, operation, outcome, buffer_string(text));
}

/* The step has been forgotten. */
static void answer_retired(struct rooms *rooms, const struct operation *operation)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    bool is_for_readers = operation->kind == OPERATION_WAIT_READERS;
    if (is_for_readers && !operation->is_strict) {
        rooms_answer(rooms, operation, OUTCOME_OK, NULL);
        return;
    }
    buffer_append_format(&text, "step %llu is over for all workers, and it is no longer known who has %s ",
                         (unsigned long long)operation->step, is_for_readers ? "read" : "written");
    wait_text_name(&text, operation->name, operation->step, 0);
    answer_with(rooms, operation, OUTCOME_SHORT, &text);
}

/* Returns NULL if there is none; the operation has then been answered, if its kind is. */
static struct notifier *need_notifier(struct rooms *rooms, struct room *room,
                                      const struct operation *operation)
{
    struct notifier *notifier;
    switch (room_notifier(room, operation->step, operation->name, &notifier)) {
    case ROOM_FOUND:
        return notifier;
    case ROOM_RETIRED:
        if (operation_is_wait(operation->kind)) {
            answer_retired(rooms, operation);
        } else if (operation->kind == OPERATION_DECLARE) {
            rooms_answer(rooms, operation, OUTCOME_OK, NULL);
        }
        return NULL;
    case ROOM_FULL:
        break;
    }
    if (operation_is_answered(operation->kind)) {
        rooms_answer(rooms, operation, OUTCOME_REFUSED, FULL);
    }
    return NULL;
}

static uint32_t only_worker(const struct operation *operation)
{
    return operation->workers.runs[0].first;
}

/* A signal belongs to the current step of its worker. */
static void note_signal(struct room *room, uint32_t seat, uint64_t step)
{
    struct seat *it = &room->seats[seat];
    it->signalled = step > it->signalled ? step : it->signalled;
}

static void see(struct rooms *rooms, struct notifier *notifier, const struct operation *operation,
                const struct worker_cursor *cursor, size_t place)
{
    struct seen seen = {
        .worker = cursor->worker,
        .instant = {.at_ns = operation->first_ns, .uncertainty_us = operation->uncertainty_us},
        .is_at_once = operation->is_at_once,
        .browser = operation->text};
    if (operation->first_ns != 0) {
        seen.instant.at_ns = operation_instant_ns(operation, place);
    }
    sightings_seen(rooms->sightings, &notifier->sighting, operation->name, &seen, &rooms->meeting_quota);
    sightings_compare(rooms->sightings, &notifier->sighting, operation->name, cursor->worker,
                      operation->digest, &rooms->meeting_quota);
}

static void begin_edit(struct rooms *rooms, struct notifier *notifier, const struct operation *operation)
{
    struct instant instant = {.at_ns = operation->first_ns, .uncertainty_us = operation->uncertainty_us};
    sightings_edit(rooms->sightings, &notifier->sighting, operation->name, &instant, &rooms->meeting_quota);
}

void rooms_apply_writing(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct room *room = rooms_need_seats(rooms, now_ns, operation->room);
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        uint32_t seat = cursor.worker - room->first;
        if (room_is_past(room, seat, operation->step)) {
            continue;
        }
        struct notifier *notifier = need_notifier(rooms, room, operation);
        if (notifier == NULL) {
            return;
        }
        note_signal(room, seat, operation->step);
        begin_edit(rooms, notifier, operation);
    }
}

void rooms_apply_read(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct room *room = rooms_need_seats(rooms, now_ns, operation->room);
    struct notifier *notifier = NULL;
    struct worker_cursor cursor = {0};
    for (size_t place = 0; worker_set_next(&operation->workers, &cursor); place++) {
        uint32_t seat = cursor.worker - room->first;
        if (room_is_past(room, seat, operation->step)) {
            continue; /* its step is over, so it can no longer read */
        }
        if (notifier == NULL && (notifier = need_notifier(rooms, room, operation)) == NULL) {
            return;
        }
        if (notifier_read(notifier, seat)) {
            see(rooms, notifier, operation, &cursor, place);
        }
        note_signal(room, seat, operation->step);
    }
    if (notifier != NULL) {
        room_mark(room, &notifier->meeting);
        rooms_touch(rooms, now_ns, room);
    }
}

void rooms_apply_declare(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct room *room = rooms_need_seats(rooms, now_ns, operation->room);
    struct notifier *notifier = need_notifier(rooms, room, operation);
    if (notifier == NULL) {
        return;
    }
    if (notifier_declare(notifier, operation->count)) {
        room_mark(room, &notifier->meeting);
        rooms_touch(rooms, now_ns, room);
        rooms_answer(rooms, operation, OUTCOME_OK, NULL);
        return;
    }
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    wait_text_name(&text, operation->name, operation->step, 0);
    buffer_append_format(&text, " already has readers=%u; it cannot have readers=%u", notifier->declared,
                         operation->count);
    answer_with(rooms, operation, OUTCOME_REFUSED, &text);
}

static void refuse_past(struct rooms *rooms, const struct operation *operation)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    buffer_append_format(&text, "step %llu of this worker is over: ", (unsigned long long)operation->step);
    buffer_append_string(&text, operation->kind == OPERATION_BARRIER ? "a barrier" : "written()");
    buffer_append_string(&text, " belongs to the step that the worker is in");
    answer_with(rooms, operation, OUTCOME_REFUSED, &text);
}

void rooms_apply_written(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct room *room = rooms_need_seats(rooms, now_ns, operation->room);
    if (room_is_past(room, only_worker(operation) - room->first, operation->step)) {
        refuse_past(rooms, operation);
        return;
    }
    struct notifier *notifier = need_notifier(rooms, room, operation);
    if (notifier == NULL) {
        return;
    }
    if (!notifier->is_written && !quota_take(&rooms->meeting_quota, operation->value.size)) {
        rooms_answer(rooms, operation, OUTCOME_REFUSED, FULL);
        return;
    }
    note_signal(room, only_worker(operation) - room->first, operation->step);
    bool is_won = notifier_write(notifier, only_worker(operation) - room->first, operation->value);
    if (is_won) {
        begin_edit(rooms, notifier, operation);
        notifier->meeting.charge += operation->value.size;
        replies_expect(&rooms->replies, operation->value.size);
        room_mark(room, &notifier->meeting);
        rooms_touch(rooms, now_ns, room);
    }
    rooms_answer(rooms, operation, OUTCOME_OK, NULL)->is_won = is_won;
}

static void begin_notifier_waits(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct room *room = rooms_need_seats(rooms, now_ns, operation->room);
    if (rooms->is_stopping) {
        rooms_answer(rooms, operation, OUTCOME_STOPPED, STOPPING);
        return;
    }
    struct notifier *notifier = need_notifier(rooms, room, operation);
    struct worker_cursor cursor = {0};
    while (notifier != NULL && worker_set_next(&operation->workers, &cursor)) {
        if (waits_of(&rooms->waits, cursor.worker) != NULL) {
            continue; /* duplicate worker in the set */
        }
        struct wait like = rooms_wait_like(rooms, operation, cursor.worker, &room->tally);
        like.notifier = notifier;
        struct wait_list *list = &notifier->reader_waits;
        if (operation->kind == OPERATION_WAIT_WRITER) {
            bool is_past = room_is_past(room, cursor.worker - room->first, operation->step);
            /* Another task of its worker may yet write it. */
            list = is_past || like.is_aside ? &notifier->waits_beyond : &notifier->waits_within;
        }
        waits_begin(&rooms->waits, now_ns, list, &like);
    }
    if (notifier != NULL) {
        replies_expect(&rooms->replies, notifier->payload.size);
        room_mark(room, &notifier->meeting);
        rooms_touch(rooms, now_ns, room);
    }
}

void rooms_apply_wait_writer(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    begin_notifier_waits(rooms, now_ns, operation);
}

void rooms_apply_wait_readers(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    begin_notifier_waits(rooms, now_ns, operation);
}

static void refuse_parties(struct rooms *rooms, const struct operation *operation, uint32_t parties)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    buffer_append_string(&text, "barrier ");
    wait_text_name(&text, operation->name, operation->step, operation->nth);
    if (parties == 0) {
        buffer_append_format(&text, " is for all workers of the room; it cannot have parties=%u",
                             operation->count);
    } else if (operation->count == 0) {
        buffer_append_format(&text, " already has parties=%u; it cannot be for all", parties);
    } else {
        buffer_append_format(&text, " already has parties=%u; it cannot have parties=%u", parties,
                             operation->count);
    }
    answer_with(rooms, operation, OUTCOME_REFUSED, &text);
}

/* Records the arrival of the workers that may arrive; returns whether there are others. */
static bool arrive(struct rooms *rooms, uint64_t now_ns, struct room *room, struct barrier *barrier,
                   const struct operation *operation)
{
    bool are_others = false;
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        uint32_t seat = cursor.worker - room->first;
        if (waits_of(&rooms->waits, cursor.worker) != NULL) {
            continue;
        }
        uint64_t rank = room_is_past(room, seat, operation->step) ? 0 : barrier_arrive(barrier, seat);
        if (rank == 0) {
            are_others = true;
            continue;
        }
        note_signal(room, seat, operation->step);
        struct wait like = rooms_wait_like(rooms, operation, cursor.worker, &room->tally);
        like.barrier = barrier;
        like.rank = rank;
        waits_begin(&rooms->waits, now_ns, &barrier->waits, &like);
    }
    return are_others;
}

/* Those that are not waiting now could not arrive. */
static void refuse_others(struct rooms *rooms, const struct operation *operation)
{
    struct operation refused = *operation;
    worker_set_init(&refused.workers);
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        if (waits_of(&rooms->waits, cursor.worker) == NULL) {
            worker_set_add(&refused.workers, cursor.worker);
        }
    }
    refuse_past(rooms, &refused);
    worker_set_finish(&refused.workers);
}

void rooms_apply_barrier(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct room *room = rooms_need_seats(rooms, now_ns, operation->room);
    if (rooms->is_stopping) {
        rooms_answer(rooms, operation, OUTCOME_STOPPED, STOPPING);
        return;
    }
    struct barrier *barrier;
    switch (
        room_barrier(room, operation->step, operation->name, operation->nth, operation->count, &barrier)) {
    case ROOM_FOUND:
        break;
    case ROOM_RETIRED:
        refuse_past(rooms, operation);
        return;
    case ROOM_FULL:
        rooms_answer(rooms, operation, OUTCOME_REFUSED, FULL);
        return;
    }
    if (barrier->parties != operation->count) {
        refuse_parties(rooms, operation, barrier->parties);
        return;
    }
    barrier->is_at_once = barrier->is_at_once || operation->is_at_once;
    if (arrive(rooms, now_ns, room, barrier, operation)) {
        refuse_others(rooms, operation);
    }
    room_mark(room, &barrier->meeting);
    rooms_touch(rooms, now_ns, room);
}
