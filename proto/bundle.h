/* What every bundle has to be, and its name: wherever one is made or taken in, this is asked. */
#pragma once
#include "common/attributes.h"
#include "common/digest.h"
#include "common/error.h"
#include "proto/campaign.h"

/* 1 to LIMIT_BUNDLE_FILES files of LIMIT_BUNDLE_BYTES together, each with a path of its own that is relative
 * and clean. The hash is not looked at. */
MUST_CHECK bool bundle_check(const struct bundle *bundle, struct error *error);
/* The SHA-256 over paths and contents. */
void bundle_hash(const struct bundle *bundle, char text[DIGEST_TEXT_BYTES]);
