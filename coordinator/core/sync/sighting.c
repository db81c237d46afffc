/* What the readers of one step saw of its edit, and when. */
#include "coordinator/core/sync/sighting.h"
#include "common/memory.h"

#include <string.h>

void sighting_finish(struct sighting *sighting, struct quota *quota)
{
    memory_free(sighting->early);
    memory_free(sighting->texts);
    quota_give(quota, sighting->charge);
    *sighting = (struct sighting){0};
}

void sighting_note(struct sighting *sighting, uint32_t worker, const struct instant *instant)
{
    bool is_first = sighting->seen == 0;
    sighting->first_ns =
        is_first || instant->at_ns < sighting->first_ns ? instant->at_ns : sighting->first_ns;
    if (is_first || instant->at_ns > sighting->last_ns) {
        sighting->last_ns = instant->at_ns;
        sighting->last_worker = worker;
    }
    sighting->seen++;
}

void sighting_keep(struct sighting *sighting, const struct early_sighting *early, struct quota *quota)
{
    if (!quota_take(quota, sizeof *early)) {
        return;
    }
    sighting->charge += sizeof *early;
    sighting->early = memory_reserve(sighting->early, &sighting->early_capacity, sighting->early_count + 1,
                                     sizeof *sighting->early);
    sighting->early[sighting->early_count++] = *early;
}

/* NULL if there are too many different texts already. */
static struct sighting_text *need_text(struct sighting *sighting, struct bytes digest, struct quota *quota)
{
    for (uint32_t i = 0; i < sighting->text_count; i++) {
        if (memcmp(sighting->texts[i].digest, digest.data, OPERATION_DIGEST_BYTES) == 0) {
            return &sighting->texts[i];
        }
    }
    if (sighting->text_count == SIGHTING_TEXTS || !quota_take(quota, sizeof(struct sighting_text))) {
        return NULL;
    }
    sighting->charge += sizeof(struct sighting_text);
    sighting->texts = memory_resize(sighting->texts, sighting->text_count + 1, sizeof(struct sighting_text));
    struct sighting_text *text = &sighting->texts[sighting->text_count++];
    *text = (struct sighting_text){.count = 0};
    memcpy(text->digest, digest.data, OPERATION_DIGEST_BYTES);
    return text;
}

void sighting_compare(struct sighting *sighting, uint32_t worker, struct bytes digest, struct quota *quota)
{
    struct sighting_text *text = need_text(sighting, digest, quota);
    if (text == NULL) {
        sighting->others++;
        return;
    }
    if (text->count < LIMIT_MISSING) {
        text->workers[text->count] = worker;
    }
    text->count++;
}

/* What all readers should have seen: the written text, else the most frequent one, of equals the first. */
static const struct sighting_text *right_text(const struct sighting *sighting, struct bytes written)
{
    const struct sighting_text *right = NULL;
    for (uint32_t i = 0; i < sighting->text_count; i++) {
        const struct sighting_text *text = &sighting->texts[i];
        if (written.size > 0) {
            right = memcmp(text->digest, written.data, OPERATION_DIGEST_BYTES) == 0 ? text : right;
        } else if (right == NULL || text->count > right->count) {
            right = text;
        }
    }
    return right;
}

static void add_workers(struct divergence *divergence, const struct sighting_text *text)
{
    uint32_t named = text->count < LIMIT_MISSING ? text->count : LIMIT_MISSING;
    for (uint32_t i = 0; i < named && divergence->worker_count < LIMIT_MISSING; i++) {
        divergence->workers[divergence->worker_count++] = text->workers[i];
    }
}

void sighting_judge(const struct sighting *sighting, struct bytes written, struct divergence *divergence)
{
    const struct sighting_text *right = right_text(sighting, written);
    *divergence = (struct divergence){
        .compared = sighting->others, .differed = sighting->others, .is_from_written = written.size > 0};
    for (uint32_t i = 0; i < sighting->text_count; i++) {
        const struct sighting_text *text = &sighting->texts[i];
        divergence->compared += text->count;
        if (text != right) {
            divergence->differed += text->count;
            add_workers(divergence, text);
        }
    }
}
