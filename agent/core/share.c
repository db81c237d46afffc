/* An agent's share of one campaign. */
#include "agent/core/share.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct share *share_new(struct deployment *deployment, uint32_t shard_count)
{
    struct share *share = MEMORY_NEW(struct share);
    share->campaign = deployment_campaign(deployment);
    share->deployment = deployment_hold(deployment);
    share->worker_limit = deployment_options(deployment)->workers;
    share->shard_of = memory_new(share->worker_limit, sizeof *share->shard_of);
    share->shards = memory_new(shard_count, sizeof *share->shards);
    share->shard_count = shard_count;
    share->gather = gather_new(share->worker_limit);
    return share;
}

static void drop_held(struct share *share)
{
    for (size_t i = 0; i < share->held_count; i++) {
        command_free(&share->held[i].command);
    }
    share->held_count = 0;
}

void share_free(struct share **share)
{
    struct share *self = *share;
    if (self == NULL) {
        return;
    }
    drop_held(self);
    memory_free(self->held);
    fetch_free(&self->fetch);
    deployment_release(&self->deployment);
    memory_free(self->shard_of);
    memory_free(self->shards);
    gather_free(&self->gather);
    memory_free(self->deploy_failure);
    memory_free(self->room_steps);
    for (size_t i = 0; i < self->announcement_count; i++) {
        worker_set_finish(&self->announcements[i].workers);
    }
    memory_free(self->announcements);
    memory_free(self);
    *share = NULL;
}

void share_hold_command(struct share *share, uint32_t shard, struct command *command)
{
    share->held =
        memory_reserve(share->held, &share->held_capacity, share->held_count + 1, sizeof *share->held);
    share->held[share->held_count++] = (struct held_command){.command = command, .shard = shard};
}

void share_give_up(struct share *share, const char *why)
{
    drop_held(share);
    fetch_free(&share->fetch);
    for (uint32_t i = 0; i < share->shard_count; i++) {
        share->shards[i].has_runner = false;
    }
    share->deploy_failure = memory_copy_string(why);
}

void share_extend(struct share *share, uint32_t workers)
{
    if (workers <= share->worker_limit) {
        return;
    }
    uint16_t *shard_of = memory_new(workers, sizeof *shard_of);
    memcpy(shard_of, share->shard_of, share->worker_limit * sizeof *shard_of);
    memory_free(share->shard_of);
    share->shard_of = shard_of;
    share->worker_limit = workers;
    gather_extend(share->gather, workers);
}

bool share_knows(const struct share *share, const struct worker_set *workers)
{
    for (size_t i = 0; i < workers->run_count; i++) {
        const struct worker_run *run = &workers->runs[i];
        if (run->first + (uint64_t)run->stride * (run->count - 1) >= share->worker_limit) {
            return false;
        }
    }
    return true;
}

struct worker_set *share_new_sets(const struct share *share)
{
    return memory_new(share->shard_count, sizeof(struct worker_set));
}

void share_free_sets(const struct share *share, struct worker_set *sets)
{
    for (uint32_t i = 0; i < share->shard_count; i++) {
        worker_set_finish(&sets[i]);
    }
    memory_free(sets);
}

static bool has_crews(const struct share *share)
{
    return share->shards[0].has_runner; /* the first always gets one */
}

static uint32_t next_shard(struct share *share, bool is_of_crews)
{
    uint32_t shard = share->next_shard;
    while (is_of_crews && !share->shards[shard].has_runner) {
        shard = (shard + 1) % share->shard_count;
    }
    share->next_shard = (shard + 1) % share->shard_count;
    return shard;
}

void share_deal(struct share *share, const struct worker_set *workers, struct worker_set *sets)
{
    bool is_of_crews = has_crews(share);
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        assert(cursor.worker < share->worker_limit);
        uint16_t *shard_of = &share->shard_of[cursor.worker];
        uint32_t shard = *shard_of != 0 ? *shard_of - 1u : next_shard(share, is_of_crews);
        *shard_of = (uint16_t)(shard + 1);
        share->shards[shard].workers++;
        share->workers++;
        worker_set_add(&sets[shard], cursor.worker);
    }
}

static uint32_t shard_plus_one(const struct share *share, uint32_t worker)
{
    return worker < share->worker_limit ? share->shard_of[worker] : 0;
}

void share_announce(struct share *share, uint64_t sequence, const struct operation *operations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (operations[i].kind != OPERATION_BEGUN) {
            continue;
        }
        share->announcements = memory_reserve(share->announcements, &share->announcement_capacity,
                                              share->announcement_count + 1, sizeof *share->announcements);
        struct announcement *announcement = &share->announcements[share->announcement_count++];
        *announcement = (struct announcement){.sequence = sequence};
        worker_set_copy(&announcement->workers, &operations[i].workers);
    }
}

bool share_take_known(struct share *share, uint64_t acknowledged, struct worker_set *sets)
{
    size_t known = 0;
    for (; known < share->announcement_count; known++) {
        struct announcement *announcement = &share->announcements[known];
        if (announcement->sequence > acknowledged) {
            break;
        }
        struct worker_cursor cursor = {0};
        while (worker_set_next(&announcement->workers, &cursor)) {
            uint32_t shard = shard_plus_one(share, cursor.worker);
            if (shard != 0) {
                worker_set_add(&sets[shard - 1], cursor.worker);
            }
        }
        worker_set_finish(&announcement->workers);
    }
    share->announcement_count -= known;
    for (size_t i = 0; known > 0 && i < share->announcement_count; i++) {
        share->announcements[i] = share->announcements[known + i];
    }
    return known > 0;
}

static struct command *reply_command(const struct share *share, const struct reply *reply,
                                     const struct worker_set *workers)
{
    struct reply part = *reply;
    part.workers = *workers;
    struct command *command = command_new(COMMAND_REPLY, share->campaign);
    command->reply = reply_copy(&part);
    return command;
}

/* Between two workers of one shard others may have come to the barrier: each is given its own rank. */
static void give_ranks(const struct share *share, const struct reply *reply, struct command **commands)
{
    uint64_t *given = memory_new(share->shard_count, sizeof *given);
    for (uint32_t shard = 0; shard < share->shard_count; shard++) {
        if (commands[shard] != NULL) {
            uint64_t count = worker_set_count(&commands[shard]->reply->workers);
            commands[shard]->ranks = memory_new(count, sizeof *commands[shard]->ranks);
        }
    }
    struct worker_cursor cursor = {0};
    for (uint64_t rank = reply->rank; worker_set_next(&reply->workers, &cursor); rank++) {
        uint32_t shard = shard_plus_one(share, cursor.worker);
        if (shard != 0) {
            commands[shard - 1]->ranks[given[shard - 1]++] = rank;
        }
    }
    memory_free(given);
}

void share_split_reply(const struct share *share, const struct reply *reply, struct command **commands)
{
    struct worker_set *sets = share_new_sets(share);
    struct worker_cursor cursor = {0};
    while (worker_set_next(&reply->workers, &cursor)) {
        uint32_t shard = shard_plus_one(share, cursor.worker);
        if (shard != 0) {
            worker_set_add(&sets[shard - 1], cursor.worker);
        }
    }
    for (uint32_t shard = 0; shard < share->shard_count; shard++) {
        bool is_empty = sets[shard].run_count == 0;
        commands[shard] = is_empty ? NULL : reply_command(share, reply, &sets[shard]);
    }
    share_free_sets(share, sets);
    if (reply->kind == OPERATION_BARRIER) {
        give_ranks(share, reply, commands);
    }
}

bool share_has_deployed(const struct share *share)
{
    for (uint32_t i = 0; i < share->shard_count; i++) {
        if (share->shards[i].has_runner && !share->shards[i].has_answered) {
            return false;
        }
    }
    return true;
}

/* Nothing is to be expected from a shard where the script could not be loaded. */
static bool owes_nothing(const struct share_shard *shard, bool has_done)
{
    return !shard->has_runner || shard->has_failed || has_done;
}

bool share_has_drained(const struct share *share)
{
    for (uint32_t i = 0; i < share->shard_count; i++) {
        if (!owes_nothing(&share->shards[i], share->shards[i].has_drained)) {
            return false;
        }
    }
    return true;
}

bool share_has_finished(const struct share *share)
{
    for (uint32_t i = 0; i < share->shard_count; i++) {
        if (!owes_nothing(&share->shards[i], share->shards[i].is_finished)) {
            return false;
        }
    }
    return true;
}

uint32_t share_running(const struct share *share)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < share->shard_count; i++) {
        running += share->shards[i].running;
    }
    return running;
}

void share_add_room_steps(struct share *share, const struct room_step *steps, size_t count)
{
    share->room_steps = memory_reserve(share->room_steps, &share->room_step_capacity,
                                       share->room_step_count + count, sizeof *share->room_steps);
    for (size_t i = 0; i < count; i++) {
        share->room_steps[share->room_step_count++] = steps[i];
    }
}

/* By room, the furthest first. */
static int compare_room_steps(const void *left, const void *right)
{
    const struct room_step *left_step = left;
    const struct room_step *right_step = right;
    if (left_step->room != right_step->room) {
        return left_step->room < right_step->room ? -1 : 1;
    }
    return (left_step->step < right_step->step) - (left_step->step > right_step->step);
}

void share_merge_room_steps(struct share *share)
{
    if (share->room_step_count == 0) {
        return;
    }
    qsort(share->room_steps, share->room_step_count, sizeof *share->room_steps, compare_room_steps);
    size_t kept = 1;
    for (size_t i = 1; i < share->room_step_count; i++) {
        if (share->room_steps[i].room != share->room_steps[kept - 1].room) {
            share->room_steps[kept++] = share->room_steps[i];
        }
    }
    share->room_step_count = kept;
}
