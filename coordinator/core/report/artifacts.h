/* Artifacts of failed steps: screenshots and page sources. Their number is bounded, and so is the memory in
 * which they are assembled from pieces. */
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
    struct artifact items[LIMIT_ARTIFACTS]; /* complete ones, in the order of completion */
    struct text contents[LIMIT_ARTIFACTS];  /* of which theirs are views */
    size_t count;
    size_t begun; /* not complete yet */
    size_t bytes; /* of all, incomplete ones too */
};
void artifacts_finish(struct artifacts *artifacts);

/* Adds one, for which there is room; takes the content. */
void artifacts_add(struct artifacts *artifacts, struct artifact artifact, struct text content);

/* The artifact that one agent is sending. Zeroed, there is none. */
struct artifact_delivery {
    struct artifact_piece head; /* the first piece; zero: none is under way */
    uint8_t *content;
    uint64_t received;
};
/* The agent was lost: frees the slot of its incomplete artifact. */
void artifacts_abandon(struct artifacts *artifacts, struct artifact_delivery *delivery);

/* False with an error if the piece does not continue the previous one. An artifact that begins when no slot
 * is free is dropped silently, with all of its pieces. */
MUST_CHECK bool artifacts_take(struct artifacts *artifacts, struct artifact_delivery *delivery,
                               const struct artifact_piece *piece, struct error *error);

/* "02-worker-7-step-3.png": the `number`th, from 1. */
#define ARTIFACT_NAME_BYTES 80
void artifact_name(const struct artifact *artifact, size_t number, char name[ARTIFACT_NAME_BYTES]);
const char *artifact_content_type(const struct artifact *artifact);
const char *artifact_kind_name(enum artifact_kind kind);
/* The extension of its file, without the dot. */
const char *artifact_kind_ending(enum artifact_kind kind);
