/* How the workers of a campaign reach hosts. */
#include "agent/shard/vu_network.h"

#include "agent/base/source_address.h"
#include "agent/shard/shard_campaign.h"

/* How many addresses are looked at before the start: a few microseconds each. */
#define CHECKED_MAX 1024u

bool vu_network_source(const struct vu *vu, struct address *source)
{
    const struct campaign_options *options = vu->campaign->options;
    struct network range;

    if (options->source.size == 0 || !network_parse(options->source, &range, NULL)) {
        return false;
    }
    *source = network_pick(&range, vu->id);
    return true;
}

void vu_network_set(const struct vu *vu, struct http_client *client)
{
    struct http_network network = {.overrides = vu->campaign->options->resolve};
    struct address source;

    if (vu_network_source(vu, &source)) {
        network.source = &source;
    }
    if (network.source != NULL || network.overrides.size > 0) {
        http_client_set_network(client, &network);
    }
}

bool vu_network_check(const struct campaign_options *options, const struct worker_set *workers,
                      struct error *error)
{
    struct worker_cursor cursor = {0};
    struct network range;

    if (options->source.size == 0) {
        return true;
    }
    if (!network_parse(options->source, &range, error)) {
        return false;
    }
    for (unsigned i = 0; i < CHECKED_MAX && worker_set_next(workers, &cursor); i++) {
        struct address source = network_pick(&range, cursor.worker);
        if (!source_address_check(&source, error)) {
            return false;
        }
    }
    return true;
}
