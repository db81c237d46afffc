/* Operations: validity checks, and dispatch by kind. */
#include "coordinator/core/rooms/rooms_inside.h"

enum subject {
    SUBJECT_WORKERS, /* they only have to exist */
    SUBJECT_RELEASE, /* a barrier, or the start of the campaign */
    SUBJECT_MEETING, /* a notifier or barrier of a step of their room */
    SUBJECT_VARIABLE
};

struct operation_rule {
    enum subject subject;
    void (*apply)(struct rooms *rooms, uint64_t now_ns, const struct operation *operation);
};

static const struct operation_rule RULES[OPERATION_KIND_COUNT] = {
    [OPERATION_PAST] = {SUBJECT_WORKERS, rooms_apply_past},
    [OPERATION_ENDED] = {SUBJECT_WORKERS, rooms_apply_ended},
    [OPERATION_READ] = {SUBJECT_MEETING, rooms_apply_read},
    [OPERATION_RELEASED] = {SUBJECT_RELEASE, rooms_apply_released},
    [OPERATION_WAIT_WRITER] = {SUBJECT_MEETING, rooms_apply_wait_writer},
    [OPERATION_WAIT_READERS] = {SUBJECT_MEETING, rooms_apply_wait_readers},
    [OPERATION_BARRIER] = {SUBJECT_MEETING, rooms_apply_barrier},
    [OPERATION_DECLARE] = {SUBJECT_MEETING, rooms_apply_declare},
    [OPERATION_WRITTEN] = {SUBJECT_MEETING, rooms_apply_written},
    [OPERATION_WRITING] = {SUBJECT_MEETING, rooms_apply_writing},
    [OPERATION_BEGUN] = {SUBJECT_WORKERS, rooms_apply_begun},
    [OPERATION_SETTLED] = {SUBJECT_WORKERS, rooms_apply_settled},
    [OPERATION_GIVEN_UP] = {SUBJECT_WORKERS, rooms_apply_given_up},
    [OPERATION_GET] = {SUBJECT_VARIABLE, rooms_apply_get},
    [OPERATION_GET_OR_MAKE] = {SUBJECT_VARIABLE, rooms_apply_get_or_make},
    [OPERATION_MADE] = {SUBJECT_VARIABLE, rooms_apply_made},
    [OPERATION_MAKING_FAILED] = {SUBJECT_VARIABLE, rooms_apply_making_failed},
    [OPERATION_SET] = {SUBJECT_VARIABLE, rooms_apply_set},
    [OPERATION_CAS] = {SUBJECT_VARIABLE, rooms_apply_cas},
    [OPERATION_INCR] = {SUBJECT_VARIABLE, rooms_apply_incr},
    [OPERATION_DELETE] = {SUBJECT_VARIABLE, rooms_apply_set},
    [OPERATION_WAIT_SET] = {SUBJECT_VARIABLE, rooms_apply_wait_variable},
    [OPERATION_WAIT_CHANGED] = {SUBJECT_VARIABLE, rooms_apply_wait_variable},
};

/* Every worker is within first…end-1. */
static bool are_within(const struct worker_set *workers, uint64_t first, uint64_t end)
{
    for (size_t i = 0; i < workers->run_count; i++) {
        const struct worker_run *run = &workers->runs[i];
        if (run->count == 0 || run->stride == 0 || run->first < first ||
            run->first + (uint64_t)run->stride * (run->count - 1) >= end) {
            return false;
        }
    }
    return true;
}

static bool check_room(const struct rooms *rooms, const struct operation *operation, struct error *error)
{
    if (operation->room >= rooms->room_count) {
        return error_set(error, "there is no room %u", operation->room);
    }
    uint64_t first = (uint64_t)operation->room * rooms->room_size;
    if (!are_within(&operation->workers, first, first + rooms->room_size)) {
        return error_set(error, "a worker is not in room %u", operation->room);
    }
    return true;
}

static bool check_subject(const struct rooms *rooms, const struct operation *operation, struct error *error)
{
    enum subject subject = RULES[operation->kind].subject;
    if (operation->step > ROOM_MAX_STEP) {
        return error_set(error, "a step out of range");
    }
    if (subject == SUBJECT_RELEASE && operation->first_ns > operation->last_ns) {
        return error_set(error, "a release that ended before it began");
    }
    if (operation->after_count != 0 && operation->after_count != worker_set_count(&operation->workers)) {
        return error_set(error, "%zu instants for other workers", operation->after_count);
    }
    if (subject == SUBJECT_WORKERS) {
        return true;
    }
    if (operation->room == ROOM_CAMPAIGN && subject != SUBJECT_MEETING) {
        return subject == SUBJECT_RELEASE || operation->name.size > 0 ||
               error_set(error, "a variable without a name");
    }
    if (operation->name.size == 0 || operation->name.size > LIMIT_NAME_BYTES) {
        return error_set(error, "a name of %zu bytes", operation->name.size);
    }
    return check_room(rooms, operation, error);
}

/* A worker waits for one thing at a time. */
static bool check_idle(const struct rooms *rooms, const struct operation *operation, struct error *error)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        if (waits_of(&rooms->waits, cursor.worker) != NULL) {
            return error_set(error, "worker %u waits twice at the same time", cursor.worker);
        }
    }
    return true;
}

static bool check(const struct rooms *rooms, const struct operation *operation, struct error *error)
{
    if ((unsigned)operation->kind >= OPERATION_KIND_COUNT) {
        return error_set(error, "unknown operation %d", (int)operation->kind);
    }
    if (operation->workers.run_count == 0 || !are_within(&operation->workers, 0, rooms->worker_count)) {
        return error_set(error, "%s: a worker that does not exist", operation_name(operation->kind));
    }
    if (!operation_is_aggregated(operation->kind) && worker_set_count(&operation->workers) != 1) {
        return error_set(error, "%s: takes exactly one worker", operation_name(operation->kind));
    }
    if (!check_subject(rooms, operation, error) ||
        (operation_is_wait(operation->kind) && !check_idle(rooms, operation, error))) {
        return error_wrap(error, "%s: ", operation_name(operation->kind));
    }
    return true;
}

bool rooms_apply(struct rooms *rooms, uint64_t now_ns, const struct operation *operation, struct error *error)
{
    if (!check(rooms, operation, error)) {
        return false;
    }
    rooms_begin_news(rooms);
    RULES[operation->kind].apply(rooms, now_ns, operation);
    return true;
}
