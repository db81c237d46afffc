/* What follows from the options of a campaign: how its workers are divided into rooms, and how a loss is
 * handled. */
#include "proto/message/campaign.h"

#include "proto/message/limits.h"

enum on_loss on_loss_of(uint32_t place)
{
    return place < ON_LOSS_COUNT ? (enum on_loss)place : ON_LOSS_REPLACE;
}

bool on_loss_replaces(enum on_loss on_loss)
{
    return on_loss == ON_LOSS_REPLACE || on_loss == ON_LOSS_REPLACE_AGAIN;
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
