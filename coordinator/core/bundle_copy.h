/* Deep copies of what a campaign is created with. */
#pragma once
#include "common/attributes.h"
#include "proto/campaign.h"

/* With a zero byte behind it; free `data`. */
MUST_CHECK struct bytes bytes_copy_new(struct bytes bytes);
void bundle_copy(struct bundle *into, const struct bundle *from);
void bundle_finish(struct bundle *bundle);
