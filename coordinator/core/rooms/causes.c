/* Why those who are past a step did not do their part in it, for messages. */
#include "coordinator/core/rooms/causes.h"
#include "common/escape.h"
#include "coordinator/core/rooms/words.h"
#include "proto/message/limits.h"

void causes_init(struct causes *causes, const struct room *room, uint64_t step)
{
    *causes = (struct causes){.room = room, .step = step};
}

void causes_finish(struct causes *causes)
{
    for (size_t i = 0; i < causes->count; i++) {
        worker_set_finish(&causes->groups[i].workers);
    }
}

static struct cause_group cause_of(const struct causes *causes, const struct seat *seat)
{
    struct cause_group group = {0};
    if (seat->failure != NULL && seat->failed_step == causes->step) {
        group.cause = CAUSE_FAILED;
        group.text = seat->failure;
    } else if (seat->past >= causes->step) {
        group.cause = CAUSE_PASSED;
    } else if (seat->end != NULL) {
        group.cause = CAUSE_LOST;
        group.step = seat->past + 1;
        group.text = seat->end;
    } else {
        group.cause = CAUSE_ENDED;
    }
    return group;
}

void causes_add(struct causes *causes, uint32_t seat)
{
    struct cause_group group = cause_of(causes, &causes->room->seats[seat]);
    causes->of_cause[group.cause]++;
    for (size_t i = 0; i < causes->count; i++) {
        struct cause_group *each = &causes->groups[i];
        if (each->cause == group.cause && each->text == group.text && each->step == group.step) {
            worker_set_add(&each->workers, causes->room->first + seat);
            return;
        }
    }
    if (causes->count == CAUSES_GROUPS) {
        causes->others++;
        return;
    }
    worker_set_add(&group.workers, causes->room->first + seat);
    causes->groups[causes->count++] = group;
}

uint64_t causes_count(const struct causes *causes)
{
    uint64_t count = 0;
    for (unsigned cause = 0; cause <= CAUSE_ENDED; cause++) {
        count += causes->of_cause[cause];
    }
    return count;
}

static void causes_describe_group(const struct cause_group *group, uint64_t step, const char *doing,
                                  struct buffer *text)
{
    words_of_workers(text, &group->workers);
    if (group->cause == CAUSE_ENDED) {
        buffer_append_format(text, " ended before step %llu", (unsigned long long)step);
        return;
    }
    if (group->cause == CAUSE_LOST) {
        buffer_append_format(text, " ended in step %llu", (unsigned long long)group->step);
    } else {
        buffer_append_format(text, " ended step %llu", (unsigned long long)step);
    }
    if (group->cause != CAUSE_LOST || group->step == step) {
        buffer_append_format(text, " without %s", doing);
    }
    if (group->text != NULL) {
        buffer_append_string(text, " (");
        escape_text(text, text_bytes(group->text));
        buffer_append_string(text, ")");
    }
}

void causes_describe(const struct causes *causes, const char *doing, struct buffer *text)
{
    bool is_first = true;
    for (enum cause cause = CAUSE_FAILED; cause <= CAUSE_ENDED; cause++) {
        for (size_t i = 0; i < causes->count; i++) {
            if (causes->groups[i].cause == cause) {
                buffer_append_string(text, is_first ? "" : ", ");
                is_first = false;
                causes_describe_group(&causes->groups[i], causes->step, doing, text);
            }
        }
    }
    if (causes->others > 0) {
        buffer_append_format(text, ", %llu more for other reasons", (unsigned long long)causes->others);
    }
}

void causes_workers(const struct causes *causes, struct worker_set *workers)
{
    uint64_t room_left = LIMIT_MISSING;
    for (enum cause cause = CAUSE_FAILED; cause <= CAUSE_ENDED; cause++) {
        for (size_t i = 0; i < causes->count; i++) {
            struct worker_cursor cursor = {0};
            while (causes->groups[i].cause == cause && room_left > 0 &&
                   worker_set_next(&causes->groups[i].workers, &cursor)) {
                worker_set_add(workers, cursor.worker);
                room_left--;
            }
        }
    }
}
