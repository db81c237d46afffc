/* The shell around the simulated coordinator: performs what its core requests. */
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"
#include "tests/simulation/world.h"

#include <inttypes.h>

#define MOST_DATA_BYTES (LIMIT_CHUNK_BYTES + 999u)

static struct host *host_of_incarnation(struct world *world, uint64_t incarnation)
{
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        if (world->hosts[i].incarnation == incarnation) {
            return &world->hosts[i];
        }
    }
    return NULL;
}

bool hub_is_draining(const struct world *world)
{
    uint64_t duration_ms = world->plan->options.duration_ms;
    uint64_t after_ms = world->settings.start_delay_ms + duration_ms;
    return duration_ms != 0 && world->running_ns != 0 &&
           world->now_ns >= world->running_ns + after_ms * 1000000;
}

/* Continues elsewhere, after its agent was lost. */
static bool may_go_on(const struct world *world, uint32_t worker)
{
    return on_loss_replaces(world->plan->options.on_loss) && worker < world->workers &&
           world->state < CAMPAIGN_STOPPING && !hub_is_draining(world);
}

static void lose_worker(struct world *world, uint32_t worker)
{
    struct truth_worker *who = &world->truth.worker[worker];
    who->owner = 0;
    who->is_lost = true;
    who->losses++;
    who->is_in_step = false;
    who->is_coming = false;
    who->is_moving = may_go_on(world, worker) && !who->is_over;
    if (!who->is_moving && !who->is_over) {
        who->is_over = true;
        who->over_ns = world->now_ns;
    }
    for (uint32_t room = 0; room <= TRUTH_ROOMS; room++) {
        struct truth_variable *made = &world->truth.variable[room][VARIABLE_MADE];
        made->maker = made->maker == worker ? TRUTH_NOBODY : made->maker;
    }
}

/* From here on no worker of this incarnation of an agent may act. */
static void declare_lost(struct world *world, uint64_t incarnation)
{
    struct host *host = host_of_incarnation(world, incarnation);
    if (host != NULL) {
        host->is_declared_lost = true;
        transcript_say(world->transcript, world->now_ns - world->created_ns, "agent %s is given up",
                       host->name);
    }
    for (uint32_t i = 0; i < world->unmourned_count; i++) {
        if (world->unmourned[i] == incarnation) {
            world->unmourned[i] = world->unmourned[--world->unmourned_count];
        }
    }
    /* Its host may have another incarnation by now. */
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        struct host *any = &world->hosts[i];
        if (any->unheard_incarnation == incarnation) {
            any->unheard_incarnation = 0;
            world->agents_unheard++;
        }
    }
    world->agents_declared++;
    bool had_workers = false;
    bool had_all_ended = true;
    for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
        if (world->truth.worker[worker].is_moving && !may_go_on(world, worker)) {
            lose_worker(world, worker); /* it was to continue there, but was never told so */
        }
        struct truth_worker *who = &world->truth.worker[worker];
        if (who->left == incarnation && who->came_ns == world->now_ns) {
            who->losses++; /* the loss is what has let it come back: it was never known to have ended there */
        }
        if (who->owner == incarnation) {
            had_workers = true;
            had_all_ended = had_all_ended && world->truth.worker[worker].is_over;
            lose_worker(world, worker);
        }
    }
    /* Its loss may be what has just ended the campaign. */
    bool has_ended_before = world->state == CAMPAIGN_ENDED && world->ended_ns < world->now_ns;
    bool concerns_campaign = had_workers && !has_ended_before;
    world->agents_lost += concerns_campaign && !had_all_ended ? 1 : 0;
    world->agents_gone += concerns_campaign && had_all_ended ? 1 : 0;
    world->is_dirty = true;
}

static void give(struct world *world, uint64_t incarnation, const struct worker_set *workers,
                 uint64_t first_step)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        if (cursor.worker >= world->truth.workers) {
            world_break(world, "worker %u was assigned, but there are %u", cursor.worker,
                        world->truth.workers);
            return;
        }
        struct truth_worker *who = &world->truth.worker[cursor.worker];
        if (who->owner == incarnation) {
            continue; /* sent again */
        }
        if (who->owner != 0) {
            world_break(world, "worker %u was assigned to a second agent while the first has it",
                        cursor.worker);
        }
        who->owner = incarnation;
        if (first_step > 0) {
            truth_restart(&world->truth, cursor.worker, first_step);
        }
    }
}

/* Checks in what is sent which agents workers are assigned to. */
static void note_placement(struct world *world, uint64_t incarnation, struct bytes bytes)
{
    bool may_deal =
        world->state == CAMPAIGN_DEPLOYING || world->agents_declared > 0 || plan_may_scale(world->plan);
    if (!may_deal || world->state == CAMPAIGN_ENDED || bytes.size == 0) {
        return;
    }
    struct message message;
    struct error error;
    if (!message_decode(bytes, &message, &error)) {
        world_break(world, "the coordinator sent an unreadable message: %s", error.text);
        return;
    }
    if (message.kind == MESSAGE_DEPLOY) {
        give(world, incarnation, &message.deploy.workers, 0);
    } else if (message.kind == MESSAGE_ASSIGN) {
        for (size_t i = 0; i < message.assign.count; i++) {
            uint64_t first_step = message.assign.items[i].first_step;
            give(world, incarnation, &message.assign.items[i].workers, first_step == 0 ? 1 : first_step);
        }
    }
    message_finish(&message);
    world->is_dirty = true;
}

/* It may have been assigned workers that it will be told of when it is heard. */
static bool is_anybody_unheard(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        if (world->hosts[i].unheard_incarnation != 0) {
            return true;
        }
    }
    return false;
}

void hub_settle_placement(struct world *world)
{
    if (world->state != CAMPAIGN_RUNNING || world->agents_declared == 0 || is_anybody_unheard(world)) {
        return;
    }
    for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
        struct truth_worker *who = &world->truth.worker[worker];
        if (who->owner == 0 && !who->is_moving && !who->is_over) {
            who->is_lost = true;
            who->is_over = true;
            who->over_ns = world->now_ns;
            world->agents_lost++;
            world->is_dirty = true;
        }
    }
}

/* `is_seen`: not at the moment in which the coordinator dies. */
static void carry_out(struct world *world, const struct coordinator_effect *effect, bool is_seen)
{
    struct host *host = NULL;
    uint64_t at_ns = world->now_ns - world->created_ns;
    switch (effect->kind) {
    case EFFECT_SEND:
        host = host_of_incarnation(world, effect->incarnation);
        note_placement(world, effect->incarnation, shared_bytes(effect->message));
        if (host != NULL && is_seen) {
            network_send_down(world, host, &effect->envelope, shared_bytes(effect->message));
        }
        break;
    case EFFECT_LOG:
        if (world->transcript != NULL && world->transcript->is_full) {
            transcript_say(world->transcript, at_ns, "coordinator: %s", effect->text);
        }
        break;
    case EFFECT_CAMPAIGN:
        world->state = effect->state;
        world->is_dirty = true;
        transcript_say(world->transcript, at_ns, "campaign %" PRIu64 " is %s", effect->campaign,
                       campaign_state_name(effect->state));
        world->running_ns = effect->state == CAMPAIGN_RUNNING ? world->now_ns : world->running_ns;
        if (effect->state >= CAMPAIGN_STOPPING && world->stopping_ns == 0) {
            world->stopping_ns = world->now_ns;
        }
        if (effect->state == CAMPAIGN_ENDED) {
            world->ended_ns = world->now_ns;
        }
        break;
    case EFFECT_DEADLOCK:
        transcript_say(world->transcript, at_ns, "deadlock: %s", effect->text);
        judge_deadlock(world);
        break;
    case EFFECT_FORGET_ROUTE:
        declare_lost(world, effect->incarnation);
        break;
    }
}

void hub_wake(struct world *world)
{
    uint64_t due_ns = coordinator_due_ns(world->coordinator);
    if (due_ns == UINT64_MAX || (world->coordinator_tick_ns != 0 && world->coordinator_tick_ns <= due_ns)) {
        return;
    }
    due_ns = due_ns < world->now_ns ? world->now_ns : due_ns;
    world->coordinator_tick_ns = due_ns;
    queue_put(&world->queue, (struct event){.due_ns = due_ns, .happening = HAPPENING_COORDINATOR_TICK});
}

static void note_workers(struct world *world)
{
    const struct campaign_report *report =
        coordinator_report(world->coordinator, WORLD_CAMPAIGN, world->now_ns);
    uint32_t workers = report == NULL ? world->workers : report->options->workers;
    if (workers == world->workers) {
        return;
    }
    transcript_say(world->transcript, world->now_ns - world->created_ns,
                   "campaign has %u workers instead of %u", workers, world->workers);
    if (workers > world->workers) {
        truth_forget_empty_rooms(&world->truth);
    }
    for (uint32_t worker = world->workers; worker < workers; worker++) {
        truth_come(&world->truth, worker);
        world->truth.worker[worker].came_ns = world->now_ns;
    }
    world->workers = workers;
    world->fewest_workers = workers < world->fewest_workers ? workers : world->fewest_workers;
    world->is_dirty = true;
    judge_searching(world);
}

void hub_step(struct world *world, struct coordinator_event *event)
{
    event->now_ns = world->now_ns;
    recovery_note(world, event);
    coordinator_step(world->coordinator, event, &world->coordinator_effects);
    recovery_shadow(world, event);
    const struct kill *kill = world->recovery.kill;
    bool is_last = recovery_is_last_step(world);
    if (is_last && kill->is_before_journal) {
        recovery_die(world);
        return;
    }
    if (world->coordinator_effects.count > 0) {
        recovery_write(world);
    }
    if (plan_may_scale(world->plan)) {
        note_workers(world);
    }
    for (size_t i = 0; i < world->coordinator_effects.count; i++) {
        carry_out(world, &world->coordinator_effects.items[i], !is_last || i < kill->sent);
    }
    if (is_last) {
        recovery_die(world);
        return;
    }
    if (event->kind != EVENT_FRAME) {
        recovery_renew(world);
    }
    if (event->kind != EVENT_TURN_END && !world->has_coordinator_turn) {
        world->has_coordinator_turn = true;
        uint64_t delay_ns =
            world_between(world, world->plan->least_mailbox_delay_ns, world->plan->most_mailbox_delay_ns);
        queue_put(&world->queue, (struct event){.due_ns = world->now_ns + delay_ns,
                                                .happening = HAPPENING_COORDINATOR_TURN});
    }
    hub_wake(world);
}

/* Of many seeds some have nothing to send, as the stories, some more than a chunk. */
static size_t hub_data_bytes(const struct world *world)
{
    uint64_t draw = world->seed % 32;
    return draw == 0 ? MOST_DATA_BYTES : draw == 1 ? 0 : (size_t)(world->seed % 1000);
}

/* A script of the first ninth of the data, and the data. */
uint8_t *hub_load_bundle(void *context, const struct bundle_listing *listing)
{
    size_t size = hub_data_bytes(context);
    size_t script = size / 9;
    uint8_t *content = memory_new(script + size + 1, 1);
    for (size_t i = 0; i < script + size; i++) {
        content[i] = (uint8_t)((i < script ? i : i - script) % 251 + 1);
    }
    return bundle_listing_bytes(listing) == script + size ? content : NULL;
}

void hub_create(struct world *world)
{
    size_t size = hub_data_bytes(world);
    struct bundle_entry entry = {.size_bytes = size / 9 + size};
    SCOPED(memory_free_at)
    uint8_t *data = hub_load_bundle(world, &(struct bundle_listing){.files = &entry, .file_count = 1});
    struct bundle_file files[] = {
        {.path = bytes_of_string("simulated.lua"), .content = bytes_of(data, size / 9)},
        {.path = bytes_of_string("empty.csv")},
        {.path = bytes_of_string("data.csv"), .content = bytes_of(data + size / 9, size)}};
    struct bundle bundle = {.files = files, .file_count = sizeof files / sizeof *files};
    char hash[DIGEST_TEXT_BYTES];
    bundle_hash(&bundle, hash);
    bundle.hash = bytes_of_string(hash);
    struct coordinator_event event = {
        .kind = EVENT_CREATE,
        .create = {.options = world->plan->options,
                   .bundle = bundle,
                   .script = bytes_of_string("simulated.lua"),
                   .agents = world->plan->agents,
                   .key = bytes_of_string("the only one"),
                   .deadline_ms = 30000},
    };
    world->is_created = true;
    if (coordinator_find_key(world->coordinator, event.create.key) == WORLD_CAMPAIGN) {
        return; /* requested again, since there was no answer */
    }
    recovery_begin(world);
    hub_step(world, &event);
    if (!world->recovery.is_down && coordinator_last_campaign(world->coordinator) != WORLD_CAMPAIGN) {
        world_break(world, "the campaign was not created");
    }
}
