/* Bundles and listings that own what they show: messages only have views. */
#pragma once
#include "common/text.h"
#include "proto/message/campaign.h"

/* Put together file by file; zeroed it is empty. */
struct owned_bundle {
    struct bundle bundle; /* views of `texts` */
    struct text *texts;   /* path and content of each file, then the hash */
    size_t text_count;
    size_t text_capacity;
    size_t file_capacity;
};

/* Takes both. */
void owned_bundle_add(struct owned_bundle *bundle, struct text path, struct text content);
/* No file is added any more: its hash is known. */
void owned_bundle_seal(struct owned_bundle *bundle);
/* Files are added again after it was sealed. */
void owned_bundle_unseal(struct owned_bundle *bundle);
void owned_bundle_finish(struct owned_bundle *bundle);

struct owned_listing {
    struct bundle_listing listing; /* `files` begins the one piece of memory that all of it is in */
};

MUST_CHECK struct owned_listing owned_listing_copy(const struct bundle_listing *listing);
void owned_listing_finish(struct owned_listing *listing);
