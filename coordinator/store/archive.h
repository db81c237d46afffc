/* What is known of campaigns, as files in a folder: those that have ended and are no longer in memory, and
 * those that a process has left behind. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* The oldest go first. */
#define ARCHIVE_KEPT 1000u

struct archive;

/* `folder` is made where it is missing. Files in it that are not ours, or broken, are left alone. `warning`:
 * as of state_folder_open. */
MUST_CHECK struct archive *archive_open(uv_loop_t *loop, const char *folder, struct error *warning,
                                        struct error *error);
void archive_free(struct archive **archive);

/* What of a campaign is kept. Borrowed. */
struct archived {
    uint64_t campaign;
    const json_t *live;   /* the live object of the API */
    const json_t *report; /* in archive_read only */
    const char *key;      /* that it was created with; NULL for none */
    bool has_ended;
};
/* Puts it there, or in the place of what was there. Given to the kernel at once; when it has ended, to the
 * disk as well, beside the loop. False with an error. */
MUST_CHECK bool archive_put(struct archive *archive, const struct archived *archived, struct error *error);
/* It cannot go on any more: ended as aborted, with this reason. False with an error if that cannot be
 * written: the next process will say it again. */
MUST_CHECK bool archive_abandon(struct archive *archive, uint64_t campaign, const char *reason,
                                struct error *error);

/* By rising id. The report is left out. */
size_t archive_count(const struct archive *archive);
struct archived archive_at(const struct archive *archive, size_t place);
/* False if there is none of this id. */
MUST_CHECK bool archive_find(const struct archive *archive, uint64_t campaign, struct archived *archived);
/* 0 if there is none with this key. */
uint64_t archive_find_key(const struct archive *archive, struct bytes key);
/* The highest id that there is, or 0. */
uint64_t archive_last(const struct archive *archive);
/* The report of one; NULL if there is none that can be read. The caller's to json_decref. */
MUST_CHECK json_t *archive_report(const struct archive *archive, uint64_t campaign);
