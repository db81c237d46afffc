/* How waits begin, and calls that are answered at once. */
#include "coordinator/core/rooms/rooms_inside.h"

struct wait rooms_wait_like(struct rooms *rooms, const struct operation *operation, uint32_t worker,
                            uint32_t *tally)
{
    bool has_own_timeout = operation->timeout_ms > 0;
    bool is_tallied = !has_own_timeout && !operation->is_aside && !rooms_has_ended(rooms, worker);
    return (struct wait){
        .kind = operation->kind,
        .worker = worker,
        .room = operation->room,
        .call = operation->call,
        .timeout_ms = has_own_timeout ? operation->timeout_ms : rooms->sync_timeout_ms,
        .tally = is_tallied ? tally : NULL,
        .is_strict = operation->is_strict,
        .on_timeout = operation->on_timeout,
        .has_own_timeout = has_own_timeout,
        .is_aside = operation->is_aside,
    };
}

void rooms_apply_settled(struct rooms *rooms, uint64_t now_ns, const struct operation *operation)
{
    uint32_t worker = operation->workers.runs[0].first;
    struct wait *wait = waits_of(&rooms->waits, worker);
    if (wait == NULL || !wait->is_aside) {
        return; /* it has ended meanwhile */
    }
    wait->is_aside = false;
    struct room *room = rooms_room_of(rooms, worker);
    if (!wait->has_own_timeout && !rooms_has_ended(rooms, worker)) {
        bool is_of_room = wait->room != ROOM_CAMPAIGN;
        waits_tally(&rooms->waits, wait, is_of_room ? &room->tally : &rooms->campaign_tally);
    }
    if (wait->kind == OPERATION_WAIT_WRITER) {
        struct notifier *notifier = wait->notifier;
        if (!room_is_past(room, worker - room->first, notifier->meeting.at->step)) {
            wait_move(wait, &notifier->waits_within);
        }
        room_mark(room, &notifier->meeting);
    }
    if (room != NULL) {
        rooms_touch(rooms, now_ns, room);
    }
}

struct reply *rooms_answer(struct rooms *rooms, const struct operation *operation, enum outcome outcome,
                           const char *text)
{
    struct reply like = {
        .kind = operation->kind,
        .outcome = outcome,
        .room = operation->room,
        .name = replies_keep(&rooms->replies, operation->name),
        .step = operation->step,
        .nth = operation->nth,
        .call = operation->call,
        .text = replies_keep(&rooms->replies, bytes_of_string(text)),
    };
    struct reply *reply = replies_add(&rooms->replies, &like);
    worker_set_copy(&reply->workers, &operation->workers);
    return reply;
}
