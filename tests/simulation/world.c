/* The simulated world: creates it, plays one event after the other, and frees it. */
#include "tests/simulation/world.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000ull
#define BEGIN_NS (1000 * SECOND_NS)
#define MOST_EVENTS 2000000u

struct world *world_new(void)
{
    return MEMORY_NEW(struct world);
}

static void free_mailboxes(struct host *host)
{
    memory_free(host->notices.items);
    for (uint32_t shard = 0; shard < PLAN_SHARDS; shard++) {
        memory_free(host->shards[shard].commands.items);
    }
}

void world_free(struct world **world)
{
    struct world *self = *world;
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < PLAN_HOSTS; i++) {
        free_mailboxes(&self->hosts[i]);
    }
    while (self->free_frames != NULL) {
        struct frame *frame = self->free_frames;
        self->free_frames = frame->next;
        memory_free(frame->data);
        memory_free(frame);
    }
    coordinator_effects_finish(&self->coordinator_effects);
    agent_effects_finish(&self->agent_effects);
    runner_effects_finish(&self->runner_effects);
    memory_free(self->queue.items);
    memory_free(self->sights);
    memory_free(self);
    *world = NULL;
}

void world_break(struct world *world, const char *format, ...)
{
    if (world->is_broken) {
        return;
    }
    world->is_broken = true;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(world->broken, sizeof world->broken, format, arguments);
    va_end(arguments);
    transcript_say(world->transcript, world->now_ns - world->created_ns, "BROKEN PROMISE: %s", world->broken);
}

uint64_t world_between(struct world *world, uint64_t least, uint64_t most)
{
    return most <= least ? least : least + random_next(&world->random) % (most - least + 1);
}

bool world_chance(struct world *world, double chance)
{
    return chance > 0 && random_unit(&world->random) < chance;
}

static void begin_fault(struct world *world, uint32_t index)
{
    const struct fault *fault = &world->plan->faults[index];
    struct host *host = &world->hosts[fault->host];
    uint64_t until_ns = world->now_ns + fault->for_ns;
    bool is_deaf = world->now_ns < host->frozen_until_ns || host->is_leaving;
    if (!host->is_up || (fault->kind == FAULT_LEAVE && is_deaf)) {
        return;
    }
    transcript_say(world->transcript, world->now_ns - world->created_ns, "agent %s %s", host->name,
                   fault_name(fault->kind));
    world->is_dirty = true;
    if (fault->kind == FAULT_FREEZE) {
        host->frozen_until_ns = until_ns;
    } else if (fault->kind >= FAULT_CUT_UP) {
        host->cut_until_ns[0] = fault->kind == FAULT_CUT_DOWN ? host->cut_until_ns[0] : until_ns;
        host->cut_until_ns[1] = fault->kind == FAULT_CUT_UP ? host->cut_until_ns[1] : until_ns;
        bool is_long = until_ns > world->now_ns + world->settings.lease_ms * 1000000 / 2;
        host->is_deafened = host->is_deafened || (fault->kind != FAULT_CUT_UP && is_long);
    } else if (fault->kind == FAULT_LEAVE) {
        world->unmourned[world->unmourned_count++] = host->incarnation;
        host_leave(world, host, fault->for_ns);
    } else {
        world->unmourned[world->unmourned_count++] = host->incarnation;
        host_crash(world, host);
        host_restart_after(world, host, fault->for_ns);
        if (fault->kind == FAULT_CRASH_KNOWN && !world->recovery.is_down) {
            struct coordinator_event event = {.kind = EVENT_AGENT_GONE,
                                              .gone = {.name = bytes_of_string(host->name)}};
            hub_step(world, &event);
        }
    }
}

static void stop_campaign(struct world *world)
{
    struct coordinator_event event = {.kind = EVENT_STOP,
                                      .stop = {.campaign = WORLD_CAMPAIGN,
                                               .is_at_once = world->plan->is_stop_at_once,
                                               .text = bytes_of_string("interrupted")}};
    /* Perhaps again, after a restart. */
    world->is_stop_asked |= world->state < CAMPAIGN_STOPPING; /* otherwise it is already ending */
    world->is_haste_asked |= world->plan->is_stop_at_once && world->state == CAMPAIGN_STOPPING;
    world->recovery.is_stop_unanswered = true;
    hub_step(world, &event);
    world->recovery.is_stop_unanswered = world->recovery.is_down;
}

/* While it is down, frames are lost; requests are repeated when it is back. */
static bool is_in_vain(struct world *world, const struct event *event)
{
    bool is_for_nobody = world->recovery.is_down && event->happening != HAPPENING_FAULT &&
                         event->happening != HAPPENING_COORDINATOR_RESTART;
    if (!is_for_nobody) {
        return false;
    }
    world->is_created = world->is_created || event->happening == HAPPENING_CREATE;
    if (event->happening == HAPPENING_STOP) {
        world->recovery.is_stop_unanswered = true;
    }
    return true;
}

static void happen_at_hub(struct world *world, struct event *event)
{
    if (is_in_vain(world, event)) {
        return;
    }
    struct coordinator_event coordinator_event = {.kind = EVENT_TICK};
    switch (event->happening) {
    case HAPPENING_CREATE:
        hub_create(world);
        break;
    case HAPPENING_STOP:
        stop_campaign(world);
        break;
    case HAPPENING_SCALE:
        coordinator_event.kind = EVENT_SCALE;
        coordinator_event.scale.campaign = WORLD_CAMPAIGN;
        coordinator_event.scale.workers = world->plan->scales[event->index].workers;
        hub_step(world, &coordinator_event);
        break;
    case HAPPENING_FAULT:
        begin_fault(world, event->index);
        break;
    case HAPPENING_COORDINATOR_KILL:
        recovery_arm(world, event->index);
        break;
    case HAPPENING_COORDINATOR_RESTART:
        recovery_restart(world);
        break;
    case HAPPENING_COORDINATOR_TICK:
        if (event->due_ns != world->coordinator_tick_ns) {
            break; /* an earlier tick was requested since, and has run */
        }
        world->coordinator_tick_ns = 0;
        hub_step(world, &coordinator_event);
        break;
    case HAPPENING_COORDINATOR_TURN:
        world->has_coordinator_turn = false;
        coordinator_event.kind = EVENT_TURN_END;
        hub_step(world, &coordinator_event);
        hub_settle_placement(world);
        break;
    case HAPPENING_FRAME_UP:
        network_note_arrival(&world->hosts[event->host].up, &event->frame->envelope);
        if (world->hosts[event->host].unheard_incarnation == event->frame->envelope.incarnation) {
            world->hosts[event->host].unheard_incarnation = 0;
        }
        coordinator_event.kind = EVENT_FRAME;
        coordinator_event.frame.envelope = event->frame->envelope;
        coordinator_event.frame.message = bytes_of(event->frame->data, event->frame->size);
        hub_step(world, &coordinator_event);
        break;
    default:
        break;
    }
}

static bool is_for_life(const struct host *host, const struct event *event)
{
    if (event->happening == HAPPENING_ACTOR || event->happening == HAPPENING_RUNNER_TICK) {
        return event->life == host->shards[event->shard].life && host->shards[event->shard].runner != NULL;
    }
    return event->life == host->life;
}

static void happen_at_host(struct world *world, struct event *event)
{
    struct host *host = &world->hosts[event->host];
    if (event->happening == HAPPENING_RESTART && event->life == host->life && !host->is_up) {
        transcript_say(world->transcript, world->now_ns - world->created_ns, "agent %s starts again",
                       host->name);
        host_start(world, host);
        return;
    }
    if (!host->is_up || !is_for_life(host, event)) {
        return;
    }
    if (event->happening == HAPPENING_ACTOR) {
        actor_go_on(world, host, event->index);
    } else {
        host_happen(world, host, event);
    }
}

/* Events on a frozen host happen when it thaws, in the same order. */
static bool is_put_off(struct world *world, struct event *event)
{
    if (event->happening < HAPPENING_FRAME_DOWN || event->happening == HAPPENING_RESTART) {
        return false;
    }
    const struct host *host = &world->hosts[event->host];
    if (world->now_ns >= host->frozen_until_ns) {
        return false;
    }
    event->due_ns = host->frozen_until_ns;
    queue_put(&world->queue, *event);
    return true;
}

static void let_happen(struct world *world, struct event *event)
{
    if (is_put_off(world, event)) {
        return;
    }
    world->events++;
    world->events_of[event->happening]++;
    if (event->happening < HAPPENING_FRAME_DOWN) {
        happen_at_hub(world, event);
    } else {
        happen_at_host(world, event);
    }
    if (event->frame != NULL) {
        frame_done(world, event->frame);
    }
}

static void prepare(struct world *world, const struct plan *plan)
{
    recovery_init(world);
    world->settings = coordinator_default_settings(random_next(&world->random) | 1);
    world->coordinator = coordinator_new(&world->settings);
    world->created_ns = world->now_ns + 20000000;
    world->workers = world->fewest_workers = plan->options.workers;
    for (uint32_t i = 0; i < plan->hosts; i++) {
        struct host *host = &world->hosts[i];
        host->offset_ns = plan->has_offsets ? (int64_t)(random_next(&world->random) % (900 * SECOND_NS)) -
                                                  (int64_t)(450 * SECOND_NS)
                                            : 0;
        host_start(world, host);
    }
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        queue_put(&world->queue, (struct event){.due_ns = world->created_ns + plan->kills[i].at_ns,
                                                .happening = HAPPENING_COORDINATOR_KILL,
                                                .index = i});
    }
    queue_put(&world->queue, (struct event){.due_ns = world->created_ns, .happening = HAPPENING_CREATE});
    if (plan->stop_after_ns > 0) {
        queue_put(&world->queue, (struct event){.due_ns = world->created_ns + plan->stop_after_ns,
                                                .happening = HAPPENING_STOP});
    }
    for (uint32_t i = 0; i < plan->scale_count; i++) {
        queue_put(&world->queue, (struct event){.due_ns = world->created_ns + plan->scales[i].at_ns,
                                                .happening = HAPPENING_SCALE,
                                                .index = i});
    }
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        queue_put(&world->queue, (struct event){.due_ns = world->created_ns + plan->faults[i].at_ns,
                                                .happening = HAPPENING_FAULT,
                                                .index = i});
    }
}

/* Forgets the last campaign, keeps the memory. */
static void reset(struct world *world)
{
    struct world kept = *world;
    size_t truth_at = offsetof(struct world, truth);
    size_t behind = truth_at + sizeof world->truth;
    memset((char *)world, 0, truth_at);
    memset((char *)world + behind, 0, sizeof *world - behind);
    world->queue = kept.queue;
    world->queue.count = 0;
    world->queue.next_order = 0;
    world->coordinator_effects = kept.coordinator_effects;
    world->agent_effects = kept.agent_effects;
    world->runner_effects = kept.runner_effects;
    world->free_frames = kept.free_frames;
    world->sights = kept.sights;
    world->sight_capacity = kept.sight_capacity;
    for (uint32_t i = 0; i < PLAN_HOSTS; i++) {
        world->hosts[i].notices = kept.hosts[i].notices;
        for (uint32_t shard = 0; shard < PLAN_SHARDS; shard++) {
            world->hosts[i].shards[shard].commands = kept.hosts[i].shards[shard].commands;
        }
    }
}

/* When even a campaign whose every wait times out is over. */
static uint64_t last_moment_ns(const struct world *world)
{
    const struct plan *plan = world->plan;
    uint64_t acts = 4;
    uint64_t most_ns = (plan->options.duration_ms + plan->options.ramp_up_ms) * 1000000 + 150 * SECOND_NS;
    for (uint32_t step = 0; step < plan->step_count; step++) {
        uint32_t most = 0;
        for (uint32_t worker = 0; worker < plan->options.workers; worker++) {
            most = plan->steps[worker][step].count > most ? plan->steps[worker][step].count : most;
        }
        acts += most;
    }
    /* If runs are not limited, a slow worker may have as many steps left as the fastest has run. */
    acts *= plan->options.duration_ms > 0 ? 40 : 1;
    most_ns += plan->options.is_sizing ? 1800 * SECOND_NS : 0;
    acts *= 1 + plan->scale_count; /* a worker that joins later has all its steps left */
    most_ns += acts * (plan->options.sync_timeout_ms * 1000000 + 3 * SECOND_NS);
    for (uint32_t i = 0; i < plan->kill_count; i++) {
        most_ns += plan->kills[i].at_ns + plan->kills[i].for_ns + 20 * SECOND_NS;
    }
    return world->created_ns + most_ns;
}

/* Names the busiest kind of event, which is where to look if it is a storm. */
static void break_endless(struct world *world)
{
    unsigned busiest = 0;
    for (unsigned i = 0; i < HAPPENING_COUNT; i++) {
        busiest = world->events_of[i] > world->events_of[busiest] ? i : busiest;
    }
    world_break(world, "the campaign does not end: it is %s after %" PRIu64 " events, %" PRIu64 " of kind %u",
                campaign_state_name(world->state), world->events, world->events_of[busiest], busiest);
}

static void play(struct world *world)
{
    uint64_t last_ns = last_moment_ns(world);
    uint64_t patience_ns = world->now_ns + SECOND_NS;
    struct event event;
    while (!world->is_broken && queue_take(&world->queue, &event)) {
        if (event.due_ns > world->now_ns) {
            if (world->ended_ns != 0 && event.due_ns > world->ended_ns + SECOND_NS) {
                if (event.frame != NULL) {
                    frame_done(world, event.frame);
                }
                break;
            }
            judge_moment(world);
            world->now_ns = event.due_ns;
        }
        if (world->now_ns >= patience_ns) {
            patience_ns = world->now_ns + SECOND_NS;
            judge_patience(world);
        }
        let_happen(world, &event);
        if (world->now_ns > last_ns || world->events > MOST_EVENTS) {
            break_endless(world);
        }
    }
}

static void take_down(struct world *world)
{
    struct event event;
    while (queue_take(&world->queue, &event)) {
        if (event.frame != NULL) {
            frame_done(world, event.frame);
        }
    }
    for (uint32_t i = 0; i < PLAN_HOSTS; i++) {
        host_crash(world, &world->hosts[i]);
    }
    coordinator_free(&world->coordinator);
    recovery_finish(world);
}

bool world_run(struct world *world, const struct plan *plan, uint64_t seed, struct transcript *transcript)
{
    reset(world);
    world->plan = plan;
    world->seed = seed;
    world->transcript = transcript;
    world->now_ns = BEGIN_NS;
    random_seed(&world->random, seed ^ 0x5eed5eed5eed5eedull);
    truth_init(&world->truth, plan);
    prepare(world, plan);
    play(world);
    if (!world->is_broken) {
        judge_end(world);
    }
    take_down(world);
    return !world->is_broken;
}
