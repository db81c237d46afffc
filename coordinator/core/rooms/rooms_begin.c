/* How waits begin, and calls that are answered at once. */
#include "coordinator/core/rooms/rooms_inside.h"

struct wait rooms_wait_like(struct rooms *rooms, const struct operation *operation, uint32_t worker,
                            uint32_t *tally)
{
    bool has_own_timeout = operation->timeout_ms > 0;
    bool is_tallied = !has_own_timeout && !rooms_has_ended(rooms, worker);
    return (struct wait){
        .kind = operation->kind,
        .worker = worker,
        .room = operation->room,
        .call = operation->call,
        .timeout_ms = has_own_timeout ? operation->timeout_ms : rooms->sync_timeout_ms,
        .tally = is_tallied ? tally : NULL,
        .is_strict = operation->is_strict,
    };
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
