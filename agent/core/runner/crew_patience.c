/* No wait is endless: the coordinator ends each in its time, and a call that it never answers ends here. */
#include "agent/core/runner/crew_internal.h"
#include "agent/core/runner/schedule.h"
#include "common/duration.h"
#include "common/escape.h"
#include "proto/message/limits.h"

/* How long an answer may take longer than it should, while the coordinator is heard. */
#define ALLOWED_MS 30000u
#define LOOK_EVERY_MS 1000u
/* Of a hundred thousand workers only so many are looked at at once. */
#define LOOK_AT 16384u
#define SYNC_TIMEOUT_MS 60000u /* if the options have none */
#define NAME_BYTES 300u
#define DURATION_BYTES 32u

static void crew_patience_give_up(struct crew *crew, struct worker *worker)
{
    SCOPED(buffer_finish) struct buffer text;
    struct reply reply = {.outcome = OUTCOME_TIMEOUT};
    char allowed[DURATION_BYTES];
    worker_describe_wait(worker, &reply);
    buffer_init(&text, LIMIT_TEXT_BYTES);
    duration_describe(ALLOWED_MS, allowed, sizeof allowed);
    buffer_append_format(&text, "the coordinator has never answered %s of ", operation_name(reply.kind));
    escape_text(&text, reply.name);
    buffer_append_format(&text, ", not even %s after it should have", allowed);
    reply.text = buffer_bytes(&text);
    worker_set_add(&reply.workers, worker->id);
    crew_answer(crew, worker, &reply);
    worker_set_finish(&reply.workers);
}

void crew_expect_answer(struct crew *crew)
{
    if (crew->look_due_ns == TIMERS_NEVER) {
        crew->look_due_ns = 0; /* the next step knows what time it is */
    }
}

static bool is_in_vain(const struct crew *crew, uint64_t now_ns, uint64_t since_ns, uint64_t timeout_ms)
{
    if (timeout_ms == 0) {
        timeout_ms = crew->options->sync_timeout_ms > 0 ? crew->options->sync_timeout_ms : SYNC_TIMEOUT_MS;
    }
    since_ns = since_ns > crew->paused_ns ? since_ns : crew->paused_ns;
    return now_ns >= schedule_after_ns(schedule_after_ns(since_ns, timeout_ms), ALLOWED_MS);
}

static void look_at(struct crew *crew, struct worker *worker, uint64_t now_ns)
{
    uint64_t since_ns;
    uint64_t timeout_ms;
    if (!worker_waits_since(worker, now_ns, &since_ns, &timeout_ms)) {
        return;
    }
    crew->has_found_waiting = true;
    if (is_in_vain(crew, now_ns, since_ns, timeout_ms)) {
        crew_patience_give_up(crew, worker);
    }
}

/* Goes on as long as it has found anybody waiting since it was last at the first worker. */
void crew_look_for_vain_waits(struct crew *crew, const struct crew_event *tick)
{
    if (tick->now_ns < crew->look_due_ns) {
        return;
    }
    crew->paused_ns = tick->is_paused ? tick->now_ns : crew->paused_ns;
    struct worker_list workers = roster_all(crew->roster);
    size_t end = workers.count - crew->looked_at < LOOK_AT ? workers.count : crew->looked_at + LOOK_AT;
    for (size_t i = crew->looked_at; i < end; i++) {
        look_at(crew, workers.items[i], tick->now_ns);
    }
    bool is_round = end == workers.count;
    bool goes_on = !is_round || crew->has_found_waiting;
    crew->looked_at = is_round ? 0 : end;
    crew->has_found_waiting = crew->has_found_waiting && !is_round;
    crew->look_due_ns = goes_on ? schedule_after_ns(tick->now_ns, LOOK_EVERY_MS) : TIMERS_NEVER;
}
