/* Assembles artifacts from their pieces. */
#include "coordinator/core/report/artifacts.h"

#include "common/compose.h"
#include "common/memory.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    const char *ending;
    const char *content_type;
} KINDS[ARTIFACT_KINDS] = {
    [ARTIFACT_SCREENSHOT] = {"screenshot", "png", "image/png"},
    [ARTIFACT_SOURCE] = {"source", "html",
                         "text/plain; charset=utf-8"}, /* as plain text, so that a browser does not run it */
};

void artifacts_finish(struct artifacts *artifacts)
{
    for (size_t i = 0; i < artifacts->count; i++) {
        text_finish(&artifacts->contents[i]);
    }
    *artifacts = (struct artifacts){0};
}

void artifacts_abandon(struct artifacts *artifacts, struct artifact_delivery *delivery)
{
    if (delivery->content != NULL) {
        artifacts->begun--;
        artifacts->bytes -= delivery->head.size_bytes;
    }
    memory_free(delivery->content);
    *delivery = (struct artifact_delivery){0};
}

void artifacts_add(struct artifacts *artifacts, struct artifact artifact, struct text content)
{
    assert(artifacts->count < LIMIT_ARTIFACTS);
    artifact.content = content.bytes;
    artifacts->contents[artifacts->count] = content;
    artifacts->items[artifacts->count++] = artifact;
}

static bool follows(const struct artifact_delivery *delivery, const struct artifact_piece *piece)
{
    const struct artifact_piece *head = &delivery->head;
    return piece->kind == head->kind && piece->worker == head->worker && piece->step == head->step &&
           piece->size_bytes == head->size_bytes && piece->offset == delivery->received;
}

static void artifacts_begin(struct artifacts *artifacts, struct artifact_delivery *delivery,
                            const struct artifact_piece *piece)
{
    *delivery = (struct artifact_delivery){.head = *piece};
    delivery->head.content = (struct bytes){0};
    if (artifacts->count + artifacts->begun < LIMIT_ARTIFACTS) {
        delivery->content = memory_new((size_t)piece->size_bytes, 1);
        artifacts->begun++;
        artifacts->bytes += piece->size_bytes;
    }
}

static void complete(struct artifacts *artifacts, struct artifact_delivery *delivery)
{
    const struct artifact_piece *head = &delivery->head;
    artifacts->begun--;
    artifacts_add(artifacts,
                  (struct artifact){.kind = head->kind, .worker = head->worker, .step = head->step},
                  text_take(delivery->content, (size_t)head->size_bytes));
    *delivery = (struct artifact_delivery){0};
}

bool artifacts_take(struct artifacts *artifacts, struct artifact_delivery *delivery,
                    const struct artifact_piece *piece, struct error *error)
{
    bool is_first = piece->offset == 0;
    if (is_first ? delivery->received > 0 : !follows(delivery, piece)) {
        return error_set(error, "a piece of an artifact that does not follow the one before");
    }
    if (is_first) {
        artifacts_begin(artifacts, delivery, piece);
    }
    if (delivery->content != NULL) {
        memcpy(delivery->content + piece->offset, piece->content.data, piece->content.size);
    }
    delivery->received += piece->content.size;
    if (delivery->received < piece->size_bytes) {
        return true;
    }
    if (delivery->content != NULL) {
        complete(artifacts, delivery);
    }
    *delivery = (struct artifact_delivery){0};
    return true;
}

void artifact_name(const struct artifact *artifact, size_t number, char name[ARTIFACT_NAME_BYTES])
{
    compose(name, ARTIFACT_NAME_BYTES, "%02zu-worker-%u-step-%llu.%s", number, artifact->worker,
            (unsigned long long)artifact->step, KINDS[artifact->kind].ending);
}

const char *artifact_content_type(const struct artifact *artifact)
{
    return KINDS[artifact->kind].content_type;
}

const char *artifact_kind_name(enum artifact_kind kind)
{
    return KINDS[kind].name;
}

const char *artifact_kind_ending(enum artifact_kind kind)
{
    return KINDS[kind].ending;
}
