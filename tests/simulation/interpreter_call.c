/* How the program of a worker calls the coordinator, and what becomes true by that. */
#include "common/value.h"
#include "tests/simulation/world.h"

#include <inttypes.h>

static const char *const NOTIFIERS[PLAN_NAMES] = {"pad", "page"};
static const char *const BARRIERS[PLAN_NAMES] = {"gate", "hall"};
static const char *const VARIABLES[VARIABLE_ROLES] = {"sum", "chain", "made", "flag"};

static enum variable_role role_of(enum act_kind kind)
{
    switch (kind) {
    case ACT_INCR:
        return VARIABLE_SUM;
    case ACT_CAS:
        return VARIABLE_CHAIN;
    case ACT_GET_OR_MAKE:
        return VARIABLE_MADE;
    default:
        return VARIABLE_FLAG;
    }
}

static enum operation_kind operation_of(enum act_kind kind)
{
    static const enum operation_kind KINDS[ACT_KIND_COUNT] = {
        [ACT_WRITTEN] = OPERATION_WRITTEN,
        [ACT_READ] = OPERATION_READ,
        [ACT_WAIT_WRITER] = OPERATION_WAIT_WRITER,
        [ACT_WAIT_READERS] = OPERATION_WAIT_READERS,
        [ACT_BARRIER] = OPERATION_BARRIER,
        [ACT_DECLARE] = OPERATION_DECLARE,
        [ACT_WRONG_SIGNAL] = OPERATION_WRITTEN,
        [ACT_INCR] = OPERATION_INCR,
        [ACT_CAS] = OPERATION_CAS,
        [ACT_GET_OR_MAKE] = OPERATION_GET_OR_MAKE,
        [ACT_SET] = OPERATION_SET,
        [ACT_GET] = OPERATION_GET,
        [ACT_DELETE] = OPERATION_DELETE,
        [ACT_WAIT_SET] = OPERATION_WAIT_SET,
        [ACT_WAIT_CHANGED] = OPERATION_WAIT_CHANGED,
    };
    return KINDS[kind];
}

static uint64_t at_ns(const struct world *world)
{
    return world->now_ns - world->created_ns;
}

/* The payload of a step written by a worker. */
static int64_t payload_of(uint32_t worker, uint64_t step)
{
    return (int64_t)(step * PLAN_WORKERS + worker);
}

static void fill_value(struct world *world, struct host *host, uint32_t worker, const struct act *act,
                       struct operation *operation, struct buffer *value, struct buffer *expected)
{
    struct actor *actor = &host->actors[worker];
    struct truth_variable *variable =
        truth_variable(&world->truth, worker, role_of(act->kind), act->is_campaign);
    int64_t next = (int64_t)variable->attempts + 1;
    switch (act->kind) {
    case ACT_WRITTEN:
    case ACT_WRONG_SIGNAL:
        value_append_integer(value, payload_of(worker, actor->step));
        break;
    case ACT_INCR:
        value_append_integer(value, 1);
        break;
    case ACT_CAS:
    case ACT_SET:
        value_append_integer(value, next);
        break;
    default:
        break;
    }
    if (act->kind == ACT_CAS || act->kind == ACT_WAIT_CHANGED) {
        int64_t last = act->kind == ACT_CAS ? actor->chain[act->is_campaign] : 0;
        if (last == 0) {
            value_append_nil(expected);
        } else {
            value_append_integer(expected, last);
        }
    }
    operation->value = buffer_bytes(value);
    operation->expected = buffer_bytes(expected);
}

static const char *name_of(const struct act *act)
{
    if (act->kind == ACT_BARRIER) {
        return BARRIERS[act->name];
    }
    return act->kind <= ACT_WRONG_SIGNAL ? NOTIFIERS[act->name] : VARIABLES[role_of(act->kind)];
}

static void note_arrival(struct truth_barrier *barrier, uint32_t worker, uint32_t parties,
                         enum barrier_timeout on_timeout)
{
    barrier->may_go = barrier->may_go || on_timeout == BARRIER_TIMEOUT_GO;
    barrier->is_mixed = barrier->is_mixed || (barrier->named != 0 && barrier->named != parties + 1);
    barrier->named = parties + 1;
    barrier->arrived |= 1u << worker;
}

static void note_written(struct truth_notifier *notifier, uint64_t now_ns)
{
    notifier->written_ns = notifier->written_ns == 0 ? now_ns : notifier->written_ns;
}

/* Before the call is sent: its effect is true from now on, whatever happens to the message. */
static void note_act(struct world *world, struct actor *actor, uint32_t worker, const struct act *act)
{
    struct truth *truth = &world->truth;
    uint32_t bit = 1u << worker;
    struct truth_variable *variable = truth_variable(truth, worker, role_of(act->kind), act->is_campaign);
    switch (act->kind) {
    case ACT_WRITTEN:
        truth_notifier(truth, worker, act->name, actor->step)->writers |= bit;
        note_written(truth_notifier(truth, worker, act->name, actor->step), world->now_ns);
        break;
    case ACT_READ:
        truth_notifier(truth, worker, act->name, actor->step)->readers |= bit;
        break;
    case ACT_BARRIER:
        note_arrival(truth_barrier(truth, worker, act->name, actor->step, actor->wait_nth), worker,
                     act->count, (enum barrier_timeout)act->on_timeout);
        break;
    case ACT_DECLARE: {
        struct truth_notifier *notifier = truth_notifier(truth, worker, act->name, actor->step);
        notifier->is_mixed = notifier->is_mixed || (notifier->named != 0 && notifier->named != act->count);
        bool is_least = notifier->named == 0 || act->count < notifier->named;
        notifier->named = is_least ? act->count : notifier->named;
        break;
    }
    case ACT_SET:
        variable->setters |= bit;
        variable->attempts++;
        break;
    case ACT_DELETE:
        variable->was_deleted = true;
        break;
    case ACT_INCR:
    case ACT_CAS:
        variable->attempts++;
        break;
    default:
        break;
    }
    if (act->kind <= ACT_DECLARE) {
        truth->synchronising |= 1u << truth_room(truth, worker);
        truth->worker[worker].has_synchronised = true;
    }
    world->is_dirty = true;
}

static void say_call(struct world *world, const struct actor *actor, uint32_t worker,
                     const struct operation *operation)
{
    if (world->transcript == NULL) {
        return;
    }
    bool has_step = operation->kind < OPERATION_GET;
    if (has_step && operation->step != actor->step) {
        transcript_say(world->transcript, at_ns(world),
                       "worker %u in step %" PRIu64 ": %s %.*s of step %" PRIu64, worker, actor->step,
                       operation_name(operation->kind), BYTES_FORMAT(operation->name), operation->step);
    } else {
        transcript_say(world->transcript, at_ns(world), "worker %u in step %" PRIu64 ": %s %.*s", worker,
                       actor->step, operation_name(operation->kind), BYTES_FORMAT(operation->name));
    }
}

static enum runner_call call(struct world *world, struct host *host, uint32_t worker,
                             const struct operation *operation, struct error *error)
{
    struct actor *actor = &host->actors[worker];
    enum runner_call result = runner_call(host->shards[actor->shard].runner, worker, operation,
                                          ++actor->ticket, &world->runner_effects, error);
    if (result == RUNNER_CALL_WAITS) {
        actor->state = ACTOR_WAITING;
        actor->call = operation->kind;
        actor->wait_step = operation->step;
        actor->wait_began_ns = world->now_ns;
    }
    host_carry_out(world, host, actor->shard);
    return result;
}

/* The coordinator has to determine when that was by a clock that is not its own. */
static void date(struct world *world, struct host *host, uint32_t worker, struct operation *operation)
{
    if (operation->kind == OPERATION_READ || operation->kind == OPERATION_WRITTEN) {
        operation->first_ns = operation->last_ns = (int64_t)host_clock(world, host);
    }
    if (operation->kind == OPERATION_READ) {
        operation->digest = bytes_of_string("what all of them");
    }
    if (operation->kind == OPERATION_WRITTEN && (worker + operation->step) % 2 == 0) {
        struct operation writing = *operation;
        struct error error;
        writing.kind = OPERATION_WRITING;
        writing.value = bytes_of(NULL, 0);
        if (call(world, host, worker, &writing, &error) == RUNNER_CALL_DONE) {
            judge_note_sight(world, worker, &writing);
        }
    }
}

void actor_call(struct world *world, struct host *host, uint32_t worker, const struct act *act)
{
    struct actor *actor = &host->actors[worker];
    bool is_room_free = act->is_campaign && act->kind > ACT_WRONG_SIGNAL;
    struct operation operation = {
        .kind = operation_of(act->kind),
        .room = is_room_free ? ROOM_CAMPAIGN : truth_room(&world->truth, worker),
        .name = bytes_of_string(name_of(act)),
        .step = (uint64_t)((int64_t)actor->step - act->back),
        .count = act->kind == ACT_BARRIER || act->kind == ACT_DECLARE ? act->count : 0,
        .timeout_ms = act->timeout_ms,
        .is_strict = act->is_strict,
        .is_at_once = act->is_at_once,
        .on_timeout = (enum barrier_timeout)act->on_timeout,
        .is_aside = act->aside_ms > 0,
    };
    struct buffer value SCOPED(buffer_finish);
    struct buffer expected SCOPED(buffer_finish);
    buffer_init(&value, 64);
    buffer_init(&expected, 64);
    fill_value(world, host, worker, act, &operation, &value, &expected);
    actor->wait_nth = act->kind == ACT_BARRIER ? actor->nth[act->name]++ : 0;
    say_call(world, actor, worker, &operation);
    actor->waits_in = *act;
    date(world, host, worker, &operation);
    struct error error;
    enum runner_call result = call(world, host, worker, &operation, &error);
    if ((result == RUNNER_CALL_REFUSED) != (act->kind == ACT_WRONG_SIGNAL)) {
        world_break(world, "worker %u: %s was %s%s", worker, operation_name(operation.kind),
                    result == RUNNER_CALL_REFUSED ? "refused: " : "not refused",
                    result == RUNNER_CALL_REFUSED ? error.text : "");
    }
    if (result == RUNNER_CALL_STOPPED) {
        actor_end_step(world, host, worker, STEP_STOPPED, "stopped");
    } else if (result == RUNNER_CALL_REFUSED) {
        actor_end_step(world, host, worker, STEP_FAILED, error.text);
    } else {
        note_act(world, actor, worker, act);
        if (operation.is_aside && result == RUNNER_CALL_WAITS) {
            actor->aside_until_ns = world->now_ns + act->aside_ms * UINT64_C(1000000);
            actor_schedule(world, host, worker, act->aside_ms * UINT64_C(1000000));
        }
        if (operation.kind == OPERATION_READ || operation.kind == OPERATION_WRITTEN) {
            judge_note_sight(world, worker, &operation);
        }
        if (result == RUNNER_CALL_DONE) {
            actor_go_to_next_act(world, host, worker);
        }
    }
}

/* The other task of the worker has ended, perhaps by cancelling the one that waits. */
void actor_settle(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    struct runner *runner = host->shards[actor->shard].runner;
    world->is_dirty = true;
    if (actor->waits_in.gives_up) {
        actor->aside_until_ns = UINT64_MAX; /* it goes on as soon as it has the answer */
        runner_give_up(runner, worker, actor->ticket, &world->runner_effects);
    } else {
        actor->aside_until_ns = 0;
        runner_settle(runner, worker, &world->runner_effects);
    }
    host_carry_out(world, host, actor->shard);
}

/* The factory has run. */
void actor_end_making(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    const struct act *act = &actor->waits_in;
    struct truth_variable *variable = truth_variable(&world->truth, worker, VARIABLE_MADE, act->is_campaign);
    struct operation operation = {
        .kind = act->makes_badly ? OPERATION_MAKING_FAILED : OPERATION_MADE,
        .room = act->is_campaign ? ROOM_CAMPAIGN : truth_room(&world->truth, worker),
        .name = bytes_of_string(VARIABLES[VARIABLE_MADE]),
    };
    struct buffer value SCOPED(buffer_finish);
    buffer_init(&value, 64);
    if (!act->makes_badly) {
        value_append_integer(&value, (int64_t)++variable->attempts);
        operation.value = buffer_bytes(&value);
    }
    variable->maker = TRUTH_NOBODY;
    say_call(world, actor, worker, &operation);
    struct error error;
    enum runner_call result = call(world, host, worker, &operation, &error);
    if (result == RUNNER_CALL_STOPPED) {
        actor_end_step(world, host, worker, STEP_STOPPED, "stopped");
    } else if (result == RUNNER_CALL_REFUSED) {
        world_break(world, "worker %u: what its factory made was refused: %s", worker, error.text);
    } else if (result == RUNNER_CALL_DONE) {
        actor_end_step(world, host, worker, STEP_FAILED, "the factory failed");
    }
}

void actor_tell_release(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    struct operation operation = {
        .kind = OPERATION_RELEASED,
        .name = bytes_of_string(BARRIERS[actor->waits_in.name]),
        .step = actor->step,
        .first_ns = (int64_t)host_clock(world, host),
        .last_ns = (int64_t)host_clock(world, host),
    };
    struct error error;
    (void)call(world, host, worker, &operation, &error);
}
