/* What follows from the options of a campaign: how its workers are divided into rooms, and how a loss is
 * handled. */
#include "proto/message/campaign.h"

#include "proto/message/limits.h"

bool on_loss_replaces(enum on_loss on_loss)
{
    return on_loss == ON_LOSS_REPLACE || on_loss == ON_LOSS_REPLACE_AGAIN;
}

void campaign_options_settle(struct campaign_options *options, bool are_runs_given, bool is_fail_given)
{
    if (!is_fail_given && options->thresholds.size > 0) {
        options->fail_steps = 0;
    }
    if (!are_runs_given && options->duration_ms == 0) {
        options->runs = 1; /* nobody means to run for ever, or for no time, by saying nothing */
    }
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
