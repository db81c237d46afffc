/* The rooms of a campaign for an observer. */
#include "coordinator/core/rooms/rooms_view.h"

#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/wait_text.h"

uint32_t rooms_view_count(const struct rooms *rooms)
{
    return rooms->room_count;
}

static uint32_t room_view_first(const struct rooms *rooms, uint32_t room)
{
    return room * rooms->room_size;
}

static uint32_t room_view_size(const struct rooms *rooms, uint32_t room)
{
    uint32_t left = rooms->worker_count - room_view_first(rooms, room);
    return left < rooms->room_size ? left : rooms->room_size;
}

/* The step after the last that it has ended, if it has begun one. */
static uint64_t seat_view_step(const struct room *room, uint32_t seat, bool has_ended)
{
    if (room == NULL || room->seats == NULL || !room->seats[seat].is_known) {
        return 0;
    }
    const struct seat *of = &room->seats[seat];
    uint64_t next = of->past < ROOM_MAX_STEP ? of->past + 1 : of->begun;
    return has_ended || of->begun > next ? of->begun : next;
}

struct room_view rooms_view_room(const struct rooms *rooms, uint64_t now_ns, uint32_t room)
{
    const struct room *inside = rooms->items[room];
    uint32_t first = room_view_first(rooms, room);
    struct room_view view = {.workers = room_view_size(rooms, room)};
    for (uint32_t seat = 0; seat < view.workers; seat++) {
        const struct wait *wait = waits_of(&rooms->waits, first + seat);
        bool has_ended = bitset_has(rooms->ended, first + seat);
        uint64_t step = seat_view_step(inside, seat, has_ended);
        uint64_t waited_ns = wait != NULL ? wait_waited_ns(wait, now_ns) : 0;
        view.live += has_ended ? 0 : 1;
        view.waiting += wait != NULL ? 1 : 0;
        view.step = step > view.step ? step : view.step;
        view.oldest_ns = waited_ns > view.oldest_ns ? waited_ns : view.oldest_ns;
    }
    return view;
}

static void wait_view_miss(struct wait_view_now *view, uint32_t worker)
{
    if (view->missing_count < LIMIT_MISSING) {
        view->missing[view->missing_count++] = worker;
    } else {
        view->has_more_missing = true;
    }
}

/* Those that are not past the step, and not in `done`. */
static void wait_view_missing(const struct room *room, const struct wait *wait, const uint64_t *done,
                              struct wait_view_now *view)
{
    const struct meeting *meeting =
        wait->kind == OPERATION_BARRIER ? &wait->barrier->meeting : &wait->notifier->meeting;
    const uint64_t *past = meeting->at->past;
    for (uint32_t seat = bitset_next_outside(past, done, 0, room->size);
         seat < room->size && !view->has_more_missing;
         seat = bitset_next_outside(past, done, seat + 1, room->size)) {
        if (room->first + seat != wait->worker) {
            wait_view_miss(view, room->first + seat);
        }
    }
}

static void wait_view_meet(const struct room *room, const struct wait *wait, struct wait_view_now *view)
{
    switch (wait->kind) {
    case OPERATION_BARRIER:
        view->has_progress = true;
        view->arrived = wait->barrier->arrived;
        view->parties = wait_text_parties(room, wait->barrier);
        wait_view_missing(room, wait, wait->barrier->arrivals, view);
        break;
    case OPERATION_WAIT_READERS:
        view->has_progress = true;
        view->arrived = wait->notifier->read;
        view->parties = wait_text_readers_total(room, wait->notifier, wait->worker - room->first);
        wait_view_missing(room, wait, wait->notifier->readers, view);
        break;
    case OPERATION_WAIT_WRITER:
        wait_view_missing(room, wait, NULL, view);
        break;
    default:
        if (wait->variable->is_being_made) {
            wait_view_miss(view, wait->variable->maker);
        }
        break;
    }
}

static void wait_view_fill(const struct rooms *rooms, uint64_t now_ns, const struct wait *wait,
                           struct wait_view_now *view)
{
    struct wait_target target = wait_target(wait);
    *view = (struct wait_view_now){.kind = wait->kind,
                                   .name = target.name,
                                   .step = target.step,
                                   .nth = target.nth,
                                   .waited_ns = wait_waited_ns(wait, now_ns),
                                   .timeout_ms = wait->timeout_ms};
    wait_view_meet(rooms_room_of(rooms, wait->worker), wait, view);
}

size_t rooms_view_seats(const struct rooms *rooms, uint64_t now_ns, uint32_t room, uint32_t first,
                        struct seat_view *seats, size_t most)
{
    uint32_t size = room_view_size(rooms, room);
    uint32_t count = first < size ? size - first : 0;
    count = count < most ? count : (uint32_t)most;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t worker = room_view_first(rooms, room) + first + i;
        const struct wait *wait = waits_of(&rooms->waits, worker);
        bool has_ended = bitset_has(rooms->ended, worker);
        seats[i] = (struct seat_view){.worker = worker,
                                      .has_ended = has_ended,
                                      .step = seat_view_step(rooms->items[room], first + i, has_ended),
                                      .is_waiting = wait != NULL};
        if (wait != NULL) {
            wait_view_fill(rooms, now_ns, wait, &seats[i].wait);
        }
    }
    return count;
}
