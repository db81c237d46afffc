/* A hash map from bytes to pointers: entries in insertion order, and an index by hash. */
#include "common/map.h"
#include "common/memory.h"
#include "common/text.h"

#include <assert.h>
#include <string.h>

#define SMALLEST_CAPACITY 8u

struct entry {
    uint64_t hash;
    size_t sequence; /* ascends along the entries; cursors hold it, so that compacting the entries does not
                        disturb them */
    struct text key;
    void *value; /* NULL: removed, and the key is freed */
};

/* A slot holds the position of an entry plus one, or 0 when it is empty. It keeps pointing to a removed
 * entry, so that a search continues past it. There are twice as many slots as room for entries, so that
 * searches are short and terminate. */
struct map {
    struct entry *entries;
    uint32_t *slots;
    size_t used; /* entries, including removed ones */
    size_t capacity;
    size_t size;
    size_t next_sequence;
};

struct map *map_new(void)
{
    return MEMORY_NEW(struct map);
}

void map_free(struct map **map)
{
    if (*map == NULL) {
        return;
    }
    for (size_t i = 0; i < (*map)->used; i++) {
        text_finish(&(*map)->entries[i].key);
    }
    memory_free((*map)->entries);
    memory_free((*map)->slots);
    memory_free(*map);
    *map = NULL;
}

static struct entry *find(const struct map *map, struct bytes key, uint64_t hash)
{
    if (map->size == 0) {
        return NULL;
    }
    size_t mask = map->capacity * 2 - 1;
    for (size_t slot = hash & mask; map->slots[slot] != 0; slot = (slot + 1) & mask) {
        struct entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->value != NULL && entry->hash == hash && bytes_equal(entry->key.bytes, key)) {
            return entry;
        }
    }
    return NULL;
}

static void put_into_slot(struct map *map, size_t position)
{
    size_t mask = map->capacity * 2 - 1;
    size_t slot = map->entries[position].hash & mask;
    while (map->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    map->slots[slot] = (uint32_t)(position + 1);
}

/* Compacts the live entries, and doubles the capacity if more than half of it is live. */
static void rebuild(struct map *map)
{
    size_t living = 0;
    for (size_t i = 0; i < map->used; i++) {
        if (map->entries[i].value != NULL) {
            map->entries[living++] = map->entries[i];
        }
    }
    assert(living == map->size);
    map->used = living;
    if (living * 2 >= map->capacity) {
        map->capacity = map->capacity == 0 ? SMALLEST_CAPACITY : map->capacity * 2;
        assert(map->capacity < UINT32_MAX);
        map->entries = memory_resize(map->entries, map->capacity, sizeof *map->entries);
    }
    memory_free(map->slots);
    map->slots = memory_new(map->capacity * 2, sizeof *map->slots);
    for (size_t i = 0; i < living; i++) {
        put_into_slot(map, i);
    }
}

void *map_get(const struct map *map, struct bytes key)
{
    struct entry *entry = find(map, key, bytes_hash(key));
    return entry == NULL ? NULL : entry->value;
}

void *map_put(struct map *map, struct bytes key, void *value)
{
    assert(value != NULL);
    uint64_t hash = bytes_hash(key);
    struct entry *entry = find(map, key, hash);
    if (entry != NULL) {
        void *previous = entry->value;
        entry->value = value;
        return previous;
    }
    if (map->used == map->capacity) {
        rebuild(map);
    }
    map->entries[map->used] = (struct entry){
        .hash = hash,
        .sequence = map->next_sequence++,
        .key = text_copy(key),
        .value = value,
    };
    put_into_slot(map, map->used++);
    map->size++;
    return NULL;
}

void *map_remove(struct map *map, struct bytes key)
{
    struct entry *entry = find(map, key, bytes_hash(key));
    if (entry == NULL) {
        return NULL;
    }
    void *value = entry->value;
    text_finish(&entry->key);
    entry->value = NULL;
    map->size--;
    return value;
}

size_t map_size(const struct map *map)
{
    return map->size;
}

/* The position of the first entry with at least this sequence. An entry's position is never after its
 * sequence, and before it by at most the number of entries that were compacted away, so there is little to
 * search. */
static size_t position_of(const struct map *map, size_t sequence)
{
    size_t moved = map->next_sequence - map->used;
    size_t low = sequence > moved ? sequence - moved : 0;
    size_t high = sequence < map->used ? sequence : map->used;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->entries[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool map_next(const struct map *map, struct map_cursor *cursor)
{
    for (size_t i = position_of(map, cursor->position); i < map->used; i++) {
        const struct entry *entry = &map->entries[i];
        if (entry->value != NULL) {
            *cursor = (struct map_cursor){
                .position = entry->sequence + 1, .key = entry->key.bytes, .value = entry->value};
            return true;
        }
    }
    return false;
}
