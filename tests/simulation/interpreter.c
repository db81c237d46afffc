/* Takes the place of the scripts: runs the program of each worker through the same interface as the real
 * shell. */
#include "common/value.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    actor->is_refused = false;
    memset(actor->nth, 0, sizeof actor->nth);
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
        world_break(world, "worker %u got the answer to a %s that it is not waiting in", worker,
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
    answer->is_by_loss = reply->is_by_loss;
    answer->at_ns = reply->at_ns > 0 ? (uint64_t)reply->at_ns : 0;
    answer->was_aside = actor->aside_until_ns != 0;
    actor->aside_until_ns = 0;
    answer->text[0] = '\0';
    if (world->transcript != NULL) {
        bytes_to_text(reply->text, answer->text, sizeof answer->text);
    }
    answer->was_stuck = (world->deadlock_mask & (1u << worker)) != 0;
    world->deadlock_mask &= ~(1u << worker);
    actor->state = ACTOR_ANSWERED;
    world->is_dirty = true;
    uint64_t clock_ns = host_clock(world, host);
    uint64_t until_ns = answer->at_ns > clock_ns ? answer->at_ns - clock_ns : 0;
    actor_schedule(world, host, worker, until_ns + (until_ns > 0 ? 0 : pause_ns(world)));
}

void actor_end_step(struct world *world, struct host *host, uint32_t worker, enum step_result result,
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
    if (world->plan->server.capacity > 0) {
        host_tell_statistics(world, host, actor->shard); /* its search goes by them */
    }
    struct runner_event event = {.kind = RUNNER_STEP_DONE, .worker = worker, .result = result, .text = text};
    host_runner_step(world, host, actor->shard, &event);
}

void actor_go_to_next_act(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    actor->position++;
    actor->state = ACTOR_ACTING;
    actor_schedule(world, host, worker, pause_ns(world));
}

/* As many as are in a step load it at once. */
static void actor_load(struct world *world, struct host *host, uint32_t worker)
{
    const struct played_server *server = &world->plan->server;
    struct actor *actor = &host->actors[worker];
    double busy = 0;
    for (uint32_t i = 0; i < PLAN_WORKERS; i++) {
        busy += world->truth.worker[i].is_in_step ? 1 : 0;
    }
    bool are_many = busy > server->capacity;
    double factor = are_many && !server->is_refusing ? busy / server->capacity : 1;
    if (are_many && server->is_refusing) {
        world->refused += (busy - server->capacity) / busy;
        actor->is_refused = world->refused >= 1;
        world->refused -= actor->is_refused ? 1 : 0;
    }
    actor->position++;
    actor->state = ACTOR_SLEEPING;
    uint64_t about_us = world_between(world, 950, 1050) * server->step_ms;
    actor_schedule(world, host, worker, (uint64_t)((double)about_us * factor) * 1000);
}

static void do_act(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    const struct step_plan *step = plan_step(world->plan, worker, actor->step);
    /* Waits for a step before the first are skipped, as scripts do. */
    while (actor->position < step->count && (int64_t)actor->step - step->acts[actor->position].back < 1) {
        actor->position++;
    }
    if (actor->is_refused) {
        actor_end_step(world, host, worker, STEP_FAILED, "refused");
        return;
    }
    if (actor->position >= step->count) {
        actor_end_step(world, host, worker, STEP_OK, NULL);
        return;
    }
    const struct act *act = &step->acts[actor->position];
    if (act->kind == ACT_FAIL) {
        actor_end_step(world, host, worker, STEP_FAILED, "on purpose");
    } else if (act->kind == ACT_LOAD) {
        actor_load(world, host, worker);
    } else if (act->kind == ACT_SLEEP) {
        actor->position++;
        actor->state = ACTOR_SLEEPING;
        actor_schedule(world, host, worker, act->count * 1000000ull);
    } else {
        actor_call(world, host, worker, act);
    }
}

static void go_on_with_answer(struct world *world, struct host *host, uint32_t worker)
{
    struct actor *actor = &host->actors[worker];
    const struct answer *answer = &actor->answer;
    if (world->transcript != NULL) {
        char value[64] = "";
        if (answer->has_value && actor->call == OPERATION_WAIT_WRITER) {
            (void)snprintf(value, sizeof value, ", worker %u's of step %u",
                           (unsigned)(answer->value % PLAN_WORKERS),
                           (unsigned)(answer->value / PLAN_WORKERS));
        } else if (answer->has_value) {
            (void)snprintf(value, sizeof value, " %" PRId64, answer->value);
        }
        transcript_say(world->transcript, at_ns(world), "worker %u in step %" PRIu64 ": %s is %s%s%s%s%s%s",
                       worker, actor->step, operation_name(actor->call), outcome_name(answer->outcome), value,
                       answer->is_won ? ", won" : "", answer->is_maker ? ", makes it" : "",
                       answer->text[0] == '\0' ? "" : ": ", answer->text);
    }
    judge_answer(world, worker, actor);
    if (answer->outcome == OUTCOME_STOPPED) {
        actor_end_step(world, host, worker, STEP_STOPPED, "stopped");
    } else if (answer->outcome != OUTCOME_OK && !actor->waits_in.is_caught) {
        host->shards[actor->shard].counted.steps_failed_by_loss += answer->is_by_loss ? 1 : 0;
        actor_end_step(world, host, worker, STEP_FAILED, outcome_name(answer->outcome));
    } else if (answer->is_maker) {
        actor->answer.is_maker = false;
        actor->state = ACTOR_MAKING;
        actor_schedule(world, host, worker, actor->waits_in.count * 1000000ull);
    } else {
        if (answer->at_ns != 0) {
            actor_tell_release(world, host, worker);
        }
        actor_go_to_next_act(world, host, worker);
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
    struct runner_event event = {.kind = RUNNER_SETUP_DONE,
                                 .worker = worker,
                                 .is_ok = is_fit,
                                 .text = is_fit ? NULL : "setup failed on purpose"};
    host_runner_step(world, host, actor->shard, &event);
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
        struct runner_event event = {.kind = RUNNER_TORN_DOWN, .worker = worker};
        host_runner_step(world, host, actor->shard, &event);
        return;
    }
    if (actor->state == ACTOR_WAITING && actor->aside_until_ns != 0 &&
        actor->aside_until_ns <= world->now_ns && may_act(world, host, worker)) {
        actor_settle(world, host, worker);
        return;
    }
    bool is_script = actor->state == ACTOR_ACTING || actor->state == ACTOR_SLEEPING ||
                     actor->state == ACTOR_MAKING || actor->state == ACTOR_ANSWERED;
    if (!is_script || !may_act(world, host, worker)) {
        return;
    }
    judge_act(world, actor->incarnation, worker, actor->step);
    if (actor->state == ACTOR_ANSWERED) {
        go_on_with_answer(world, host, worker);
    } else if (actor->state == ACTOR_MAKING) {
        actor_end_making(world, host, worker);
    } else {
        do_act(world, host, worker);
    }
}
