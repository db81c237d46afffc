/* Tags of what is measured: "tier=gold". A campaign tells TAG_NAMES names apart, and of each TAG_VALUES
 * values; further values count together as "tier=(other)", further names as "(other)=(other)". Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define TAG_NAMES 8u
#define TAG_VALUES 64u
#define TAG_NAME_BYTES 40u
#define TAG_VALUE_BYTES 200u
/* Of one table: each value, and the other ones, of each name and of the other names. */
#define TAGS_MAX (TAG_NAMES * (TAG_VALUES + 1u) + 1u)
#define TAG_OTHER "(other)"

/* Which value a measurement has of each name, in the numbers of one table; 0: it has no tag of this name. */
struct tag_set {
    uint8_t values[TAG_NAMES + 1];
};

/* One of them. */
struct tag_id {
    uint8_t slot;  /* its name */
    uint8_t value; /* from 1 */
};

/* The tags that a campaign has had. */
struct tag_table;

MUST_CHECK struct tag_table *tag_table_new(void);
void tag_table_free(struct tag_table **table);
/* Letters, digits, '_', '-' and '.', at most TAG_NAME_BYTES. */
bool tag_name_is_good(struct bytes name);
/* Printable text of 1 to TAG_VALUE_BYTES bytes. */
bool tag_value_is_good(struct bytes value);
/* The number of the tag, which is new or known; of the other ones where there are too many. */
struct tag_id tag_table_note(struct tag_table *table, struct bytes name, struct bytes value);
/* Takes the tag of this name out of the set. */
void tag_table_remove(const struct tag_table *table, struct bytes name, struct tag_set *set);
/* "tier=gold"; lives as long as the table. */
struct bytes tag_table_text(const struct tag_table *table, struct tag_id tag);
/* Splits "tier=gold". False if there is no '='. */
bool tag_split(struct bytes text, struct bytes *name, struct bytes *value);

bool tag_set_is_empty(const struct tag_set *set);
/* Whether it has all that `wanted` has. */
bool tag_set_has_all(const struct tag_set *set, const struct tag_set *wanted);
void tag_set_put(struct tag_set *set, struct tag_id tag);
/* Takes what `over` has; what it has no tag of stays. */
void tag_set_overlay(struct tag_set *set, const struct tag_set *over);
/* One after the other: false after the last. `tag` begins zeroed. */
bool tag_set_next(const struct tag_set *set, struct tag_id *tag);
