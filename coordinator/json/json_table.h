/* Tables of the fields of a struct and the keys that they have in JSON: an object is written and read by the
 * same table, so that the two cannot differ. */
#pragma once
#include "coordinator/core/report_view/report_view.h"

#include <jansson.h>

/* What the field is, and in which unit JSON has it. */
enum json_type {
    JSON_TABLE_COUNT,    /* uint64_t */
    JSON_TABLE_COUNT32,  /* uint32_t */
    JSON_TABLE_REAL,     /* double */
    JSON_TABLE_TEXT,     /* struct bytes */
    JSON_TABLE_US_AS_MS, /* uint64_t microseconds, milliseconds */
    JSON_TABLE_NS_AS_MS, /* uint64_t nanoseconds, milliseconds */
    JSON_TABLE_US_AS_S,  /* uint64_t microseconds, seconds */
    JSON_TABLE_NS_AS_S,  /* uint64_t nanoseconds, seconds */
    JSON_TABLE_NAME,     /* an enum, its name among `names` */
    JSON_TABLE_OBJECT,   /* other fields of the same item, by `table` */
    JSON_TABLE_LIST,     /* a pointer to items, beside their number, each by `table` */
    JSON_TABLE_SPECIAL   /* by the functions of `special`, which see the whole item */
};

struct json_row;

struct json_special {
    void (*put)(json_t *object, const char *key, const void *item);
    /* False, and the item is as it was, if the value is of another type. Texts and lists live in the view. */
    bool (*get)(const json_t *value, void *item, struct report_view *view);
};

/* The names of the values `first`…`last` of an enum. */
struct json_names {
    const char *(*name)(int value);
    int first;
    int last;
};

struct json_table {
    const struct json_row *rows;
    size_t count;
    size_t item_size;
};
#define JSON_ROWS(all, item) .rows = (all), .count = sizeof(all) / sizeof((all)[0]), .item_size = sizeof(item)

struct json_row {
    const char *key;
    enum json_type type;
    size_t offset; /* of the field in the item */
    bool is_nullable;
    size_t has_offset;   /* of the bool that tells null from a value, where it is nullable */
    size_t count_offset; /* of the number of items of a list */
    const struct json_table *table;
    const struct json_names *names;
    const struct json_special *special;
};
/* For rows: null unless the item's bool `member` holds. */
#define JSON_IF(type, member) .is_nullable = true, .has_offset = offsetof(type, member)

/* Adds the rows to the object. */
void json_table_put(const struct json_table *table, json_t *object, const void *item);
/* What is missing, null or of another type leaves its field as it is. */
void json_table_get(const struct json_table *table, const json_t *object, void *item,
                    struct report_view *view);
