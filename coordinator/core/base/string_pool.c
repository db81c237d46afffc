/* Shared texts. */
#include "coordinator/core/base/string_pool.h"
#include "common/map.h"
#include "common/memory.h"

#include <assert.h>

struct string_pool {
    struct map *map;
    uint64_t next_number;
    /* While the pool is unpacked: its texts by number, held. */
    struct text **unpacked;
    size_t unpacked_count;
    size_t unpacked_capacity;
};

struct text {
    struct string_pool *texts;
    uint64_t number; /* rises from one to the next; 0 is none */
    size_t holders;
    struct bytes bytes;
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

struct text *string_pool_hold(struct string_pool *texts, struct bytes bytes)
{
    char cut[STRING_POOL_KEPT_BYTES + 1];
    bytes_to_text(bytes, cut, sizeof cut);
    struct bytes key = bytes_of_string(cut);
    if (key.size == 0) {
        return NULL;
    }
    struct text *text = map_get(texts->map, key);
    if (text == NULL && map_size(texts->map) >= STRING_POOL_MOST) {
        key = bytes_of_string(STRING_POOL_TOO_MANY);
        text = map_get(texts->map, key);
    }
    if (text == NULL) {
        text = MEMORY_NEW(struct text);
        text->texts = texts;
        text->number = ++texts->next_number;
        text->bytes = bytes_of(memory_copy(key.data, key.size), key.size);
        map_put(texts->map, key, text);
    }
    text->holders++;
    return text;
}

struct text *text_hold(struct text *text)
{
    if (text != NULL) {
        text->holders++;
    }
    return text;
}

void text_release(struct text **text)
{
    struct text *released = *text;
    *text = NULL;
    if (released == NULL || --released->holders > 0) {
        return;
    }
    map_remove(released->texts->map, released->bytes);
    memory_free((void *)released->bytes.data);
    memory_free(released);
}

struct bytes text_bytes(const struct text *text)
{
    return text == NULL ? bytes_of(NULL, 0) : text->bytes;
}

void string_pool_pack(const struct string_pool *texts, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, texts->next_number);
    pack_number(into, map_size(texts->map));
    while (map_next(texts->map, &cursor)) {
        const struct text *text = cursor.value;
        pack_number(into, text->number);
        pack_bytes(into, text->bytes);
    }
}

void text_pack(const struct text *text, struct buffer *into)
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
        struct text *text = number > before && number <= last ? string_pool_hold(texts, bytes) : NULL;
        before = number;
        if (text == NULL || map_size(texts->map) == known) {
            text_release(&text);
            unpack_break(from);
            return;
        }
        text->number = number;
        texts->unpacked = memory_reserve(texts->unpacked, &texts->unpacked_capacity, i + 1, sizeof text);
        texts->unpacked[texts->unpacked_count++] = text;
    }
    texts->next_number = last;
}

struct text *text_unpack(const struct string_pool *texts, struct unpack *from)
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
        return text_hold(texts->unpacked[low]);
    }
    if (number != 0) {
        unpack_break(from);
    }
    return NULL;
}

void string_pool_let_go(struct string_pool *texts)
{
    for (size_t i = 0; i < texts->unpacked_count; i++) {
        text_release(&texts->unpacked[i]);
    }
    memory_free(texts->unpacked);
    texts->unpacked = NULL;
    texts->unpacked_count = texts->unpacked_capacity = 0;
}
