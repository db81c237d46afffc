/* What a runner hands out: effects, notices, progress. And what it knows of rooms. */
#include "agent/core/runner/runner_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/escape.h"
#include "common/memory.h"
#include "proto/message/limits.h"

void runner_effects_clear(struct runner_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == RUNNER_NOTICE) {
            notice_free(&effects->items[i].notice);
        }
    }
    effects->count = 0;
}

void runner_effects_finish(struct runner_effects *effects)
{
    runner_effects_clear(effects);
    memory_free(effects->items);
    *effects = (struct runner_effects){0};
}

struct runner_effect *runner_add_effect(struct runner_effects *effects, enum runner_effect_kind kind)
{
    effects->items =
        memory_reserve(effects->items, &effects->capacity, effects->count + 1, sizeof *effects->items);
    struct runner_effect *effect = &effects->items[effects->count++];
    *effect = (struct runner_effect){.kind = kind};
    return effect;
}

struct notice *runner_add_notice(const struct runner *runner, enum notice_kind kind)
{
    struct runner_effect *effect = runner_add_effect(runner->effects, RUNNER_NOTICE);
    effect->notice = notice_new(kind, deployment_campaign(runner->deployment));
    return effect->notice;
}

static struct bytes runner_report_key_of(const uint32_t *room)
{
    return bytes_of(room, sizeof *room);
}

struct room *runner_room(const struct runner *runner, uint32_t room)
{
    bool is_last = runner->last_room != NULL && runner->last_room->id == room;
    return is_last ? runner->last_room : map_get(runner->rooms, runner_report_key_of(&room));
}

struct room *runner_ensure_room(struct runner *runner, uint32_t room)
{
    if (runner->last_room != NULL && runner->last_room->id == room) {
        return runner->last_room;
    }
    struct room *found = runner_room(runner, room);
    if (found == NULL) {
        found = MEMORY_NEW(struct room);
        found->id = room;
        (void)map_put(runner->rooms, runner_report_key_of(&room), found);
    }
    runner->last_room = found;
    return found;
}

struct room *runner_room_of(const struct runner *runner, const struct worker *worker)
{
    return map_size(runner->rooms) == 0 ? NULL
                                        : runner_room(runner, worker_index_room(runner->index, worker));
}

struct worker_set runner_only(struct worker_run *run, const struct worker *worker)
{
    *run = (struct worker_run){.first = worker->id, .stride = 1, .count = 1};
    return (struct worker_set){.runs = run, .run_count = 1, .run_capacity = 1};
}

void runner_tell(const struct runner *runner, struct runner_effects *effects,
                 const struct operation *operation)
{
    if (runner->batcher != NULL) {
        batcher_put(runner->batcher, operation);
        return;
    }
    struct runner_effect *effect = runner_add_effect(effects, RUNNER_NOTICE);
    effect->notice = notice_new(NOTICE_OPERATION, deployment_campaign(runner->deployment));
    effect->notice->operation = operation_copy(operation);
}

static void runner_report_operation(struct runner *runner, const struct worker *worker,
                                    struct operation *operation)
{
    struct worker_run run;
    operation->workers = runner_only(&run, worker);
    runner_tell(runner, runner->effects, operation);
}

static void report_progress(struct runner *runner, const struct worker *worker, enum operation_kind kind,
                            struct bytes text)
{
    struct buffer clean SCOPED(buffer_finish);
    buffer_init(&clean, LIMIT_TEXT_BYTES);
    escape_text(&clean, text);
    struct operation operation = {
        .kind = kind,
        .room = worker_index_room(runner->index, worker),
        .step = worker_ended_step(worker),
        .text = buffer_bytes(&clean),
    };
    runner_report_operation(runner, worker, &operation);
}

void runner_report_past(struct runner *runner, const struct worker *worker, struct bytes text)
{
    report_progress(runner, worker, OPERATION_PAST, text);
}

void runner_report_begun(struct runner *runner, const struct worker *worker)
{
    struct operation operation = {
        .kind = OPERATION_BEGUN, .room = worker_index_room(runner->index, worker), .step = worker->step};
    runner_report_operation(runner, worker, &operation);
}

void runner_report_ended(struct runner *runner, struct worker *worker, const char *text)
{
    report_progress(runner, worker, OPERATION_ENDED, bytes_of_string(text));
    runner_stop_calls(runner, worker, "the worker is past its last step");
}

void runner_report_start(struct runner *runner, const struct worker *worker)
{
    if (runner->begin_ns == 0) {
        return;
    }
    uint64_t place_ns = schedule_start_ns(runner->options, 0, worker->id);
    struct operation operation = {.kind = OPERATION_RELEASED, .room = ROOM_CAMPAIGN};
    operation.first_ns = operation.last_ns = (int64_t)(runner->event->now_ns - place_ns);
    runner_report_operation(runner, worker, &operation);
}

void runner_check_finished(struct runner *runner)
{
    size_t count = worker_index_all(runner->index).count;
    bool may_finish = runner->has_begun || runner->has_assigned || runner->is_draining || runner->is_stopping;
    if (!may_finish || runner->has_finished || runner->counts[WORKER_GONE] != count) {
        return;
    }
    runner->has_finished = true;
    runner_add_notice(runner, NOTICE_FINISHED)->finished_workers = runner->given;
}
