/* Workers grouped by what they are doing at the moment, for messages. */
#include "coordinator/core/rooms/wait_summary.h"
#include "common/escape.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/wait_text.h"

void wait_summary_init(struct wait_summary *summary, const struct rooms *rooms)
{
    *summary = (struct wait_summary){.rooms = rooms};
}

void wait_summary_finish(struct wait_summary *summary)
{
    for (size_t i = 0; i < summary->count; i++) {
        worker_set_finish(&summary->groups[i].workers);
    }
}

static bool is_same_target(const struct wait *left, const struct wait *right)
{
    struct wait_target one = wait_target(left);
    struct wait_target other = wait_target(right);
    return left->kind == right->kind && one.step == other.step && one.nth == other.nth &&
           bytes_equal(one.name, other.name);
}

static bool wait_summary_is_alike(const struct wait_summary_group *left,
                                  const struct wait_summary_group *right)
{
    if (left->wait != NULL && right->wait != NULL && !is_same_target(left->wait, right->wait)) {
        return false;
    }
    return (left->wait == NULL) == (right->wait == NULL) && left->step == right->step &&
           left->is_known == right->is_known;
}

void wait_summary_add(struct wait_summary *summary, uint32_t worker)
{
    const struct room *room = rooms_room_of(summary->rooms, worker);
    struct wait_summary_group group = {.wait = waits_of(&summary->rooms->waits, worker)};
    bool has_step = group.wait == NULL || !wait_is_for_variable(group.wait);
    if (has_step && room != NULL && room->seats != NULL && room->seats[worker - room->first].is_known) {
        group.is_known = true;
        group.step = room->seats[worker - room->first].past + 1;
    }
    size_t place = 0;
    while (place < summary->count && !wait_summary_is_alike(&summary->groups[place], &group)) {
        place++;
    }
    if (place == WAIT_SUMMARY_GROUPS) {
        summary->others++;
        return;
    }
    if (place == summary->count) {
        summary->groups[summary->count++] = group;
    }
    worker_set_add(&summary->groups[place].workers, worker);
}

/* Readers are grouped with the worker that they wait for, which makes a deadlock easiest to understand. */
static unsigned rank_of(const struct wait_summary_group *group)
{
    if (group->wait == NULL) {
        return 0;
    }
    switch (group->wait->kind) {
    case OPERATION_WAIT_READERS:
        return 1;
    case OPERATION_BARRIER:
        return 2;
    case OPERATION_WAIT_WRITER:
        return 3;
    default:
        return 4;
    }
}

static void wait_summary_describe_group(const struct wait_summary *summary,
                                        const struct wait_summary_group *group, bool has_progress,
                                        struct buffer *text)
{
    bool is_one = worker_set_count(&group->workers) == 1;
    wait_text_workers(text, &group->workers);
    if (group->wait == NULL) {
        if (group->is_known) {
            buffer_append_format(text, " %s in step %llu", is_one ? "is" : "are",
                                 (unsigned long long)group->step);
        } else {
            buffer_append_string(text,
                                 is_one ? " has not said how far it is" : " have not said how far they are");
        }
        return;
    }
    buffer_append_string(text, is_one ? " waits for " : " wait for ");
    wait_text_target(text, group->wait);
    struct wait_target target = wait_target(group->wait);
    if (group->is_known && group->step != target.step) {
        buffer_append_format(text, " in step %llu", (unsigned long long)group->step);
    }
    SCOPED(buffer_finish) struct buffer progress;
    buffer_init(&progress, LIMIT_TEXT_BYTES);
    if (has_progress && wait_text_progress(&progress, summary->rooms, group->wait)) {
        buffer_append_string(text, ": ");
        escape_text(text, buffer_bytes(&progress));
    }
}

void wait_summary_describe(const struct wait_summary *summary, const char *separator, bool has_progress,
                           struct buffer *text)
{
    bool is_first = true;
    for (unsigned rank = 0; rank <= 4; rank++) {
        for (size_t i = 0; i < summary->count; i++) {
            if (rank_of(&summary->groups[i]) != rank) {
                continue;
            }
            buffer_append_string(text, is_first ? "" : separator);
            is_first = false;
            wait_summary_describe_group(summary, &summary->groups[i], has_progress, text);
        }
    }
    if (summary->others > 0) {
        buffer_append_format(text, "%s%llu more", is_first ? "" : separator,
                             (unsigned long long)summary->others);
    }
}
