/* Paths into JSON: the part of RFC 9535 without filters. `$.items[0].id`, `$..name`, `$.a[*]`, `$['x','y']`,
 * `$[1:5:2]`; the `$` may be left out. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_PATH_MAX_BYTES 1000u
#define JSON_PATH_SEGMENTS 64u
#define JSON_PATH_SELECTORS 128u /* of all segments together */

enum json_selector_kind { JSON_SELECT_NAME, JSON_SELECT_INDEX, JSON_SELECT_ALL, JSON_SELECT_SLICE };

struct json_selector {
    enum json_selector_kind kind;
    uint16_t name_start; /* in the texts of the path */
    uint16_t name_size;
    int64_t index; /* of a slice: its start */
    int64_t end;
    int64_t step;
    bool has_start;
    bool has_end;
};

struct json_segment {
    bool is_descendant; /* of each descendant too */
    uint16_t first;     /* of its selectors */
    uint16_t count;
};

struct json_path {
    struct json_segment segments[JSON_PATH_SEGMENTS];
    size_t segment_count;
    struct json_selector selectors[JSON_PATH_SELECTORS];
    size_t selector_count;
    char texts[JSON_PATH_MAX_BYTES]; /* the names, unescaped */
    size_t text_size;
    bool is_singular; /* it names one value at most */
};

/* Errors name the column. */
MUST_CHECK bool json_path_parse(struct bytes text, struct json_path *path, struct error *error);
struct bytes json_path_name(const struct json_path *path, const struct json_selector *selector);
/* The elements of a list of `size` that a slice names, one after the other: where it begins, and where it is
 * past the last; step 0 names none. */
struct json_slice {
    int64_t first;
    int64_t past;
    int64_t step;
};
struct json_slice json_path_slice(const struct json_selector *selector, int64_t size);
