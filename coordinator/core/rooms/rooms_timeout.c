/* Waits that have timed out, and their messages. */
#include "coordinator/core/rooms/rooms_timeout.h"
#include "common/duration.h"
#include "common/escape.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/wait_summary.h"
#include "coordinator/core/rooms/wait_text.h"

#define DURATION_BYTES 32u
#define WORK_OF_REPLY 1000u

void rooms_fill_progress(const struct rooms *rooms, const struct wait *wait, struct reply *reply)
{
    const struct room *room = rooms_room_of(rooms, wait->worker);
    if (wait->kind == OPERATION_WAIT_READERS) {
        reply->count = wait->notifier->read;
        reply->total = wait_text_readers_total(room, wait->notifier, wait->worker - room->first);
    } else if (wait->kind == OPERATION_BARRIER) {
        reply->count = wait->barrier->arrived;
        reply->total = wait_text_parties(room, wait->barrier);
    }
}

static bool waits_for_the_same(const struct rooms *rooms, const struct wait *wait, uint32_t worker)
{
    const struct wait *other = waits_of(&rooms->waits, worker);
    return other != NULL && other->kind == OPERATION_WAIT_WRITER && other->notifier == wait->notifier;
}

/* For a notifier or barrier: workers that are not past the step, and have not done what is waited for. */
static uint64_t find_missing_seats(const struct rooms *rooms, const struct wait *wait,
                                   struct worker_set *missing)
{
    const struct room *room = rooms_room_of(rooms, wait->worker);
    bool is_barrier = wait->kind == OPERATION_BARRIER;
    bool is_for_writer = wait->kind == OPERATION_WAIT_WRITER;
    const struct meeting *meeting = is_barrier ? &wait->barrier->meeting : &wait->notifier->meeting;
    const uint64_t *done = is_barrier      ? wait->barrier->arrivals
                           : is_for_writer ? NULL
                                           : wait->notifier->readers;
    const uint64_t *past = meeting->at->past;
    uint32_t itself = wait->worker - room->first;
    uint32_t named = 0;
    for (uint32_t seat = bitset_next_outside(past, done, 0, room->size);
         seat < room->size && named < LIMIT_MISSING;
         seat = bitset_next_outside(past, done, seat + 1, room->size)) {
        uint32_t worker = room->first + seat;
        if (seat == itself || (is_for_writer && waits_for_the_same(rooms, wait, worker))) {
            continue;
        }
        worker_set_add(missing, worker);
        named++;
    }
    if (named < LIMIT_MISSING) {
        return named;
    }
    /* The others are only counted. Workers within the step that wait for the same writer, including this one,
     * are not missing. */
    bool is_itself = !is_for_writer && !bitset_has(past, itself) && !bitset_has(done, itself);
    uint32_t not_missing = is_for_writer ? wait->notifier->waits_within.count : is_itself;
    return bitset_count_outside(past, done, room->size) - not_missing;
}

uint64_t rooms_find_missing(const struct rooms *rooms, const struct wait *wait, struct worker_set *missing)
{
    if (!wait_is_for_variable(wait)) {
        return find_missing_seats(rooms, wait, missing);
    }
    if (wait->kind == OPERATION_GET_OR_MAKE && wait->variable->is_being_made) {
        worker_set_add(missing, wait->variable->maker);
        return 1;
    }
    return 0;
}

/* "waited 60 s for the readers of pad@2: 3 of 4 have read; worker 2 is in step 2" */
static void rooms_timeout_describe(const struct rooms *rooms, const struct wait *wait,
                                   const struct worker_set *missing, uint64_t missing_count,
                                   struct buffer *text)
{
    char duration[DURATION_BYTES];
    duration_describe(wait->timeout_ms, duration, sizeof duration);
    buffer_append_format(text, "waited %s for ", duration);
    wait_text_target(text, wait);
    SCOPED(buffer_finish) struct buffer rest;
    SCOPED(wait_summary_finish) struct wait_summary summary;
    buffer_init(&rest, LIMIT_TEXT_BYTES);
    wait_summary_init(&summary, rooms);
    bool has_progress = wait_text_progress(&rest, rooms, wait);
    struct worker_cursor cursor = {0};
    while (!wait_is_for_variable(wait) && worker_set_next(missing, &cursor)) {
        wait_summary_add(&summary, cursor.worker);
    }
    if (summary.count > 0) {
        summary.others += missing_count - worker_set_count(missing);
        buffer_append_string(&rest, has_progress ? "; " : "");
        wait_summary_describe(&summary, ", ", false, &rest);
    }
    if (rest.size > 0) {
        buffer_append_string(text, ": ");
        escape_text(text, buffer_bytes(&rest)); /* truncates it to the size of the text */
    }
}

static struct reply *reply_timeout(struct rooms *rooms, const struct wait *wait)
{
    SCOPED(buffer_finish) struct buffer text;
    SCOPED(worker_set_finish) struct worker_set missing;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    worker_set_init(&missing);
    uint64_t missing_count = rooms_find_missing(rooms, wait, &missing);
    rooms_timeout_describe(rooms, wait, &missing, missing_count, &text);
    struct bytes kept = replies_keep(&rooms->replies, buffer_bytes(&text));
    struct reply *reply = rooms_reply_to(rooms, wait, OUTCOME_TIMEOUT);
    reply->text = kept;
    worker_set_copy(&reply->missing, &missing);
    rooms_fill_progress(rooms, wait, reply);
    return reply;
}

/* The estimated cost: mostly its text, and the seats looked at for it. */
static uint64_t work_of_reply(const struct rooms *rooms, const struct wait *wait)
{
    if (wait_is_for_variable(wait)) {
        return WORK_OF_REPLY;
    }
    uint64_t work = WORK_OF_REPLY + rooms_room_of(rooms, wait->worker)->size / 16;
    if (wait->kind == OPERATION_WAIT_WRITER) {
        work += wait->notifier->waits_within.count;
    } else if (wait->kind == OPERATION_WAIT_READERS) {
        work += wait->notifier->meeting.at->seats - wait->notifier->meeting.at->within;
    }
    return work;
}

/* A barrier does not count its worker any more, where that was asked for. The wait is freed. */
static void end_timed_out(struct rooms *rooms, struct wait *wait, struct reply *reply)
{
    bool is_leaving = wait->kind == OPERATION_BARRIER && wait->on_timeout == BARRIER_TIMEOUT_LEAVE;
    struct barrier *barrier = is_leaving ? wait->barrier : NULL;
    uint32_t worker = wait->worker;
    rooms_end_wait(rooms, wait, reply);
    if (barrier != NULL) {
        barrier_leave(barrier, worker - rooms_room_of(rooms, worker)->first);
    }
}

void rooms_apply_given_up(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    uint32_t worker = operation->workers.runs[0].first;
    struct wait *wait = waits_of(&rooms->waits, worker);
    if (wait == NULL) {
        return; /* it has ended meanwhile */
    }
    struct variable *variable = wait_is_for_variable(wait) ? wait->variable : NULL;
    struct reply *reply = rooms_reply_to(rooms, wait, OUTCOME_TIMEOUT);
    end_timed_out(rooms, wait, reply);
    if (variable != NULL) {
        variables_tidy(&rooms->variables, *rooms_variables_of(rooms, variable->room), variable);
    }
    struct room *room = rooms_room_of(rooms, worker);
    if (room != NULL) {
        rooms_touch(rooms, now_ns, room);
    }
}

bool rooms_end_timeouts(struct rooms *rooms, uint64_t now_ns)
{
    struct reply *reply = NULL;
    const struct wait_list *list = NULL;
    uint64_t timeout_ms = 0;
    struct wait *wait;
    while (rooms->work < ROOMS_WORK_MOST && (wait = waits_take_due(&rooms->waits, now_ns)) != NULL) {
        if (wait->kind == OPERATION_BARRIER && wait->on_timeout == BARRIER_TIMEOUT_GO) {
            rooms->work += WORK_OF_REPLY + wait->barrier->waits.count;
            wait->barrier->is_overdue = true;
            rooms_settle_barrier(rooms, now_ns, rooms_room_of(rooms, wait->worker), wait->barrier);
            reply = NULL;
            continue;
        }
        /* Waits that began together end together. */
        bool is_variable = wait_is_for_variable(wait);
        if (reply == NULL || is_variable || wait->list != list || wait->timeout_ms != timeout_ms) {
            reply = reply_timeout(rooms, wait);
            rooms->work += work_of_reply(rooms, wait);
        }
        list = wait->list;
        timeout_ms = wait->timeout_ms;
        struct variable *variable = is_variable ? wait->variable : NULL;
        end_timed_out(rooms, wait, reply);
        if (variable != NULL) {
            variables_tidy(&rooms->variables, *rooms_variables_of(rooms, variable->room), variable);
            list = NULL;
        }
    }
    return rooms->work < ROOMS_WORK_MOST;
}
