/* Writes and reads JSON objects by tables of their fields. */
#include "coordinator/json/json_table.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <string.h>

#define US_PER_S 1e6
#define NS_PER_US 1000u

static const void *json_at(const void *item, size_t offset)
{
    const char *bytes = item;
    return bytes + offset;
}

static void *json_at_own(void *item, size_t offset)
{
    char *bytes = item;
    return bytes + offset;
}

static const void *json_field(const struct json_row *row, const void *item)
{
    return json_at(item, row->offset);
}

static void *json_field_of(const struct json_row *row, void *item)
{
    return json_at_own(item, row->offset);
}

static uint64_t json_field_uint64(const struct json_row *row, const void *item)
{
    uint64_t number;
    memcpy(&number, json_field(row, item), sizeof number);
    return number;
}

/* Gives back `is_given`. */
static bool json_field_take(const struct json_row *row, void *item, uint64_t number, bool is_given)
{
    if (is_given) {
        memcpy(json_field_of(row, item), &number, sizeof number);
    }
    return is_given;
}

static void json_put_row_count(json_t *object, const struct json_row *row, const void *item)
{
    json_put_count(object, row->key, json_field_uint64(row, item));
}

static bool json_get_row_count(const json_t *value, const struct json_row *row, void *item,
                               struct report_view *view)
{
    (void)view;
    return json_field_take(row, item, json_count_of(value), json_is_integer(value));
}

static void json_put_row_count32(json_t *object, const struct json_row *row, const void *item)
{
    const uint32_t *count = json_field(row, item);
    json_put_count(object, row->key, *count);
}

static bool json_get_row_count32(const json_t *value, const struct json_row *row, void *item,
                                 struct report_view *view)
{
    uint32_t *count = json_field_of(row, item);
    (void)view;
    if (json_is_integer(value)) {
        *count = (uint32_t)json_count_of(value);
    }
    return json_is_integer(value);
}

static void json_put_row_real(json_t *object, const struct json_row *row, const void *item)
{
    const double *number = json_field(row, item);
    json_put(object, row->key, json_real(*number));
}

static bool json_get_row_real(const json_t *value, const struct json_row *row, void *item,
                              struct report_view *view)
{
    double *number = json_field_of(row, item);
    (void)view;
    if (json_is_number(value)) {
        *number = json_number_value(value);
    }
    return json_is_number(value);
}

static void json_put_row_text(json_t *object, const struct json_row *row, const void *item)
{
    const struct bytes *text = json_field(row, item);
    json_put_text(object, row->key, *text);
}

static bool json_get_row_text(const json_t *value, const struct json_row *row, void *item,
                              struct report_view *view)
{
    struct bytes *text = json_field_of(row, item);
    if (json_is_string(value)) {
        *text = report_view_text(view, bytes_of(json_string_value(value), json_string_length(value)));
    }
    return json_is_string(value);
}

static void json_put_row_us_as_ms(json_t *object, const struct json_row *row, const void *item)
{
    json_put_ms(object, row->key, json_field_uint64(row, item));
}

static bool json_get_row_us_as_ms(const json_t *value, const struct json_row *row, void *item,
                                  struct report_view *view)
{
    (void)view;
    return json_field_take(row, item, json_us_of_ms(value), json_is_number(value));
}

static void json_put_row_ns_as_ms(json_t *object, const struct json_row *row, const void *item)
{
    json_put_ns_as_ms(object, row->key, (int64_t)json_field_uint64(row, item));
}

static bool json_get_row_ns_as_ms(const json_t *value, const struct json_row *row, void *item,
                                  struct report_view *view)
{
    int64_t number = json_ns_of_ms(value);
    (void)view;
    return json_field_take(row, item, number > 0 ? (uint64_t)number : 0, json_is_number(value));
}

static void json_put_row_us_as_s(json_t *object, const struct json_row *row, const void *item)
{
    json_put(object, row->key, json_real((double)json_field_uint64(row, item) / US_PER_S));
}

static bool json_get_row_us_as_s(const json_t *value, const struct json_row *row, void *item,
                                 struct report_view *view)
{
    (void)view;
    return json_field_take(row, item, json_ns_of_s(value) / NS_PER_US, json_is_number(value));
}

static void json_put_row_ns_as_s(json_t *object, const struct json_row *row, const void *item)
{
    json_put_s(object, row->key, json_field_uint64(row, item));
}

static bool json_get_row_ns_as_s(const json_t *value, const struct json_row *row, void *item,
                                 struct report_view *view)
{
    (void)view;
    return json_field_take(row, item, json_ns_of_s(value), json_is_number(value));
}

static void json_put_row_object(json_t *object, const struct json_row *row, const void *item)
{
    json_t *inner = json_object();
    json_table_put(row->table, inner, item);
    json_put(object, row->key, inner);
}

static bool json_get_row_object(const json_t *value, const struct json_row *row, void *item,
                                struct report_view *view)
{
    if (json_is_object(value)) {
        json_table_get(row->table, value, item, view);
    }
    return json_is_object(value);
}

static void json_put_row_list(json_t *object, const struct json_row *row, const void *item)
{
    json_t *list = json_array();
    const char *items;
    size_t count;
    memcpy(&items, json_field(row, item), sizeof items);
    memcpy(&count, json_at(item, row->count_offset), sizeof count);
    for (size_t i = 0; i < count; i++) {
        json_t *inner = json_object();
        json_table_put(row->table, inner, items + i * row->table->item_size);
        json_array_append_new(list, inner);
    }
    json_put(object, row->key, list);
}

static bool json_get_row_list(const json_t *value, const struct json_row *row, void *item,
                              struct report_view *view)
{
    size_t count = json_array_size(value); /* 0 for what is not an array */
    char *items = report_view_array(view, count, row->table->item_size);
    for (size_t i = 0; i < count; i++) {
        json_table_get(row->table, json_array_get(value, i), items + i * row->table->item_size, view);
    }
    memcpy(json_field_of(row, item), &items, sizeof items);
    memcpy(json_at_own(item, row->count_offset), &count, sizeof count);
    return json_is_array(value);
}

const struct json_kind json_kind_count = {json_put_row_count, json_get_row_count};
const struct json_kind json_kind_count32 = {json_put_row_count32, json_get_row_count32};
const struct json_kind json_kind_real = {json_put_row_real, json_get_row_real};
const struct json_kind json_kind_text = {json_put_row_text, json_get_row_text};
const struct json_kind json_kind_us_as_ms = {json_put_row_us_as_ms, json_get_row_us_as_ms};
const struct json_kind json_kind_ns_as_ms = {json_put_row_ns_as_ms, json_get_row_ns_as_ms};
const struct json_kind json_kind_us_as_s = {json_put_row_us_as_s, json_get_row_us_as_s};
const struct json_kind json_kind_ns_as_s = {json_put_row_ns_as_s, json_get_row_ns_as_s};
const struct json_kind json_kind_object = {json_put_row_object, json_get_row_object};
const struct json_kind json_kind_list = {json_put_row_list, json_get_row_list};

void json_table_put(const struct json_table *table, json_t *object, const void *item)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct json_row *row = &table->rows[i];
        const bool *has = json_at(item, row->has_offset);
        if (row->is_nullable && !*has) {
            json_put(object, row->key, json_null());
        } else {
            row->kind->put(object, row, item);
        }
    }
}

void json_table_get(const struct json_table *table, const json_t *object, void *item,
                    struct report_view *view)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct json_row *row = &table->rows[i];
        const json_t *value = json_object_get(object, row->key);
        if (value != NULL && row->kind->get(value, row, item, view) && row->is_nullable) {
            bool *has = json_at_own(item, row->has_offset);
            *has = true;
        }
    }
}
