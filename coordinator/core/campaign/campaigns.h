/* The campaigns that a coordinator knows: all that go on, and the latest of those that have ended. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "coordinator/core/campaign/campaign.h"

/* Zeroed, it is empty. Owns them. */
struct campaigns {
    struct campaign **list; /* by rising id */
    size_t count;
    size_t capacity;
};

void campaigns_finish(struct campaigns *campaigns);
/* Its id is above all others'. */
void campaigns_add(struct campaigns *campaigns, struct campaign *campaign);
/* Lets go of what ended longest ago, reports and artifacts, as far as it is more than is kept. */
void campaigns_drop_old(struct campaigns *campaigns);

/* NULL: there is none, or none any more. */
MUST_CHECK struct campaign *campaigns_find(const struct campaigns *campaigns, uint64_t id);
/* The one that was created with this key; NULL: none, or the key is empty. */
MUST_CHECK struct campaign *campaigns_find_key(const struct campaigns *campaigns, struct bytes key);
MUST_CHECK bool campaigns_have_live(const struct campaigns *campaigns);
MUST_CHECK bool campaigns_are_at_rest(const struct campaigns *campaigns);
/* Those that have not ended, as bytes; all of them are at rest. */
void campaigns_pack(const struct campaigns *campaigns, struct buffer *into);
/* Into empty ones. */
void campaigns_unpack(struct campaigns *campaigns, const struct campaign_home *home,
                      const struct bundle_source *bundles, struct unpack *from);
MUST_CHECK bool campaigns_have_unsettled(const struct campaigns *campaigns);
