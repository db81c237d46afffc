/* What the readers of one step saw of its edit, and when: kept with the notifier until the step is over.
 * Knows no network and no clock; instants are the coordinator's. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/base/quota.h"
#include "coordinator/core/sync/divergence.h"
#include "proto/message/limits.h"
#include "proto/message/operation.h"

/* Different texts of one step that are distinguished. */
#define SIGHTING_TEXTS 16u

/* Workers that report having seen the same text. */
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

/* A sighting whose edit is not known yet. */
struct early_sighting {
    struct instant instant;
    uint32_t part; /* by which browser, as sightings_need_part has it */
};

struct sighting {
    struct seen_total *total; /* by notifiers with this name; NULL before the first sighting or edit */
    struct instant edit;      /* when the edit began; at_ns 0: not known yet */
    /* Sightings before the instant of the edit is known. */
    struct early_sighting *early;
    size_t early_count;
    size_t early_capacity;
    uint32_t seen; /* readers whose instant is known */
    int64_t first_ns;
    int64_t last_ns;
    uint32_t last_worker;
    struct sighting_text *texts;
    uint32_t text_count;
    uint32_t others; /* that saw further texts, which are not distinguished */
    size_t charge;   /* charged to the quota for allocations here */
};

/* Returns the charge to the quota. */
void sighting_finish(struct sighting *sighting, struct quota *quota);
/* The worker had it at that instant, for the first time. */
void sighting_note(struct sighting *sighting, uint32_t worker, const struct instant *instant);
/* Kept until the edit's instant is known; dropped if the quota is used up. */
void sighting_keep(struct sighting *sighting, const struct early_sighting *early, struct quota *quota);
/* The worker saw the text of this digest. */
void sighting_compare(struct sighting *sighting, uint32_t worker, struct bytes digest, struct quota *quota);

/* Fills all but room and step. `written` is the digest of the payload, or empty. */
void sighting_judge(const struct sighting *sighting, struct bytes written, struct divergence *divergence);
