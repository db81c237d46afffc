/* Paths into JSON, of RFC 9535: `$.items[0].id`, `$..name`, `$.a[*]`, `$['x','y']`, `$[1:5:2]`,
 * `$.items[?@.price < 10 && @.tag == 'new']`; the first `$` may be left out. The functions match and search
 * are left out: they need regular expressions of their own. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_PATH_MAX_BYTES 1000u
#define JSON_PATH_SEGMENTS 64u
#define JSON_PATH_SELECTORS 128u   /* of all segments together */
#define JSON_PATH_EXPRESSIONS 128u /* of all filters together */
/* Of filters in filters, functions in functions, and parentheses. */
#define JSON_PATH_DEPTH 8u
/* Instead of the number of a part: there is none. */
#define JSON_PATH_END UINT16_MAX

enum json_selector_kind {
    JSON_SELECT_NAME,
    JSON_SELECT_INDEX,
    JSON_SELECT_ALL,
    JSON_SELECT_SLICE,
    JSON_SELECT_FILTER
};

/* A piece of the texts of a path. */
struct json_path_text {
    uint16_t start;
    uint16_t size;
};

struct json_selector {
    enum json_selector_kind kind;
    uint16_t next; /* of its segment */
    struct json_path_text name;
    int64_t index; /* of a slice: its start */
    int64_t end;
    int64_t step;
    bool has_start;
    bool has_end;
    uint16_t expression; /* of a filter */
};

struct json_segment {
    bool is_descendant; /* of each descendant too */
    uint16_t first;     /* of its selectors */
    uint16_t next;      /* of its query */
};

enum json_expression_kind {
    JSON_IS_EITHER, /* left or right holds */
    JSON_IS_BOTH,
    JSON_IS_NOT,   /* left does not */
    JSON_IS_THERE, /* the query finds something */
    JSON_IS_EQUAL, /* of the values of left and right, as those that follow */
    JSON_IS_UNEQUAL,
    JSON_IS_LESS,
    JSON_IS_AT_MOST,
    JSON_IS_MORE,
    JSON_IS_AT_LEAST,
    /* From here on they have a value. */
    JSON_VALUE_NUMBER,
    JSON_VALUE_TEXT,
    JSON_VALUE_TRUE,
    JSON_VALUE_FALSE,
    JSON_VALUE_NULL,
    JSON_VALUE_QUERY,  /* the one value that it finds */
    JSON_VALUE_LENGTH, /* length(left) */
    JSON_VALUE_COUNT,  /* count(query) */
    JSON_VALUE_OF      /* value(query) */
};

struct json_expression {
    enum json_expression_kind kind;
    uint16_t left;
    uint16_t right;
    struct json_path_text text; /* of a number, as it is written, or of a text */
    bool is_absolute;           /* the query begins at the root, not at what is filtered */
    bool is_singular;           /* it finds one value at most */
    uint16_t first;             /* of the segments of the query */
};

struct json_path {
    uint16_t first; /* of its segments */
    struct json_segment segments[JSON_PATH_SEGMENTS];
    size_t segment_count;
    struct json_selector selectors[JSON_PATH_SELECTORS];
    size_t selector_count;
    struct json_expression expressions[JSON_PATH_EXPRESSIONS];
    size_t expression_count;
    char texts[JSON_PATH_MAX_BYTES]; /* names, unescaped, and literals */
    size_t text_size;
    bool is_singular; /* it names one value at most */
};

/* Errors name the path and the column. */
MUST_CHECK bool json_path_parse(struct bytes text, struct json_path *path, struct error *error);
struct bytes json_path_bytes(const struct json_path *path, struct json_path_text text);

/* The elements of a list of `size` that a slice names, one after the other: where it begins, and where it is
 * past the last; step 0 names none. */
struct json_slice {
    int64_t first;
    int64_t past;
    int64_t step;
};
struct json_slice json_path_slice(const struct json_selector *selector, int64_t size);
