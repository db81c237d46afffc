/* How waits end: by what others did, by what they can no longer do, by time. */
#include "common/container.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/rooms_timeout.h"
#include "coordinator/core/rooms/short_reasons.h"
#include "coordinator/core/rooms/wait_text.h"

#define WORK_OF_MEETING 3u /* without the waits that it ends */

struct reply *rooms_reply_to(struct rooms *rooms, const struct wait *wait, enum outcome outcome)
{
    struct wait_target target = wait_target(wait);
    struct reply like = {
        .kind = wait->kind,
        .outcome = outcome,
        .room = wait->room,
        .name = replies_keep(&rooms->replies, target.name),
        .step = target.step,
        .nth = target.nth,
        .call = wait_is_for_variable(wait) ? wait->call : 0,
    };
    return replies_add(&rooms->replies, &like);
}

void rooms_end_wait(struct rooms *rooms, struct wait *wait, struct reply *reply)
{
    worker_set_add(&reply->workers, wait->worker);
    waits_end(&rooms->waits, wait);
}

/* From last to first: of timers that were started together, the last is the cheapest to remove. */
static void drop_all(struct rooms *rooms, struct wait_list *list)
{
    while (list->last != NULL) {
        waits_end(&rooms->waits, list->last);
    }
}

static void end_all(struct rooms *rooms, struct wait_list *list, struct reply *reply)
{
    for (const struct wait *wait = list->first; wait != NULL; wait = wait->next) {
        worker_set_add(&reply->workers, wait->worker);
    }
    drop_all(rooms, list);
}

/* Of what workers wait in: the worker in this seat has come last, or MEETING_NOBODY. */
static struct late_arrival late_arrival_of(const struct room *room, const struct meeting *meeting,
                                           uint32_t seat)
{
    return (struct late_arrival){.name = meeting->name.bytes,
                                 .worker = seat == MEETING_NOBODY ? MEETING_NOBODY : room->first + seat};
}

/* This wait is over because of it. */
static void late_arrival_take(struct late_arrival *arrival, const struct wait *wait, uint64_t now_ns)
{
    if (wait->worker != arrival->worker) {
        arrival->kind = wait->kind;
        arrival->waited_ns += wait_waited_ns(wait, now_ns);
    }
}

static void late_arrival_take_all(struct late_arrival *arrival, const struct wait_list *list, uint64_t now_ns)
{
    for (const struct wait *wait = list->first; wait != NULL; wait = wait->next) {
        late_arrival_take(arrival, wait, now_ns);
    }
}

/* Unless nobody has waited, or nobody was waited for. */
static void late_arrival_note(struct rooms *rooms, const struct late_arrival *arrival)
{
    if (arrival->waited_ns > 0 && arrival->worker != MEETING_NOBODY) {
        latecomers_add(rooms->latecomers, arrival);
    }
}

static void end_written(struct rooms *rooms, uint64_t now_ns, const struct room *room,
                        struct notifier *notifier)
{
    struct wait_list *lists[] = {&notifier->waits_within, &notifier->waits_beyond};
    const struct wait *first = lists[0]->first != NULL ? lists[0]->first : lists[1]->first;
    if (first == NULL) {
        return;
    }
    struct late_arrival arrival = late_arrival_of(room, &notifier->meeting, notifier->writer);
    late_arrival_take_all(&arrival, lists[0], now_ns);
    late_arrival_take_all(&arrival, lists[1], now_ns);
    late_arrival_note(rooms, &arrival);
    struct bytes payload = replies_hold(&rooms->replies, notifier->shared);
    struct reply *reply = rooms_reply_to(rooms, first, OUTCOME_OK);
    reply->value = payload;
    end_all(rooms, lists[0], reply);
    end_all(rooms, lists[1], reply);
}

/* Workers past the step are the reason why nobody will write it, except a single worker that itself waits. */
static void end_short(struct rooms *rooms, struct room *room, struct notifier *notifier,
                      struct wait_list *list)
{
    SCOPED(buffer_finish) struct buffer text;
    SCOPED(short_reasons_finish) struct short_reasons reasons;
    rooms->work += room->size;
    const struct step_state *at = notifier->meeting.at;
    uint32_t itself = list->count == 1 ? list->first->worker - room->first : room->size;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    short_reasons_init(&reasons, room, at->step, rooms->lost);
    for (uint32_t seat = bitset_next_only_in(at->past, NULL, 0, room->size); seat < room->size;
         seat = bitset_next_only_in(at->past, NULL, seat + 1, room->size)) {
        if (seat != itself) {
            short_reasons_add(&reasons, seat);
        }
    }
    bool is_drained = rooms->is_draining && reasons.of_cause[CAUSE_ENDED] > 0 &&
                      reasons.of_cause[CAUSE_FAILED] + reasons.of_cause[CAUSE_LOST] == 0;
    buffer_append_string(&text, is_drained ? "the campaign is stopping, and nobody is left to write "
                                           : "nobody is left to write ");
    wait_text_name(&text, notifier->meeting.name.bytes, at->step, 0);
    buffer_append_string(&text, ": ");
    short_reasons_describe(&reasons, "writing", &text);
    struct bytes kept = replies_keep(&rooms->replies, buffer_bytes(&text));
    struct reply *reply = rooms_reply_to(rooms, list->first, is_drained ? OUTCOME_STOPPED : OUTCOME_SHORT);
    reply->text = kept;
    reply->is_by_loss = !is_drained && short_reasons_are_of_loss(&reasons);
    short_reasons_workers(&reasons, &reply->missing);
    end_all(rooms, list, reply);
}

static void settle_writer_waits(struct rooms *rooms, uint64_t now_ns, struct room *room,
                                struct notifier *notifier)
{
    if (notifier->is_written) {
        end_written(rooms, now_ns, room, notifier);
        return;
    }
    bool are_within_short = notifier_is_short(notifier, true);
    bool are_beyond_short = notifier_is_short(notifier, false);
    if (are_within_short && notifier->waits_within.count > 0) {
        end_short(rooms, room, notifier, &notifier->waits_within);
    }
    if (are_beyond_short && notifier->waits_beyond.count > 0) {
        end_short(rooms, room, notifier, &notifier->waits_beyond);
    }
}

/* Workers that were in the step and left it without having read; a single waiting worker is not told about
 * itself. */
static void collect_unread(const struct rooms *rooms, struct short_reasons *reasons, const struct room *room,
                           const struct notifier *notifier)
{
    const struct step_state *at = notifier->meeting.at;
    const struct wait_list *waits = &notifier->reader_waits;
    uint32_t itself = waits->count == 1 ? waits->first->worker - room->first : room->size;
    short_reasons_init(reasons, room, at->step, rooms->lost);
    for (uint32_t seat = bitset_next_only_in(at->past, notifier->readers, 0, room->size); seat < room->size;
         seat = bitset_next_only_in(at->past, notifier->readers, seat + 1, room->size)) {
        if (seat != itself && seat != notifier->writer && room_has_begun(room, seat, at->step)) {
            short_reasons_add(reasons, seat);
        }
    }
}

/* Waits for readers that end together with the same reply. */
struct read_group {
    struct room *room;
    struct notifier *notifier;
    const struct notifier_pending *pending;
    bool is_strict;
    bool has_left; /* the waiting worker itself left without having read */
};

static bool is_in_group(const struct read_group *group, const struct wait *wait)
{
    uint32_t seat = wait->worker - group->room->first;
    const struct step_state *at = group->notifier->meeting.at;
    bool has_left = seat != group->notifier->writer && bitset_has(at->past, seat) &&
                    !bitset_has(group->notifier->readers, seat) &&
                    room_has_begun(group->room, seat, at->step);
    return wait->is_strict == group->is_strict && has_left == group->has_left &&
           notifier_is_read(group->pending, seat);
}

static struct reply *reply_unread(struct rooms *rooms, const struct read_group *group,
                                  const struct short_reasons *unread, const struct wait *wait)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    buffer_append_string(&text, "not everybody has read ");
    wait_text_name(&text, group->notifier->meeting.name.bytes, group->notifier->meeting.at->step, 0);
    buffer_append_string(&text, ", ");
    wait_text_progress(&text, rooms, wait);
    buffer_append_string(&text, ": ");
    short_reasons_describe(unread, "reading", &text);
    struct bytes kept = replies_keep(&rooms->replies, buffer_bytes(&text));
    struct reply *reply = rooms_reply_to(rooms, wait, OUTCOME_SHORT);
    reply->text = kept;
    reply->is_by_loss = short_reasons_are_of_loss(unread);
    short_reasons_workers(unread, &reply->missing);
    return reply;
}

static void end_read_group(struct rooms *rooms, const struct read_group *group)
{
    struct reply *reply = NULL;
    struct wait *next;
    for (struct wait *wait = group->notifier->reader_waits.first; wait != NULL; wait = next) {
        next = wait->next;
        if (!is_in_group(group, wait)) {
            continue;
        }
        if (reply == NULL) {
            SCOPED(short_reasons_finish) struct short_reasons unread;
            rooms->work += group->room->size;
            collect_unread(rooms, &unread, group->room, group->notifier);
            bool is_counted = group->has_left && group->notifier->reader_waits.count > 1;
            uint64_t others = short_reasons_count(&unread) - (is_counted ? 1 : 0);
            bool is_short = group->is_strict && !group->pending->is_enough && others > 0;
            reply = is_short ? reply_unread(rooms, group, &unread, wait)
                             : rooms_reply_to(rooms, wait, OUTCOME_OK);
            reply->count = group->notifier->read;
            reply->total =
                wait_text_readers_total(group->room, group->notifier, wait->worker - group->room->first);
        }
        rooms_end_wait(rooms, wait, reply);
    }
}

static void note_last_reader(struct rooms *rooms, uint64_t now_ns, const struct read_group *group)
{
    const struct meeting *meeting = &group->notifier->meeting;
    struct late_arrival arrival =
        late_arrival_of(group->room, meeting, meeting_last_seat(meeting, group->room->settling));
    const struct wait *wait = group->notifier->reader_waits.first;
    for (; wait != NULL; wait = wait->next) {
        if (notifier_is_read(group->pending, wait->worker - group->room->first)) {
            late_arrival_take(&arrival, wait, now_ns);
        }
    }
    late_arrival_note(rooms, &arrival);
}

static void settle_reader_waits(struct rooms *rooms, uint64_t now_ns, struct room *room,
                                struct notifier *notifier)
{
    if (notifier->reader_waits.count == 0) {
        return;
    }
    struct notifier_pending pending = notifier_pending(notifier);
    if (pending.count > 1 && !pending.is_enough) {
        return;
    }
    note_last_reader(rooms, now_ns,
                     &(struct read_group){.room = room, .notifier = notifier, .pending = &pending});
    for (unsigned kind = 0; kind < 4; kind++) {
        struct read_group group = {.room = room,
                                   .notifier = notifier,
                                   .pending = &pending,
                                   .is_strict = (kind & 1) != 0,
                                   .has_left = (kind & 2) != 0};
        end_read_group(rooms, &group);
    }
}

void rooms_settle_barrier(struct rooms *rooms, uint64_t now_ns, const struct room *room,
                          struct barrier *barrier)
{
    bool was_open = barrier->is_open;
    uint32_t present = barrier->waits.count;
    if (barrier->waits.count == 0 || !barrier_open(barrier)) {
        return;
    }
    if (!was_open && !barrier->is_overdue) {
        uint32_t last = meeting_last_seat(&barrier->meeting, room->settling);
        struct late_arrival arrival = late_arrival_of(room, &barrier->meeting, last);
        late_arrival_take_all(&arrival, &barrier->waits, now_ns);
        late_arrival_note(rooms, &arrival);
    }
    int64_t at_ns = 0;
    if (barrier->is_at_once && !was_open) {
        at_ns = (int64_t)(now_ns + rooms->start_delay_ns);
        barrier->released = barrier->waits.count;
    }
    struct reply *reply = NULL;
    uint64_t next_rank = 0;
    for (const struct wait *wait = barrier->waits.first; wait != NULL; wait = wait->next) {
        if (reply == NULL || wait->rank != next_rank) {
            reply = rooms_reply_to(rooms, wait, OUTCOME_OK);
            reply->rank = wait->rank;
            reply->count = barrier->ranked;
            reply->total = barrier->parties > 0 ? barrier->parties : barrier->ranked;
            reply->present = present;
            reply->at_ns = at_ns;
        }
        next_rank = wait->rank + 1;
        worker_set_add(&reply->workers, wait->worker);
    }
    drop_all(rooms, &barrier->waits);
}

/* False if it is too much for this settling. */
static bool settle_room(struct rooms *rooms, uint64_t now_ns, struct room *room)
{
    room_mark_passed(room);
    struct meeting *meeting;
    while (rooms->work < ROOMS_WORK_MOST && (meeting = room_take_marked(room)) != NULL) {
        rooms->work += WORK_OF_MEETING;
        if (meeting->kind == MEETING_BARRIER) {
            rooms_settle_barrier(rooms, now_ns, room, CONTAINER_OF(meeting, struct barrier, meeting));
        } else {
            struct notifier *notifier = CONTAINER_OF(meeting, struct notifier, meeting);
            settle_writer_waits(rooms, now_ns, room, notifier);
            settle_reader_waits(rooms, now_ns, room, notifier);
        }
        meeting->is_signalled = false;
    }
    if (room->first_dirty != NULL) {
        return false;
    }
    room->is_dirty = false;
    room->settling++;
    if (room->live == 0 && room->seats != NULL && !room->is_done) {
        room->is_done = true;
        worker_set_add(&rooms->done, room->id);
    }
    return true;
}

/* Returns how many of the dirty rooms, from the first on, are settled. Settling only ends waits, which has no
 * further consequences. */
static size_t settle_rooms(struct rooms *rooms, uint64_t now_ns)
{
    size_t settled = 0;
    while (settled < rooms->dirty_count && settle_room(rooms, now_ns, rooms->dirty[settled])) {
        settled++;
    }
    return settled;
}

static void drop_dirty(struct rooms *rooms, size_t settled)
{
    for (size_t i = 0; i < settled; i++) {
        room_retire(rooms->dirty[i], rooms_close_step, rooms);
    }
    for (size_t i = settled; i < rooms->dirty_count; i++) {
        rooms->dirty[i - settled] = rooms->dirty[i];
    }
    rooms->dirty_count -= settled;
}

void rooms_settle(struct rooms *rooms, uint64_t now_ns, struct rooms_news *news)
{
    if (rooms->is_told) {
        rooms_begin_news(rooms);
    }
    if (rooms->gone != NULL) {
        replies_drop(&rooms->replies, rooms->gone);
        memory_free(rooms->gone);
        rooms->gone = NULL;
    }
    rooms->work = 0;
    size_t settled = settle_rooms(rooms, now_ns);
    bool is_whole = settled == rooms->dirty_count && rooms_end_timeouts(rooms, now_ns);
    drop_dirty(rooms, settled);
    if (is_whole) {
        rooms_search(rooms, now_ns); /* a deadlock is certain only when nothing is left to be settled */
    }
    rooms_forget_asked(rooms);
    rooms->is_told = true;
    rooms->replies.are_told = true;
    rooms->is_settled = is_whole;
    *news = (struct rooms_news){
        .replies = rooms->replies.items,
        .reply_count = rooms->replies.count,
        .synchronised = rooms->synchronised,
        .done = rooms->done,
        .deadlock = rooms->deadlock.size > 0 ? buffer_string(&rooms->deadlock) : NULL,
    };
}

/* Ends this wait and all others for the same thing. */
static void stop_alike(struct rooms *rooms, struct wait *wait)
{
    struct bytes text = replies_keep(&rooms->replies, bytes_of_string("the campaign is stopping"));
    struct reply *reply = rooms_reply_to(rooms, wait, OUTCOME_STOPPED);
    reply->text = text;
    if (!wait_is_for_variable(wait)) {
        end_all(rooms, wait->list, reply);
        return;
    }
    struct variable *variable = wait->variable;
    rooms_end_wait(rooms, wait, reply);
    variables_tidy(&rooms->variables, *rooms_variables_of(rooms, variable->room), variable);
}

void rooms_stop(struct rooms *rooms, uint64_t now_ns)
{
    (void)now_ns;
    rooms_begin_news(rooms);
    rooms->is_stopping = true;
    for (uint32_t worker = 0; rooms->waits.count > 0 && worker < rooms->worker_count; worker++) {
        struct wait *wait = waits_of(&rooms->waits, worker);
        if (wait != NULL) {
            stop_alike(rooms, wait);
        }
    }
}

uint64_t rooms_due_ns(const struct rooms *rooms)
{
    if (!rooms->is_settled) {
        return 0;
    }
    uint64_t timeout_ns = timers_next_ns(rooms->waits.timers);
    uint64_t search_ns = timers_next_ns(rooms->searches);
    return timeout_ns < search_ns ? timeout_ns : search_ns;
}
