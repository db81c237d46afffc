/* What is found in a script, packed for the way out of the process that has looked at it, which is not to be
 * believed. */
#pragma once
#include "agent/script/script.h"
#include "common/attributes.h"
#include "common/buffer.h"

/* What a bundle of the largest size takes, with all that is told of it. */
#define SCRIPT_FACTS_MAX_BYTES (LIMIT_BUNDLE_BYTES + (8u << 20))

/* Looks at the script in this very process. NULL as script_inspect. */
MUST_CHECK struct script_facts *script_inspect_here(const struct script_inspection *inspection,
                                                    struct error *error);

void script_facts_pack(const struct script_facts *facts, struct buffer *into);
/* NULL if it is not what script_facts_pack could have written of some script: options that a script cannot
 * set, paths that lead out of its folder, sizes beyond the limits. The hash is made anew. */
MUST_CHECK struct script_facts *script_facts_unpack(struct bytes packed, struct error *error);
