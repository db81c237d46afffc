/* Bounds every wait: the coordinator ends each in time, and a call that it never answers ends here. */
#include "agent/core/runner/runner_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/duration.h"
#include "common/escape.h"
#include "proto/message/limits.h"

/* How much later than it should an answer may come, while the coordinator is heard. */
#define ALLOWED_MS 30000u
#define LOOK_EVERY_MS 1000u
/* Of a hundred thousand workers only this many are looked at in one step. */
#define LOOK_AT 16384u
#define NAME_BYTES 300u
#define DURATION_BYTES 32u

static void runner_patience_give_up(struct runner *runner, struct worker *worker, struct pending *pending)
{
    SCOPED(buffer_finish) struct buffer text;
    struct reply reply = {.outcome = OUTCOME_TIMEOUT};
    char allowed[DURATION_BYTES];
    pending_describe(pending, &reply);
    buffer_init(&text, LIMIT_TEXT_BYTES);
    duration_describe(ALLOWED_MS, allowed, sizeof allowed);
    buffer_append_format(&text, "the coordinator has never answered %s of ", operation_name(reply.kind));
    escape_text(&text, reply.name);
    buffer_append_format(&text, ", not even %s after it should have", allowed);
    reply.text = buffer_bytes(&text);
    runner_answer(runner, worker, pending, &reply);
}

void runner_expect_answer(struct runner *runner)
{
    if (runner->look_due_ns == TIMERS_NEVER) {
        runner->look_due_ns = 0; /* the next step knows what time it is */
    }
}

static bool is_in_vain(const struct runner *runner, uint64_t now_ns, uint64_t since_ns, uint64_t timeout_ms)
{
    if (timeout_ms == 0) {
        timeout_ms = campaign_sync_timeout_ms(runner->options);
    }
    since_ns = since_ns > runner->paused_ns ? since_ns : runner->paused_ns;
    return now_ns >= schedule_after_ns(schedule_after_ns(since_ns, timeout_ms), ALLOWED_MS);
}

static void look_at(struct runner *runner, struct worker *worker, uint64_t now_ns)
{
    struct pending *next;
    for (struct pending *at = worker_next_pending(worker, NULL); at != NULL; at = next) {
        uint64_t timeout_ms;
        uint64_t since_ns = pending_since_ns(at, now_ns, &timeout_ms);
        next = worker_next_pending(worker, at);
        runner->has_found_waiting = true;
        if (is_in_vain(runner, now_ns, since_ns, timeout_ms)) {
            runner_patience_give_up(runner, worker, at);
        }
    }
}

/* Goes on while the present round, which began at the first worker, has found any that waits. */
void runner_look_for_vain_waits(struct runner *runner, const struct runner_event *tick)
{
    if (tick->now_ns < runner->look_due_ns) {
        return;
    }
    runner->paused_ns = tick->is_paused ? tick->now_ns : runner->paused_ns;
    struct worker_list workers = worker_index_all(runner->index);
    size_t end = workers.count - runner->looked_at < LOOK_AT ? workers.count : runner->looked_at + LOOK_AT;
    for (size_t i = runner->looked_at; i < end; i++) {
        look_at(runner, workers.items[i], tick->now_ns);
    }
    bool is_round = end == workers.count;
    bool goes_on = !is_round || runner->has_found_waiting;
    runner->looked_at = is_round ? 0 : end;
    runner->has_found_waiting = runner->has_found_waiting && !is_round;
    runner->look_due_ns = goes_on ? schedule_after_ns(tick->now_ns, LOOK_EVERY_MS) : TIMERS_NEVER;
}
