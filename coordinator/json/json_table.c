/* Writes and reads JSON objects by tables of their fields. */
#include "coordinator/json/json_table.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <assert.h>
#include <string.h>

#define US_PER_S 1e6
#define NS_PER_US 1000u

/* Any field, as it lies in the item. */
union json_value {
    uint64_t count;
    uint32_t count32;
    double real;
    struct bytes text;
    int name;
    const char *items;
};
static_assert(sizeof(enum verdict) == sizeof(int), "a name is as large as an int");

static size_t json_value_size(enum json_type type)
{
    switch (type) {
    case JSON_TABLE_COUNT32:
    case JSON_TABLE_NAME:
        return sizeof(int);
    case JSON_TABLE_TEXT:
        return sizeof(struct bytes);
    case JSON_TABLE_OBJECT:
    case JSON_TABLE_SPECIAL:
        return 0;
    default:
        return sizeof(uint64_t);
    }
}

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

static json_t *json_inner(const struct json_table *table, const void *item)
{
    json_t *object = json_object();
    json_table_put(table, object, item);
    return object;
}

static json_t *json_list(const struct json_row *row, const char *items, const void *item)
{
    json_t *list = json_array();
    size_t count;
    memcpy(&count, json_at(item, row->count_offset), sizeof count);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_inner(row->table, items + i * row->table->item_size));
    }
    return list;
}

static void json_row_put(const struct json_row *row, json_t *object, const void *item)
{
    union json_value value;
    memcpy(&value, json_at(item, row->offset), json_value_size(row->type));
    switch (row->type) {
    case JSON_TABLE_COUNT:
        json_put_count(object, row->key, value.count);
        break;
    case JSON_TABLE_COUNT32:
        json_put_count(object, row->key, value.count32);
        break;
    case JSON_TABLE_REAL:
        json_put(object, row->key, json_real(value.real));
        break;
    case JSON_TABLE_TEXT:
        json_put_text(object, row->key, value.text);
        break;
    case JSON_TABLE_US_AS_MS:
        json_put_ms(object, row->key, value.count);
        break;
    case JSON_TABLE_NS_AS_MS:
        json_put_ns_as_ms(object, row->key, (int64_t)value.count);
        break;
    case JSON_TABLE_US_AS_S:
        json_put(object, row->key, json_real((double)value.count / US_PER_S));
        break;
    case JSON_TABLE_NS_AS_S:
        json_put_s(object, row->key, value.count);
        break;
    case JSON_TABLE_NAME:
        json_put(object, row->key, json_string(row->names->name(value.name)));
        break;
    case JSON_TABLE_OBJECT:
        json_put(object, row->key, json_inner(row->table, item));
        break;
    case JSON_TABLE_LIST:
        json_put(object, row->key, json_list(row, value.items, item));
        break;
    case JSON_TABLE_SPECIAL:
        row->special->put(object, row->key, item);
        break;
    }
}

void json_table_put(const struct json_table *table, json_t *object, const void *item)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct json_row *row = &table->rows[i];
        const bool *has = json_at(item, row->has_offset);
        if (row->is_nullable && !*has) {
            json_put(object, row->key, json_null());
        } else {
            json_row_put(row, object, item);
        }
    }
}

static bool json_get_name(const json_t *json, const struct json_names *names, int *value)
{
    for (int known = names->first; json_is_string(json) && known <= names->last; known++) {
        if (strcmp(json_string_value(json), names->name(known)) == 0) {
            *value = known;
            return true;
        }
    }
    return false;
}

static const char *json_get_list(const json_t *json, const struct json_row *row, void *item,
                                 struct report_view *view)
{
    size_t count = json_array_size(json);
    char *items = report_view_array(view, count, row->table->item_size);
    for (size_t i = 0; i < count; i++) {
        json_table_get(row->table, json_array_get(json, i), items + i * row->table->item_size, view);
    }
    memcpy(json_at_own(item, row->count_offset), &count, sizeof count);
    return items;
}

static bool json_get_number(const json_t *json, enum json_type type, union json_value *value)
{
    int64_t ns = json_ns_of_ms(json);
    switch (type) {
    case JSON_TABLE_COUNT32:
        value->count32 = (uint32_t)json_count_of(json);
        return json_is_integer(json);
    case JSON_TABLE_REAL:
        value->real = json_number_value(json);
        return json_is_number(json);
    case JSON_TABLE_US_AS_MS:
        value->count = json_us_of_ms(json);
        return json_is_number(json);
    case JSON_TABLE_NS_AS_MS:
        value->count = ns > 0 ? (uint64_t)ns : 0;
        return json_is_number(json);
    case JSON_TABLE_US_AS_S:
        value->count = json_ns_of_s(json) / NS_PER_US;
        return json_is_number(json);
    case JSON_TABLE_NS_AS_S:
        value->count = json_ns_of_s(json);
        return json_is_number(json);
    default:
        value->count = json_count_of(json);
        return json_is_integer(json);
    }
}

static bool json_row_get(const struct json_row *row, const json_t *json, void *item, struct report_view *view)
{
    union json_value value;
    bool is_given;
    switch (row->type) {
    case JSON_TABLE_TEXT:
        is_given = json_is_string(json);
        value.text = report_view_text(view, bytes_of(json_string_value(json), json_string_length(json)));
        break;
    case JSON_TABLE_NAME:
        is_given = json_get_name(json, row->names, &value.name);
        break;
    case JSON_TABLE_OBJECT:
        is_given = json_is_object(json);
        json_table_get(row->table, json, item, view);
        break;
    case JSON_TABLE_LIST:
        is_given = json_is_array(json);
        value.items = json_get_list(json, row, item, view);
        break;
    case JSON_TABLE_SPECIAL:
        is_given = row->special->get(json, item, view);
        break;
    default:
        is_given = json_get_number(json, row->type, &value);
        break;
    }
    if (is_given) {
        memcpy(json_at_own(item, row->offset), &value, json_value_size(row->type));
    }
    return is_given;
}

void json_table_get(const struct json_table *table, const json_t *object, void *item,
                    struct report_view *view)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct json_row *row = &table->rows[i];
        const json_t *value = json_object_get(object, row->key);
        if (value != NULL && json_row_get(row, value, item, view) && row->is_nullable) {
            bool *has = json_at_own(item, row->has_offset);
            *has = true;
        }
    }
}
