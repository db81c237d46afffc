/* What may and may not happen in a simulated campaign, checked against the truth at every step and moment. */
#include "tests/simulation/oracle.h"

#include <inttypes.h>

#define MOMENTS_BETWEEN_LOOKS 16
/* After this long, with nothing in transit, every worker that had to be told of a deadlock has been told. */
#define SETTLED_NS 100000000ull
#define TROUBLED_NS 30000000000ull

static uint64_t seconds(uint64_t count)
{
    return count * 1000000000ull;
}

/* The longest that a call may take. */
static uint64_t patience_ns(const struct world *world, const struct actor *actor)
{
    uint64_t timeout_ms = 0;
    if (operation_is_wait(actor->call)) {
        timeout_ms = actor->waits_in.timeout_ms != 0 ? actor->waits_in.timeout_ms
                                                     : world->plan->options.sync_timeout_ms;
    }
    bool is_swift = plan_is_calm(world->plan) && world->plan->is_ordered;
    uint64_t travel_ms = is_swift ? 1000 : 4 * world->settings.loss_ms + 5000;
    uint64_t absolute_ns = world->settings.start_delay_ms * 1000000;
    return (timeout_ms + travel_ms) * 1000000 + absolute_ns + world->recovery.down_ns;
}

void judge_step(struct world *world, struct host *host, uint32_t worker, uint64_t step)
{
    struct truth_worker *who = &world->truth.worker[worker];
    const struct actor *actor = &host->actors[worker];
    if (who->owner != actor->incarnation) {
        return; /* lost meanwhile: it must not act, which is checked where it would */
    }
    uint64_t runs = world->plan->options.runs;
    if (step != who->begun_step + 1 || who->is_over || who->is_in_step || (runs != 0 && step > runs)) {
        world_break(world, "worker %u begins step %" PRIu64 " after step %" PRIu64 "%s", worker, step,
                    who->begun_step, who->is_over ? ", although it has ended" : "");
    }
    if (step >= TRUTH_STEPS) {
        world_break(world, "worker %u runs for ever", worker);
    }
    who->begun_step = step;
    who->is_in_step = true;
    world->is_dirty = true;
}

/* If workers continue elsewhere no step is begun twice, on any agents; with replace=again at most once more
 * after each loss of its worker. Otherwise a worker that was scaled away may come back and begin again. */
void judge_act(struct world *world, uint64_t incarnation, uint32_t worker, uint64_t step)
{
    struct truth_worker *who = &world->truth.worker[worker];
    if (step == who->acted_step && incarnation == who->acted_for) {
        return; /* continues with it */
    }
    bool may_be_again = world->plan->options.on_loss == ON_LOSS_REPLACE_AGAIN;
    uint32_t most = 1 + (may_be_again ? who->losses : 0);
    bool is_counted = on_loss_replaces(world->plan->options.on_loss) && step < TRUTH_STEPS;
    if (is_counted && ++who->begun[step] > most) {
        world_break(world, "worker %u begins step %" PRIu64 " for the %uth time after %u losses", worker,
                    step, who->begun[step], who->losses);
    }
    who->acted_step = step;
    who->acted_for = incarnation;
}

void judge_teardown(struct world *world, struct host *host, uint32_t worker)
{
    const struct truth_worker *who = &world->truth.worker[worker];
    bool is_ours = who->owner == host->actors[worker].incarnation;
    bool is_unfit = (world->plan->unfit_workers & (1u << worker)) != 0;
    if (worker >= world->fewest_workers) {
        return; /* a worker that was one too many does not wait for the others where it comes back */
    }
    if (!is_ours || is_unfit || !who->has_synchronised || world->state >= CAMPAIGN_STOPPING) {
        return;
    }
    uint64_t held_ns = world->now_ns - who->over_ns;
    for (uint32_t other = 0; other < world->truth.workers; other++) {
        bool is_peer = truth_room(&world->truth, other) == truth_room(&world->truth, worker);
        is_peer =
            is_peer && world->truth.worker[other].came_ns <= who->over_ns; /* otherwise it has done without */
        bool is_taken_back = other >= world->workers && world->truth.worker[other].is_coming;
        if (is_peer && !is_taken_back && !world->truth.worker[other].is_over &&
            held_ns < world->plan->options.sync_timeout_ms * 1000000) {
            world_break(world, "worker %u is torn down before worker %u of its room has ended", worker,
                        other);
        }
    }
}

static void judge_ended(struct world *world, uint32_t worker)
{
    struct truth_worker *who = &world->truth.worker[worker];
    const struct campaign_options *options = &world->plan->options;
    bool is_early = options->runs == 0 || who->ended_step < options->runs;
    bool may_end_early = options->duration_ms > 0 || options->is_sizing || worker >= world->fewest_workers ||
                         world->state >= CAMPAIGN_STOPPING ||
                         (world->plan->unfit_workers & (1u << worker)) != 0;
    if (is_early && !may_end_early) {
        world_break(world, "worker %u ended after step %" PRIu64 " of %" PRIu64, worker, who->ended_step,
                    options->runs);
    }
    if (!who->is_over) {
        who->is_over = true;
        who->over_ns = world->now_ns;
    }
    world->is_dirty = true;
}

void judge_progress(struct world *world, uint64_t incarnation, const struct operation *operation)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(&operation->workers, &cursor)) {
        const struct truth_worker *who = &world->truth.worker[cursor.worker];
        if (who->owner != incarnation) {
            continue; /* lost meanwhile */
        }
        if (operation->kind == OPERATION_PAST && operation->step != who->ended_step) {
            world_break(world, "worker %u is told to be past step %" PRIu64 ", but it has ended %" PRIu64,
                        cursor.worker, operation->step, who->ended_step);
        } else if (operation->kind == OPERATION_ENDED) {
            judge_ended(world, cursor.worker);
        }
    }
}

void judge_deadlock(struct world *world)
{
    uint32_t stuck = oracle_stuck(world, ORACLE_MAY_BE_SAID);
    if (stuck == 0) {
        world_break(world, "a deadlock was reported although a worker can move");
    }
    if (world->state != CAMPAIGN_RUNNING) {
        world_break(world, "a deadlock was reported for a campaign that is %s",
                    campaign_state_name(world->state));
    }
    world->deadlocks++;
    world->deadlock_mask |= stuck;
    world->deadlock_said_ns = world->now_ns;
    world->deadlock_since_ns = 0;
}

/* The steps between the slowest live worker of a room and the fastest, and the following one, which may
 * already be named. */
static uint64_t steps_alive(const struct truth *truth, uint32_t room)
{
    uint64_t slowest = UINT64_MAX;
    uint64_t fastest = 0;
    for (uint32_t worker = 0; worker < truth->workers; worker++) {
        const struct truth_worker *who = &truth->worker[worker];
        if (truth_room(truth, worker) != room) {
            continue;
        }
        fastest = who->begun_step > fastest ? who->begun_step : fastest;
        if (!who->is_over) {
            slowest = who->ended_step < slowest ? who->ended_step : slowest;
        }
    }
    return slowest == UINT64_MAX ? 1 : fastest + 2 - slowest;
}

/* What is over is forgotten. */
static void judge_memory(struct world *world)
{
    const struct campaign_report *report =
        coordinator_report(world->coordinator, WORLD_CAMPAIGN, world->now_ns);
    uint64_t most = 0;
    for (uint32_t room = 0; room < world->truth.rooms; room++) {
        most += PLAN_NAMES * steps_alive(&world->truth, room);
    }
    if (report != NULL && report->live_notifiers > most) {
        world_break(world, "%" PRIu64 " notifiers are kept where %" PRIu64 " could be needed",
                    report->live_notifiers, most);
    }
    if (report != NULL && report->live_barriers > most * TRUTH_ARRIVALS) {
        world_break(world, "%" PRIu64 " barriers are kept where %" PRIu64 " could be needed",
                    report->live_barriers, most * TRUTH_ARRIVALS);
    }
}

void judge_room(struct world *world)
{
    if (world->recovery.is_down) {
        return;
    }
    const struct coordinator_overview *overview = coordinator_overview(world->coordinator);
    for (size_t i = 0; i < overview->agent_count; i++) {
        const struct agent_overview *agent = &overview->agents[i];
        bool is_too_much = world->plan->capacity != 0 && agent->held > world->plan->capacity;
        if (is_too_much || (world->state == CAMPAIGN_ENDED && agent->held != 0)) {
            world_break(world, "agent %.*s holds %" PRIu64 " workers of at most %u in a campaign that is %s",
                        BYTES_FORMAT(agent->name), agent->held, world->plan->capacity,
                        campaign_state_name(world->state));
        }
    }
}

void judge_moment(struct world *world)
{
    bool is_looked_at = ++world->moments % MOMENTS_BETWEEN_LOOKS == 0;
    if (is_looked_at) {
        judge_room(world);
    }
    if (is_looked_at && world->state == CAMPAIGN_RUNNING && world->unmourned_count == 0 &&
        network_is_quiet(world)) {
        judge_memory(world);
    }
    uint64_t settled_ns = plan_is_calm(world->plan) ? SETTLED_NS : TROUBLED_NS;
    bool is_due = world->deadlock_mask != 0 && world->now_ns > world->deadlock_said_ns + settled_ns;
    if (world->is_dirty || is_due || (world->stuck != 0 && world->deadlock_since_ns == 0)) {
        world->is_dirty = false;
        bool is_quiet = network_is_quiet(world);
        /* Workers that have been found and whose answers are still in transit are not searched for again. */
        world->deadlock_mask = is_due && is_quiet ? 0 : world->deadlock_mask;
        /* What a dead agent did not send will be known when it is declared lost. */
        bool does_count = world->state == CAMPAIGN_RUNNING && !hub_is_draining(world) &&
                          world->unmourned_count == 0 && !world->recovery.is_down;
        world->stuck = does_count ? oracle_stuck(world, ORACLE_HAS_TO_BE_SAID) : 0;
        if ((world->stuck & ~world->deadlock_mask) == 0) {
            world->deadlock_since_ns = 0;
        } else if (world->deadlock_since_ns == 0 && is_quiet) {
            world->deadlock_since_ns = world->now_ns;
        }
    }
    if (world->deadlock_since_ns != 0 && world->now_ns > world->deadlock_since_ns + seconds(1)) {
        world_break(world, "workers %x are in a deadlock, and it was not reported for a second",
                    world->stuck);
    }
}

void judge_patience(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        const struct host *host = &world->hosts[i];
        if (!host->is_up || host->is_declared_lost || host->frozen_until_ns > world->now_ns) {
            continue;
        }
        for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
            const struct actor *actor = &host->actors[worker];
            bool is_ours = world->truth.worker[worker].owner == actor->incarnation;
            if (actor->state == ACTOR_WAITING && is_ours &&
                world->now_ns > actor->wait_began_ns + patience_ns(world, actor)) {
                world_break(world, "worker %u waits in %s of step %" PRIu64 " and never comes back", worker,
                            operation_name(actor->call), actor->wait_step);
            }
        }
    }
}
