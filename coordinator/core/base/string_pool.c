/* Shared texts. */
#include "coordinator/core/base/string_pool.h"
#include "common/map.h"
#include "common/memory.h"
#include "common/text.h"

#include <assert.h>

struct string_pool {
    struct map *map;
    uint64_t next_number;
    /* While the pool is unpacked: its texts by number, held. */
    struct pool_string **unpacked;
    size_t unpacked_count;
    size_t unpacked_capacity;
};

struct pool_string {
    struct string_pool *texts;
    uint64_t number; /* rises from one to the next; 0 is none */
    size_t holders;
    struct text text;
};

struct string_pool *string_pool_new(void)
{
    struct string_pool *texts = MEMORY_NEW(struct string_pool);
    texts->map = map_new();
    return texts;
}

void string_pool_free(struct string_pool **texts)
{
    if (*texts == NULL) {
        return;
    }
    assert(map_size((*texts)->map) == 0);
    map_free(&(*texts)->map);
    memory_free(*texts);
    *texts = NULL;
}

struct pool_string *string_pool_hold(struct string_pool *texts, struct bytes bytes)
{
    char cut[STRING_POOL_KEPT_BYTES + 1];
    bytes_to_text(bytes, cut, sizeof cut);
    struct bytes key = bytes_of_string(cut);
    if (key.size == 0) {
        return NULL;
    }
    struct pool_string *text = map_get(texts->map, key);
    if (text == NULL && map_size(texts->map) >= STRING_POOL_MOST) {
        key = bytes_of_string(STRING_POOL_TOO_MANY);
        text = map_get(texts->map, key);
    }
    if (text == NULL) {
        text = MEMORY_NEW(struct pool_string);
        text->texts = texts;
        text->number = ++texts->next_number;
        text->text = text_copy(key);
        map_put(texts->map, key, text);
    }
    text->holders++;
    return text;
}

struct pool_string *pool_string_hold(struct pool_string *text)
{
    if (text != NULL) {
        text->holders++;
    }
    return text;
}

void pool_string_release(struct pool_string **text)
{
    struct pool_string *released = *text;
    *text = NULL;
    if (released == NULL || --released->holders > 0) {
        return;
    }
    map_remove(released->texts->map, released->text.bytes);
    text_finish(&released->text);
    memory_free(released);
}

struct bytes pool_string_bytes(const struct pool_string *text)
{
    return text == NULL ? bytes_of(NULL, 0) : text->text.bytes;
}

void string_pool_pack(const struct string_pool *texts, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, texts->next_number);
    pack_number(into, map_size(texts->map));
    while (map_next(texts->map, &cursor)) {
        const struct pool_string *text = cursor.value;
        pack_number(into, text->number);
        pack_bytes(into, text->text.bytes);
    }
}

void pool_string_pack(const struct pool_string *text, struct buffer *into)
{
    pack_number(into, text == NULL ? 0 : text->number);
}

/* The map iterates in the order of the numbers. */
void string_pool_unpack(struct string_pool *texts, struct unpack *from)
{
    uint64_t before = 0;
    uint64_t last = unpack_number(from);
    uint64_t count = unpack_number(from);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        uint64_t number = unpack_number(from);
        struct bytes bytes = unpack_bytes(from);
        size_t known = map_size(texts->map);
        struct pool_string *text = number > before && number <= last ? string_pool_hold(texts, bytes) : NULL;
        before = number;
        if (text == NULL || map_size(texts->map) == known) {
            pool_string_release(&text);
            unpack_break(from);
            return;
        }
        text->number = number;
        texts->unpacked = memory_reserve(texts->unpacked, &texts->unpacked_capacity, i + 1, sizeof text);
        texts->unpacked[texts->unpacked_count++] = text;
    }
    texts->next_number = last;
}

struct pool_string *pool_string_unpack(const struct string_pool *texts, struct unpack *from)
{
    uint64_t number = unpack_number(from);
    size_t low = 0;
    size_t high = texts->unpacked_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (texts->unpacked[middle]->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < texts->unpacked_count && texts->unpacked[low]->number == number) {
        return pool_string_hold(texts->unpacked[low]);
    }
    if (number != 0) {
        unpack_break(from);
    }
    return NULL;
}

void string_pool_let_go(struct string_pool *texts)
{
    for (size_t i = 0; i < texts->unpacked_count; i++) {
        pool_string_release(&texts->unpacked[i]);
    }
    memory_free(texts->unpacked);
    texts->unpacked = NULL;
    texts->unpacked_count = texts->unpacked_capacity = 0;
}
