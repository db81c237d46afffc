/* Tags that thresholds name together: "{region=eu,tier=gold}". What is measured is counted by each of its
 * tags; what has all the tags of such a combination is counted by it as well. Coordinator and agents read the
 * combinations of a campaign from its thresholds. Pure. */
#pragma once
#include "proto/message/tags.h"
#include "proto/message/threshold.h"

/* Of one campaign. */
#define TAG_COMBINATIONS_MAX 32u

struct tag_combinations;

/* Of a text that thresholds_check has accepted. */
MUST_CHECK struct tag_combinations *tag_combinations_new(struct bytes thresholds);
void tag_combinations_free(struct tag_combinations **combinations);
/* Those of one more threshold, which is borrowed. False: there are too many, or their tags have too many
 * names for a table of tags. */
MUST_CHECK bool tag_combinations_add(struct tag_combinations *combinations, const struct threshold *threshold,
                                     struct error *error);

size_t tag_combinations_count(const struct tag_combinations *combinations);
/* "{region=eu,tier=gold}", with names in order. */
struct bytes tag_combinations_text(const struct tag_combinations *combinations, size_t index);
/* The one with this text; empty if there is none. Lives as long as they do. */
struct bytes tag_combinations_find(const struct tag_combinations *combinations, struct bytes text);
/* Gives the tags that the thresholds name their places in a table that is empty: those of combinations first,
 * which therefore never count as other ones. */
void tag_combinations_note(const struct tag_combinations *combinations, struct tag_table *table);
/* The tags of a combination, by the numbers of that table. */
struct tag_set tag_combinations_set(const struct tag_combinations *combinations, size_t index,
                                    struct tag_table *table);
/* Whether a text is that of a combination, not of one tag. */
bool tag_text_is_combination(struct bytes text);
