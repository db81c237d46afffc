/* The plan of a campaign with an open load: when which arrival comes. */
#include "proto/message/arrivals.h"

#include "common/random.h"
#include "common/time_units.h"
#include "proto/message/goal.h"
#include "proto/message/load_text.h"

#include <math.h>

/* Above so many a count is taken from the rate, not from the draws: it would take too long. */
#define ARRIVALS_COUNTED 20000000u

bool campaign_is_open(const struct campaign_options *options)
{
    struct loads loads;
    bool is_open = false;
    loads_of(options, &loads);
    for (size_t i = 0; i < loads.count; i++) {
        is_open = is_open || load_is_open(&loads.items[i]);
    }
    return is_open;
}

bool campaign_has_plan(const struct campaign_options *options)
{
    struct loads loads;
    loads_of(options, &loads);
    for (size_t i = 0; i < loads.count; i++) {
        if (load_is_open(&loads.items[i]) || loads.items[i].pacing_ms > 0) {
            return true;
        }
    }
    return false;
}

uint64_t load_start_ns(const struct load *load)
{
    return load->start_ms * (uint64_t)NS_PER_MS;
}

uint64_t load_end_ns(const struct campaign_options *options, const struct load *load)
{
    uint64_t own_ms = options->load.size > 0 ? load_length_ms(load) : 0;
    uint64_t left_ms = options->duration_ms > load->start_ms ? options->duration_ms - load->start_ms : 0;
    if (options->duration_ms > 0 && (own_ms == 0 || left_ms < own_ms)) {
        return left_ms * (uint64_t)NS_PER_MS;
    }
    return own_ms > 0 ? own_ms * (uint64_t)NS_PER_MS : RATE_NEVER;
}

uint32_t campaign_most_workers(const struct campaign_options *options)
{
    struct load_stages stages;
    struct loads loads;
    double most = 0;
    loads_of(options, &loads);
    for (size_t i = 0; i < loads.count; i++) {
        most += load_most_workers(&loads.items[i]);
    }
    struct goal goal;
    if (options->goal.size > 0 && goal_parse(options->goal, &goal, NULL) && goal.most > most) {
        most = goal.most;
    }
    most = options->is_sizing && options->sizing_workers > most ? options->sizing_workers : most;
    if (options->stages.size == 0 || !load_parse_stages(options->stages, &stages, NULL) || stages.are_rates) {
        return (uint32_t)most;
    }
    for (size_t i = 0; i < stages.count; i++) {
        most = stages.items[i].target > most ? stages.items[i].target : most;
    }
    return (uint32_t)most;
}

/* Between two arrivals where one a second comes. */
static double arrivals_draw_gap(uint64_t seed, uint64_t number)
{
    struct random random;
    random_seed(&random, (seed ^ 0x6172726976616cull) + number * 0xd1b54a32d192ed03ull);
    return -log(1 - random_unit(&random));
}

static uint64_t arrivals_instant(const struct arrivals *arrivals, double count)
{
    uint64_t at_ns = rate_profile_instant(&arrivals->profile, count);
    return at_ns < arrivals->end_ns ? at_ns : RATE_NEVER;
}

static void arrivals_fill(struct arrivals *arrivals, const struct load *load)
{
    struct load_stages stages = {0};
    double per_s = 0;
    if (load->rate.size > 0) {
        (void)!load_parse_rate(load->rate, &per_s, NULL);
    }
    if (load->stages.size > 0) {
        (void)!load_parse_stages(load->stages, &stages, NULL);
    }
    for (size_t i = 0; i < stages.count; i++) {
        const struct load_stage *stage = &stages.items[i];
        rate_profile_add(&arrivals->profile, stage->length_ms * (uint64_t)NS_PER_MS, per_s, stage->target);
        per_s = stage->target;
    }
    rate_profile_add(&arrivals->profile, RATE_NEVER, per_s, per_s);
}

static void arrivals_restart(struct arrivals *arrivals)
{
    arrivals->number = 0;
    arrivals->count = arrivals->is_poisson ? arrivals_draw_gap(arrivals->seed, 0) : 0;
    arrivals->at_ns = arrivals_instant(arrivals, arrivals->count);
}

void arrivals_init(struct arrivals *arrivals, const struct campaign_options *options, const struct load *load)
{
    *arrivals = (struct arrivals){.is_poisson = load->arrivals == ARRIVALS_POISSON,
                                  .seed = options->seed + load->first_worker,
                                  .end_ns = load_end_ns(options, load)};
    arrivals_fill(arrivals, load);
    arrivals_restart(arrivals);
}

void arrivals_change(struct arrivals *arrivals, uint64_t at_ns, double per_s, double before)
{
    rate_profile_restart(&arrivals->profile, at_ns, per_s, before);
    arrivals->at_ns = arrivals_instant(arrivals, arrivals->count);
}

void arrivals_resume(struct arrivals *arrivals, const struct arrival_mark *mark)
{
    arrivals->number = mark->number;
    arrivals->count = mark->count;
    arrivals->at_ns = arrivals_instant(arrivals, mark->count);
}

void arrivals_pass(struct arrivals *arrivals)
{
    arrivals->number++;
    arrivals->count = arrivals->is_poisson
                          ? arrivals->count + arrivals_draw_gap(arrivals->seed, arrivals->number)
                          : (double)arrivals->number;
    arrivals->at_ns = arrivals_instant(arrivals, arrivals->count);
}

uint64_t arrivals_before(const struct arrivals *arrivals, uint64_t at_ns)
{
    uint64_t until_ns = at_ns < arrivals->end_ns ? at_ns : arrivals->end_ns;
    double expected = rate_profile_count(&arrivals->profile, until_ns);
    if (!arrivals->is_poisson || expected > ARRIVALS_COUNTED) {
        return (uint64_t)ceil(expected - 1e-6);
    }
    struct arrivals counted = *arrivals;
    arrivals_restart(&counted);
    while (counted.at_ns < until_ns) {
        arrivals_pass(&counted);
    }
    return counted.number;
}
