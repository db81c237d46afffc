/* What a shard has counted, in memory of its own. */
#pragma once
#include "proto/message/message.h"

/* A copy in one piece of memory with its arrays and texts, where those of `from` may go. Takes the
 * histograms. */
MUST_CHECK struct statistics *statistics_copy(const struct statistics *from);
/* Only what statistics_copy made. */
void statistics_free(struct statistics **statistics);
