/* Where the parts of the coordinator put their effects, in order, and the memory that these refer to. */
#pragma once
#include "coordinator/core/base/effect.h"

/* One of both: memory of memory_new, or a message that is held. */
struct outbox_kept {
    void *memory;
    struct shared *message;
};

struct outbox {
    struct coordinator_effects *effects; /* the caller's, for this step */
    struct outbox_kept *kept;            /* until the next step */
    size_t kept_count;
    size_t kept_capacity;
};

/* A new step: clears `effects` and frees what those of the last step refer to. */
void outbox_begin(struct outbox *outbox, struct coordinator_effects *effects);
void outbox_finish(struct outbox *outbox);

/* `message` is held until the next step; NULL: there is none. */
void outbox_frame(struct outbox *outbox, const struct envelope *envelope, struct shared *message);
void outbox_forget_route(struct outbox *outbox, uint64_t incarnation);
void outbox_log(struct outbox *outbox, enum log_level level, const struct log_subject *subject,
                const char *format, ...) PRINTF_LIKE(4, 5);
void outbox_campaign(struct outbox *outbox, uint64_t campaign, enum campaign_state state);
void outbox_deadlock(struct outbox *outbox, uint64_t campaign, const char *text);
/* Takes memory of memory_new, which is freed when the next step begins. Returns it. */
void *outbox_keep(struct outbox *outbox, void *memory);
