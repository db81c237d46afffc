/* The plans of the stories: the scene, each of its defects in DESIGN §2, what happens when an agent is lost,
 * and what the wire may do to it. */
#include "tests/simulation/story_plans.h"

#define S 1000000000ull
#define MS 1000000ull

static const struct act WAIT_WRITER = {.kind = ACT_WAIT_WRITER};
static const struct act READ = {.kind = ACT_READ};
static const struct act WRITTEN = {.kind = ACT_WRITTEN};
static const struct act LAST_READERS = {.kind = ACT_WAIT_READERS, .back = 1};
static const struct act FAIL = {.kind = ACT_FAIL};

static struct act sleeps(uint32_t milliseconds)
{
    return (struct act){.kind = ACT_SLEEP, .count = milliseconds};
}

static void add_reader(struct plan *plan, uint32_t worker, uint32_t step)
{
    plan_add(plan, worker, step, WAIT_WRITER);
    plan_add(plan, worker, step, READ);
}

static void add_writer(struct plan *plan, uint32_t worker, uint32_t step)
{
    plan_add(plan, worker, step, LAST_READERS);
    plan_add(plan, worker, step, WRITTEN);
}

/* The last worker writes, the others read. */
static void begin_scene(struct plan *plan, uint32_t workers, uint32_t runs, uint32_t hosts)
{
    plan_begin(plan, workers, runs, hosts);
    for (uint32_t worker = 0; worker < workers; worker++) {
        for (uint32_t step = 1; step <= runs; step++) {
            if (worker == workers - 1) {
                add_writer(plan, worker, step);
            } else {
                add_reader(plan, worker, step);
            }
        }
    }
}

static void fail_at(struct plan *plan, uint32_t worker, uint32_t step, uint8_t position)
{
    plan->steps[worker][step - 1].acts[position] = FAIL;
    plan->steps[worker][step - 1].count = (uint8_t)(position + 1);
}

static void add_fault(struct plan *plan, enum fault_kind kind, uint8_t host, uint64_t at_ns, uint64_t for_ns)
{
    plan->faults[plan->fault_count++] =
        (struct fault){.kind = kind, .host = host, .at_ns = at_ns, .for_ns = for_ns};
}

static void tell_scene(struct plan *plan)
{
    begin_scene(plan, 5, 3, 2);
}

static void tell_reader_fails(struct plan *plan)
{
    begin_scene(plan, 4, 3, 2);
    fail_at(plan, 0, 2, 1);
}

static void tell_writer_fails(struct plan *plan)
{
    begin_scene(plan, 4, 3, 2);
    fail_at(plan, 3, 2, 1);
}

static void tell_as_published(struct plan *plan)
{
    begin_scene(plan, 4, 3, 2);
    for (uint32_t step = 2; step <= 3; step++) {
        plan->steps[3][step - 1].acts[0].back = 0; /* the readers of its own step */
    }
}

static void tell_as_published_goes_on(struct plan *plan)
{
    tell_as_published(plan);
    plan->options.on_deadlock = ON_DEADLOCK_FAIL;
}

static void tell_no_writer(struct plan *plan)
{
    begin_scene(plan, 4, 2, 2);
    plan->options.workers = 3; /* would have been the fourth */
}

static void tell_five_readers_named(struct plan *plan)
{
    begin_scene(plan, 5, 2, 2);
    for (uint32_t step = 1; step <= 2; step++) {
        struct step_plan *writer = &plan->steps[4][step - 1];
        writer->count = 0;
        plan_add(plan, 4, step, (struct act){.kind = ACT_DECLARE, .count = 5});
        plan_add(plan, 4, step, WRITTEN);
        plan_add(plan, 4, step, (struct act){.kind = ACT_WAIT_READERS});
    }
}

static void tell_reads_twice(struct plan *plan)
{
    begin_scene(plan, 3, 2, 2);
    for (uint32_t step = 1; step <= 2; step++) {
        plan_add(plan, 0, step, READ);
        plan_add(plan, 0, step, READ);
    }
    /* The other reader takes its time: its reading cannot be replaced by another's. */
    plan->steps[1][0].count = 1;
    plan_add(plan, 1, 1, sleeps(500));
    plan_add(plan, 1, 1, READ);
}

static void tell_ends_early(struct plan *plan)
{
    begin_scene(plan, 4, 3, 2);
    plan->unfit_workers = 1u << 1;
    plan->options.fail_steps = 0;
}

static void tell_slow_reader(struct plan *plan)
{
    begin_scene(plan, 4, 2, 2);
    plan->steps[2][0].count = 1;
    plan_add(plan, 2, 1, sleeps(3000));
    plan_add(plan, 2, 1, READ);
}

static void tell_earlier_signal(struct plan *plan)
{
    begin_scene(plan, 3, 2, 2);
    plan->steps[2][1].count = 0;
    plan_add(plan, 2, 2, (struct act){.kind = ACT_WRONG_SIGNAL, .back = 1});
}

static void tell_last_edit(struct plan *plan)
{
    begin_scene(plan, 3, 1, 2);
    plan->steps[0][0].count = 1;
    plan_add(plan, 0, 1, sleeps(2000));
    plan_add(plan, 0, 1, READ);
}

static void tell_ramp_up(struct plan *plan)
{
    begin_scene(plan, 4, 3, 2);
    plan->options.ramp_up_ms = 10000;
    plan->options.duration_ms = 4000;
}

static void tell_drain(struct plan *plan)
{
    begin_scene(plan, 4, 12, 2);
    for (uint32_t step = 1; step <= 12; step++) {
        plan_add(plan, 3, step, sleeps(250));
    }
    plan->options.duration_ms = 600;
}

static void tell_grace(struct plan *plan)
{
    begin_scene(plan, 3, 3, 2);
    plan->steps[2][1].count = 0;
    plan_add(plan, 2, 2, sleeps(9000));
    plan->options.duration_ms = 400;
    plan->options.has_grace = true;
    plan->options.grace_ms = 1500;
}

static void tell_lost_shrink(struct plan *plan)
{
    begin_scene(plan, 4, 3, 2);
    for (uint32_t step = 1; step <= 3; step++) {
        plan->steps[3][step - 1].count = 0;
        plan_add(plan, 3, step, LAST_READERS);
        plan_add(plan, 3, step, sleeps(300));
        plan_add(plan, 3, step, WRITTEN);
    }
    /* Workers 0 and 2 have arrived. */
    add_fault(plan, FAULT_CRASH_KNOWN, 0, 500 * MS, 0);
}

static void tell_lost_replace(struct plan *plan)
{
    tell_lost_shrink(plan);
    plan->options.on_loss = ON_LOSS_REPLACE;
}

static void tell_lost_fail(struct plan *plan)
{
    tell_lost_shrink(plan);
    plan->options.on_loss = ON_LOSS_FAIL;
}

static void tell_lost_unnoticed(struct plan *plan)
{
    tell_lost_shrink(plan);
    plan->faults[0].kind = FAULT_CRASH;
}

static void tell_left(struct plan *plan)
{
    tell_lost_replace(plan);
    plan->faults[0].kind = FAULT_LEAVE;
}

static void add_scale(struct plan *plan, uint64_t at_ns, uint32_t workers)
{
    plan->scales[plan->scale_count++] = (struct scaling){.at_ns = at_ns, .workers = workers};
}

/* Each writes in turn, a round takes 100 ms. */
static void begin_turns(struct plan *plan, uint32_t workers, uint64_t runs)
{
    plan_begin(plan, workers, runs, 2);
    for (uint32_t worker = 0; worker < 6; worker++) {
        for (uint32_t step = 1; step <= runs; step++) {
            plan_add(plan, worker, step, (struct act){.kind = ACT_BARRIER});
            plan_add(plan, worker, step, sleeps(100));
        }
    }
}

static void tell_scale_up(struct plan *plan)
{
    begin_turns(plan, 2, 6);
    add_scale(plan, 250 * MS, 4);
}

static void tell_scale_down(struct plan *plan)
{
    begin_turns(plan, 4, 8);
    add_scale(plan, 250 * MS, 2);
}

static void tell_scale_rooms(struct plan *plan)
{
    begin_turns(plan, 4, 3);
    plan->options.room_size = 2;
    add_scale(plan, 150 * MS, 6);
}

static void tell_scale_back(struct plan *plan)
{
    begin_turns(plan, 4, 12);
    add_scale(plan, 250 * MS, 3);
    add_scale(plan, 300 * MS, 4);
}

/* The new process of host 1 gets the workers that are new. */
static void tell_scale_joined(struct plan *plan)
{
    begin_turns(plan, 4, 12);
    plan->options.may_join = true;
    add_fault(plan, FAULT_LEAVE, 1, 150 * MS, 50 * MS);
    add_scale(plan, 600 * MS, 6);
}

static void tell_short_freeze(struct plan *plan)
{
    begin_scene(plan, 4, 2, 2);
    add_fault(plan, FAULT_FREEZE, 0, 104 * MS, 4 * S);
}

static void tell_long_silence(struct plan *plan)
{
    begin_scene(plan, 4, 2, 2);
    add_fault(plan, FAULT_CUT, 0, 104 * MS, 12500 * MS);
}

static void tell_long_freeze(struct plan *plan)
{
    begin_scene(plan, 4, 2, 2);
    plan->steps[0][0].count = 0;
    plan_add(plan, 0, 1, WAIT_WRITER);
    plan_add(plan, 0, 1, sleeps(2000));
    plan_add(plan, 0, 1, READ);
    plan_add(plan, 3, 2, sleeps(20000)); /* it is still running when the agent thaws */
    add_fault(plan, FAULT_FREEZE, 0, 1000 * MS, 30 * S);
}

/* The first frame with `written` is lost. */
static void tell_lost_message(struct plan *plan)
{
    begin_scene(plan, 3, 2, 2);
    plan->steps[2][0].count = 0;
    plan_add(plan, 2, 1, sleeps(100));
    plan_add(plan, 2, 1, WRITTEN);
    add_fault(plan, FAULT_CUT_UP, 0, 150 * MS, 100 * MS);
}

/* Every frame arrives twice. */
static void tell_repeats(struct plan *plan)
{
    begin_scene(plan, 3, 2, 2);
    plan->repeat = 1;
    plan->troubled_ns = 60 * S;
}

static void tell_barrier(struct plan *plan)
{
    plan_begin(plan, 4, 2, 2);
    for (uint32_t worker = 0; worker < 4; worker++) {
        plan_add(plan, worker, 1, (struct act){.kind = ACT_BARRIER});
        plan_add(plan, worker, 2, worker == 3 ? FAIL : (struct act){.kind = ACT_BARRIER});
    }
}

static void tell_own_timeout(struct plan *plan)
{
    plan_begin(plan, 2, 1, 2);
    plan_add(plan, 0, 1, (struct act){.kind = ACT_WAIT_WRITER, .timeout_ms = 700});
    plan_add(plan, 1, 1, (struct act){.kind = ACT_WAIT_WRITER});
}

static void tell_factory(struct plan *plan)
{
    plan_begin(plan, 3, 2, 2);
    for (uint32_t worker = 0; worker < 3; worker++) {
        struct act act = {
            .kind = ACT_GET_OR_MAKE, .is_campaign = true, .count = 50, .makes_badly = worker == 0};
        plan_add(plan, worker, 1, sleeps(10 * worker + 1));
        plan_add(plan, worker, 1, act);
        plan_add(plan, worker, 2, (struct act){.kind = ACT_INCR, .is_campaign = true});
    }
}

static void add_kill(struct plan *plan, uint64_t at_ns, uint64_t for_ns)
{
    plan->kills[plan->kill_count++] = (struct kill){.at_ns = at_ns, .for_ns = for_ns};
}

/* `written` is in the journal, but no agent has been told. */
static void tell_killed_unsent(struct plan *plan)
{
    begin_scene(plan, 3, 2, 2);
    plan->steps[2][0].count = 0;
    plan_add(plan, 2, 1, sleeps(100));
    plan_add(plan, 2, 1, WRITTEN);
    add_kill(plan, 203 * MS, 300 * MS);
}

/* `written` has arrived, but is lost: the agent has not been told that it arrived. */
static void tell_killed_unwritten(struct plan *plan)
{
    tell_killed_unsent(plan);
    plan->kills[0].is_before_journal = true;
}

static void tell_killed_in_wait(struct plan *plan)
{
    begin_scene(plan, 3, 2, 2);
    plan->steps[2][0].count = 0;
    plan_add(plan, 2, 1, sleeps(3000));
    plan_add(plan, 2, 1, WRITTEN);
    add_kill(plan, 1000 * MS, 1 * S);
}

static void tell_killed_for_long(struct plan *plan)
{
    tell_killed_in_wait(plan);
    plan->kills[0].for_ns = 20 * S;
}

/* It is not known whether the campaign was created. */
static void tell_killed_creating(struct plan *plan)
{
    begin_scene(plan, 3, 1, 2);
    add_kill(plan, 0, 300 * MS);
    plan->kills[0].is_before_journal = true;
}

static void tell_killed_and_lost(struct plan *plan)
{
    tell_lost_unnoticed(plan);
    add_kill(plan, 600 * MS, 5 * S);
}

const struct story *story_plans(size_t *count)
{
    static const struct story STORIES[] = {
        {"scene", "Five users, two agents: one writes, four read, nobody writes before all have read.",
         tell_scene},
        {"reader-fails", "A reader that fails before one_read() costs its own step and nothing else.",
         tell_reader_fails},
        {"writer-fails", "A writer that fails before written() costs its room one round, told at once.",
         tell_writer_fails},
        {"as-published", "The article's writer waits for the readers of its own step: found, not timed out.",
         tell_as_published},
        {"as-published-goes-on", "The same with --on-deadlock fail: those waits raise, and it goes on.",
         tell_as_published_goes_on},
        {"no-writer", "Three workers, but the script wants a fourth one to write: a deadlock at step 1.",
         tell_no_writer},
        {"readers-named", "readers=5, but there are four: no other reader counts as the fifth.",
         tell_five_readers_named},
        {"reads-twice", "A reader that reports three times counts once.", tell_reads_twice},
        {"ends-early", "A worker that could not be set up is past every step.", tell_ends_early},
        {"slow-reader", "The writer waits for the slow one.", tell_slow_reader},
        {"earlier-signal", "written() on an earlier step is refused.", tell_earlier_signal},
        {"last-edit", "The writer of the last round is torn down only when it has been read.",
         tell_last_edit},
        {"ramp-up", "A ramp-up longer than the duration: nobody waits for workers that never start.",
         tell_ramp_up},
        {"drain", "The duration ends in the middle of a round: all end after the same step.", tell_drain},
        {"grace",
         "A step is not over when the grace after the duration is: it stops, and so do those that wait for "
         "it.",
         tell_grace},
        {"lost-shrink", "An agent dies in a round: the others go on without its workers.", tell_lost_shrink},
        {"lost-replace", "An agent dies in a round: its workers go on elsewhere at their next step.",
         tell_lost_replace},
        {"lost-fail", "An agent dies in a round: everything stops.", tell_lost_fail},
        {"lost-unnoticed", "An agent dies unnoticed: lost when it has been silent for 15 s.",
         tell_lost_unnoticed},
        {"left", "An agent says goodbye in a round: its workers go on elsewhere at once.", tell_left},
        {"scale-up", "More workers: they meet the others from a step that nobody has begun.", tell_scale_up},
        {"scale-down",
         "Fewer workers: the last ones end after a step that all run, and nobody waits for them.",
         tell_scale_down},
        {"scale-rooms", "One more room: it begins with its first step, and the others do not notice.",
         tell_scale_rooms},
        {"scale-joined", "An agent joins while it runs: new workers begin on it, and meet the others.",
         tell_scale_joined},
        {"scale-back", "A worker that was one too many is needed again: it comes back when it has ended.",
         tell_scale_back},
        {"short-freeze", "An agent is frozen for less than its lease: it goes on as if nothing had happened.",
         tell_short_freeze},
        {"long-silence", "An agent's connection is cut for longer than its lease: it pauses, and goes on.",
         tell_long_silence},
        {"long-freeze", "An agent is frozen for longer than its lease: when it thaws its workers do no harm.",
         tell_long_freeze},
        {"lost-message", "A frame of an agent is lost and sent again.", tell_lost_message},
        {"repeats", "Every frame arrives twice, and everything happens once.", tell_repeats},
        {"barrier", "All meet; nobody waits for the one that fails before.", tell_barrier},
        {"own-timeout", "A worker with a timeout of its own will move by itself: no deadlock before that.",
         tell_own_timeout},
        {"factory", "The factory fails in the first worker and succeeds in one other; increments add up.",
         tell_factory},
        {"killed-unsent",
         "The coordinator is killed between its journal and the answer: it answers when it is back.",
         tell_killed_unsent},
        {"killed-unwritten",
         "Killed before a message is in the journal: it was not acknowledged, so it is sent again.",
         tell_killed_unwritten},
        {"killed-in-wait", "Killed while all wait for a slow writer: the waits survive.",
         tell_killed_in_wait},
        {"killed-for-long", "Down for longer than the lease: the workers pause, and go on.",
         tell_killed_for_long},
        {"killed-creating", "Killed before the campaign is in the journal: the client asks again.",
         tell_killed_creating},
        {"killed-and-lost",
         "An agent dies while the coordinator is down: its silence counts from the restart.",
         tell_killed_and_lost},
    };
    *count = sizeof STORIES / sizeof STORIES[0];
    return STORIES;
}
