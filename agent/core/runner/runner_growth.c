/* More workers for a rate than it begins with: arrivals that find none that is free ask for some, and wait
 * for them. The coordinator deals their ids; it hears of many arrivals at once, and no more often than it
 * answers. */
#include "agent/core/runner/runner_internal.h"
#include "common/memory.h"
#include "common/time_units.h"

/* Where it had none to give, so long passes before it is asked again. */
#define GROWTH_PAUSE_NS NS_PER_S

static void growth_add_rooms(const struct runner *runner, struct lane *lane, uint32_t first, uint32_t end)
{
    uint32_t size = runner->options->room_size;
    for (uint32_t room = first / size; room < end / size; room++) {
        lane->more_rooms = memory_reserve(lane->more_rooms, &lane->more_capacity, lane->more_count + 1,
                                          sizeof *lane->more_rooms);
        lane->more_rooms[lane->more_count++] = room;
    }
}

void runner_growth_note(struct runner *runner, uint32_t load, uint32_t first_worker, uint32_t workers)
{
    struct pacer *pace = &runner->pace;
    if (pace->lane_count == 1) {
        pace->lanes[0].workers = workers;
        runner_turns_renew(runner, first_worker, workers);
        return;
    }
    if (load >= pace->lane_count || workers <= first_worker) {
        return;
    }
    pace->lanes[load].workers += workers - first_worker;
    if (pace->has_rooms) {
        growth_add_rooms(runner, &pace->lanes[load], first_worker, workers);
    }
    if (pace->growth_count > 0 && pace->growths[pace->growth_count - 1].load == load) {
        return;
    }
    pace->growths =
        memory_reserve(pace->growths, &pace->growth_capacity, pace->growth_count + 1, sizeof *pace->growths);
    pace->growths[pace->growth_count++] = (struct load_growth){.first_worker = first_worker, .load = load};
}

bool runner_growth_ask(struct runner *runner, struct lane *lane, uint32_t workers)
{
    struct growth *growth = &lane->growth;
    uint64_t most = lane->load.max_workers;
    bool is_useless =
        runner->is_stopping || runner->is_draining || runner->event->now_ns < growth->not_before_ns;
    if (is_useless || (uint64_t)lane->workers + growth->wanted + workers > most) {
        return false;
    }
    growth->wanted += workers;
    return true;
}

void runner_growth_of_rooms(struct runner *runner, struct lane *lane)
{
    struct growth *growth = &lane->growth;
    uint32_t size = runner->options->room_size;
    if (growth->wanted > 0 || lane->load.max_workers <= lane->workers ||
        runner->event->now_ns < growth->not_before_ns) {
        return;
    }
    uint64_t most = (lane->load.max_workers - lane->workers) / size;
    uint64_t behind = runner_turns_behind(runner, lane);
    uint64_t more = behind > growth->behind ? behind - growth->behind : 0;
    uint64_t rooms = more < most ? more : most;
    growth->behind = behind;
    if (rooms > 0) {
        (void)runner_growth_ask(runner, lane, (uint32_t)rooms * size);
    }
}

size_t runner_growth_coming(const struct lane *lane)
{
    return lane->growth.wanted;
}

void runner_growth_tell(struct runner *runner)
{
    for (size_t i = 0; i < runner->pace.lane_count; i++) {
        struct growth *growth = &runner->pace.lanes[i].growth;
        if (!growth->is_asking && growth->wanted > 0) {
            growth->is_asking = true;
            growth->asked = growth->wanted;
            struct notice *notice = runner_add_notice(runner, NOTICE_WANTED);
            notice->wanted = growth->asked;
            notice->load = (uint32_t)i;
        }
    }
}

void runner_growth_take(struct runner *runner, const struct worker_set *workers)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(workers, &cursor)) {
        struct growth *growth = &runner_lane_of(runner, cursor.worker)->growth;
        if (growth->asked > 0) {
            growth->given++;
            growth->asked--;
            growth->wanted--;
        }
    }
}

/* From then on the arrivals go to new rooms too. */
static uint64_t growth_settled_ns(const struct runner *runner, const struct lane *lane)
{
    uint64_t settled_ns = 0;
    for (size_t i = 0; runner->pace.has_rooms && i < lane->share_count; i++) {
        uint64_t at_ns = runner_pace_instant(runner, lane, lane->shares[i].at_ns);
        settled_ns = at_ns > settled_ns ? at_ns : settled_ns;
    }
    return settled_ns;
}

void runner_growth_answer(struct runner *runner, uint32_t load)
{
    if (load >= runner->pace.lane_count) {
        return;
    }
    struct lane *lane = &runner->pace.lanes[load];
    struct growth *growth = &lane->growth;
    uint64_t settled_ns = growth_settled_ns(runner, lane);
    if (growth->given == 0) {
        growth->not_before_ns = runner->event->now_ns + GROWTH_PAUSE_NS;
    }
    growth->not_before_ns = settled_ns > growth->not_before_ns ? settled_ns : growth->not_before_ns;
    growth->wanted -= growth->asked;
    growth->asked = 0;
    growth->given = 0;
    growth->is_asking = false;
}
