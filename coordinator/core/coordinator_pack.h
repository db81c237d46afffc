/* The coordinator as bytes: the base of its journal. */
#pragma once
#include "coordinator/core/base/bundle_source.h"
#include "coordinator/core/coordinator.h"

/* Whether everything that happened is settled, as at the end of a turn: only then can it be packed. */
bool coordinator_is_at_rest(const struct coordinator *coordinator);
/* What a coordinator at rest knows, without reports of ended campaigns, gauges and contents of bundles. It
 * and a coordinator made from the bytes answer everything that follows alike, and are packed alike. */
void coordinator_pack(const struct coordinator *coordinator, struct buffer *into);
/* Contents of bundles come from `bundles`. NULL if the bytes make no sense. */
MUST_CHECK struct coordinator *coordinator_unpack(struct bytes bytes, const struct bundle_source *bundles);
