/* A hash map from bytes to pointers. Iteration is in insertion order, so that a run replays exactly. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

struct map;

MUST_CHECK struct map *map_new(void);
/* Frees the map and its copies of the keys; the values belong to the caller. */
void map_free(struct map **map);
void *map_get(const struct map *map, struct bytes key);
/* Copies the key. Replaces the existing value and returns it, or NULL. `value` must not be NULL. */
void *map_put(struct map *map, struct bytes key, void *value);
/* Returns the value that was removed, or NULL. */
void *map_remove(struct map *map, struct bytes key);
size_t map_size(const struct map *map);

struct map_cursor {
    size_t position;
    struct bytes key;
    void *value;
};
/* `struct map_cursor cursor = {0}; while (map_next(map, &cursor)) …`. The entry just returned may be removed
 * during the iteration; entries added during it are visited too. */
bool map_next(const struct map *map, struct map_cursor *cursor);
