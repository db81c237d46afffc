/* The contents of the bundles that campaigns name, as files in a folder of the coordinator's state, each
 * named by its SHA-256. A bundle is written and synced under another name by a thread, before its campaign is
 * created; names are given and taken away on the loop's thread alone, which only renames. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/message/campaign.h"

#include <uv.h>

struct bundle_store;

/* Makes the folder where it is missing, and takes away what was left half done. `loop`: where files are
 * deleted and the folder is synced; NULL: at once. `warning` is as of state_folder_open. NULL with an error.
 */
MUST_CHECK struct bundle_store *bundle_store_open(uv_loop_t *loop, const char *folder, struct error *warning,
                                                  struct error *error);
void bundle_store_free(struct bundle_store **store);

/* A bundle on its way. Zeroed: there is none. */
struct bundle_upload {
    uv_loop_t *loop;
    int folder; /* of its own */
    char name[32];
    bool is_begun;
    bool is_written;
    struct error error; /* why not */
};
/* On the loop's thread. A store that is NULL begins nothing, and what follows does nothing. */
void bundle_upload_begin(struct bundle_upload *upload, struct bundle_store *store);
/* On any thread. */
void bundle_upload_write(struct bundle_upload *upload, const struct bundle *bundle);
/* What was written and not kept is deleted. */
void bundle_upload_finish(struct bundle_upload *upload);

/* From now on it is the bundle of this name, 64 hexadecimal digits. Ends the upload. False with an error if
 * it could not be written. */
MUST_CHECK bool bundle_store_keep(struct bundle_store *store, struct bundle_upload *upload, struct bytes hash,
                                  struct error *error);
/* Deletes those that nobody names any more. */
void bundle_store_drop(struct bundle_store *store, bool (*is_named)(const void *context, struct bytes hash),
                       const void *context);

/* As bundle_source.load; of a bundle that is missing, or is not what its name says, it is noted why. */
MUST_CHECK uint8_t *bundle_store_load(struct bundle_store *store, const struct bundle_listing *listing);
/* Why the bundle of this name could not be loaded; NULL if that has not failed. */
const char *bundle_store_lost_reason(const struct bundle_store *store, struct bytes hash);
bool bundle_store_has_lost(const struct bundle_store *store);
