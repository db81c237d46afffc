/* Tables of the fields of a struct and the keys that they have in JSON: an object is written and read by the
 * same table, so that the two cannot differ. */
#pragma once
#include "coordinator/core/report_view/report_view.h"

#include <jansson.h>

struct json_row;

/* How a field is written and read. */
struct json_kind {
    void (*put)(json_t *object, const struct json_row *row, const void *item);
    /* False, and the field is as it was, if the value is of another type. Texts and lists live in the view.
     */
    bool (*get)(const json_t *value, const struct json_row *row, void *item, struct report_view *view);
};

struct json_table {
    const struct json_row *rows;
    size_t count;
    size_t item_size;
};
#define JSON_ROWS(all, item) .rows = (all), .count = sizeof(all) / sizeof((all)[0]), .item_size = sizeof(item)

struct json_row {
    const char *key;
    const struct json_kind *kind;
    size_t offset; /* of the field in the item; of no meaning to kinds that look at the whole item */
    bool is_nullable;
    size_t has_offset;              /* of the bool that tells null from a value, where it is nullable */
    const struct json_table *table; /* of an object or of the items of a list */
    size_t count_offset;            /* of the number of items of a list */
};
/* For rows: null unless the item's bool `member` holds. */
#define JSON_IF(type, member) .is_nullable = true, .has_offset = offsetof(type, member)

extern const struct json_kind json_kind_count;    /* uint64_t */
extern const struct json_kind json_kind_count32;  /* uint32_t */
extern const struct json_kind json_kind_real;     /* double */
extern const struct json_kind json_kind_text;     /* struct bytes */
extern const struct json_kind json_kind_us_as_ms; /* uint64_t microseconds, in JSON milliseconds */
extern const struct json_kind json_kind_ns_as_ms; /* uint64_t nanoseconds, in JSON milliseconds */
extern const struct json_kind json_kind_us_as_s;  /* uint64_t microseconds, in JSON seconds */
extern const struct json_kind json_kind_ns_as_s;  /* uint64_t nanoseconds, in JSON seconds */
extern const struct json_kind json_kind_object;   /* of other fields of the same item */
extern const struct json_kind json_kind_list;     /* a pointer to items, beside their number */

/* Adds the rows to the object. */
void json_table_put(const struct json_table *table, json_t *object, const void *item);
/* What is missing, null or of another type leaves its field as it is. */
void json_table_get(const struct json_table *table, const json_t *object, void *item,
                    struct report_view *view);
