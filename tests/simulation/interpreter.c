/* What stands in for the scripts: plays the program of each worker through the same door as the real shell.
 */
#include "common/value.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

void actor_schedule(struct world *world, struct host *host, uint32_t worker, uint64_t delay_ns)
{
    struct actor *actor = &host->actors[worker];
    queue_put(&world->queue, (struct event){.due_ns = world->now_ns + delay_ns,
                                            .happening = HAPPENING_ACTOR,
                                            .host = (uint8_t)host_index(world, host),
                                            .shard = actor->shard,
                                            .index = worker,
                                            .life = host->shards[actor->shard].life});
}

static uint64_t pause_ns(struct world *world)
{
    return world_between(world, world->plan->least_act_delay_ns, world->plan->most_act_delay_ns);
}

void actor_begin_setup(struct world *world, struct host *host, uint8_t shard, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    if (actor->state != ACTOR_NONE && actor->state != ACTOR_GONE) {
        world_break(world, "worker %u is set up twice", worker);
        return;
    }
    *actor =
        (struct actor){.state = ACTOR_SETUP, .shard = shard, .incarnation = host->shards[shard].incarnation};
    actor_schedule(world, host, worker, pause_ns(world));
}

void actor_begin_step(struct world *world, struct host *host, uint32_t worker, uint64_t step)
{
    struct actor *actor = &host->actors[worker];
    judge_step(world, host, worker, step);
    actor->state = ACTOR_ACTING;
    actor->step = step;
    actor->position = 0;
    memset(actor->nth, 0, sizeof(actor->nth));
    actor_schedule(world, host, worker, pause_ns(world));
}

void actor_begin_teardown(struct world *world, struct host *host, uint32_t worker)
{
    judge_teardown(world, host, worker);
    host->actors[worker].state = ACTOR_TEARDOWN;
    transcript_say(world->transcript, at_ns(world), "worker %u is torn down", worker);
    actor_schedule(world, host, worker, pause_ns(world));
}

static int64_t integer_of(struct bytes value, bool *has_value)
{
    struct value_item item;
    *has_value = false;
    if (value.size == 0 || value_is_nil(value) || !value_read(&value, &item) || item.kind != 'i') {
        return 0;
    }
    *has_value = true;
    return item.integer;
}

void actor_take_answer(struct world *world, struct host *host, uint32_t worker, const struct reply *reply,
                       uint64_t rank)
{
    struct actor *actor = &host->actors[worker];
    if (actor->state != ACTOR_WAITING || actor->call != reply->kind) {
        world_break(world, "worker %u has the answer to a %s that it does not wait in", worker,
                    operation_name(reply->kind));
        return;
    }
    struct answer *answer = &actor->answer;
    answer->outcome = reply->outcome;
    answer->value = integer_of(reply->value, &answer->has_value);
    answer->count = reply->count;
    answer->total = reply->total;
    answer->rank = rank;
    answer->is_won = reply->is_won;
    answer->is_maker = reply->is_maker;
    answer->at_ns = reply->at_ns > 0 ? (uint64_t)reply->at_ns : 0;
    answer->text[0] = '\0';
    if (world->transcript != NULL) {
        bytes_to_text(reply->text, answer->text, sizeof(answer->text));
    }
    answer->was_stuck = (world->deadlock_mask & (1u << worker)) != 0;
    world->deadlock_mask &= ~(1u << worker);
    actor->state = ACTOR_ANSWERED;
    world->is_dirty = true;
    uint64_t clock_ns = host_clock(world, host);
    uint64_t until_ns = answer->at_ns > clock_ns ? answer->at_ns - clock_ns : 0;
    actor_schedule(world, host, worker, until_ns + (until_ns > 0 ? 0 : pause_ns(world)));
}

static void end_step(struct world *world, struct host *host, uint32_t worker, enum step_result result,
                     const char *text)
{
    struct actor *actor = &host->actors[worker];
    struct truth_worker *who = &world->truth.worker[worker];
    struct shard *shard = &host->shards[actor->shard];
    static const char *const RESULTS[] = {"ok", "failed", "stopped"};
    transcript_say(world->transcript, at_ns(world), "worker %u ends step %" PRIu64 " %s%s%s", worker,
                   actor->step, RESULTS[result], text == NULL ? "" : ": ", text == NULL ? "" : text);
    who->ended_step = actor->step;
    who->is_in_step = false;
    who->steps_ok += result == STEP_OK;
    who->steps_failed += result == STEP_FAILED;
    who->steps_stopped += result == STEP_STOPPED;
    shard->counted.steps_ok += result == STEP_OK;
    shard->counted.steps_failed += result == STEP_FAILED;
    shard->counted.steps_stopped += result == STEP_STOPPED;
    if (world->plan->options.runs != 0 && actor->step >= world->plan->options.runs && !who->is_over) {
        who->is_over = true;
        who->over_ns = world->now_ns;
    }
    actor->state = ACTOR_BETWEEN;
    world->is_dirty = true;
    world->steps_run++;
    struct crew_event event = {.kind = CREW_STEP_DONE, .worker = worker, .result = result, .text = text};
    host_crew_step(world, host, actor->shard, &event);
}

static void go_to_next_act(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    actor->position++;
    actor->state = ACTOR_ACTING;
    actor_schedule(world, host, worker, pause_ns(world));
}

/* What the payload of a step by a worker is. */
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

static void note_arrival(struct truth_barrier *barrier, uint32_t worker, uint32_t parties)
{
    barrier->is_mixed = barrier->is_mixed || (barrier->named != 0 && barrier->named != parties + 1);
    barrier->named = parties + 1;
    barrier->arrived |= 1u << worker;
}

static void note_written(struct truth_notifier *notifier, uint64_t now_ns)
{
    notifier->written_ns = notifier->written_ns == 0 ? now_ns : notifier->written_ns;
}

/* Before the call leaves: what it does is true from now on, whatever becomes of the message. */
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
                     act->count);
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

static enum crew_call call(struct world *world, struct host *host, uint32_t worker,
                           const struct operation *operation, struct error *error)
{
    struct actor *actor = &host->actors[worker];
    enum crew_call result =
        crew_call(host->shards[actor->shard].crew, worker, operation, &world->crew_effects, error);
    if (result == CREW_CALL_WAITS) {
        actor->state = ACTOR_WAITING;
        actor->call = operation->kind;
        actor->wait_step = operation->step;
        actor->wait_began_ns = world->now_ns;
    }
    host_carry_out(world, host, actor->shard);
    return result;
}

static void act_with_coordinator(struct world *world, struct host *host, uint32_t worker,
                                 const struct act *act)
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
    };
    struct buffer value SCOPED(buffer_finish);
    struct buffer expected SCOPED(buffer_finish);
    buffer_init(&value, 64);
    buffer_init(&expected, 64);
    fill_value(world, host, worker, act, &operation, &value, &expected);
    actor->wait_nth = act->kind == ACT_BARRIER ? actor->nth[act->name]++ : 0;
    say_call(world, actor, worker, &operation);
    actor->waits_in = *act;
    struct error error;
    enum crew_call result = call(world, host, worker, &operation, &error);
    if ((result == CREW_CALL_REFUSED) != (act->kind == ACT_WRONG_SIGNAL)) {
        world_break(world, "worker %u: %s was %s%s", worker, operation_name(operation.kind),
                    result == CREW_CALL_REFUSED ? "refused: " : "not refused",
                    result == CREW_CALL_REFUSED ? error.text : "");
    }
    if (result == CREW_CALL_STOPPED) {
        end_step(world, host, worker, STEP_STOPPED, "stopped");
    } else if (result == CREW_CALL_REFUSED) {
        end_step(world, host, worker, STEP_FAILED, error.text);
    } else {
        note_act(world, actor, worker, act);
        if (result == CREW_CALL_DONE) {
            go_to_next_act(world, host, worker);
        }
    }
}

static void do_act(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    const struct step_plan *step = plan_step(world->plan, worker, actor->step);
    /* Waits for a step before the first are left out, as scripts do. */
    while (actor->position < step->count && (int64_t)actor->step - step->acts[actor->position].back < 1) {
        actor->position++;
    }
    if (actor->position >= step->count) {
        end_step(world, host, worker, STEP_OK, NULL);
        return;
    }
    const struct act *act = &step->acts[actor->position];
    if (act->kind == ACT_FAIL) {
        end_step(world, host, worker, STEP_FAILED, "on purpose");
    } else if (act->kind == ACT_SLEEP) {
        actor->position++;
        actor->state = ACTOR_SLEEPING;
        actor_schedule(world, host, worker, act->count * 1000000ull);
    } else {
        act_with_coordinator(world, host, worker, act);
    }
}

/* The factory has run. */
static void end_making(struct world *world, struct host *host, uint32_t worker)
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
    enum crew_call result = call(world, host, worker, &operation, &error);
    if (result == CREW_CALL_STOPPED) {
        end_step(world, host, worker, STEP_STOPPED, "stopped");
    } else if (result == CREW_CALL_REFUSED) {
        world_break(world, "worker %u: what its factory made was refused: %s", worker, error.text);
    } else if (result == CREW_CALL_DONE) {
        end_step(world, host, worker, STEP_FAILED, "the factory failed");
    }
}

static void tell_release(struct world *world, struct host *host, uint32_t worker)
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

static void go_on_with_answer(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    const struct answer *answer = &actor->answer;
    if (world->transcript != NULL) {
        char value[64] = "";
        if (answer->has_value && actor->call == OPERATION_WAIT_WRITER) {
            (void)snprintf(value, sizeof(value), ", worker %u's of step %u",
                           (unsigned)(answer->value % PLAN_WORKERS),
                           (unsigned)(answer->value / PLAN_WORKERS));
        } else if (answer->has_value) {
            (void)snprintf(value, sizeof(value), " %" PRId64, answer->value);
        }
        transcript_say(world->transcript, at_ns(world), "worker %u in step %" PRIu64 ": %s is %s%s%s%s%s%s",
                       worker, actor->step, operation_name(actor->call), outcome_name(answer->outcome), value,
                       answer->is_won ? ", won" : "", answer->is_maker ? ", makes it" : "",
                       answer->text[0] == '\0' ? "" : ": ", answer->text);
    }
    judge_answer(world, worker, actor);
    if (answer->outcome == OUTCOME_STOPPED) {
        end_step(world, host, worker, STEP_STOPPED, "stopped");
    } else if (answer->outcome != OUTCOME_OK && !actor->waits_in.is_caught) {
        end_step(world, host, worker, STEP_FAILED, outcome_name(answer->outcome));
    } else if (answer->is_maker) {
        actor->answer.is_maker = false;
        actor->state = ACTOR_MAKING;
        actor_schedule(world, host, worker, actor->waits_in.count * 1000000ull);
    } else {
        if (answer->at_ns != 0) {
            tell_release(world, host, worker);
        }
        go_to_next_act(world, host, worker);
    }
}

static bool may_act(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    if (!host_has_lease(world, host)) {
        actor->is_put_off = true;
        return false;
    }
    if (world->truth.worker[worker].owner != actor->incarnation && world->state != CAMPAIGN_ENDED) {
        world_break(world, "worker %u acts on %s, which was declared lost", worker, host->name);
        return false;
    }
    return true;
}

static void end_setup(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    struct truth_worker *who = &world->truth.worker[worker];
    bool is_fit = (world->plan->unfit_workers & (1u << worker)) == 0;
    if (!is_fit && !who->is_over) {
        who->is_over = true;
        who->over_ns = world->now_ns;
        world->is_dirty = true;
    }
    actor->state = ACTOR_BETWEEN;
    struct crew_event event = {.kind = CREW_SETUP_DONE,
                               .worker = worker,
                               .is_ok = is_fit,
                               .text = is_fit ? NULL : "setup failed on purpose"};
    host_crew_step(world, host, actor->shard, &event);
}

void actor_go_on(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    if (actor->state == ACTOR_SETUP) {
        end_setup(world, host, worker);
        return;
    }
    if (actor->state == ACTOR_TEARDOWN) {
        actor->state = ACTOR_GONE;
        struct crew_event event = {.kind = CREW_TORN_DOWN, .worker = worker};
        host_crew_step(world, host, actor->shard, &event);
        return;
    }
    bool is_script = actor->state == ACTOR_ACTING || actor->state == ACTOR_SLEEPING ||
                     actor->state == ACTOR_MAKING || actor->state == ACTOR_ANSWERED;
    if (!is_script || !may_act(world, host, worker)) {
        return;
    }
    if (actor->state == ACTOR_ANSWERED) {
        go_on_with_answer(world, host, worker);
    } else if (actor->state == ACTOR_MAKING) {
        end_making(world, host, worker);
    } else {
        do_act(world, host, worker);
    }
}
