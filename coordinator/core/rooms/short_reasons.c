/* Why workers that are past a step did not do their part in it, for messages. */
#include "coordinator/core/rooms/short_reasons.h"
#include "common/escape.h"
#include "coordinator/core/base/bitset.h"
#include "coordinator/core/rooms/wait_text.h"
#include "proto/message/limits.h"

void short_reasons_init(struct short_reasons *reasons, const struct room *room, uint64_t step,
                        const uint64_t *lost)
{
    *reasons = (struct short_reasons){.room = room, .step = step, .lost = lost};
}

void short_reasons_finish(struct short_reasons *reasons)
{
    for (size_t i = 0; i < reasons->count; i++) {
        worker_set_finish(&reasons->groups[i].workers);
    }
}

static struct cause_group cause_of(const struct short_reasons *reasons, const struct seat *seat)
{
    struct cause_group group = {0};
    if (seat->failure != NULL && seat->failed_step == reasons->step) {
        group.cause = CAUSE_FAILED;
        group.text = seat->failure;
    } else if (seat->past >= reasons->step) {
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

static bool is_of_loss(const struct short_reasons *reasons, uint32_t seat, enum cause cause)
{
    return (cause == CAUSE_FAILED && reasons->room->seats[seat].lost_step == reasons->step) ||
           (cause == CAUSE_LOST && bitset_has(reasons->lost, reasons->room->first + seat));
}

bool short_reasons_are_of_loss(const struct short_reasons *reasons)
{
    return reasons->of_loss > 0 &&
           reasons->of_loss == reasons->of_cause[CAUSE_FAILED] + reasons->of_cause[CAUSE_LOST];
}

void short_reasons_add(struct short_reasons *reasons, uint32_t seat)
{
    struct cause_group group = cause_of(reasons, &reasons->room->seats[seat]);
    reasons->of_cause[group.cause]++;
    reasons->of_loss += is_of_loss(reasons, seat, group.cause) ? 1 : 0;
    for (size_t i = 0; i < reasons->count; i++) {
        struct cause_group *each = &reasons->groups[i];
        if (each->cause == group.cause && each->text == group.text && each->step == group.step) {
            worker_set_add(&each->workers, reasons->room->first + seat);
            return;
        }
    }
    if (reasons->count == SHORT_REASONS_GROUPS) {
        reasons->others++;
        return;
    }
    worker_set_add(&group.workers, reasons->room->first + seat);
    reasons->groups[reasons->count++] = group;
}

uint64_t short_reasons_count(const struct short_reasons *reasons)
{
    uint64_t count = 0;
    for (unsigned cause = 0; cause <= CAUSE_ENDED; cause++) {
        count += reasons->of_cause[cause];
    }
    return count;
}

static void short_reasons_describe_group(const struct cause_group *group, uint64_t step, const char *doing,
                                         struct buffer *text)
{
    wait_text_workers(text, &group->workers);
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
        escape_text(text, pool_string_bytes(group->text));
        buffer_append_string(text, ")");
    }
}

void short_reasons_describe(const struct short_reasons *reasons, const char *doing, struct buffer *text)
{
    bool is_first = true;
    for (enum cause cause = CAUSE_FAILED; cause <= CAUSE_ENDED; cause++) {
        for (size_t i = 0; i < reasons->count; i++) {
            if (reasons->groups[i].cause == cause) {
                buffer_append_string(text, is_first ? "" : ", ");
                is_first = false;
                short_reasons_describe_group(&reasons->groups[i], reasons->step, doing, text);
            }
        }
    }
    if (reasons->others > 0) {
        buffer_append_format(text, ", %llu more for other reasons", (unsigned long long)reasons->others);
    }
}

void short_reasons_workers(const struct short_reasons *reasons, struct worker_set *workers)
{
    uint64_t room_left = LIMIT_MISSING;
    for (enum cause cause = CAUSE_FAILED; cause <= CAUSE_ENDED; cause++) {
        for (size_t i = 0; i < reasons->count; i++) {
            struct worker_cursor cursor = {0};
            while (reasons->groups[i].cause == cause && room_left > 0 &&
                   worker_set_next(&reasons->groups[i].workers, &cursor)) {
                worker_set_add(workers, cursor.worker);
                room_left--;
            }
        }
    }
}
