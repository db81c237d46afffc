/* Artifacts of failed steps as files in a folder: kept for the next process, as long as there is space. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/store/archive.h"

/* Of all campaigns together. The artifacts of the oldest are removed first. */
#define ARTIFACT_STORE_BYTES ((uint64_t)64 * 1024 * 1024)
#define ARTIFACT_STORE_FILES 4096u

struct artifact_store;

/* `folder` is created if it is missing. Artifacts of campaigns that `archive` does not know are removed.
 * Files that are not ours, or broken, are left alone: `warning` says so, else it is empty. NULL with an
 * error. */
MUST_CHECK struct artifact_store *artifact_store_open(const char *folder, const struct archive *archive,
                                                      struct error *warning, struct error *error);
void artifact_store_free(struct artifact_store **store);

/* The highest artifact number of this campaign, 0 for none. */
uint32_t artifact_store_last(const struct artifact_store *store, uint64_t campaign);
/* Passed to the kernel at once. An artifact for which younger campaigns leave no space is dropped silently.
 * False with an error. `number`: from 1, as in the report. */
MUST_CHECK bool artifact_store_put(struct artifact_store *store, uint64_t campaign, uint32_t number,
                                   const struct artifact *artifact, struct error *error);
/* Deletes those of this campaign. */
void artifact_store_delete(struct artifact_store *store, uint64_t campaign);
/* Sets kind and content of `artifact`; its content is borrowed from `content`, which is overwritten. False if
 * there is none, or it cannot be read. */
MUST_CHECK bool artifact_store_read(const struct artifact_store *store, uint64_t campaign, uint64_t number,
                                    struct buffer *content, struct artifact *artifact);
