/* Tags that thresholds name together. Pure. */
#include "proto/message/tag_combinations.h"

#include "common/memory.h"
#include "common/text.h"

#include <assert.h>

static_assert(TAG_COMBINATIONS_MAX < TAG_VALUES, "each value that combinations have of a name has a place");

struct tag_combination {
    struct threshold_tag tags[TAG_NAMES];
    size_t count;
    struct text text;
};

struct tag_combinations {
    struct text thresholds; /* from which the tags borrow */
    struct tag_combination all[TAG_COMBINATIONS_MAX];
    size_t count;
    struct bytes names[TAG_NAMES]; /* of their tags */
    size_t name_count;
};

struct tag_combinations *tag_combinations_new(struct bytes thresholds)
{
    struct tag_combinations *combinations = MEMORY_NEW(struct tag_combinations);
    combinations->thresholds = text_copy(thresholds);
    struct bytes rest = combinations->thresholds.bytes;
    struct bytes one;
    struct threshold threshold;
    while (thresholds_next(&rest, &one)) {
        if (threshold_parse(one, &threshold, NULL)) {
            (void)!tag_combinations_add(combinations, &threshold, NULL);
        }
    }
    return combinations;
}

void tag_combinations_free(struct tag_combinations **at)
{
    struct tag_combinations *combinations = *at;
    if (combinations == NULL) {
        return;
    }
    for (size_t i = 0; i < combinations->count; i++) {
        text_finish(&combinations->all[i].text);
    }
    text_finish(&combinations->thresholds);
    memory_free(combinations);
    *at = NULL;
}

static bool combinations_add_name(struct tag_combinations *combinations, struct bytes name,
                                  struct error *error)
{
    size_t i = 0;
    while (i < combinations->name_count && !bytes_equal(combinations->names[i], name)) {
        i++;
    }
    if (i < combinations->name_count) {
        return true;
    }
    if (i == TAG_NAMES) {
        return error_set(error,
                         "tag \"%.*s\": thresholds of several tags have more than %u names of tags together",
                         BYTES_FORMAT(name), TAG_NAMES);
    }
    combinations->names[combinations->name_count++] = name;
    return true;
}

bool tag_combinations_add(struct tag_combinations *combinations, const struct threshold *threshold,
                          struct error *error)
{
    char text[THRESHOLD_TAGS_BYTES];
    struct bytes whole = threshold_tags_text(threshold, text);
    if (threshold->tag_count < 2 || tag_combinations_find(combinations, whole).size > 0) {
        return true;
    }
    if (combinations->count == TAG_COMBINATIONS_MAX) {
        return error_set(error, "%s: more than %u combinations of tags", text, TAG_COMBINATIONS_MAX);
    }
    struct tag_combination *added = &combinations->all[combinations->count];
    for (size_t i = 0; i < threshold->tag_count; i++) {
        if (!combinations_add_name(combinations, threshold->tags[i].name, error)) {
            return false;
        }
        added->tags[i] = threshold->tags[i];
    }
    added->count = threshold->tag_count;
    added->text = text_copy(whole);
    combinations->count++;
    return true;
}

size_t tag_combinations_count(const struct tag_combinations *combinations)
{
    return combinations->count;
}

struct bytes tag_combinations_text(const struct tag_combinations *combinations, size_t index)
{
    return combinations->all[index].text.bytes;
}

struct bytes tag_combinations_find(const struct tag_combinations *combinations, struct bytes text)
{
    for (size_t i = 0; i < combinations->count; i++) {
        if (bytes_equal(combinations->all[i].text.bytes, text)) {
            return combinations->all[i].text.bytes;
        }
    }
    return bytes_of("", 0);
}

struct tag_set tag_combinations_set(const struct tag_combinations *combinations, size_t index,
                                    struct tag_table *table)
{
    const struct tag_combination *combination = &combinations->all[index];
    struct tag_set set = {0};
    for (size_t i = 0; i < combination->count; i++) {
        tag_set_put(&set, tag_table_note(table, combination->tags[i].name, combination->tags[i].value));
    }
    return set;
}

void tag_combinations_note(const struct tag_combinations *combinations, struct tag_table *table)
{
    struct bytes rest = combinations->thresholds.bytes;
    struct bytes one;
    struct threshold threshold;
    for (size_t i = 0; i < combinations->count; i++) {
        (void)tag_combinations_set(combinations, i, table);
    }
    while (thresholds_next(&rest, &one)) {
        if (threshold_parse(one, &threshold, NULL) && threshold.tag_count == 1) {
            (void)tag_table_note(table, threshold.tags[0].name, threshold.tags[0].value);
        }
    }
}

bool tag_text_is_combination(struct bytes text)
{
    return text.size > 0 && text.data[0] == '{';
}
