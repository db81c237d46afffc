/* The rooms in brief: who waits, and counts. */
#include "common/escape.h"
#include "common/time_units.h"
#include "coordinator/core/report/report.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/wait_text.h"

#define GROUPS 3u

/* Waits for the same kind of thing with the same name, whatever the step. */
struct crowd {
    const struct wait *wait;
    uint64_t first_step;
    uint64_t last_step;
    uint64_t count;
};

static bool rooms_describe_is_alike(const struct wait *left, const struct wait *right)
{
    return left->kind == right->kind && bytes_equal(wait_target(left).name, wait_target(right).name);
}

static void describe_steps(const struct crowd *crowd, struct buffer *text)
{
    buffer_append_format(text, "@%llu", (unsigned long long)crowd->first_step);
    if (crowd->last_step > crowd->first_step) {
        buffer_append_format(text, "–%llu", (unsigned long long)crowd->last_step);
    }
}

static void describe_crowd(const struct crowd *crowd, const struct crowd *before, struct buffer *text)
{
    const struct wait *wait = crowd->wait;
    bool is_its = before != NULL && before->wait->kind == OPERATION_WAIT_WRITER &&
                  wait->kind == OPERATION_WAIT_READERS && before->first_step == crowd->first_step &&
                  before->last_step == crowd->last_step &&
                  bytes_equal(wait_target(before->wait).name, wait_target(wait).name);
    buffer_append_format(text, "%s%llu", before == NULL ? "" : " · ", (unsigned long long)crowd->count);
    if (before == NULL) {
        buffer_append_string(text, crowd->count == 1 ? " waits" : " wait");
    }
    buffer_append_string(text, " for ");
    if (is_its) {
        buffer_append_string(text, "its readers");
        return;
    }
    bool is_variable = wait_is_for_variable(wait);
    buffer_append_string(text, is_variable                           ? "variable "
                               : wait->kind == OPERATION_BARRIER     ? "barrier "
                               : wait->kind == OPERATION_WAIT_WRITER ? "the writer of "
                                                                     : "the readers of ");
    escape_text(text, wait_target(wait).name);
    if (!is_variable) {
        describe_steps(crowd, text);
    }
}

static void rooms_describe_join(struct crowd *crowds, size_t *count, uint64_t *others,
                                const struct wait *wait)
{
    uint64_t step = wait_target(wait).step;
    size_t place = 0;
    while (place < *count && !rooms_describe_is_alike(crowds[place].wait, wait)) {
        place++;
    }
    if (place == GROUPS) {
        (*others)++;
        return;
    }
    if (place == *count) {
        crowds[(*count)++] = (struct crowd){.wait = wait, .first_step = step, .last_step = step};
    }
    struct crowd *crowd = &crowds[place];
    crowd->count++;
    crowd->first_step = step < crowd->first_step ? step : crowd->first_step;
    crowd->last_step = step > crowd->last_step ? step : crowd->last_step;
}

void rooms_describe_waits(const struct rooms *rooms, char *text, size_t size)
{
    struct crowd crowds[GROUPS];
    size_t count = 0;
    uint64_t others = 0;
    uint32_t seen = 0;
    for (uint32_t worker = 0; seen < rooms->waits.count; worker++) {
        const struct wait *wait = waits_of(&rooms->waits, worker);
        if (wait != NULL) {
            seen++;
            rooms_describe_join(crowds, &count, &others, wait);
        }
    }
    SCOPED(buffer_finish) struct buffer words;
    buffer_init(&words, LIMIT_TEXT_BYTES);
    for (size_t i = 0; i < count; i++) {
        describe_crowd(&crowds[i], i == 0 ? NULL : &crowds[i - 1], &words);
    }
    if (others > 0) {
        buffer_append_format(&words, " · %llu for something else", (unsigned long long)others);
    }
    bytes_to_text(buffer_bytes(&words), text, size);
}

static void count_room(const struct room *room, struct campaign_report *report)
{
    for (size_t i = 0; i < room->step_count; i++) {
        for (const struct meeting *meeting = room->steps[i]->first; meeting != NULL;
             meeting = meeting->next) {
            *(meeting->kind == MEETING_BARRIER ? &report->live_barriers : &report->live_notifiers) += 1;
        }
    }
}

void rooms_count(const struct rooms *rooms, struct campaign_report *report)
{
    report->live_notifiers = 0;
    report->live_barriers = 0;
    report->live_variables = rooms->variables.count;
    report->live_waits = rooms->waits.count;
    report->release_spread_us = rooms->release_spread_us;
    report->has_start_spread = rooms->is_start_known;
    report->start_spread_us = ((uint64_t)rooms->start.last_ns - (uint64_t)rooms->start.first_ns) / NS_PER_US;
    for (uint32_t id = 0; id < rooms->room_count; id++) {
        if (rooms->items[id] != NULL) {
            count_room(rooms->items[id], report);
        }
    }
}
