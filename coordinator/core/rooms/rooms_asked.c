/* Limits the calls of a worker that are in progress to what its agent allows. */
#include "coordinator/core/rooms/rooms_inside.h"

static bool asked_has_space(const struct rooms *rooms, const struct operation *operation, struct error *error)
{
    struct worker_cursor cursor = {0};
    while (rooms->asked != NULL && worker_set_next(&operation->workers, &cursor)) {
        if (rooms->asked[cursor.worker] >= LIMIT_CALLS_AT_ONCE) {
            return error_set(error, "worker %u has more than %u calls at the same time", cursor.worker,
                             LIMIT_CALLS_AT_ONCE);
        }
    }
    return true;
}

static void asked_note(struct rooms *rooms, uint32_t worker)
{
    if (rooms->asked[worker]++ > 0) {
        return;
    }
    rooms->askers =
        memory_reserve(rooms->askers, &rooms->asker_capacity, rooms->asker_count + 1, sizeof *rooms->askers);
    rooms->askers[rooms->asker_count++] = worker;
}

bool rooms_may_ask(struct rooms *rooms, const struct operation *operation, struct error *error)
{
    if (!operation_is_answered(operation->kind)) {
        return true;
    }
    if (!asked_has_space(rooms, operation, error)) {
        return false;
    }
    if (rooms->asked == NULL) {
        rooms->asked = memory_new(rooms->worker_count, sizeof *rooms->asked);
    }
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        if (rooms->asked[cursor.worker] < LIMIT_CALLS_AT_ONCE) { /* it may occur in the set repeatedly */
            asked_note(rooms, cursor.worker);
        }
    }
    return true;
}

void rooms_forget_asked(struct rooms *rooms)
{
    for (size_t i = 0; i < rooms->asker_count; i++) {
        rooms->asked[rooms->askers[i]] = 0;
    }
    rooms->asker_count = 0;
}
