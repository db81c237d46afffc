/* Passes pointers from many threads to the loop of one, with the only lock between them; or from a loop to
 * itself. */
#pragma once
#include "common/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct mailbox;

struct mail {
    uint32_t tag;
    void *item; /* NULL: a mere nudge */
};

/* `on_mail` gets one piece after another on the loop's thread, then `on_batch_end` (may be NULL). */
struct mailbox_callbacks {
    void (*on_mail)(void *context, struct mail mail);
    void (*on_batch_end)(void *context);
    void *context;
};

MUST_CHECK struct mailbox *mailbox_new(uv_loop_t *loop, const struct mailbox_callbacks *callbacks);
/* For mail from the loop's own thread: the loop is not woken, only kept from sleeping, and hands the mail out
 * in its next turn. */
MUST_CHECK struct mailbox *mailbox_new_local(uv_loop_t *loop, const struct mailbox_callbacks *callbacks);
/* From any thread (of a local one: from the loop's). Returns how many pieces wait, so that a sender without a
 * bound of its own can hold back. */
size_t mailbox_put(struct mailbox *mailbox, uint32_t tag, void *item);
/* The same for many pieces of one tag at once, in their order: one lock and one wake. */
size_t mailbox_put_all(struct mailbox *mailbox, uint32_t tag, void *const *items, size_t count);
size_t mailbox_waiting(struct mailbox *mailbox);
/* On the loop's thread: hands out what waits now, instead of in the next turn. Not from `on_mail`. */
void mailbox_take(struct mailbox *mailbox);
/* On the loop's thread, once no thread puts any more: hands out what is left through `on_mail`, then closes.
 * The memory goes with the loop's close callback. */
void mailbox_close(struct mailbox **mailbox);
