/* How the coordinator sees to it that another process can go on in its place: the journal, when it is kept,
 * and what becomes of campaigns when it cannot be. */
#pragma once
#include "common/log.h"
#include "coordinator/store/bundle_store.h"
#include "coordinator/store/journal.h"

enum recovery_policy {
    RECOVERY_GO_ON, /* without */
    RECOVERY_STOP,  /* no campaign lives without a journal */
};

struct recovery_settings {
    uv_loop_t *loop; /* NULL: files are deleted at once */
    const char *folder;
    uint64_t max_bytes;
    enum recovery_policy policy;
    void (*on_log)(void *context, enum log_level level, const char *text);
    void *context;
};

struct recovery;

/* The folder is locked from now on. NULL with an error. */
MUST_CHECK struct recovery *recovery_open(const struct recovery_settings *settings, struct error *error);
void recovery_free(struct recovery **recovery);

/* The coordinator that the process before us was, or a new one with these settings; ids go on from where they
 * were. `*is_restored`: the caller steps it with EVENT_RESTORED. */
MUST_CHECK struct coordinator *
recovery_restore(struct recovery *recovery, const struct coordinator_settings *settings, bool *is_restored);
/* What has to be added to clock_now_ns for the coordinator's time: it goes on where it was, whichever machine
 * this is. May wrap around. */
uint64_t recovery_offset_ns(const struct recovery *recovery);
/* Why campaigns of the process before us cannot go on; NULL if nothing is known of any. */
const char *recovery_lost_reason(const struct recovery *recovery);

/* Before an event is stepped. */
void recovery_note(struct recovery *recovery, const struct coordinator_event *event);
/* Before an effect of the events that were noted is seen. False, once: campaigns have to be stopped. */
bool recovery_write(struct recovery *recovery);
/* When all that a step asked for has been done: keeps the journal short. False, once: campaigns have to be
 * stopped. */
bool recovery_rest(struct recovery *recovery, const struct coordinator *coordinator,
                   const struct coordinator_settings *settings);
/* Whether a campaign may be created. False with why not. */
MUST_CHECK bool recovery_allows_campaign(struct recovery *recovery, const struct coordinator *coordinator,
                                         struct error *error);
/* A campaign that is created now has this bundle: kept where there is a journal. Ends the upload. False with
 * why the campaign may not be created. */
MUST_CHECK bool recovery_keep_bundle(struct recovery *recovery, struct bundle_upload *upload,
                                     struct bytes hash, struct error *error);
/* A campaign has ended: deletes the bundles that none has any more. */
void recovery_drop_bundles(struct recovery *recovery, const struct coordinator *coordinator);
struct bundle_store *recovery_bundles(struct recovery *recovery);

struct recovery_state {
    bool is_failed;
    const char *reason; /* why; empty if it is not */
    enum recovery_policy policy;
    uint64_t bytes; /* of the journal as it is */
    uint64_t written_bytes;
    uint64_t writes;
    uint64_t bases; /* that have taken the place of another */
    uint64_t failures;
};
struct recovery_state recovery_state(const struct recovery *recovery);
