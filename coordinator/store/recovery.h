/* Lets another process continue in the coordinator's place: the journal, when it is written, and what happens
 * to campaigns if it cannot be. */
#pragma once
#include "common/log.h"
#include "coordinator/store/bundle_store.h"
#include "coordinator/store/journal.h"

enum recovery_policy {
    RECOVERY_GO_ON, /* campaigns go on without a journal */
    RECOVERY_STOP,  /* no campaign runs without a journal */
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

/* Opens and locks the folder. NULL with an error. */
MUST_CHECK struct recovery *recovery_open(const struct recovery_settings *settings, struct error *error);
void recovery_free(struct recovery **recovery);

/* Returns the coordinator of the previous process, or a new one with these settings; ids continue where they
 * were. `*is_restored`: the caller steps it with EVENT_RESTORED. */
MUST_CHECK struct coordinator *
recovery_restore(struct recovery *recovery, const struct coordinator_settings *settings, bool *is_restored);
/* The offset from clock_now_ns to the coordinator's time, which continues where it was, whichever machine
 * this is. May wrap around. */
uint64_t recovery_offset_ns(const struct recovery *recovery);
/* Why campaigns of the previous process cannot continue; NULL if none are known. */
const char *recovery_lost_reason(const struct recovery *recovery);

/* Call before an event is stepped. */
void recovery_note(struct recovery *recovery, const struct coordinator_event *event);
/* Call before an effect of the recorded events is seen. False, once: campaigns have to be stopped. */
bool recovery_write(struct recovery *recovery);
/* Call when everything that a step requested has been done: keeps the journal short. False, once: campaigns
 * have to be stopped. */
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
    const char *reason; /* the reason; empty if it may */
    enum recovery_policy policy;
    uint64_t bytes; /* of the current journal */
    uint64_t written_bytes;
    uint64_t writes;
    uint64_t bases; /* that have replaced a journal */
    uint64_t failures;
};
struct recovery_state recovery_state(const struct recovery *recovery);
