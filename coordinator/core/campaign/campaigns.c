/* A list of campaigns of bounded length. */
#include "coordinator/core/campaign/campaigns.h"

#include "common/memory.h"

/* Reports of ended campaigns that are kept; the oldest is dropped first. */
#define ENDED_KEPT 64u
/* Of the artifacts of their failed steps. */
#define ARTIFACTS_KEPT_BYTES ((size_t)64 * 1024 * 1024)

void campaigns_finish(struct campaigns *campaigns)
{
    for (size_t i = 0; i < campaigns->count; i++) {
        campaign_free(&campaigns->list[i]);
    }
    memory_free(campaigns->list);
    *campaigns = (struct campaigns){0};
}

void campaigns_add(struct campaigns *campaigns, struct campaign *campaign)
{
    campaigns->list =
        memory_reserve(campaigns->list, &campaigns->capacity, campaigns->count + 1, sizeof *campaigns->list);
    campaigns->list[campaigns->count++] = campaign;
}

/* Those of the latest campaigns are kept, up to the limit. */
static void drop_old_artifacts(struct campaigns *campaigns)
{
    size_t kept = 0;
    for (size_t i = campaigns->count; i > 0; i--) {
        struct campaign *campaign = campaigns->list[i - 1];
        kept += campaign_artifact_bytes(campaign);
        if (kept > ARTIFACTS_KEPT_BYTES && campaign_is_ended(campaign)) {
            campaign_drop_artifacts(campaign);
        }
    }
}

static void drop_old_reports(struct campaigns *campaigns)
{
    size_t ended = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        ended += campaign_is_ended(campaigns->list[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        struct campaign *campaign = campaigns->list[i];
        if (ended > ENDED_KEPT && campaign_is_ended(campaign)) {
            campaign_free(&campaign);
            ended--;
        } else {
            campaigns->list[kept++] = campaign;
        }
    }
    campaigns->count = kept;
}

void campaigns_drop_old(struct campaigns *campaigns)
{
    drop_old_reports(campaigns);
    drop_old_artifacts(campaigns);
}

void campaigns_delete(struct campaigns *campaigns, uint64_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < campaigns->count; i++) {
        struct campaign *campaign = campaigns->list[i];
        if (campaign_id(campaign) == id && campaign_is_ended(campaign)) {
            campaign_free(&campaign);
        } else {
            campaigns->list[kept++] = campaign;
        }
    }
    campaigns->count = kept;
}

struct campaign *campaigns_find(const struct campaigns *campaigns, uint64_t id)
{
    for (size_t i = 0; i < campaigns->count; i++) {
        if (campaign_id(campaigns->list[i]) == id) {
            return campaigns->list[i];
        }
    }
    return NULL;
}

struct campaign *campaigns_find_key(const struct campaigns *campaigns, struct bytes key)
{
    for (size_t i = 0; i < campaigns->count && key.size > 0; i++) {
        if (bytes_equal(campaign_key(campaigns->list[i]), key)) {
            return campaigns->list[i];
        }
    }
    return NULL;
}

bool campaigns_have_live(const struct campaigns *campaigns)
{
    for (size_t i = 0; i < campaigns->count; i++) {
        if (!campaign_is_ended(campaigns->list[i])) {
            return true;
        }
    }
    return false;
}

bool campaigns_have_unsettled(const struct campaigns *campaigns)
{
    for (size_t i = 0; i < campaigns->count; i++) {
        if (campaign_is_unsettled(campaigns->list[i])) {
            return true;
        }
    }
    return false;
}

bool campaigns_are_at_rest(const struct campaigns *campaigns)
{
    for (size_t i = 0; i < campaigns->count; i++) {
        if (!campaign_is_ended(campaigns->list[i]) && !campaign_is_at_rest(campaigns->list[i])) {
            return false;
        }
    }
    return true;
}

void campaigns_pack(const struct campaigns *campaigns, struct buffer *into)
{
    for (size_t i = 0; i < campaigns->count; i++) {
        if (!campaign_is_ended(campaigns->list[i])) {
            pack_flag(into, true);
            campaign_pack(campaigns->list[i], into);
        }
    }
    pack_flag(into, false);
}

void campaigns_unpack(struct campaigns *campaigns, const struct campaign_home *home,
                      const struct bundle_source *bundles, struct unpack *from)
{
    uint64_t last = 0;
    while (unpack_flag(from)) {
        struct campaign *campaign = campaign_unpack(home, bundles, from);
        if (campaign == NULL) {
            return;
        }
        if (campaign_id(campaign) <= last) {
            unpack_break(from);
        }
        last = campaign_id(campaign);
        campaigns_add(campaigns, campaign);
    }
}
