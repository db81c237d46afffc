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
    growth->wanted -= growth->asked;
    growth->asked = 0;
    growth->given = 0;
    growth->is_asking = false;
}
