/* What `tutti start` sends. Pure. */
#pragma once
#include "cli/options/start_options.h"

/* By `key` the coordinator knows the same request when it comes once more. */
#define START_KEY_BYTES 33

/* The body of POST /v1/campaigns; for memory_free. */
MUST_CHECK char *start_request(const char *script, const struct start_options *options,
                               const struct bundle *bundle, const char *key);
