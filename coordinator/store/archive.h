/* Records of campaigns as files in a folder: those that have ended and are no longer in memory, and those
 * that a previous process has left. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* The oldest are removed first. */
#define ARCHIVE_KEPT 1000u

struct archive;

/* `folder` is created if it is missing. Files in it that are not ours, or broken, are left alone. `warning`:
 * as of state_folder_open. */
MUST_CHECK struct archive *archive_open(uv_loop_t *loop, const char *folder, struct error *warning,
                                        struct error *error);
void archive_free(struct archive **archive);

/* The record of a campaign. Borrowed. */
struct archived {
    uint64_t campaign;
    const json_t *live;   /* the live object of the API */
    const json_t *report; /* for archive_put only */
    const char *key;      /* the key that it was created with; NULL for none */
    bool has_ended;
};
/* Writes or replaces a record. It is passed to the kernel at once; for a campaign that has ended it is also
 * synced to the disk, off the loop. False with an error. */
MUST_CHECK bool archive_put(struct archive *archive, const struct archived *archived, struct error *error);
/* Adds what was counted second by second, a text, to the record of a campaign that has ended. It goes with
 * the record. False with an error. */
MUST_CHECK bool archive_put_series(struct archive *archive, uint64_t campaign, const char *text,
                                   struct error *error);
/* For memory_free; NULL if there is none that can be read. */
MUST_CHECK char *archive_series(const struct archive *archive, uint64_t campaign);
/* The campaign cannot continue: records it as ended, aborted, with this reason. False with an error if that
 * cannot be written: the next process will do so again. */
MUST_CHECK bool archive_abandon(struct archive *archive, uint64_t campaign, const char *reason,
                                struct error *error);
/* Forgets a campaign: its record and its series. False with an error if a file of it cannot be deleted; then
 * it stays. There need not be one. */
MUST_CHECK bool archive_delete(struct archive *archive, uint64_t campaign, struct error *error);

/* In ascending order of id. The report is left out. */
size_t archive_count(const struct archive *archive);
struct archived archive_at(const struct archive *archive, size_t place);
/* False if there is none of this id. */
MUST_CHECK bool archive_find(const struct archive *archive, uint64_t campaign, struct archived *archived);
/* 0 if there is none with this key. */
uint64_t archive_find_key(const struct archive *archive, struct bytes key);
/* The highest id in the archive, or 0. */
uint64_t archive_last(const struct archive *archive);
/* The report of one campaign; NULL if there is none that can be read. The caller must json_decref it. */
MUST_CHECK json_t *archive_report(const struct archive *archive, uint64_t campaign);
