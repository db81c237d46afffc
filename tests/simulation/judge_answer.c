/* Which answers to a call are possible, according to the truth. */
#include "tests/simulation/world.h"

#include <inttypes.h>

static uint32_t count_bits(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

static void judge_written(struct world *world, uint32_t worker, const struct actor *actor)
{
    struct truth_notifier *notifier =
        truth_notifier(&world->truth, worker, actor->waits_in.name, actor->wait_step);
    if (actor->answer.is_won) {
        bool is_second = notifier->winner != 0 || (notifier->payload != 0 && notifier->payload != worker + 1);
        if (is_second) {
            world_break(world, "worker %u is told that it wrote step %" PRIu64 " first, but it was worker %u",
                        worker, actor->wait_step,
                        (notifier->winner != 0 ? notifier->winner : notifier->payload) - 1);
        }
        notifier->winner = worker + 1;
    }
}

/* What they did may have been lost with their agents. */
static uint32_t lost_workers(const struct truth *truth)
{
    uint32_t mask = 0;
    for (uint32_t worker = 0; worker < truth->workers; worker++) {
        mask |= truth->worker[worker].is_lost ? 1u << worker : 0;
    }
    return mask;
}

static uint32_t repeating_workers(const struct world *world)
{
    return world->plan->options.on_loss == ON_LOSS_REPLACE_AGAIN ? lost_workers(&world->truth) : 0;
}

static void judge_payload(struct world *world, uint32_t worker, const struct actor *actor)
{
    struct truth_notifier *notifier =
        truth_notifier(&world->truth, worker, actor->waits_in.name, actor->wait_step);
    uint64_t value = (uint64_t)actor->answer.value;
    uint32_t writer = (uint32_t)(value % PLAN_WORKERS);
    bool is_of_step = actor->answer.has_value && value / PLAN_WORKERS == actor->wait_step &&
                      ((notifier->writers | repeating_workers(world)) & (1u << writer)) != 0;
    bool is_same = (notifier->payload == 0 || notifier->payload == writer + 1) &&
                   (notifier->winner == 0 || notifier->winner == writer + 1);
    if (!is_of_step || !is_same) {
        world_break(world,
                    "worker %u has payload %" PRId64 " for step %" PRIu64 " of notifier %u, which is %s",
                    worker, actor->answer.value, actor->wait_step, actor->waits_in.name,
                    is_of_step ? "not what others have seen" : "not of this step");
    }
    notifier->payload = writer + 1;
}

static void judge_readers(struct world *world, uint32_t worker, const struct actor *actor)
{
    const struct truth_notifier *notifier =
        truth_notifier(&world->truth, worker, actor->waits_in.name, actor->wait_step);
    uint32_t reading = truth_others_within(&world->truth, worker, actor->wait_step) & ~notifier->readers;
    reading &= ~repeating_workers(world); /* the answer may be older than the repetition of its step */
    uint32_t read = count_bits(notifier->readers);
    bool is_enough = notifier->named != 0 && read >= notifier->named;
    if (reading != 0 && !is_enough) {
        world_break(world,
                    "worker %u passes the readers of step %" PRIu64 " while %u of them still read "
                    "(bits %x)",
                    worker, actor->wait_step, count_bits(reading), reading);
    }
    uint32_t before = repeating_workers(world) | notifier->forgotten; /* likewise */
    uint32_t repeated = count_bits(before & ~notifier->readers);
    if (actor->answer.count > read + repeated) {
        world_break(world, "worker %u is told that %" PRIu64 " have read step %" PRIu64 ", but %u have",
                    worker, actor->answer.count, actor->wait_step, read);
    }
}

static void judge_barrier(struct world *world, uint32_t worker, const struct actor *actor)
{
    struct truth_barrier *barrier =
        truth_barrier(&world->truth, worker, actor->waits_in.name, actor->wait_step, actor->wait_nth);
    uint32_t missing = truth_others_within(&world->truth, worker, actor->wait_step) & ~barrier->arrived;
    missing &= ~repeating_workers(world);
    uint32_t arrived = count_bits(barrier->arrived);
    uint32_t may_have_arrived = count_bits(barrier->arrived | repeating_workers(world)); /* likewise */
    bool is_enough = actor->waits_in.count > 0 && may_have_arrived >= actor->waits_in.count;
    if (missing != 0 && !is_enough && !barrier->may_go) {
        world_break(world, "worker %u passes a barrier of step %" PRIu64 " without workers %x", worker,
                    actor->wait_step, missing);
    }
    uint64_t rank = actor->answer.rank;
    uint32_t bit = rank >= 1 && rank <= 32 ? 1u << (rank - 1) : 0;
    if (bit == 0 || (barrier->ranks & bit) != 0 || rank > arrived + barrier->left) {
        world_break(world,
                    "worker %u has rank %" PRIu64 " at a barrier of step %" PRIu64
                    ", where %u arrived and ranks %x were given",
                    worker, rank, actor->wait_step, arrived, barrier->ranks);
    }
    barrier->ranks |= bit;
}

static void judge_sum(struct world *world, uint32_t worker, const struct actor *actor)
{
    struct truth_variable *sum =
        truth_variable(&world->truth, worker, VARIABLE_SUM, actor->waits_in.is_campaign);
    int64_t value = actor->answer.value;
    sum->confirmed++;
    if (!actor->answer.has_value || value < 1 || value > (int64_t)sum->attempts || !truth_mark(sum, value)) {
        world_break(world, "worker %u got the sum %" PRId64 " after %u increments, or it came twice", worker,
                    value, sum->attempts);
    }
    sum->highest = value > sum->highest ? value : sum->highest;
}

static void judge_chain(struct world *world, uint32_t worker, struct actor *actor)
{
    struct truth_variable *chain =
        truth_variable(&world->truth, worker, VARIABLE_CHAIN, actor->waits_in.is_campaign);
    int64_t expected = actor->chain[actor->waits_in.is_campaign];
    int64_t holds = actor->answer.has_value ? actor->answer.value : 0;
    if (actor->answer.is_won && !truth_mark(chain, expected)) {
        world_break(world, "worker %u replaced %" PRId64 ", which had been replaced before", worker,
                    expected);
    }
    if (holds == expected) {
        world_break(world, "worker %u expected %" PRId64 " and %s, though it holds %" PRId64, worker,
                    expected, actor->answer.is_won ? "won" : "did not win", holds);
    }
    actor->chain[actor->waits_in.is_campaign] = holds;
}

static void judge_made(struct world *world, uint32_t worker, const struct actor *actor)
{
    struct truth_variable *made =
        truth_variable(&world->truth, worker, VARIABLE_MADE, actor->waits_in.is_campaign);
    if (actor->answer.is_maker) {
        if (made->is_made || made->maker != TRUTH_NOBODY) {
            world_break(world, "worker %u is to run the factory, but %s", worker,
                        made->is_made ? "it has succeeded" : "another worker runs it");
        }
        made->maker = worker;
        return;
    }
    if (!actor->answer.has_value || (made->is_made && made->made != actor->answer.value)) {
        world_break(world, "worker %u got %" PRId64 " from a factory that made %" PRId64, worker,
                    actor->answer.value, made->made);
    }
    made->is_made = true;
    made->made = actor->answer.value;
}

static void judge_ok(struct world *world, uint32_t worker, struct actor *actor)
{
    switch (actor->call) {
    case OPERATION_WRITTEN:
        judge_written(world, worker, actor);
        break;
    case OPERATION_DECLARE:
        truth_notifier(&world->truth, worker, actor->waits_in.name, actor->wait_step)->declared =
            actor->waits_in.count;
        break;
    case OPERATION_WAIT_WRITER:
        judge_payload(world, worker, actor);
        break;
    case OPERATION_WAIT_READERS:
        judge_readers(world, worker, actor);
        break;
    case OPERATION_BARRIER:
        judge_barrier(world, worker, actor);
        break;
    case OPERATION_INCR:
        judge_sum(world, worker, actor);
        break;
    case OPERATION_CAS:
        judge_chain(world, worker, actor);
        break;
    case OPERATION_GET_OR_MAKE:
    case OPERATION_MADE:
        judge_made(world, worker, actor);
        break;
    case OPERATION_WAIT_SET:
    case OPERATION_WAIT_CHANGED:
        if (!actor->answer.has_value) {
            world_break(world, "worker %u waited for a value and got none", worker);
        }
        break;
    default:
        break;
    }
}

static void judge_short(struct world *world, uint32_t worker, const struct actor *actor)
{
    struct truth *truth = &world->truth;
    uint32_t others = truth_room_mask(truth, truth_room(truth, worker)) & ~(1u << worker);
    uint32_t past = others & ~truth_others_within(truth, worker, actor->wait_step);
    const struct truth_notifier *notifier =
        truth_notifier(truth, worker, actor->waits_in.name, actor->wait_step);
    bool may_be = false;
    if (actor->call == OPERATION_WAIT_WRITER) {
        /* A worker that caught its own `short` may have written after that. */
        bool was_written = notifier->payload != 0 && notifier->written_ns < actor->wait_began_ns;
        /* Another task of the worker could have written what belongs to its step. */
        bool may_write = actor->answer.was_aside && actor->wait_step >= actor->step;
        may_be = past != 0 && !was_written && !may_write;
    } else if (actor->call == OPERATION_WAIT_READERS) {
        uint32_t writer = notifier->winner != 0 ? 1u << (notifier->winner - 1) : 0; /* it need not read */
        may_be =
            actor->waits_in.is_strict && (past & ~writer & (~notifier->readers | lost_workers(truth))) != 0;
    }
    if (!may_be) {
        world_break(world, "worker %u: %s of step %" PRIu64 " is short for no reason", worker,
                    operation_name(actor->call), actor->wait_step);
    }
}

/* Only a worker that names a different number is refused. */
static bool judge_refusal(struct world *world, uint32_t worker, const struct actor *actor)
{
    uint8_t name = actor->waits_in.name;
    if (actor->call == OPERATION_DECLARE) {
        return truth_notifier(&world->truth, worker, name, actor->wait_step)->is_mixed;
    }
    if (actor->call != OPERATION_BARRIER) {
        return false;
    }
    struct truth_barrier *barrier =
        truth_barrier(&world->truth, worker, name, actor->wait_step, actor->wait_nth);
    barrier->arrived &= ~(1u << worker);
    return barrier->is_mixed;
}

/* It has timed out at a barrier that does not count it any more. */
static void judge_leaving(struct world *world, uint32_t worker, const struct actor *actor)
{
    if (actor->call == OPERATION_BARRIER && actor->waits_in.on_timeout == BARRIER_TIMEOUT_LEAVE) {
        struct truth_barrier *barrier =
            truth_barrier(&world->truth, worker, actor->waits_in.name, actor->wait_step, actor->wait_nth);
        barrier->left += barrier->arrived >> worker & 1u;
        barrier->arrived &= ~(1u << worker);
    }
}

void judge_answer(struct world *world, uint32_t worker, struct actor *actor)
{
    uint64_t waited_ns = world->now_ns - actor->wait_began_ns;
    bool is_wait = operation_is_wait(actor->call);
    uint64_t timeout_ms =
        actor->waits_in.timeout_ms != 0 ? actor->waits_in.timeout_ms : world->plan->options.sync_timeout_ms;
    bool may_be = true;
    switch (actor->answer.outcome) {
    case OUTCOME_OK:
        judge_ok(world, worker, actor);
        break;
    case OUTCOME_SHORT:
        judge_short(world, worker, actor);
        break;
    case OUTCOME_TIMEOUT:
        judge_leaving(world, worker, actor);
        may_be = is_wait && (waited_ns >= timeout_ms * 1000000 || actor->waits_in.gives_up);
        break;
    case OUTCOME_DEADLOCK:
        may_be = is_wait && actor->answer.was_stuck;
        break;
    case OUTCOME_STOPPED:
        may_be = world->state >= CAMPAIGN_STOPPING || world->plan->options.duration_ms > 0;
        break;
    default:
        may_be = judge_refusal(world, worker, actor);
        break;
    }
    if (!may_be) {
        world_break(world, "worker %u: %s of step %" PRIu64 " ended as %s after %" PRIu64 " ms", worker,
                    operation_name(actor->call), actor->wait_step, outcome_name(actor->answer.outcome),
                    waited_ns / 1000000);
    }
}
