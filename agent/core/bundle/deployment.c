/* Options and bundle of a campaign, shared by all shards of an agent and counted. */
#include "agent/core/bundle/deployment.h"
#include "agent/core/bundle/bundle_cache.h"
#include "common/memory.h"
#include "common/text.h"

#include <assert.h>
#include <stdatomic.h>

struct deployment {
    atomic_uint holders;
    uint64_t campaign;
    struct campaign_options options;
    struct text option_texts;     /* those of the options are in it */
    struct shared_bundle *shared; /* NULL until it has come */
};

struct deployment *deployment_new(uint64_t campaign, const struct campaign_options *options,
                                  const struct bundle *bundle)
{
    struct deployment *deployment = MEMORY_NEW(struct deployment);
    atomic_init(&deployment->holders, 1);
    deployment->campaign = campaign;
    deployment->options = campaign_options_copy(options, &deployment->option_texts);
    deployment->shared = bundle == NULL ? NULL : shared_bundle_copy(bundle);
    return deployment;
}

void deployment_set_bundle(struct deployment *deployment, struct shared_bundle *shared)
{
    assert(deployment->shared == NULL);
    deployment->shared = shared_bundle_hold(shared);
}

struct deployment *deployment_hold(struct deployment *deployment)
{
    unsigned before = atomic_fetch_add_explicit(&deployment->holders, 1, memory_order_relaxed);
    assert(before > 0);
    return deployment;
}

static void deployment_destroy(struct deployment *deployment)
{
    text_finish(&deployment->option_texts);
    shared_bundle_release(&deployment->shared);
    memory_free(deployment);
}

void deployment_release(struct deployment **deployment)
{
    if (*deployment == NULL) {
        return;
    }
    /* The last holder must see everything that the others did before they released it. */
    unsigned before = atomic_fetch_sub_explicit(&(*deployment)->holders, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) {
        deployment_destroy(*deployment);
    }
    *deployment = NULL;
}

uint64_t deployment_campaign(const struct deployment *deployment)
{
    return deployment->campaign;
}

const struct campaign_options *deployment_options(const struct deployment *deployment)
{
    return &deployment->options;
}

const struct bundle *deployment_bundle(const struct deployment *deployment)
{
    assert(deployment->shared != NULL);
    return shared_bundle_bundle(deployment->shared);
}
