/* The pads of the practice target: versioned texts that many threads read and write. */
#include "target/target_pads.h"

#include "common/map.h"
#include "common/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_TEXT_BYTES 24 /* a 64-bit number in quotes */

struct pad_text {
    atomic_size_t references;
    uint64_t version;
    size_t size;
    struct MHD_Response *response;
};

struct pads {
    pthread_rwlock_t lock;
    struct map *texts; /* holds one reference each */
    size_t total_bytes;
};

static struct pad_text *text_new(struct buffer *body)
{
    struct pad_text *text = MEMORY_NEW(struct pad_text);
    atomic_init(&text->references, 1);
    uint8_t *data = buffer_take(body, &text->size);
    /* A buffer doubles as it grows; long-lived text is trimmed to the size that PADS_MAX_TOTAL_BYTES
     * counts. */
    data = memory_resize(data, text->size, 1);
    text->response = MHD_create_response_from_buffer_with_free_callback(text->size, data, memory_free);
    assert(text->response != NULL);
    MHD_add_response_header(text->response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    return text;
}

static void text_set_version(struct pad_text *text, uint64_t version)
{
    char number[NUMBER_TEXT_BYTES];
    text->version = version;
    (void)snprintf(number, sizeof number, "%" PRIu64, version);
    MHD_add_response_header(text->response, "X-Version", number);
    (void)snprintf(number, sizeof number, "\"%" PRIu64 "\"", version);
    MHD_add_response_header(text->response, MHD_HTTP_HEADER_ETAG, number);
}

void pad_text_release(struct pad_text **text)
{
    struct pad_text *released = *text;
    *text = NULL;
    if (released != NULL && atomic_fetch_sub(&released->references, 1) == 1) {
        MHD_destroy_response(released->response);
        memory_free(released);
    }
}

uint64_t pad_text_version(const struct pad_text *text)
{
    return text->version;
}

struct MHD_Response *pad_text_response(const struct pad_text *text)
{
    return text->response;
}

struct pads *pads_new(void)
{
    struct pads *pads = MEMORY_NEW(struct pads);
    int failure = pthread_rwlock_init(&pads->lock, NULL);
    assert(failure == 0);
    pads->texts = map_new();
    return pads;
}

void pads_free(struct pads **pads)
{
    struct pads *freed = *pads;
    *pads = NULL;
    if (freed == NULL) {
        return;
    }
    struct map_cursor cursor = {0};
    while (map_next(freed->texts, &cursor)) {
        struct pad_text *text = cursor.value;
        pad_text_release(&text);
    }
    map_free(&freed->texts);
    pthread_rwlock_destroy(&freed->lock);
    memory_free(freed);
}

struct pad_text *pads_get(struct pads *pads, struct bytes name)
{
    pthread_rwlock_rdlock(&pads->lock);
    struct pad_text *text = map_get(pads->texts, name);
    if (text != NULL) {
        atomic_fetch_add(&text->references, 1);
    }
    pthread_rwlock_unlock(&pads->lock);
    return text;
}

bool pad_tag_is_listed(const char *list, uint64_t version, bool is_strong)
{
    char wanted[NUMBER_TEXT_BYTES];
    int wanted_size = snprintf(wanted, sizeof wanted, "\"%" PRIu64 "\"", version);
    const char *rest = list + strspn(list, " \t,");
    if (strcmp(rest, "*") == 0) {
        return true;
    }
    while (*rest != '\0') {
        const char *tag = rest;
        size_t size = strcspn(rest, " \t,");
        rest += size;
        rest += strspn(rest, " \t,");
        if (!is_strong && strncmp(tag, "W/", 2) == 0) {
            tag += 2;
            size -= 2;
        }
        if (size == (size_t)wanted_size && memcmp(tag, wanted, size) == 0) {
            return true;
        }
    }
    return false;
}

static bool holds(struct pad_condition condition, const struct pad_text *text)
{
    if (condition.if_match != NULL &&
        (text == NULL || !pad_tag_is_listed(condition.if_match, text->version, true))) {
        return false;
    }
    return condition.if_none_match == NULL || text == NULL ||
           !pad_tag_is_listed(condition.if_none_match, text->version, false);
}

/* Called with the lock held. On success `replacement` is set to the text that was replaced, or NULL. */
static enum pad_outcome target_pads_put(struct pads *pads, struct bytes name, struct pad_condition condition,
                                        struct pad_text **replacement, uint64_t *version)
{
    struct pad_text *old = map_get(pads->texts, name);
    size_t old_size = old != NULL ? old->size : 0;
    *version = old != NULL ? old->version : 0;
    if (!holds(condition, old)) {
        return PAD_MISMATCH;
    }
    if (old == NULL && map_size(pads->texts) >= PADS_MAX_COUNT) {
        return PAD_TOO_MANY;
    }
    if (pads->total_bytes - old_size + (*replacement)->size > PADS_MAX_TOTAL_BYTES) {
        return PAD_NO_ROOM;
    }
    pads->total_bytes = pads->total_bytes - old_size + (*replacement)->size;
    *version += 1;
    text_set_version(*replacement, *version);
    *replacement = map_put(pads->texts, name, *replacement);
    return old == NULL ? PAD_CREATED : PAD_REPLACED;
}

enum pad_outcome pads_put(struct pads *pads, struct bytes name, struct pad_condition condition,
                          struct buffer *body, uint64_t *version)
{
    assert(body->size <= PAD_MAX_BYTES && name.size <= PAD_MAX_NAME_BYTES);
    struct pad_text *text = text_new(body);
    pthread_rwlock_wrlock(&pads->lock);
    enum pad_outcome outcome = target_pads_put(pads, name, condition, &text, version);
    pthread_rwlock_unlock(&pads->lock);
    /* The old text, or the new one that was refused: freed outside the lock, since freeing a megabyte would
     * delay others. */
    pad_text_release(&text);
    return outcome;
}

enum pad_outcome pads_remove(struct pads *pads, struct bytes name, struct pad_condition condition,
                             uint64_t *version)
{
    enum pad_outcome outcome = PAD_UNKNOWN;
    struct pad_text *removed = NULL;
    pthread_rwlock_wrlock(&pads->lock);
    const struct pad_text *text = map_get(pads->texts, name);
    *version = text != NULL ? text->version : 0;
    if (!holds(condition, text)) {
        outcome = PAD_MISMATCH;
    } else if (text != NULL) {
        removed = map_remove(pads->texts, name);
        pads->total_bytes -= removed->size;
        *version = 0;
        outcome = PAD_REMOVED;
    }
    pthread_rwlock_unlock(&pads->lock);
    pad_text_release(&removed);
    return outcome;
}
