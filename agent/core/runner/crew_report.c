/* What a crew gives out: effects, notices, progress. And what it knows of rooms. */
#include "agent/core/runner/crew_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/escape.h"
#include "common/memory.h"
#include "proto/message/limits.h"

void crew_effects_clear(struct crew_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        notice_free(&effects->items[i].notice);
    }
    effects->count = 0;
}

void crew_effects_finish(struct crew_effects *effects)
{
    crew_effects_clear(effects);
    memory_free(effects->items);
    *effects = (struct crew_effects){0};
}

struct crew_effect *crew_add_effect(struct crew_effects *effects, enum crew_effect_kind kind)
{
    effects->items =
        memory_reserve(effects->items, &effects->capacity, effects->count + 1, sizeof *effects->items);
    struct crew_effect *effect = &effects->items[effects->count++];
    *effect = (struct crew_effect){.kind = kind};
    return effect;
}

struct notice *crew_add_notice(const struct crew *crew, enum notice_kind kind)
{
    struct crew_effect *effect = crew_add_effect(crew->effects, CREW_NOTICE);
    effect->notice = notice_new(kind, deployment_campaign(crew->deployment));
    return effect->notice;
}

static struct bytes crew_report_key_of(const uint32_t *room)
{
    return bytes_of(room, sizeof *room);
}

struct room *crew_room(const struct crew *crew, uint32_t room)
{
    bool is_last = crew->last_room != NULL && crew->last_room->id == room;
    return is_last ? crew->last_room : map_get(crew->rooms, crew_report_key_of(&room));
}

struct room *crew_ensure_room(struct crew *crew, uint32_t room)
{
    if (crew->last_room != NULL && crew->last_room->id == room) {
        return crew->last_room;
    }
    struct room *found = crew_room(crew, room);
    if (found == NULL) {
        found = MEMORY_NEW(struct room);
        found->id = room;
        (void)map_put(crew->rooms, crew_report_key_of(&room), found);
    }
    crew->last_room = found;
    return found;
}

struct room *crew_room_of(const struct crew *crew, const struct worker *worker)
{
    return map_size(crew->rooms) == 0 ? NULL : crew_room(crew, roster_room(crew->roster, worker));
}

struct worker_set crew_only(struct worker_run *run, const struct worker *worker)
{
    *run = (struct worker_run){.first = worker->id, .stride = 1, .count = 1};
    return (struct worker_set){.runs = run, .run_count = 1, .run_capacity = 1};
}

void crew_tell(const struct crew *crew, struct crew_effects *effects, const struct operation *operation)
{
    if (crew->gather != NULL) {
        gather_put(crew->gather, operation);
        return;
    }
    struct crew_effect *effect = crew_add_effect(effects, CREW_NOTICE);
    effect->notice = notice_new(NOTICE_OPERATION, deployment_campaign(crew->deployment));
    effect->notice->operation = operation_copy(operation);
}

static void crew_report_operation(struct crew *crew, const struct worker *worker, struct operation *operation)
{
    struct worker_run run;
    operation->workers = crew_only(&run, worker);
    crew_tell(crew, crew->effects, operation);
}

static void report_progress(struct crew *crew, const struct worker *worker, enum operation_kind kind,
                            struct bytes text)
{
    struct buffer clean SCOPED(buffer_finish);
    buffer_init(&clean, LIMIT_TEXT_BYTES);
    escape_text(&clean, text);
    struct operation operation = {
        .kind = kind,
        .room = roster_room(crew->roster, worker),
        .step = worker_ended_step(worker),
        .text = buffer_bytes(&clean),
    };
    crew_report_operation(crew, worker, &operation);
}

void crew_report_past(struct crew *crew, const struct worker *worker, struct bytes text)
{
    report_progress(crew, worker, OPERATION_PAST, text);
}

void crew_report_begun(struct crew *crew, const struct worker *worker)
{
    struct operation operation = {
        .kind = OPERATION_BEGUN, .room = roster_room(crew->roster, worker), .step = worker->step};
    crew_report_operation(crew, worker, &operation);
}

void crew_report_ended(struct crew *crew, const struct worker *worker, const char *text)
{
    report_progress(crew, worker, OPERATION_ENDED, bytes_of_string(text));
}

void crew_report_start(struct crew *crew, const struct worker *worker)
{
    if (crew->begin_ns == 0) {
        return;
    }
    uint64_t place_ns = schedule_start_ns(crew->options, 0, worker->id);
    struct operation operation = {.kind = OPERATION_RELEASED, .room = ROOM_CAMPAIGN};
    operation.first_ns = operation.last_ns = (int64_t)(crew->event->now_ns - place_ns);
    crew_report_operation(crew, worker, &operation);
}

void crew_check_finished(struct crew *crew)
{
    size_t count = roster_all(crew->roster).count;
    bool may_finish = crew->has_begun || crew->has_assigned || crew->is_draining || crew->is_stopping;
    if (!may_finish || crew->has_finished || crew->counts[WORKER_GONE] != count) {
        return;
    }
    crew->has_finished = true;
    crew_add_notice(crew, NOTICE_FINISHED)->finished_workers = crew->given;
}
