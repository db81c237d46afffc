/* What the readers of one step saw of its edit, and when: kept with the notifier until the step is over.
 * Knows no network and no clock; instants are the coordinator's. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/base/quota.h"
#include "coordinator/core/sync/divergence.h"
#include "proto/message/limits.h"
#include "proto/message/operation.h"

/* Different texts of one step that are told apart. */
#define SIGHTING_TEXTS 16u

/* Workers who say that they saw the same. */
struct sighting_text {
    uint8_t digest[OPERATION_DIGEST_BYTES];
    uint32_t count;
    uint32_t workers[LIMIT_MISSING]; /* the first of them */
};

struct instant {
    int64_t at_ns;
    uint32_t uncertainty_us;
};

struct seen_total;

struct sighting {
    struct seen_total *total; /* of the notifiers of this name; NULL before the first sighting or edit */
    struct instant edit;      /* when it began; at_ns 0: not known yet */
    /* Seen before it is known when the edit was. */
    struct instant *early;
    size_t early_count;
    size_t early_capacity;
    uint32_t seen; /* readers whose instant is known */
    int64_t first_ns;
    int64_t last_ns;
    uint32_t last_worker;
    struct sighting_text *texts;
    uint32_t text_count;
    uint32_t others; /* that saw texts beyond those that are told apart */
    size_t charge;   /* of the quota, for what is allocated here */
};

/* Gives the charge back. */
void sighting_finish(struct sighting *sighting, struct quota *quota);
/* The worker had it at that instant, for the first time. */
void sighting_note(struct sighting *sighting, uint32_t worker, const struct instant *instant);
/* Kept until the edit's instant is known; dropped where the quota is used up. */
void sighting_keep(struct sighting *sighting, const struct instant *instant, struct quota *quota);
/* The worker saw the text of this digest. */
void sighting_compare(struct sighting *sighting, uint32_t worker, struct bytes digest, struct quota *quota);

/* Fills all but room and step. `written` is the digest of the payload, or none. */
void sighting_judge(const struct sighting *sighting, struct bytes written, struct divergence *divergence);
