/* Which agents may join. */
#include "proto/keys/allow_list.h"

#include "common/map.h"
#include "common/memory.h"
#include "proto/keys/key_lines.h"
#include "proto/keys/keys.h"

#include <string.h>

struct allowed {
    char name[KEY_NAME_BYTES + 1];
    char public_key[KEY_TEXT_BYTES + 1];
};

struct allow_list {
    struct map *by_name;
    struct map *by_key;
};

struct allow_list *allow_list_new(void)
{
    struct allow_list *list = MEMORY_NEW(struct allow_list);
    list->by_name = map_new();
    list->by_key = map_new();
    return list;
}

void allow_list_free(struct allow_list **at)
{
    struct allow_list *list = *at;
    *at = NULL;
    if (list == NULL) {
        return;
    }
    struct map_cursor cursor = {0};
    while (map_next(list->by_name, &cursor)) {
        memory_free(cursor.value);
    }
    map_free(&list->by_name);
    map_free(&list->by_key);
    memory_free(list);
}

bool allow_list_add(struct allow_list *list, struct bytes name, struct bytes public_key, struct error *error)
{
    if (!key_name_check(name, error)) {
        return false;
    }
    if (!key_is_valid(public_key)) {
        return error_set(error, "the text after %.*s is not a key of 40 characters", BYTES_FORMAT(name));
    }
    if (map_get(list->by_name, name) != NULL) {
        return error_set(error, "there is already an agent %.*s", BYTES_FORMAT(name));
    }
    const struct allowed *other = map_get(list->by_key, public_key);
    if (other != NULL) {
        return error_set(error, "%.*s has the key of %s", BYTES_FORMAT(name), other->name);
    }
    if (map_size(list->by_name) >= ALLOW_LIST_MAX_AGENTS) {
        return error_set(error, "a list holds at most %u agents", ALLOW_LIST_MAX_AGENTS);
    }
    struct allowed *allowed = MEMORY_NEW(struct allowed);
    bytes_to_text(name, allowed->name, sizeof allowed->name);
    bytes_to_text(public_key, allowed->public_key, sizeof allowed->public_key);
    (void)map_put(list->by_name, name, allowed);
    (void)map_put(list->by_key, public_key, allowed);
    return true;
}

bool allow_list_remove(struct allow_list *list, struct bytes name)
{
    struct allowed *allowed = map_remove(list->by_name, name);
    if (allowed == NULL) {
        return false;
    }
    (void)map_remove(list->by_key, bytes_of_string(allowed->public_key));
    memory_free(allowed);
    return true;
}

const char *allow_list_name(const struct allow_list *list, const char *public_key)
{
    const struct allowed *allowed = map_get(list->by_key, bytes_of_string(public_key));
    return allowed != NULL ? allowed->name : NULL;
}

bool allow_list_has(const struct allow_list *list, struct bytes name)
{
    return map_get(list->by_name, name) != NULL;
}

size_t allow_list_size(const struct allow_list *list)
{
    return map_size(list->by_name);
}

static bool add_line(struct allow_list *list, const struct key_lines *lines, struct error *error)
{
    struct bytes value = lines->value;
    const uint8_t *space = memchr(value.data, ' ', value.size);
    if (!bytes_equal_string(lines->word, "agent") || space == NULL) {
        return error_set(error, "not of the form agent NAME KEY");
    }
    size_t name_size = (size_t)(space - value.data);
    return allow_list_add(list, bytes_of(value.data, name_size),
                          bytes_of(space + 1, value.size - name_size - 1), error);
}

struct allow_list *allow_list_parse(struct bytes text, struct error *error)
{
    struct allow_list *list = allow_list_new();
    struct key_lines lines = {.rest = text};
    while (key_lines_next(&lines, error)) {
        if (!add_line(list, &lines, error)) {
            (void)error_wrap(error, "line %u: ", lines.number);
            lines.is_broken = true;
            break;
        }
    }
    if (lines.is_broken) {
        allow_list_free(&list);
    }
    return list;
}

void allow_list_format(const struct allow_list *list, struct buffer *into)
{
    struct map_cursor cursor = {0};
    buffer_append_string(into,
                         "# tutti: the agents that may join, by name and public key. A running coordinator "
                         "applies changes within a second.\n");
    while (map_next(list->by_name, &cursor)) {
        const struct allowed *allowed = cursor.value;
        buffer_append_format(into, "agent %s %s\n", allowed->name, allowed->public_key);
    }
}
