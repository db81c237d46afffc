/* Checks whether bytes from outside are one value in canonical form. */
#include "common/value.h"

#include <math.h>
#include <string.h>

#define NAN_BITS 0x7ff8000000000000U

/* A table being read. The enclosing tables wait below it on a stack of bounded depth, so nothing recurses. */
struct open_table {
    uint32_t pairs_left;
    bool is_key_next;
    struct bytes last_key; /* empty before the first key */
};

struct check {
    struct open_table stack[VALUE_MAX_DEPTH];
    size_t depth;
    struct bytes rest;
    struct error *error;
};

static bool check_number(const struct value_item *item, struct error *error)
{
    uint64_t bits;
    memcpy(&bits, &item->number, sizeof bits);
    if (isnan(item->number) && bits != NAN_BITS) {
        return error_set(error, "not canonical: a NaN with other bits");
    }
    if (item->number >= -0x1p63 && item->number < 0x1p63 && item->number == trunc(item->number)) {
        return error_set(error, "not canonical: an integer is written as a float");
    }
    return true;
}

/* `encoded` is the key as it appears in the bytes. */
static bool check_key(struct open_table *table, const struct value_item *item, struct bytes encoded,
                      struct error *error)
{
    if (item->kind == 'n' || item->kind == '{' || (item->kind == 'd' && isnan(item->number))) {
        return error_set(error, "a key must be a boolean, a number or a string");
    }
    if (bytes_compare(table->last_key, encoded) >= 0) {
        return error_set(error, "not canonical: keys are not in ascending order");
    }
    table->last_key = encoded;
    table->is_key_next = false;
    return true;
}

/* The item is in the position where the innermost open table expects its next key or value. */
static bool fit_into_table(struct check *check, const struct value_item *item, struct bytes encoded)
{
    struct open_table *table = &check->stack[check->depth - 1];
    if (table->is_key_next) {
        return check_key(table, item, encoded, check->error);
    }
    if (item->kind == 'n') {
        return error_set(check->error, "a table cannot hold nil");
    }
    table->is_key_next = true;
    table->pairs_left--;
    return true;
}

static bool open_table(struct check *check, uint32_t pairs)
{
    if (check->depth == VALUE_MAX_DEPTH) {
        return error_set(check->error, "tables are nested more than %u deep", VALUE_MAX_DEPTH);
    }
    check->stack[check->depth++] = (struct open_table){.pairs_left = pairs, .is_key_next = true};
    return true;
}

static bool check_item(struct check *check)
{
    struct value_item item;
    const uint8_t *start = check->rest.data;
    if (!value_read(&check->rest, &item)) {
        return error_set(check->error, "the value is malformed or truncated");
    }
    struct bytes encoded = bytes_of(start, (size_t)(check->rest.data - start));
    if (item.kind == 'd' && !check_number(&item, check->error)) {
        return false;
    }
    if (check->depth > 0 && !fit_into_table(check, &item, encoded)) {
        return false;
    }
    return item.kind != '{' || open_table(check, item.pairs);
}

bool value_check(struct bytes value, struct error *error)
{
    struct check check = {.rest = value, .error = error};
    if (value.size > VALUE_MAX_BYTES) {
        return error_set(error, "the value is larger than %u KiB", VALUE_MAX_BYTES / 1024);
    }
    do {
        if (!check_item(&check)) {
            return false;
        }
        while (check.depth > 0 && check.stack[check.depth - 1].pairs_left == 0) {
            check.depth--;
        }
    } while (check.depth > 0);
    if (check.rest.size > 0) {
        return error_set(error, "unexpected bytes after the value");
    }
    return true;
}
