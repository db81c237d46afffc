/* The facts about a script, packed for transfer from the process that inspected it, which is not trusted. */
#pragma once
#include "agent/script/script.h"
#include "common/attributes.h"
#include "common/buffer.h"

/* Enough for a bundle of maximum size and the facts about it. */
#define SCRIPT_FACTS_MAX_BYTES (LIMIT_BUNDLE_BYTES + (8u << 20))

/* Inspects the script in the calling process. NULL as with script_inspect. */
MUST_CHECK struct script_facts *script_inspect_here(const struct script_inspection *inspection,
                                                    struct error *error);

void script_facts_pack(const struct script_facts *facts, struct buffer *into);
/* NULL if script_facts_pack could not have written it for any script: options that a script cannot set, paths
 * that lead out of its folder, sizes beyond the limits. The hash is recomputed. */
MUST_CHECK struct script_facts *script_facts_unpack(struct bytes packed, struct error *error);
