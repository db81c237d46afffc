/* The shell around a simulated agent and its shards: mailboxes between them, and what the cores request. */
#include "common/memory.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdio.h>

#define STATISTICS_STEPS                                                                                     \
    16u /* counts up to this number, after which a runner reports them without being asked */

uint32_t host_index(const struct world *world, const struct host *host)
{
    return (uint32_t)(host - world->hosts);
}

uint64_t host_clock(const struct world *world, const struct host *host)
{
    return world->now_ns + (uint64_t)host->offset_ns;
}

bool host_has_lease(const struct world *world, const struct host *host)
{
    return host_clock(world, host) < host->lease_until_ns;
}

static void put(struct world *world, struct host *host, enum happening happening, uint64_t delay_ns)
{
    queue_put(&world->queue, (struct event){.due_ns = world->now_ns + delay_ns,
                                            .happening = happening,
                                            .host = (uint8_t)host_index(world, host),
                                            .life = host->life});
}

static void post(struct mailbox *mailbox, uint8_t shard, void *item)
{
    mailbox->items =
        memory_reserve(mailbox->items, &mailbox->capacity, mailbox->count + 1, sizeof *mailbox->items);
    mailbox->items[mailbox->count++] = (struct mailbox_item){.shard = shard, .item = item};
}

void host_post_notice(struct world *world, struct host *host, uint8_t shard, struct notice *notice)
{
    post(&host->notices, shard, notice);
    if (!host->has_notices_event) {
        host->has_notices_event = true;
        put(world, host, HAPPENING_NOTICES,
            world_between(world, world->plan->least_mailbox_delay_ns, world->plan->most_mailbox_delay_ns));
    }
}

static void post_command(struct world *world, struct host *host, struct agent_effect *effect)
{
    if (effect->shard >= world->plan->shards) {
        world_break(world, "a command for shard %u of %u", effect->shard, world->plan->shards);
        return;
    }
    struct shard *shard = &host->shards[effect->shard];
    post(&shard->commands, (uint8_t)effect->shard, effect->command);
    effect->command = NULL;
    if (!shard->has_commands_event) {
        shard->has_commands_event = true;
        uint64_t delay_ns =
            world_between(world, world->plan->least_mailbox_delay_ns, world->plan->most_mailbox_delay_ns);
        queue_put(&world->queue, (struct event){.due_ns = world->now_ns + delay_ns,
                                                .happening = HAPPENING_COMMANDS,
                                                .host = (uint8_t)host_index(world, host),
                                                .shard = (uint8_t)effect->shard,
                                                .life = host->life});
    }
}

static void wake_agent(struct world *world, struct host *host)
{
    uint64_t due_ns = agent_due_ns(host->agent);
    if (due_ns == UINT64_MAX) {
        return;
    }
    uint64_t clock_ns = host_clock(world, host);
    due_ns = due_ns < clock_ns ? world->now_ns : due_ns - (uint64_t)host->offset_ns;
    if (host->tick_ns != 0 && host->tick_ns <= due_ns) {
        return;
    }
    host->tick_ns = due_ns;
    queue_put(&world->queue, (struct event){.due_ns = due_ns,
                                            .wanted_ns = due_ns,
                                            .happening = HAPPENING_AGENT_TICK,
                                            .host = (uint8_t)host_index(world, host),
                                            .life = host->life});
}

static void wake_runner(struct world *world, struct host *host, uint8_t shard)
{
    struct shard *self = &host->shards[shard];
    uint64_t due_ns = self->runner == NULL ? UINT64_MAX : runner_due_ns(self->runner);
    if (due_ns == UINT64_MAX) {
        return;
    }
    uint64_t clock_ns = host_clock(world, host);
    due_ns = due_ns < clock_ns ? world->now_ns : due_ns - (uint64_t)host->offset_ns;
    if (self->tick_ns != 0 && self->tick_ns <= due_ns) {
        return;
    }
    self->tick_ns = due_ns;
    queue_put(&world->queue, (struct event){.due_ns = due_ns,
                                            .wanted_ns = due_ns,
                                            .happening = HAPPENING_RUNNER_TICK,
                                            .host = (uint8_t)host_index(world, host),
                                            .shard = shard,
                                            .life = self->life});
}

static void resume_actors(struct world *world, struct host *host)
{
    for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
        if (host->actors[worker].is_put_off) {
            host->actors[worker].is_put_off = false;
            actor_schedule(world, host, worker, 0);
        }
    }
}

static void reconnect(struct world *world, struct host *host)
{
    transcript_say(world->transcript != NULL && world->transcript->is_full ? world->transcript : NULL,
                   world->now_ns - world->created_ns, "agent %s makes a new connection", host->name);
    host->reconnections++;
}

static void carry_out(struct world *world, struct host *host, struct agent_effect *effect)
{
    switch (effect->kind) {
    case AGENT_SEND:
        if (effect->envelope.incarnation != host->incarnation) {
            host->incarnation = effect->envelope.incarnation;
            host->is_declared_lost = false;
            host->is_deafened = false;
        }
        network_send_up(world, host, &effect->envelope, shared_bytes(effect->message));
        break;
    case AGENT_COMMAND:
        post_command(world, host, effect);
        break;
    case AGENT_LEASE:
        host->lease_until_ns = effect->lease_until_ns;
        resume_actors(world, host);
        break;
    case AGENT_RECONNECT:
        reconnect(world, host);
        break;
    case AGENT_REFUSED:
        world_break(world, "agent %s was permanently refused: %s", host->name, effect->text);
        break;
    case AGENT_LOOK:
        break; /* it cannot tell */
    case AGENT_MAY_LEAVE:
        world_break(world, "agent %s was let go, and has not asked", host->name);
        break;
    case AGENT_LEFT:
        host->has_left = true;
        break;
    case AGENT_LOG:
        if (world->transcript != NULL && world->transcript->is_full) {
            transcript_say(world->transcript, world->now_ns - world->created_ns, "agent %s: %s", host->name,
                           effect->text);
        }
        break;
    }
}

static void step(struct world *world, struct host *host, struct agent_event *event)
{
    event->now_ns = host_clock(world, host);
    agent_step(host->agent, event, &world->agent_effects);
    for (size_t i = 0; i < world->agent_effects.count; i++) {
        carry_out(world, host, &world->agent_effects.items[i]);
    }
    if (event->kind != AGENT_TURN_END && !host->has_turn_event) {
        host->has_turn_event = true;
        put(world, host, HAPPENING_AGENT_TURN, 0);
    }
    if (host->has_left) {
        host_crash(world, host);
        host_restart_after(world, host, host->restart_after_ns);
    } else {
        wake_agent(world, host);
    }
}

void host_leave(struct world *world, struct host *host, uint64_t restart_after_ns)
{
    struct agent_event event = {.kind = AGENT_LEAVE};
    host->is_leaving = true;
    host->restart_after_ns = restart_after_ns;
    step(world, host, &event);
}

void host_restart_after(struct world *world, struct host *host, uint64_t after_ns)
{
    if (after_ns > 0) {
        put(world, host, HAPPENING_RESTART, after_ns);
    }
}

void host_start(struct world *world, struct host *host)
{
    host->life++;
    host->is_up = true;
    host->is_leaving = false;
    host->has_left = false;
    host->is_declared_lost = false;
    host->is_deafened = false;
    host->frozen_until_ns = 0;
    host->lease_until_ns = 0;
    (void)snprintf(host->name, sizeof host->name, "a%u", host_index(world, host) + 1);
    struct agent_settings settings = {
        .incarnation = random_next(&world->random) | 1,
        .seed = random_next(&world->random),
        .name = host->name,
        .host = "simulated",
        .pid = 100 + host_index(world, host),
        .cores = 2,
        .memory_bytes = 1u << 30,
        .shards = world->plan->shards,
        .capacity = world->plan->capacity,
    };
    host->incarnation = settings.incarnation;
    host->up = (struct flow){.incarnation = settings.incarnation};
    host->down = host->up;
    host->agent = agent_new(&settings, host_clock(world, host));
    wake_agent(world, host);
}

void host_drop_runner(struct world *world, struct host *host, uint8_t shard)
{
    struct shard *self = &host->shards[shard];
    runner_free(&self->runner);
    self->life++;
    self->tick_ns = 0;
    self->dropped = 0;
    self->counted = (struct statistics){0};
    for (uint32_t worker = 0; worker < PLAN_WORKERS; worker++) {
        if (host->actors[worker].state != ACTOR_NONE && host->actors[worker].shard == shard) {
            host->actors[worker] = (struct actor){0};
        }
    }
    world->is_dirty = true;
}

void host_crash(struct world *world, struct host *host)
{
    if (!host->is_up) {
        return;
    }
    host->is_up = false;
    host->life++;
    host->frozen_until_ns = 0;
    for (uint8_t shard = 0; shard < PLAN_SHARDS; shard++) {
        struct shard *self = &host->shards[shard];
        for (size_t i = 0; i < self->commands.count; i++) {
            struct command *command = self->commands.items[i].item;
            command_free(&command);
        }
        self->commands.count = 0;
        self->has_commands_event = false;
        host_drop_runner(world, host, shard);
    }
    for (size_t i = 0; i < host->notices.count; i++) {
        struct notice *notice = host->notices.items[i].item;
        notice_free(&notice);
    }
    host->notices.count = 0;
    host->has_notices_event = false;
    host->has_turn_event = false;
    host->tick_ns = 0;
    agent_free(&host->agent);
}

/* As a shell does it: an agent reports its gauges before one of its campaigns ends. */
static void tell_gauges(struct world *world, struct host *host, struct notice *notice)
{
    struct gauges gauges = {.interval_us = 1000000, .cpu_us = 500000, .memory_bytes = 1u << 20};
    struct agent_event event = {.kind = AGENT_GAUGES, .gauges = &gauges};
    bool is_counted = world->plan->rounds != 0; /* if only the messages of meetings are wanted */
    if (notice->kind == NOTICE_FINISHED && !is_counted) {
        step(world, host, &event);
    }
}

static void take_notices(struct world *world, struct host *host)
{
    host->has_notices_event = false;
    size_t count = host->notices.count;
    for (size_t i = 0; i < count; i++) {
        struct notice *notice = host->notices.items[i].item;
        tell_gauges(world, host, notice);
        struct agent_event event = {
            .kind = AGENT_NOTICE, .shard = host->notices.items[i].shard, .notice = &notice};
        step(world, host, &event);
        notice_free(&notice);
    }
    host->notices.count = 0;
}

static void tell(struct world *world, struct host *host, uint8_t shard, const struct command *command,
                 enum notice_kind kind)
{
    struct notice *notice = notice_new(kind, command->campaign);
    bool is_setup = kind == NOTICE_GLOBAL_DONE && command->phase == GLOBAL_SETUP;
    notice->phase = command->phase;
    notice->is_ok = kind == NOTICE_DEPLOYED ? !world->plan->is_script_broken
                                            : !(is_setup && world->plan->is_global_broken);
    notice->text = notice->is_ok ? NULL : memory_copy_string("broken on purpose");
    host_post_notice(world, host, shard, notice);
}

static void take_command(struct world *world, struct host *host, uint8_t shard, struct command *command)
{
    struct shard *self = &host->shards[shard];
    if (command->kind == COMMAND_GLOBAL) {
        tell(world, host, shard, command, NOTICE_GLOBAL_DONE);
        return;
    }
    if (command->kind == COMMAND_DEPLOY) {
        if (self->runner != NULL) {
            world_break(world, "a second runner on shard %u of %s", shard, host->name);
            return;
        }
        self->incarnation = host->incarnation;
        self->runner = runner_new(command->deployment, deployment_options(command->deployment)->runs);
    }
    if (self->runner == NULL) {
        return;
    }
    struct runner_event event = {.kind = RUNNER_COMMAND, .command = command};
    host_runner_step(world, host, shard, &event);
    if (command->kind == COMMAND_DEPLOY) {
        tell(world, host, shard, command, NOTICE_DEPLOYED);
    } else if (command->kind == COMMAND_FORGET) {
        host_drop_runner(world, host, shard);
    }
}

static void take_commands(struct world *world, struct host *host, uint8_t shard)
{
    struct shard *self = &host->shards[shard];
    self->has_commands_event = false;
    for (size_t i = 0; i < self->commands.count; i++) {
        struct command *command = self->commands.items[i].item;
        take_command(world, host, shard, command);
        command_free(&command);
    }
    self->commands.count = 0;
}

void host_happen(struct world *world, struct host *host, const struct event *event)
{
    struct agent_event agent_event = {.kind = AGENT_TICK};
    struct runner_event runner_event = {.kind = RUNNER_TICK, .is_paused = !host_has_lease(world, host)};
    switch (event->happening) {
    case HAPPENING_FRAME_DOWN:
        network_note_arrival(&host->down, &event->frame->envelope);
        agent_event.kind = AGENT_FRAME;
        agent_event.envelope = event->frame->envelope;
        agent_event.message = bytes_of(event->frame->data, event->frame->size);
        step(world, host, &agent_event);
        break;
    case HAPPENING_AGENT_TICK:
        if (event->wanted_ns != host->tick_ns) {
            break; /* an earlier tick was requested since, and has run */
        }
        host->tick_ns = 0;
        step(world, host, &agent_event);
        break;
    case HAPPENING_CONNECTED:
        agent_event.kind = AGENT_CONNECTED;
        step(world, host, &agent_event);
        break;
    case HAPPENING_AGENT_TURN:
        host->has_turn_event = false;
        agent_event.kind = AGENT_TURN_END;
        step(world, host, &agent_event);
        break;
    case HAPPENING_NOTICES:
        take_notices(world, host);
        break;
    case HAPPENING_COMMANDS:
        take_commands(world, host, event->shard);
        break;
    case HAPPENING_RUNNER_TICK:
        if (event->wanted_ns != host->shards[event->shard].tick_ns) {
            break;
        }
        host->shards[event->shard].tick_ns = 0;
        host_runner_step(world, host, event->shard, &runner_event);
        break;
    default:
        break;
    }
}

/* The last statistics are sent before the notice that everything is over. */
static void send_statistics(struct world *world, struct host *host, uint8_t shard, uint64_t campaign)
{
    struct shard *self = &host->shards[shard];
    struct notice *notice = notice_new(NOTICE_STATISTICS, campaign);
    notice->statistics = MEMORY_NEW(struct statistics);
    *notice->statistics = self->counted;
    notice->statistics->workers_running = runner_running(self->runner);
    notice->statistics->dropped = runner_dropped(self->runner) - self->dropped;
    self->dropped = runner_dropped(self->runner);
    self->counted = (struct statistics){0};
    host_post_notice(world, host, shard, notice);
}

void host_tell_statistics(struct world *world, struct host *host, uint8_t shard)
{
    send_statistics(world, host, shard, WORLD_CAMPAIGN);
}

static void take_notice(struct world *world, struct host *host, uint8_t shard, struct runner_effect *effect)
{
    struct notice *notice = effect->notice;
    effect->notice = NULL;
    if (notice->kind == NOTICE_OPERATION) {
        judge_progress(world, host->shards[shard].incarnation, notice->operation);
    }
    uint64_t counted = host->shards[shard].counted.steps_ok + host->shards[shard].counted.steps_failed;
    if (notice->kind == NOTICE_FINISHED || (counted >= STATISTICS_STEPS && world->plan->rounds == 0)) {
        send_statistics(world, host, shard, notice->campaign);
    }
    host_post_notice(world, host, shard, notice);
}

void host_carry_out(struct world *world, struct host *host, uint8_t shard)
{
    for (size_t i = 0; i < world->runner_effects.count; i++) {
        struct runner_effect *effect = &world->runner_effects.items[i];
        switch (effect->kind) {
        case RUNNER_SETUP:
            actor_begin_setup(world, host, shard, effect->worker);
            break;
        case RUNNER_SETUP_LATE:
            world_break(world, "worker %u has no time to set up, although there is no limit", effect->worker);
            break;
        case RUNNER_STEP:
            host->shards[shard].counted.arrivals += effect->is_arrival ? 1 : 0;
            actor_begin_step(world, host, effect->worker, effect->step);
            break;
        case RUNNER_ANSWER:
            actor_take_answer(world, host, effect->worker, shared_reply_get(effect->reply), effect->rank);
            break;
        case RUNNER_TEARDOWN:
            actor_begin_teardown(world, host, effect->worker);
            break;
        case RUNNER_NOTICE:
            take_notice(world, host, shard, effect);
            break;
        }
    }
}

void host_runner_step(struct world *world, struct host *host, uint8_t shard, struct runner_event *event)
{
    event->now_ns = host_clock(world, host);
    runner_step(host->shards[shard].runner, event, &world->runner_effects);
    host_carry_out(world, host, shard);
    wake_runner(world, host, shard);
}
