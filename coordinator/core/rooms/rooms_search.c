/* Searches for deadlocks, and ends the waits that are part of one. */
#include "common/container.h"
#include "common/escape.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/rooms_timeout.h"
#include "coordinator/core/rooms/wait_summary.h"
#include "coordinator/core/rooms/wait_text.h"
#include "coordinator/core/sync/deadlock.h"

/* The workers that cannot continue, and what they are told. */
struct finding {
    struct stand *stands; /* only the workers matter */
    size_t count;
    enum outcome outcome;
    struct buffer text;
};

static uint64_t hangs_on(const struct wait *wait)
{
    return wait_is_for_variable(wait) ? HANGS_ON_EVERY_STEP : wait_target(wait).step;
}

/* A worker that waits for a variable of the campaign counts as moving here: unless all live workers wait, one
 * of them can set it. A worker whose progress is not known yet may be anywhere. */
static size_t collect_stands(const struct rooms *rooms, const struct room *room, struct stand *stands)
{
    size_t count = 0;
    for (uint32_t worker = room->first; worker < room->first + room->size; worker++) {
        if (rooms_has_ended(rooms, worker)) {
            continue;
        }
        const struct seat *seat = room->seats == NULL ? NULL : &room->seats[worker - room->first];
        const struct wait *wait = waits_of(&rooms->waits, worker);
        bool is_waiting = wait != NULL && wait->tally == &room->tally && (seat == NULL || seat->is_known);
        stands[count++] = (struct stand){
            .worker = worker,
            .step = seat == NULL ? 1 : seat->past + 1,
            .is_waiting = is_waiting,
            .hangs_on = is_waiting ? hangs_on(wait) : 0,
        };
    }
    return count;
}

static void rooms_search_describe(const struct rooms *rooms, struct finding *finding)
{
    SCOPED(wait_summary_finish) struct wait_summary summary;
    wait_summary_init(&summary, rooms);
    for (size_t i = 0; i < finding->count; i++) {
        wait_summary_add(&summary, finding->stands[i].worker);
    }
    wait_summary_describe(&summary, " · ", true, &finding->text);
}

/* Ends those of the waits for the same thing that are part of the deadlock. */
static void end_alike(struct rooms *rooms, const struct finding *finding, struct wait *first)
{
    SCOPED(buffer_finish) struct buffer text;
    SCOPED(worker_set_finish) struct worker_set missing;
    buffer_init(&text, LIMIT_TEXT_BYTES);
    worker_set_init(&missing);
    buffer_append_string(&text, "waited in vain for ");
    wait_text_target(&text, first);
    bool is_deadlock = finding->outcome == OUTCOME_DEADLOCK;
    buffer_append_string(&text, is_deadlock ? ", since everyone who could help is waiting too: "
                                            : ", since the campaign is stopping: ");
    escape_text(&text, buffer_bytes(&finding->text)); /* truncates it to the size of the text */
    (void)rooms_find_missing(rooms, first, &missing);
    struct bytes kept = replies_keep(&rooms->replies, buffer_bytes(&text));
    struct reply *reply = rooms_reply_to(rooms, first, finding->outcome);
    reply->text = kept;
    worker_set_copy(&reply->missing, &missing);
    rooms_fill_progress(rooms, first, reply);
    if (wait_is_for_variable(first)) {
        struct variable *variable = first->variable;
        rooms_end_wait(rooms, first, reply);
        variables_tidy(&rooms->variables, *rooms_variables_of(rooms, variable->room), variable);
        return;
    }
    struct wait *next;
    for (struct wait *wait = first->list->first; wait != NULL; wait = next) {
        next = wait->next;
        if (wait->is_stuck) {
            rooms_end_wait(rooms, wait, reply);
        }
    }
}

static void rooms_search_tell(struct rooms *rooms, struct finding *finding)
{
    rooms->has_found_deadlock = true;
    if (rooms->deadlock.size == 0) {
        escape_text(&rooms->deadlock, buffer_bytes(&finding->text));
    } else {
        rooms->more_deadlocks++;
    }
}

/* Takes ownership of `stands`. */
static void conclude(struct rooms *rooms, struct stand *stands, size_t count, bool has_drained)
{
    struct finding finding = {
        .stands = stands,
        .count = count,
        /* A worker was told to begin no new step, and may have been the one to release them. */
        .outcome = has_drained ? OUTCOME_STOPPED : OUTCOME_DEADLOCK,
    };
    if (count > 0) {
        buffer_init(&finding.text, LIMIT_TEXT_BYTES);
        for (size_t i = 0; i < count; i++) {
            waits_of(&rooms->waits, stands[i].worker)->is_stuck = true;
        }
        rooms_search_describe(rooms, &finding);
        for (size_t i = 0; i < count; i++) {
            struct wait *wait = waits_of(&rooms->waits, stands[i].worker);
            if (wait != NULL) {
                end_alike(rooms, &finding, wait);
            }
        }
        if (finding.outcome == OUTCOME_DEADLOCK) {
            rooms_search_tell(rooms, &finding);
        }
        buffer_finish(&finding.text);
    }
    memory_free(stands);
}

static void search_room(struct rooms *rooms, struct room *room)
{
    if (room->tally == 0) {
        return;
    }
    struct stand *stands = memory_new(room->live, sizeof *stands);
    size_t count = collect_stands(rooms, room, stands);
    conclude(rooms, stands, deadlock_find(stands, count), room->has_drained);
}

/* Every live worker waits, and some of them for the campaign's variables. */
static void search_campaign(struct rooms *rooms)
{
    struct stand *stands = memory_new(rooms->live, sizeof *stands);
    size_t count = 0;
    for (uint32_t worker = 0; worker < rooms->worker_count; worker++) {
        if (rooms_has_ended(rooms, worker)) {
            continue;
        }
        const struct room *room = rooms_room_of(rooms, worker);
        if (room != NULL && room->seats != NULL && !room->seats[worker - room->first].is_known) {
            count = 0;
            break;
        }
        stands[count++].worker = worker;
    }
    conclude(rooms, stands, count, rooms->has_drained);
}

static bool are_all_waiting(const struct rooms *rooms)
{
    return !rooms->is_stopping && rooms->campaign_tally > 0 && rooms->waits.tallied == rooms->live;
}

static void look_at_campaign(struct rooms *rooms, uint64_t now_ns)
{
    struct timer *timer = &rooms->campaign_search;
    if (are_all_waiting(rooms) && timer->position != TIMER_UNSET && timer->due_ns <= now_ns) {
        timers_unset(rooms->searches, timer);
        search_campaign(rooms);
    }
    if (!are_all_waiting(rooms)) {
        timers_unset(rooms->searches, timer);
    } else if (timer->position == TIMER_UNSET) {
        timers_set(rooms->searches, timer, now_ns + rooms->deadlock_delay_ns);
    }
}

void rooms_search(struct rooms *rooms, uint64_t now_ns)
{
    look_at_campaign(rooms, now_ns);
    struct timer *timer;
    while ((timer = timers_take_due(rooms->searches, now_ns)) != NULL) {
        if (timer != &rooms->campaign_search && !rooms->is_stopping) {
            search_room(rooms, CONTAINER_OF(timer, struct room, search));
        }
    }
    if (rooms->more_deadlocks > 0) {
        buffer_append_format(&rooms->deadlock, " · and in %u more room%s", rooms->more_deadlocks,
                             rooms->more_deadlocks == 1 ? "" : "s");
    }
}
