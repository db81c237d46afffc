/* How a simulated campaign must have ended. */
#include "tests/simulation/explorer.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <string.h>

/* How much later than it is told of its workers begin, at most. */
#define MOST_LEAD_NS 3000000000u

struct sums {
    uint64_t ok;
    uint64_t failed;
    uint64_t stopped;
};

static struct sums add_up(const struct truth *truth)
{
    struct sums sums = {0};
    for (uint32_t worker = 0; worker < truth->workers; worker++) {
        sums.ok += truth->worker[worker].steps_ok;
        sums.failed += truth->worker[worker].steps_failed;
        sums.stopped += truth->worker[worker].steps_stopped;
    }
    return sums;
}

/* What every agent has counted arrives, unless the agent is lost or was given up. */
static void judge_counts(struct world *world, const struct campaign_report *report, const struct sums *sums)
{
    bool is_more = report->steps_ok > sums->ok || report->steps_failed > sums->failed ||
                   report->steps_stopped > sums->stopped;
    bool is_less = report->steps_ok < sums->ok || report->steps_failed < sums->failed ||
                   report->steps_stopped < sums->stopped;
    bool may_be_less = !plan_is_survivable(world->plan) || world->plan->is_stop_at_once;
    if (report->steps_failed_by_loss > (world->agents_declared > 0 ? report->steps_failed : 0)) {
        world_break(world, "%" PRIu64 " of %" PRIu64 " failed steps by the loss of %u agents",
                    report->steps_failed_by_loss, report->steps_failed, world->agents_declared);
    }
    if (is_more || (is_less && !may_be_less)) {
        world_break(world,
                    "the report counts %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64
                    " stopped; it was %" PRIu64 ", %" PRIu64 ", %" PRIu64,
                    report->steps_ok, report->steps_failed, report->steps_stopped, sums->ok, sums->failed,
                    sums->stopped);
    }
}

/* If no step is begun twice, each one is in the report, if only as lost. Not so if agents had no time to
 * report. */
static void judge_lost(struct world *world, const struct campaign_report *report, const struct sums *sums)
{
    bool is_told = report->verdict == VERDICT_PASSED || report->verdict == VERDICT_DEGRADED;
    uint64_t counted = report->steps_ok + report->steps_failed + report->steps_stopped + report->steps_lost;
    uint64_t ended = sums->ok + sums->failed + sums->stopped;
    uint64_t uncertain = (uint64_t)world->agents_declared * world->truth.workers;
    if (!on_loss_replaces(world->plan->options.on_loss) && report->steps_lost > 0) {
        world_break(world, "%" PRIu64 " steps are lost although no worker continues elsewhere",
                    report->steps_lost);
    }
    if (world->plan->options.on_loss != ON_LOSS_REPLACE || !is_told || world->agents_unheard > 0) {
        return;
    }
    if (counted < ended || counted > ended + uncertain) {
        world_break(world,
                    "the report knows of %" PRIu64 " steps, %" PRIu64 " of them lost; %" PRIu64 " have ended",
                    counted, report->steps_lost, ended);
    }
}

static bool is_failure_due(const struct world *world, const struct campaign_report *report)
{
    const struct campaign_options *options = &world->plan->options;
    uint64_t failed = report->steps_failed - report->steps_failed_by_loss;
    bool is_over_limit = options->fail_steps > 0 && failed >= options->fail_steps;
    bool is_lost = options->on_loss == ON_LOSS_FAIL && world->agents_lost > 0;
    bool is_stopped = options->is_stopped_by_failure && report->steps_failed > 0;
    bool is_broken = world->plan->is_script_broken || world->plan->is_global_broken;
    return is_over_limit || is_lost || is_stopped || is_broken;
}

static void judge_verdict(struct world *world, const struct campaign_report *report)
{
    enum verdict verdict = report->verdict;
    const struct campaign_options *options = &world->plan->options;
    bool is_teardown_lost = !plan_is_calm(world->plan) && report->reason.size > 0 &&
                            memmem(report->reason.data, report->reason.size, "global_teardown", 15) != NULL;
    bool is_loss_failure = options->on_loss == ON_LOSS_FAIL && world->agents_declared > 0;
    bool is_failure_possible =
        is_failure_due(world, report) || is_loss_failure || is_teardown_lost || report->steps_ok == 0 ||
        world->plan->unfit_workers != 0 || options->duration_ms > 0 || options->is_stopped_by_failure ||
        (options->is_sizing && !plan_is_calm(world->plan)); /* no step ends while an agent is not heard */
    bool may_be = false;
    switch (verdict) {
    case VERDICT_DEADLOCKED:
        may_be = world->deadlocks > 0;
        break;
    case VERDICT_FAILED:
        may_be = world->deadlocks == 0 && is_failure_possible;
        break;
    case VERDICT_ABORTED:
        may_be = world->deadlocks == 0 &&
                 (world->is_stop_asked || world->is_haste_asked || !plan_is_survivable(world->plan));
        break;
    case VERDICT_DEGRADED:
        may_be = world->deadlocks == 0 && world->agents_declared > 0 && !is_failure_due(world, report) &&
                 options->on_loss != ON_LOSS_FAIL;
        break;
    case VERDICT_PASSED:
        may_be = world->deadlocks == 0 && !is_failure_due(world, report) && !world->is_stop_asked &&
                 world->agents_lost == 0 && report->steps_ok + report->steps_failed > 0;
        break;
    case VERDICT_NONE:
        break;
    }
    if (!may_be) {
        world_break(world,
                    "the verdict is %s (%.*s) with %u deadlocks, %u agents lost, %" PRIu64
                    " steps ok, %" PRIu64 " failed",
                    verdict_name(verdict), BYTES_FORMAT(report->reason), world->deadlocks, world->agents_lost,
                    report->steps_ok, report->steps_failed);
    }
}

/* Whatever the last steps wait for, when their grace is over it stops. */
static void judge_grace(struct world *world)
{
    const struct campaign_options *options = &world->plan->options;
    uint64_t until_ns =
        world->running_ns + (options->duration_ms + options->grace_ms) * 1000000 + MOST_LEAD_NS;
    bool is_bounded = options->duration_ms > 0 && options->has_grace && world->plan->kill_count == 0;
    if (is_bounded && world->running_ns > 0 && world->stopping_ns > until_ns) {
        world_break(world,
                    "it stopped %" PRIu64 " ms after its duration and the grace of %" PRIu64 " ms were over",
                    (world->stopping_ns - until_ns) / 1000000, options->grace_ms);
    }
}

static void judge_variables(struct world *world)
{
    for (uint32_t row = 0; row <= TRUTH_ROOMS; row++) {
        const struct truth_variable *sum = &world->truth.variable[row][VARIABLE_SUM];
        if (sum->highest < (int64_t)sum->confirmed) {
            world_break(world, "%u increments were confirmed, but the sum came to %" PRId64, sum->confirmed,
                        sum->highest);
        }
    }
}

static void judge_leftovers(struct world *world, const struct campaign_report *report)
{
    if (report->live_waits != 0) {
        world_break(world, "%" PRIu64 " waits are left at the end", report->live_waits);
    }
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        for (uint32_t shard = 0; shard < world->plan->shards; shard++) {
            const struct host *host = &world->hosts[i];
            if (plan_is_calm(world->plan) && world->plan->is_ordered && host->shards[shard].runner != NULL) {
                world_break(world, "a runner is left on %s", host->name);
            }
        }
    }
}

/* The ends according to the model, for what the model knows. */
static void judge_by_model(struct world *world)
{
    /* Agents that a restarted coordinator does not hear, because the network loses their frames, are given
     * up: the model does not know that. */
    bool is_beyond_it = world->agents_unheard > 0;
    if (!explorer_knows(world->plan) || is_beyond_it) {
        return;
    }
    struct explored_end end = {.is_deadlock = world->deadlocks > 0};
    for (uint32_t worker = 0; worker < world->truth.workers; worker++) {
        const struct truth_worker *who = &world->truth.worker[worker];
        end.failed[worker] = (uint8_t)(who->steps_failed + who->steps_stopped);
    }
    if (!explorer_allows(world->plan, &end)) {
        world_break(world, "it ended %s with %u, %u, %u, %u failed steps, which the model never does",
                    end.is_deadlock ? "in a deadlock" : "by itself", end.failed[0], end.failed[1],
                    end.failed[2], end.failed[3]);
    }
}

/* One message to each agent and one from it for each meeting of all, whatever the number of workers. */
static void judge_economy(struct world *world)
{
    const struct plan *plan = world->plan;
    if (plan->rounds == 0) {
        return;
    }
    uint64_t most = 2ull * plan->agents * plan->rounds + 20ull * plan->agents;
    if (world->data_frames > most) {
        world_break(world, "%" PRIu64 " messages for %u meetings of %u agents: %" PRIu64 " would be enough",
                    world->data_frames, plan->rounds, plan->agents, most);
    }
}

void judge_end(struct world *world)
{
    if (world->recovery.is_down) {
        recovery_restart(world);
    }
    if (world->state != CAMPAIGN_ENDED) {
        world_break(world, "there are no events left, but the campaign is %s",
                    campaign_state_name(world->state));
        return;
    }
    const struct campaign_report *report =
        coordinator_report(world->coordinator, WORLD_CAMPAIGN, world->now_ns);
    if (report == NULL) {
        world_break(world, "there is no report");
        return;
    }
    struct sums sums = add_up(&world->truth);
    transcript_say(world->transcript, world->now_ns - world->created_ns,
                   "the verdict is %s%s%.*s: %" PRIu64 " steps ok, %" PRIu64 " failed, %" PRIu64
                   " stopped, %" PRIu64 " lost",
                   verdict_name(report->verdict), report->reason.size == 0 ? "" : ", ",
                   BYTES_FORMAT(report->reason), report->steps_ok, report->steps_failed,
                   report->steps_stopped, report->steps_lost);
    judge_counts(world, report, &sums);
    judge_lost(world, report, &sums);
    judge_verdict(world, report);
    judge_grace(world);
    judge_variables(world);
    judge_leftovers(world, report);
    judge_room(world);
    judge_by_model(world);
    judge_economy(world);
    judge_sights(world, report);
    judge_search(world, report);
    judge_arrivals(world, report);
}
