/* The campaigns that a coordinator knows: all that have not ended, and the latest of those that have. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "coordinator/core/campaign/campaign.h"

/* Zeroed, it is empty. Owns its campaigns. */
struct campaigns {
    struct campaign **list; /* by rising id */
    size_t count;
    size_t capacity;
};

void campaigns_finish(struct campaigns *campaigns);
/* Takes the campaign, whose id is above all others'. */
void campaigns_add(struct campaigns *campaigns, struct campaign *campaign);
/* Frees reports and artifacts of those that ended longest ago, beyond what is kept. */
void campaigns_drop_old(struct campaigns *campaigns);

/* Frees the report and artifacts of one; nothing if there is none of this id, or it has not ended. */
void campaigns_delete(struct campaigns *campaigns, uint64_t id);

/* NULL: there is none, or it is no longer kept. */
MUST_CHECK struct campaign *campaigns_find(const struct campaigns *campaigns, uint64_t id);
/* The one that was created with this key; NULL: none, or the key is empty. */
MUST_CHECK struct campaign *campaigns_find_key(const struct campaigns *campaigns, struct bytes key);
MUST_CHECK bool campaigns_have_live(const struct campaigns *campaigns);
MUST_CHECK bool campaigns_are_at_rest(const struct campaigns *campaigns);
/* Those that have not ended, as bytes. All of them are at rest. */
void campaigns_pack(const struct campaigns *campaigns, struct buffer *into);
/* Into empty ones. */
void campaigns_unpack(struct campaigns *campaigns, const struct campaign_home *home,
                      const struct bundle_source *bundles, struct unpack *from);
MUST_CHECK bool campaigns_have_unsettled(const struct campaigns *campaigns);
