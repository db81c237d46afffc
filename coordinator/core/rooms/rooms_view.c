/* The rooms of a campaign for an observer. */
#include "coordinator/core/rooms/rooms_view.h"

#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/rooms_timeout.h"
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

static void wait_view_find_missing(const struct rooms *rooms, const struct wait *wait,
                                   struct wait_view_now *view)
{
    SCOPED(worker_set_finish) struct worker_set missing;
    struct worker_cursor cursor = {0};
    worker_set_init(&missing);
    uint64_t count = rooms_find_missing(rooms, wait, &missing);
    while (view->missing_count < LIMIT_MISSING && worker_set_next(&missing, &cursor)) {
        view->missing[view->missing_count++] = cursor.worker;
    }
    view->has_more_missing = count > view->missing_count;
}

static void wait_view_find_progress(const struct rooms *rooms, const struct wait *wait,
                                    struct wait_view_now *view)
{
    const struct room *room = rooms_room_of(rooms, wait->worker);
    view->has_progress = wait->kind == OPERATION_BARRIER || wait->kind == OPERATION_WAIT_READERS;
    if (wait->kind == OPERATION_BARRIER) {
        view->arrived = wait->barrier->arrived;
        view->parties = wait_text_parties(room, wait->barrier);
    } else if (wait->kind == OPERATION_WAIT_READERS) {
        view->arrived = wait->notifier->read;
        view->parties = wait_text_readers_total(room, wait->notifier, wait->worker - room->first);
    }
}

/* All that wait in one list miss the same, except for readers: who is one itself does not wait for itself.
 * Without this, a room of a million would be looked through for each of its seats. */
static bool waits_alike(const struct wait *wait, const struct wait *before)
{
    return wait != NULL && before != NULL && wait->list == before->list && wait->kind == before->kind &&
           wait->kind != OPERATION_WAIT_READERS;
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
    wait_view_find_progress(rooms, wait, view);
    wait_view_find_missing(rooms, wait, view);
}

size_t rooms_view_seats(const struct rooms *rooms, uint64_t now_ns, uint32_t room, uint32_t first,
                        struct seat_view *seats, size_t most)
{
    uint32_t size = room_view_size(rooms, room);
    uint32_t count = first < size ? size - first : 0;
    count = count < most ? count : (uint32_t)most;
    const struct wait *before = NULL;
    const struct seat_view *of_before = NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t worker = room_view_first(rooms, room) + first + i;
        const struct wait *wait = waits_of(&rooms->waits, worker);
        bool has_ended = bitset_has(rooms->ended, worker);
        seats[i] = (struct seat_view){.worker = worker,
                                      .has_ended = has_ended,
                                      .step = seat_view_step(rooms->items[room], first + i, has_ended),
                                      .is_waiting = wait != NULL};
        if (waits_alike(wait, before)) {
            seats[i].wait = of_before->wait;
            seats[i].wait.waited_ns = wait_waited_ns(wait, now_ns);
            seats[i].wait.timeout_ms = wait->timeout_ms;
        } else if (wait != NULL) {
            wait_view_fill(rooms, now_ns, wait, &seats[i].wait);
            before = wait;
            of_before = &seats[i];
        }
    }
    return count;
}
