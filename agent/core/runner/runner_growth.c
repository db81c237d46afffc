/* More workers for a rate than it begins with: arrivals that find none that is free ask for some, and wait
 * for them. The coordinator deals their ids; it hears of many arrivals at once, and no more often than it
 * answers. */
#include "agent/core/runner/runner_internal.h"
#include "common/time_units.h"

/* Where it had none to give, so long passes before it is asked again. */
#define GROWTH_PAUSE_NS NS_PER_S

bool runner_growth_ask(struct runner *runner, uint32_t workers)
{
    struct growth *growth = &runner->growth;
    uint64_t most = runner->options->max_workers;
    bool is_useless =
        runner->is_stopping || runner->is_draining || runner->event->now_ns < growth->not_before_ns;
    if (is_useless || (uint64_t)runner->worker_count + growth->wanted + workers > most) {
        return false;
    }
    growth->wanted += workers;
    return true;
}

void runner_growth_of_rooms(struct runner *runner, const struct lane *lane)
{
    struct growth *growth = &runner->growth;
    uint32_t size = runner->options->room_size;
    if (growth->wanted > 0 || runner->options->max_workers <= runner->worker_count ||
        runner->event->now_ns < growth->not_before_ns) {
        return;
    }
    uint64_t most = (runner->options->max_workers - runner->worker_count) / size;
    uint64_t behind = runner_turns_behind(runner, lane);
    uint64_t more = behind > growth->behind ? behind - growth->behind : 0;
    uint64_t rooms = more < most ? more : most;
    growth->behind = behind;
    if (rooms > 0) {
        (void)runner_growth_ask(runner, (uint32_t)rooms * size);
    }
}

/* The instant from which on the arrivals go to new rooms too: what is asked for before has been. */
static uint64_t growth_settled_ns(const struct runner *runner)
{
    uint64_t settled_ns = 0;
    for (size_t i = 0; runner->pace.has_rooms && i < runner->pace.lane_count; i++) {
        const struct lane *lane = &runner->pace.lanes[i];
        for (size_t j = 0; j < lane->share_count; j++) {
            uint64_t at_ns = runner_pace_instant(runner, lane, lane->shares[j].at_ns);
            settled_ns = at_ns > settled_ns ? at_ns : settled_ns;
        }
    }
    return settled_ns;
}

size_t runner_growth_coming(const struct runner *runner)
{
    return runner->growth.wanted;
}

void runner_growth_tell(struct runner *runner)
{
    struct growth *growth = &runner->growth;
    if (!growth->is_asking && growth->wanted > 0) {
        growth->is_asking = true;
        growth->asked = growth->wanted;
        runner_add_notice(runner, NOTICE_WANTED)->wanted = growth->asked;
    }
}

void runner_growth_take(struct runner *runner, uint64_t workers)
{
    struct growth *growth = &runner->growth;
    uint32_t of_them = workers < growth->asked ? (uint32_t)workers : growth->asked;
    growth->given += of_them;
    growth->asked -= of_them;
    growth->wanted -= of_them;
}

void runner_growth_answer(struct runner *runner)
{
    struct growth *growth = &runner->growth;
    if (growth->given == 0) {
        growth->not_before_ns = runner->event->now_ns + GROWTH_PAUSE_NS;
    }
    uint64_t settled_ns = growth_settled_ns(runner);
    growth->not_before_ns = settled_ns > growth->not_before_ns ? settled_ns : growth->not_before_ns;
    growth->wanted -= growth->asked;
    growth->asked = 0;
    growth->given = 0;
    growth->is_asking = false;
}
