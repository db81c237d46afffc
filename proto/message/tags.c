/* Tags of what is measured. Names and values are few, so they are searched one by one. */
#include "proto/message/tags.h"

#include "common/memory.h"
#include "common/text.h"

#include <assert.h>
#include <string.h>

#define OTHER_VALUE (TAG_VALUES + 1)

struct tag_name {
    struct text name;
    struct text tags[OTHER_VALUE]; /* "name=value", by value - 1; the last one is that of the others */
    uint8_t value_count;           /* without the others */
};

struct tag_table {
    struct tag_name names[TAG_NAMES + 1]; /* the last one is that of the others */
    uint8_t name_count;                   /* without the others */
};

struct tag_table *tag_table_new(void)
{
    return MEMORY_NEW(struct tag_table);
}

void tag_table_free(struct tag_table **table)
{
    if (*table == NULL) {
        return;
    }
    for (size_t slot = 0; slot <= TAG_NAMES; slot++) {
        struct tag_name *name = &(*table)->names[slot];
        text_finish(&name->name);
        for (size_t i = 0; i < OTHER_VALUE; i++) {
            text_finish(&name->tags[i]);
        }
    }
    memory_free(*table);
    *table = NULL;
}

static bool tag_is_of_name(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || byte == '.';
}

bool tag_name_is_good(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!tag_is_of_name(name.data[i])) {
            return false;
        }
    }
    return name.size > 0 && name.size <= TAG_NAME_BYTES;
}

bool tag_value_is_good(struct bytes value)
{
    return value.size > 0 && value.size <= TAG_VALUE_BYTES && bytes_is_printable(value);
}

/* As many as there are if it is none of them. */
static uint8_t tag_table_find_name(const struct tag_table *table, struct bytes name)
{
    uint8_t slot = 0;
    while (slot < table->name_count && !bytes_equal(table->names[slot].name.bytes, name)) {
        slot++;
    }
    return slot;
}

/* The slot of the name. */
static uint8_t tag_table_need_name(struct tag_table *table, struct bytes name)
{
    uint8_t slot = tag_table_find_name(table, name);
    if (slot < table->name_count) {
        return slot;
    }
    if (slot == TAG_NAMES || bytes_equal_string(name, TAG_OTHER)) {
        return TAG_NAMES;
    }
    table->names[slot].name = text_copy(name);
    table->name_count++;
    return slot;
}

static void tag_name_compose(struct tag_name *name, uint8_t value, struct bytes text)
{
    struct bytes of_name = name->name.bytes.size > 0 ? name->name.bytes : bytes_of_string(TAG_OTHER);
    size_t size = of_name.size + 1 + text.size;
    char *whole = memory_new(size + 1, 1);
    memcpy(whole, of_name.data, of_name.size);
    whole[of_name.size] = '=';
    memcpy(whole + of_name.size + 1, text.data, text.size);
    name->tags[value - 1] = text_take(whole, size);
}

static bool tag_has_value(const struct tag_name *name, uint8_t value, struct bytes text)
{
    struct bytes whole = name->tags[value - 1].bytes;
    return whole.size == name->name.bytes.size + 1 + text.size &&
           memcmp(whole.data + whole.size - text.size, text.data, text.size) == 0;
}

static uint8_t tag_name_need_value(struct tag_name *name, struct bytes text)
{
    uint8_t value = 1;
    while (value <= name->value_count && !tag_has_value(name, value, text)) {
        value++;
    }
    if (value <= name->value_count) {
        return value;
    }
    if (value <= TAG_VALUES && !bytes_equal_string(text, TAG_OTHER)) {
        name->value_count++;
        tag_name_compose(name, value, text);
        return value;
    }
    if (name->tags[OTHER_VALUE - 1].bytes.size == 0) {
        tag_name_compose(name, OTHER_VALUE, bytes_of_string(TAG_OTHER));
    }
    return OTHER_VALUE;
}

struct tag_id tag_table_note(struct tag_table *table, struct bytes name, struct bytes value)
{
    struct tag_id tag = {.slot = tag_table_need_name(table, name)};
    bool is_other = tag.slot == TAG_NAMES;
    tag.value = tag_name_need_value(&table->names[tag.slot], is_other ? bytes_of_string(TAG_OTHER) : value);
    return tag;
}

void tag_table_remove(const struct tag_table *table, struct bytes name, struct tag_set *set)
{
    uint8_t slot = tag_table_find_name(table, name);
    set->values[slot < table->name_count ? slot : TAG_NAMES] = 0;
}

struct bytes tag_table_text(const struct tag_table *table, struct tag_id tag)
{
    return table->names[tag.slot].tags[tag.value - 1].bytes;
}

bool tag_split(struct bytes text, struct bytes *name, struct bytes *value)
{
    const uint8_t *equals = text.size > 0 ? memchr(text.data, '=', text.size) : NULL;
    if (equals == NULL) {
        return false;
    }
    *name = bytes_of(text.data, (size_t)(equals - text.data));
    *value = bytes_of(equals + 1, text.size - name->size - 1);
    return true;
}

bool tag_set_is_empty(const struct tag_set *set)
{
    uint64_t first;
    static_assert(sizeof set->values == sizeof first + 1, "all of them are looked at");
    memcpy(&first, set->values, sizeof first);
    return (first | set->values[sizeof first]) == 0;
}

bool tag_set_has_all(const struct tag_set *set, const struct tag_set *wanted)
{
    size_t slot = 0;
    while (slot <= TAG_NAMES && (wanted->values[slot] == 0 || wanted->values[slot] == set->values[slot])) {
        slot++;
    }
    return slot > TAG_NAMES;
}

void tag_set_put(struct tag_set *set, struct tag_id tag)
{
    set->values[tag.slot] = tag.value;
}

void tag_set_overlay(struct tag_set *set, const struct tag_set *over)
{
    if (tag_set_is_empty(over)) {
        return;
    }
    for (size_t slot = 0; slot <= TAG_NAMES; slot++) {
        set->values[slot] = over->values[slot] != 0 ? over->values[slot] : set->values[slot];
    }
}

bool tag_set_next(const struct tag_set *set, struct tag_id *tag)
{
    uint8_t slot = tag->value == 0 ? 0 : (uint8_t)(tag->slot + 1);
    while (slot <= TAG_NAMES && set->values[slot] == 0) {
        slot++;
    }
    if (slot > TAG_NAMES) {
        return false;
    }
    *tag = (struct tag_id){.slot = slot, .value = set->values[slot]};
    return true;
}
