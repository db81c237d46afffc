/* What failed steps of a campaign have left: pictures and sources of pages. A bounded number, and pieces
 * become whole ones in bounded memory. */
#pragma once
#include "common/error.h"
#include "common/text.h"
#include "proto/message/limits.h"
#include "proto/message/message.h"

struct artifact {
    enum artifact_kind kind;
    uint32_t worker;
    uint64_t step;
    struct bytes content; /* borrowed */
};

struct artifacts {
    struct artifact items[LIMIT_ARTIFACTS]; /* whole ones, in the order in which they became so */
    struct text contents[LIMIT_ARTIFACTS];  /* of which theirs are views */
    size_t count;
    size_t begun; /* not whole yet */
    size_t bytes; /* of all, begun ones too */
};
void artifacts_finish(struct artifacts *artifacts);

/* One more, of which there is a place; takes the content. */
void artifacts_add(struct artifacts *artifacts, struct artifact artifact, struct text content);

/* What one agent is sending; zero it to begin with. */
struct artifact_delivery {
    struct artifact_piece head; /* the first piece; zero: none is under way */
    uint8_t *content;
    uint64_t received;
};
/* Its agent is lost: the place that it took is free for another. */
void artifacts_abandon(struct artifacts *artifacts, struct artifact_delivery *delivery);

/* False with an error if the piece does not follow the one before. One that begins where there is no place
 * any more is dropped with all that follow it, without a word. */
MUST_CHECK bool artifacts_take(struct artifacts *artifacts, struct artifact_delivery *delivery,
                               const struct artifact_piece *piece, struct error *error);

/* "02-worker-7-step-3.png": the `number`th, from 1. */
#define ARTIFACT_NAME_BYTES 80
void artifact_name(const struct artifact *artifact, size_t number, char name[ARTIFACT_NAME_BYTES]);
const char *artifact_content_type(const struct artifact *artifact);
const char *artifact_kind_name(enum artifact_kind kind);
/* Of names of its files, without the dot. */
const char *artifact_kind_ending(enum artifact_kind kind);
