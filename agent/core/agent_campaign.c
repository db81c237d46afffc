/* One campaign on an agent: deals its workers to shards, splits replies, keeps what the shards still owe. */
#include "agent/core/agent_campaign.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct agent_campaign *agent_campaign_new(struct deployment *deployment, uint32_t shard_count)
{
    struct agent_campaign *campaign = MEMORY_NEW(struct agent_campaign);
    campaign->campaign = deployment_campaign(deployment);
    campaign->deployment = deployment_hold(deployment);
    campaign->worker_limit = deployment_options(deployment)->workers;
    campaign->shard_of = memory_new(campaign->worker_limit, sizeof *campaign->shard_of);
    campaign->shards = memory_new(shard_count, sizeof *campaign->shards);
    campaign->shard_count = shard_count;
    campaign->batcher = batcher_new(campaign->worker_limit);
    return campaign;
}

static void drop_held(struct agent_campaign *campaign)
{
    for (size_t i = 0; i < campaign->held_count; i++) {
        command_free(&campaign->held[i].command);
    }
    campaign->held_count = 0;
}

void agent_campaign_free(struct agent_campaign **campaign)
{
    struct agent_campaign *self = *campaign;
    if (self == NULL) {
        return;
    }
    drop_held(self);
    memory_free(self->held);
    bundle_download_free(&self->download);
    deployment_release(&self->deployment);
    memory_free(self->shard_of);
    memory_free(self->shards);
    batcher_free(&self->batcher);
    memory_free(self->deploy_failure);
    memory_free(self->room_steps);
    for (size_t i = 0; i < self->announcement_count; i++) {
        worker_set_finish(&self->announcements[i].workers);
    }
    memory_free(self->announcements);
    memory_free(self);
    *campaign = NULL;
}

void agent_campaign_hold_command(struct agent_campaign *campaign, uint32_t shard, struct command *command)
{
    campaign->held = memory_reserve(campaign->held, &campaign->held_capacity, campaign->held_count + 1,
                                    sizeof *campaign->held);
    campaign->held[campaign->held_count++] = (struct held_command){.command = command, .shard = shard};
}

void agent_campaign_give_up(struct agent_campaign *campaign, const char *why)
{
    drop_held(campaign);
    bundle_download_free(&campaign->download);
    for (uint32_t i = 0; i < campaign->shard_count; i++) {
        campaign->shards[i].has_runner = false;
    }
    campaign->deploy_failure = memory_copy_string(why);
}

void agent_campaign_extend(struct agent_campaign *campaign, uint32_t workers)
{
    if (workers <= campaign->worker_limit) {
        return;
    }
    uint16_t *shard_of = memory_new(workers, sizeof *shard_of);
    memcpy(shard_of, campaign->shard_of, campaign->worker_limit * sizeof *shard_of);
    memory_free(campaign->shard_of);
    campaign->shard_of = shard_of;
    campaign->worker_limit = workers;
    batcher_extend(campaign->batcher, workers);
}

bool agent_campaign_knows(const struct agent_campaign *campaign, const struct worker_set *workers)
{
    for (size_t i = 0; i < workers->run_count; i++) {
        const struct worker_run *run = &workers->runs[i];
        if (run->first + (uint64_t)run->stride * (run->count - 1) >= campaign->worker_limit) {
            return false;
        }
    }
    return true;
}

struct worker_set *agent_campaign_new_sets(const struct agent_campaign *campaign)
{
    return memory_new(campaign->shard_count, sizeof(struct worker_set));
}

void agent_campaign_free_sets(const struct agent_campaign *campaign, struct worker_set *sets)
{
    for (uint32_t i = 0; i < campaign->shard_count; i++) {
        worker_set_finish(&sets[i]);
    }
    memory_free(sets);
}

static bool has_crews(const struct agent_campaign *campaign)
{
    return campaign->shards[0].has_runner; /* the first always gets one */
}

/* Whether what comes is for the shards that have asked. The seats of a room are of no shard in particular. */
static bool agent_campaign_takes_own(const struct agent_campaign *campaign)
{
    return campaign->is_asking && campaign->grown_load == campaign->asked_load &&
           deployment_options(campaign->deployment)->room_size == 0;
}

static uint32_t next_shard(struct agent_campaign *campaign, bool is_of_crews)
{
    uint32_t shard = campaign->next_shard;
    assert(campaign->shard_count > 0);
    for (uint32_t i = 0; agent_campaign_takes_own(campaign) && i < campaign->shard_count; i++) {
        uint32_t *wanted = &campaign->shards[i].wanted[campaign->asked_load];
        if (*wanted > 0) {
            (*wanted)--;
            return i;
        }
    }
    while (is_of_crews && !campaign->shards[shard].has_runner) {
        shard = (shard + 1) % campaign->shard_count;
    }
    campaign->next_shard = (shard + 1) % campaign->shard_count;
    return shard;
}

void agent_campaign_deal(struct agent_campaign *campaign, const struct worker_set *workers,
                         struct worker_set *sets)
{
    bool is_of_crews = has_crews(campaign);
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        assert(cursor.worker < campaign->worker_limit);
        uint16_t *shard_of = &campaign->shard_of[cursor.worker];
        uint32_t shard = *shard_of != 0 ? *shard_of - 1u : next_shard(campaign, is_of_crews);
        *shard_of = (uint16_t)(shard + 1);
        campaign->shards[shard].workers++;
        campaign->workers++;
        worker_set_add(&sets[shard], cursor.worker);
    }
}

uint32_t agent_campaign_ask(struct agent_campaign *campaign)
{
    uint64_t wanted = 0;
    if (campaign->is_asking || campaign->is_draining || campaign->is_stopping) {
        return 0;
    }
    for (uint32_t turn = 0; wanted == 0 && turn < LOADS_MAX; turn++) {
        campaign->asked_load = (campaign->asked_load + 1) % LOADS_MAX;
        for (uint32_t i = 0; i < campaign->shard_count; i++) {
            uint32_t of_shard = campaign->shards[i].wanted[campaign->asked_load];
            campaign->shards[i].has_asked = of_shard > 0;
            wanted += of_shard;
        }
    }
    campaign->is_asking = wanted > 0;
    return wanted < LIMIT_WORKERS ? (uint32_t)wanted : LIMIT_WORKERS;
}

static uint32_t shard_plus_one(const struct agent_campaign *campaign, uint32_t worker)
{
    return worker < campaign->worker_limit ? campaign->shard_of[worker] : 0;
}

void agent_campaign_announce(struct agent_campaign *campaign, uint64_t sequence,
                             const struct operation *operations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (operations[i].kind != OPERATION_BEGUN) {
            continue;
        }
        campaign->announcements =
            memory_reserve(campaign->announcements, &campaign->announcement_capacity,
                           campaign->announcement_count + 1, sizeof *campaign->announcements);
        struct announcement *announcement = &campaign->announcements[campaign->announcement_count++];
        *announcement = (struct announcement){.sequence = sequence};
        worker_set_copy(&announcement->workers, &operations[i].workers);
    }
}

bool agent_campaign_take_known(struct agent_campaign *campaign, uint64_t acknowledged,
                               struct worker_set *sets)
{
    size_t known = 0;
    for (; known < campaign->announcement_count; known++) {
        struct announcement *announcement = &campaign->announcements[known];
        if (announcement->sequence > acknowledged) {
            break;
        }
        struct worker_cursor cursor = {0};
        while (worker_set_next(&announcement->workers, &cursor)) {
            uint32_t shard = shard_plus_one(campaign, cursor.worker);
            if (shard != 0) {
                worker_set_add(&sets[shard - 1], cursor.worker);
            }
        }
        worker_set_finish(&announcement->workers);
    }
    campaign->announcement_count -= known;
    for (size_t i = 0; known > 0 && i < campaign->announcement_count; i++) {
        campaign->announcements[i] = campaign->announcements[known + i];
    }
    return known > 0;
}

/* Takes the workers. */
static struct command *reply_command(const struct agent_campaign *campaign, struct shared_reply *reply,
                                     struct worker_set *workers)
{
    struct command *command = command_new(COMMAND_REPLY, campaign->campaign);
    command->reply = shared_reply_hold(reply);
    command->workers = *workers;
    worker_set_init(workers);
    return command;
}

/* Workers of other shards may have arrived in between: each worker is given its own rank. */
static void give_ranks(const struct agent_campaign *campaign, const struct reply *reply,
                       struct command **commands)
{
    uint64_t *given = memory_new(campaign->shard_count, sizeof *given);
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        if (commands[shard] != NULL) {
            uint64_t count = worker_set_count(&commands[shard]->workers);
            commands[shard]->ranks = memory_new(count, sizeof *commands[shard]->ranks);
        }
    }
    struct worker_cursor cursor = {0};
    for (uint64_t rank = reply->rank; worker_set_next(&reply->workers, &cursor); rank++) {
        uint32_t shard = shard_plus_one(campaign, cursor.worker);
        if (shard != 0) {
            commands[shard - 1]->ranks[given[shard - 1]++] = rank;
        }
    }
    memory_free(given);
}

void agent_campaign_split_reply(const struct agent_campaign *campaign, const struct reply *reply,
                                struct command **commands)
{
    struct worker_set *sets = agent_campaign_new_sets(campaign);
    struct worker_cursor cursor = {0};
    while (worker_set_next(&reply->workers, &cursor)) {
        uint32_t shard = shard_plus_one(campaign, cursor.worker);
        if (shard != 0) {
            worker_set_add(&sets[shard - 1], cursor.worker);
        }
    }
    struct shared_reply *shared = shared_reply_new(reply);
    for (uint32_t shard = 0; shard < campaign->shard_count; shard++) {
        bool is_empty = sets[shard].run_count == 0;
        commands[shard] = is_empty ? NULL : reply_command(campaign, shared, &sets[shard]);
    }
    shared_reply_release(&shared);
    agent_campaign_free_sets(campaign, sets);
    if (reply->kind == OPERATION_BARRIER) {
        give_ranks(campaign, reply, commands);
    }
}

bool agent_campaign_has_deployed(const struct agent_campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->shard_count; i++) {
        if (campaign->shards[i].has_runner && !campaign->shards[i].has_answered) {
            return false;
        }
    }
    return true;
}

/* Expects nothing from a shard where the script could not be loaded. */
static bool owes_nothing(const struct agent_campaign_shard *shard, bool has_done)
{
    return !shard->has_runner || shard->has_failed || has_done;
}

bool agent_campaign_has_drained(const struct agent_campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->shard_count; i++) {
        if (!owes_nothing(&campaign->shards[i], campaign->shards[i].has_drained)) {
            return false;
        }
    }
    return true;
}

bool agent_campaign_has_finished(const struct agent_campaign *campaign)
{
    for (uint32_t i = 0; i < campaign->shard_count; i++) {
        if (!owes_nothing(&campaign->shards[i], campaign->shards[i].is_finished)) {
            return false;
        }
    }
    return true;
}

uint32_t agent_campaign_running(const struct agent_campaign *campaign)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < campaign->shard_count; i++) {
        running += campaign->shards[i].running;
    }
    return running;
}

void agent_campaign_add_room_steps(struct agent_campaign *campaign, const struct room_step *steps,
                                   size_t count)
{
    campaign->room_steps = memory_reserve(campaign->room_steps, &campaign->room_step_capacity,
                                          campaign->room_step_count + count, sizeof *campaign->room_steps);
    for (size_t i = 0; i < count; i++) {
        campaign->room_steps[campaign->room_step_count++] = steps[i];
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

void agent_campaign_merge_room_steps(struct agent_campaign *campaign)
{
    if (campaign->room_step_count == 0) {
        return;
    }
    qsort(campaign->room_steps, campaign->room_step_count, sizeof *campaign->room_steps, compare_room_steps);
    size_t kept = 1;
    for (size_t i = 1; i < campaign->room_step_count; i++) {
        if (campaign->room_steps[i].room != campaign->room_steps[kept - 1].room) {
            campaign->room_steps[kept++] = campaign->room_steps[i];
        }
    }
    campaign->room_step_count = kept;
}
