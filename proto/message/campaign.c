/* What follows from the options of a campaign: how its workers are divided into rooms, and how a loss is
 * handled. */
#include "proto/message/campaign.h"

#include "proto/message/arrivals.h"
#include "proto/message/browser_mix.h"
#include "proto/message/goal.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"

bool on_loss_replaces(enum on_loss on_loss)
{
    return on_loss == ON_LOSS_REPLACE || on_loss == ON_LOSS_REPLACE_AGAIN;
}

/* Their workers are all that there are, and the campaign is as long as the last of them, if all have an end.
 */
static uint32_t settle_loads(struct campaign_options *options, const struct loads *loads)
{
    const struct load *last = &loads->items[loads->count - 1];
    uint64_t end_ms = 0;
    bool has_end = true;
    for (size_t i = 0; i < loads->count; i++) {
        const struct load *load = &loads->items[i];
        uint64_t length_ms = load_length_ms(load);
        has_end = has_end && length_ms > 0;
        end_ms = load->start_ms + length_ms > end_ms ? load->start_ms + length_ms : end_ms;
    }
    if (options->duration_ms == 0 && has_end) {
        options->duration_ms = end_ms;
    }
    return last->first_worker + last->workers;
}

/* Molotov's own number, where nobody has said one. */
#define SIZING_WORKERS 500u

static void sizing_settle(struct campaign_options *options, bool is_fail_given)
{
    uint32_t unit = options->room_size > 0 ? options->room_size : 1;
    if (options->sizing_workers == 0) {
        options->sizing_workers = options->workers > 1 ? options->workers : SIZING_WORKERS / unit * unit;
        options->workers = unit;
    }
    if (!is_fail_given) {
        options->fail_steps = 0; /* it goes on until steps fail */
    }
}

void campaign_options_settle(struct campaign_options *options, bool are_runs_given, bool is_fail_given)
{
    struct browser_mix mix;
    browser_mix_of(options, &mix);
    options->browser = mix.kinds[0];
    if (!is_fail_given && options->thresholds.size > 0) {
        options->fail_steps = 0;
    }
    if (options->is_sizing) {
        sizing_settle(options, is_fail_given);
    }
    struct load_stages stages;
    struct loads loads;
    if (options->load.size > 0 && loads_parse(options->load, &loads, NULL)) {
        options->workers = settle_loads(options, &loads);
    }
    struct goal goal;
    if (options->goal.size > 0 && goal_parse(options->goal, &goal, NULL)) {
        options->workers = options->workers < goal.least ? goal.least : options->workers;
    }
    bool has_stages = options->stages.size > 0 && load_parse_stages(options->stages, &stages, NULL);
    if (has_stages && options->duration_ms == 0) {
        options->duration_ms = stages.length_ms;
    }
    if (!are_runs_given && options->duration_ms == 0 && options->shared_runs == 0 &&
        options->load.size == 0 && !options->is_sizing) {
        options->runs = 1; /* nobody means to run for ever, or for no time, by saying nothing */
    }
}

static bool growth_options_check(const struct campaign_options *options, struct error *error)
{
    struct loads loads;
    if (options->max_workers == 0) {
        return true;
    }
    if (options->load.size > 0) {
        return error_set(error, "with loads each has max_workers of its own");
    }
    loads_of(options, &loads);
    return load_growth_fits(&loads.items[0], options->room_size, error);
}

static bool goal_options_check(const struct campaign_options *options, struct error *error)
{
    struct goal goal;
    uint32_t size = options->room_size > 0 ? options->room_size : 1;
    if (options->goal.size == 0) {
        return true;
    }
    if (!goal_parse(options->goal, &goal, error)) {
        return false;
    }
    if (campaign_is_open(options) || options->stages.size > 0 || options->load.size > 0) {
        return error_set(error,
                         "a goal changes the number of workers: rate, stages and loads do not go with it");
    }
    if (options->duration_ms == 0) {
        return error_set(error, "a goal needs a duration: it takes time to find the workers for it");
    }
    if (options->workers > goal.most) {
        return error_set(error, "goal: max is %u, less than the %u workers that it begins with", goal.most,
                         options->workers);
    }
    return (options->workers % size == 0 && goal.least % size == 0 && goal.most % size == 0) ||
           error_set(error, "goal: workers, min and max are whole rooms of %u", size);
}

static bool sizing_options_check(const struct campaign_options *options, struct error *error)
{
    uint32_t size = options->room_size > 0 ? options->room_size : 1;
    if (!options->is_sizing) {
        return true;
    }
    if (campaign_is_open(options) || options->stages.size > 0 || options->load.size > 0 ||
        options->goal.size > 0) {
        return error_set(
            error, "sizing changes the number of workers: rate, stages, loads and goal do not go with it");
    }
    if (options->runs > 0 || options->shared_runs > 0 || options->is_single_run) {
        return error_set(
            error,
            "sizing takes as many steps as it needs: runs, shared_runs and single_run do not go with it");
    }
    return (options->sizing_workers > 0 && options->sizing_workers % size == 0 &&
            options->workers % size == 0) ||
           error_set(error, "sizing: workers are whole rooms of %u", size);
}

static bool load_options_check(const struct campaign_options *options, struct error *error)
{
    if (options->load.size > 0) {
        return loads_fit(options, error);
    }
    bool is_open = campaign_is_open(options);
    if (options->shared_runs > 0 && options->runs > 0) {
        return error_set(error, "runs and shared_runs contradict each other");
    }
    if (options->shared_runs > 0 && options->room_size > 0) {
        return error_set(
            error,
            "shared_runs and room_size contradict each other: all seats of a room make the same steps");
    }
    if (options->rate.size > 0 && options->stages.size > 0) {
        struct load_stages stages;
        if (load_parse_stages(options->stages, &stages, NULL) && !stages.are_rates) {
            return error_set(error, "rate and stages of workers contradict each other; stages of a "
                                    "rate are like 30s:50/s");
        }
    }
    if (is_open && options->pacing_ms > 0) {
        return error_set(error, "rate and pacing contradict each other");
    }
    if (is_open && options->duration_ms == 0) {
        return error_set(error, "a rate needs a duration, or stages");
    }
    return true;
}

bool campaign_options_check(const struct campaign_options *options, struct error *error)
{
    if (options->fail_percent > 0 && options->fail_steps > 0) {
        return error_set(error, "fail_steps and fail_percent contradict each other");
    }
    if (options->is_single_run && options->single_mode.size > 0) {
        return error_set(error, "single_run and single_mode contradict each other");
    }
    return goal_options_check(options, error) && growth_options_check(options, error) &&
           sizing_options_check(options, error) && load_options_check(options, error);
}

uint64_t campaign_sync_timeout_ms(const struct campaign_options *options)
{
    return options->sync_timeout_ms > 0 ? options->sync_timeout_ms
                                        : campaign_options_defaults().sync_timeout_ms;
}

uint32_t campaign_room_size(const struct campaign_options *options)
{
    if (options->room_size == 0 || options->room_size > options->workers) {
        return options->workers > 0 ? options->workers : 1;
    }
    return options->room_size;
}

uint32_t campaign_room_ids(const struct campaign_options *options)
{
    return options->room_size > 0 ? options->room_size : LIMIT_WORKERS;
}

uint32_t campaign_room_count(const struct campaign_options *options)
{
    uint32_t size = campaign_room_size(options);
    return options->workers / size + (options->workers % size > 0 ? 1 : 0);
}

uint32_t campaign_workers_of_room(const struct campaign_options *options, uint32_t room)
{
    uint64_t size = campaign_room_size(options);
    uint64_t first = room * size;
    if (first >= options->workers) {
        return 0;
    }
    uint64_t left = options->workers - first;
    return (uint32_t)(left < size ? left : size);
}
