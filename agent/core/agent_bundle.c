/* How an agent gets the bundle of a campaign. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"

#include <inttypes.h>

#define HASH_SHOWN 12

static void hand_out_held(struct agent *agent, struct agent_campaign *campaign)
{
    bundle_download_free(&campaign->download);
    for (size_t i = 0; i < campaign->held_count; i++) {
        agent_give_command(agent, campaign, campaign->held[i].shard, campaign->held[i].command);
    }
    campaign->held_count = 0;
}

static void agent_bundle_give_up(struct agent *agent, struct agent_campaign *campaign, const char *why)
{
    agent_campaign_give_up(campaign, why);
    struct message message = {.kind = MESSAGE_DEPLOYED, .campaign = campaign->campaign};
    message.done.text = bytes_of_string(why);
    agent_send(agent, &message);
}

static void use(struct agent *agent, struct agent_campaign *campaign, struct shared_bundle *shared,
                const char *whence)
{
    agent_log(agent, LOG_DEBUG,
              memory_format("campaign %" PRIu64 ": bundle %.*s, %" PRIu64 " bytes, %s", campaign->campaign,
                            HASH_SHOWN, (const char *)shared_bundle_bundle(shared)->hash.data,
                            shared_bundle_bytes(shared), whence));
    deployment_set_bundle(campaign->deployment, shared);
    hand_out_held(agent, campaign);
}

static void agent_bundle_ask(struct agent *agent, struct agent_campaign *campaign)
{
    struct message message = {.kind = MESSAGE_BUNDLE_WANTED, .campaign = campaign->campaign};
    while (bundle_download_next(campaign->download, &message.bundle_chunk)) {
        agent_send(agent, &message);
    }
}

static void check_whole(struct agent *agent, struct agent_campaign *campaign)
{
    if (!bundle_download_is_whole(campaign->download)) {
        agent_bundle_ask(agent, campaign);
        return;
    }
    struct shared_bundle *shared = bundle_download_bundle(campaign->download);
    if (shared == NULL) {
        agent_bundle_give_up(agent, campaign,
                             "the files of the bundle that came are not those that its hash is of");
        return;
    }
    bundle_cache_add(&agent->cache, shared);
    use(agent, campaign, shared, "fetched");
    shared_bundle_release(&shared);
}

void agent_get_bundle(struct agent *agent, struct agent_campaign *campaign)
{
    struct shared_bundle *shared = bundle_cache_find(&agent->cache, bundle_download_hash(campaign->download));
    if (shared != NULL) {
        use(agent, campaign, shared, "known");
        return;
    }
    check_whole(agent, campaign);
}

void agent_take_chunk(struct agent *agent, struct agent_campaign *campaign, const struct bundle_chunk *chunk)
{
    if (campaign->download == NULL) {
        agent_complain(agent, "a part of a bundle that was not asked for");
    } else if (bundle_download_take(campaign->download, chunk)) {
        check_whole(agent, campaign);
    } else {
        agent_bundle_give_up(agent, campaign, "a part of the bundle came that was not the next");
    }
}
