/* What workers report on their own: their progress, that they have ended, when they acted. */
#include "common/container.h"
#include "common/time_units.h"
#include "coordinator/core/rooms/rooms_inside.h"

/* Its first report gives its progress so far; its wait may be for a step that it is past. */
static void regard_anew(struct rooms *rooms, const struct room *room, uint32_t worker)
{
    struct wait *wait = waits_of(&rooms->waits, worker);
    if (wait == NULL || wait->kind != OPERATION_WAIT_WRITER) {
        return;
    }
    struct notifier *notifier = wait->notifier;
    if (wait->list == &notifier->waits_within &&
        room_is_past(room, worker - room->first, notifier->meeting.at->step)) {
        wait_move(wait, &notifier->waits_beyond);
    }
}

static void pass(struct rooms *rooms, uint64_t now_ns, uint32_t worker, uint64_t step,
                 struct pool_string *failure)
{
    struct room *room = rooms_room_of(rooms, worker);
    if (room == NULL || room->seats == NULL) {
        return;
    }
    uint32_t seat = worker - room->first;
    bool was_known = room->seats[seat].is_known;
    uint64_t before = room->seats[seat].past;
    bool is_further = room_pass(room, seat, step, failure);
    rooms->steps_ended += is_further ? step - before : 0;
    if (!was_known) {
        regard_anew(rooms, room, worker);
    } else if (is_further && !rooms_has_ended(rooms, worker)) {
        /* A step cannot end while its worker waits or makes something: its agent has given that up. Only a
         * task may wait beyond the end of the step. */
        const struct wait *wait = waits_of(&rooms->waits, worker);
        if (wait != NULL && !wait->is_aside) {
            rooms_forget_wait(rooms, worker);
        }
        rooms_unmake(rooms, worker);
    }
    if (!was_known || is_further) {
        rooms_touch(rooms, now_ns, room);
    }
}

void rooms_apply_past(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct pool_string *failure = string_pool_hold(rooms->texts, operation->text);
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        pass(rooms, now_ns, cursor.worker, operation->step, failure);
    }
    pool_string_release(&failure);
}

void rooms_note_begun(struct rooms *rooms, const struct operation *operation)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        struct room *room = cursor.worker < rooms->worker_count ? rooms_room_of(rooms, cursor.worker) : NULL;
        if (room != NULL && room->seats != NULL && operation->step <= ROOM_MAX_STEP) {
            struct seat *seat = &room->seats[cursor.worker - room->first];
            seat->begun = operation->step > seat->begun ? operation->step : seat->begun;
        }
    }
}

void rooms_apply_begun(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct worker_cursor cursor = {0};
    while (operation->step > 0 && worker_set_next(&operation->workers, &cursor)) {
        pass(rooms, now_ns, cursor.worker, operation->step - 1, NULL);
    }
    rooms_note_begun(rooms, operation);
}

/* Its progress counts for the steps that others are still in. */
static void note_last_step(struct rooms *rooms, uint32_t worker, uint64_t step)
{
    struct room *room = rooms_room_of(rooms, worker);
    if (room != NULL && room->seats != NULL && !rooms_has_ended(rooms, worker)) {
        uint64_t before = room->seats[worker - room->first].past;
        rooms->steps_ended += room_pass(room, worker - room->first, step, NULL) ? step - before : 0;
    }
}

void rooms_apply_ended(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    struct pool_string *text = string_pool_hold(rooms->texts, operation->text);
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        note_last_step(rooms, cursor.worker, operation->step);
        rooms_end_worker(rooms, now_ns, cursor.worker, text);
    }
    pool_string_release(&text);
}

static void record_spread(struct rooms *rooms, int64_t first_ns, int64_t last_ns)
{
    histogram_record(rooms->release_spread_us, ((uint64_t)last_ns - (uint64_t)first_ns) / NS_PER_US);
}

/* The release of all workers at the start: known when the last one has reported. */
static void report_start(struct rooms *rooms, uint32_t workers, const struct operation *operation)
{
    struct release *start = &rooms->start;
    bool is_first = start->reported == 0;
    start->first_ns =
        is_first || operation->first_ns < start->first_ns ? operation->first_ns : start->first_ns;
    start->last_ns = is_first || operation->last_ns > start->last_ns ? operation->last_ns : start->last_ns;
    start->reported += rooms->is_start_known ? 0 : workers;
    rooms->is_start_known = start->reported >= rooms->start_count;
}

void rooms_apply_released(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    (void)now_ns;
    uint32_t workers = (uint32_t)worker_set_count(&operation->workers);
    if (operation->room == ROOM_CAMPAIGN) {
        report_start(rooms, workers, operation);
        return;
    }
    struct barrier *barrier =
        room_barrier_known(rooms->items[operation->room], operation->step, operation->name, operation->nth);
    if (barrier != NULL && barrier_report(barrier, workers, operation->first_ns, operation->last_ns)) {
        record_spread(rooms, barrier->first_ns, barrier->last_ns);
    }
}

static void close_barrier(struct rooms *rooms, const struct barrier *barrier)
{
    if (barrier->reported > 0 && barrier->reported < barrier->released) {
        record_spread(rooms, barrier->first_ns, barrier->last_ns);
    }
}

void rooms_close_step(void *context, const struct room *room, const struct step_state *state)
{
    struct rooms *rooms = context;
    for (const struct meeting *meeting = state->first; meeting != NULL; meeting = meeting->next) {
        if (meeting->kind == MEETING_BARRIER) {
            close_barrier(rooms, CONTAINER_OF(meeting, struct barrier, meeting));
        } else {
            const struct notifier *notifier = CONTAINER_OF(meeting, struct notifier, meeting);
            sightings_close(rooms->sightings, &notifier->sighting, room->id, state->step, notifier->payload);
        }
    }
}
