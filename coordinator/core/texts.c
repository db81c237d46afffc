/* Texts that many share. */
#include "coordinator/core/texts.h"
#include "common/map.h"
#include "common/memory.h"

#include <assert.h>

struct texts {
    struct map *map;
};

struct text {
    struct texts *texts;
    size_t holders;
    struct bytes bytes;
};

struct texts *texts_new(void)
{
    struct texts *texts = MEMORY_NEW(struct texts);
    texts->map = map_new();
    return texts;
}

void texts_free(struct texts **texts)
{
    if (*texts == NULL) {
        return;
    }
    assert(map_size((*texts)->map) == 0);
    map_free(&(*texts)->map);
    memory_free(*texts);
    *texts = NULL;
}

struct text *texts_hold(struct texts *texts, struct bytes bytes)
{
    char cut[TEXTS_KEPT_BYTES + 1];
    bytes_to_text(bytes, cut, sizeof(cut));
    struct bytes key = bytes_of_string(cut);
    if (key.size == 0) {
        return NULL;
    }
    struct text *text = map_get(texts->map, key);
    if (text == NULL && map_size(texts->map) >= TEXTS_MOST) {
        key = bytes_of_string(TEXTS_TOO_MANY);
        text = map_get(texts->map, key);
    }
    if (text == NULL) {
        text = MEMORY_NEW(struct text);
        text->texts = texts;
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
