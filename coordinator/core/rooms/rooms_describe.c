/* The rooms in brief: who waits, and counts. */
#include "common/time_units.h"
#include "coordinator/core/report/report.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/wait_text.h"

#define GROUPS 3u          /* in the line */
#define CROWDS_COUNTED 32u /* those that are met first; the others are only a number */

struct crowds {
    struct wait_crowd items[CROWDS_COUNTED];
    size_t count;
    uint64_t others;
};

static bool rooms_describe_is_alike(const struct wait_crowd *left, const struct wait_crowd *right)
{
    return left->kind == right->kind && bytes_equal(left->name, right->name);
}

static void describe_crowd(const struct wait_crowd *crowd, const struct wait_crowd *before,
                           struct buffer *text)
{
    bool is_its = before != NULL && before->kind == OPERATION_WAIT_WRITER &&
                  crowd->kind == OPERATION_WAIT_READERS && before->first_step == crowd->first_step &&
                  before->last_step == crowd->last_step && bytes_equal(before->name, crowd->name);
    buffer_append_format(text, "%s%llu", before == NULL ? "" : " · ", (unsigned long long)crowd->workers);
    if (before == NULL) {
        buffer_append_string(text, crowd->workers == 1 ? " waits" : " wait");
    }
    buffer_append_string(text, " for ");
    if (is_its) {
        buffer_append_string(text, "its readers");
    } else {
        wait_crowd_describe(crowd, text);
    }
}

static void rooms_describe_join(struct crowds *crowds, const struct wait_crowd *one)
{
    size_t place = 0;
    while (place < crowds->count && !rooms_describe_is_alike(&crowds->items[place], one)) {
        place++;
    }
    if (place == CROWDS_COUNTED) {
        crowds->others++;
        return;
    }
    struct wait_crowd *crowd = &crowds->items[place];
    if (place == crowds->count) {
        crowds->count++;
        *crowd = *one;
        return;
    }
    crowd->workers++;
    crowd->first_step = one->first_step < crowd->first_step ? one->first_step : crowd->first_step;
    crowd->last_step = one->last_step > crowd->last_step ? one->last_step : crowd->last_step;
    crowd->oldest_ns = one->oldest_ns > crowd->oldest_ns ? one->oldest_ns : crowd->oldest_ns;
}

static void rooms_describe_line(const struct crowds *crowds, struct buffer *words)
{
    uint64_t others = crowds->others;
    for (size_t i = 0; i < crowds->count; i++) {
        if (i < GROUPS) {
            describe_crowd(&crowds->items[i], i == 0 ? NULL : &crowds->items[i - 1], words);
        } else {
            others += crowds->items[i].workers;
        }
    }
    if (others > 0) {
        buffer_append_format(words, " · %llu for something else", (unsigned long long)others);
    }
}

/* The ones of the most workers; of equally many, those that were met first. */
static void rooms_describe_choose(const struct crowds *crowds, struct campaign_report *report)
{
    report->crowd_count = 0;
    for (size_t i = 0; i < crowds->count; i++) {
        size_t place = report->crowd_count;
        while (place > 0 && report->crowds[place - 1].workers < crowds->items[i].workers) {
            place--;
        }
        if (place == REPORT_WAIT_CROWDS) {
            continue;
        }
        report->crowd_count += report->crowd_count < REPORT_WAIT_CROWDS;
        for (size_t at = report->crowd_count - 1; at > place; at--) {
            report->crowds[at] = report->crowds[at - 1];
        }
        report->crowds[place] = crowds->items[i];
    }
}

void rooms_describe_waits(const struct rooms *rooms, struct campaign_report *report, char *text, size_t size)
{
    struct crowds crowds = {.count = 0};
    uint32_t seen = 0;
    for (uint32_t worker = 0; seen < rooms->waits.count; worker++) {
        const struct wait *wait = waits_of(&rooms->waits, worker);
        if (wait != NULL) {
            struct wait_target target = wait_target(wait);
            seen++;
            rooms_describe_join(&crowds,
                                &(struct wait_crowd){.kind = wait->kind,
                                                     .name = target.name,
                                                     .first_step = target.step,
                                                     .last_step = target.step,
                                                     .workers = 1,
                                                     .oldest_ns = wait_waited_ns(wait, report->made_ns)});
        }
    }
    SCOPED(buffer_finish) struct buffer words;
    buffer_init(&words, LIMIT_TEXT_BYTES);
    rooms_describe_line(&crowds, &words);
    bytes_to_text(buffer_bytes(&words), text, size);
    rooms_describe_choose(&crowds, report);
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
