/* How the coordinator sees to it that another process can go on in its place: the journal, when it is kept,
 * and what becomes of campaigns when it cannot be. */
#pragma once
#include "common/log.h"
#include "coordinator/store/journal.h"

enum survival_policy {
    SURVIVAL_GO_ON, /* without */
    SURVIVAL_STOP,  /* no campaign lives without a journal */
};

struct survival_settings {
    const char *folder;
    uint64_t max_bytes;
    enum survival_policy policy;
    void (*on_log)(void *context, enum log_level level, const char *text);
    void *context;
};

struct survival;

/* The folder is locked from now on. NULL with an error. */
MUST_CHECK struct survival *survival_open(const struct survival_settings *settings, struct error *error);
void survival_free(struct survival **survival);

/* The coordinator that the process before us was, or a new one with these settings; ids go on from where they
 * were. `*is_restored`: the caller steps it with EVENT_RESTORED. */
MUST_CHECK struct coordinator *
survival_restore(struct survival *survival, const struct coordinator_settings *settings, bool *is_restored);
/* What has to be added to clock_now_ns for the coordinator's time: it goes on where it was, whichever machine
 * this is. May wrap around. */
uint64_t survival_offset_ns(const struct survival *survival);
/* Why campaigns of the process before us cannot go on; NULL if nothing is known of any. */
const char *survival_lost_reason(const struct survival *survival);

/* Before an event is stepped. */
void survival_note(struct survival *survival, const struct coordinator_event *event);
/* Before an effect of the events that were noted is seen. False, once: campaigns have to be stopped. */
bool survival_write(struct survival *survival);
/* When all that a step asked for has been done: keeps the journal short. False, once: campaigns have to be
 * stopped. */
bool survival_rest(struct survival *survival, const struct coordinator *coordinator,
                   const struct coordinator_settings *settings);
/* Whether a campaign may be created. */
MUST_CHECK bool survival_allows_campaign(struct survival *survival, const struct coordinator *coordinator);

struct survival_state {
    bool is_failed;
    const char *reason; /* why; empty if it is not */
    enum survival_policy policy;
    uint64_t bytes; /* of the journal as it is */
    uint64_t written_bytes;
    uint64_t writes;
    uint64_t bases; /* that have taken the place of another */
    uint64_t failures;
};
struct survival_state survival_state(const struct survival *survival);
