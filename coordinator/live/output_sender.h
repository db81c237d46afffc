/* One output: the queue of its batches, and the thread that sends them. The load never waits for it. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/live/output_target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Campaigns whose batches are counted; those that were counted first are forgotten. */
#define OUTPUT_ACCOUNTS 128u
#define OUTPUT_REASON_BYTES 240u

/* What became of the batches of one campaign. */
struct output_account {
    uint64_t campaign;
    uint64_t points;
    uint64_t taken;
    uint64_t lost;
    bool is_failing;                  /* the latest batch that was tried may be taken another time */
    bool is_over;                     /* those that are still waiting count as lost */
    char reason[OUTPUT_REASON_BYTES]; /* why the first one that failed did; empty: none has */
};

struct output_sender;

/* Takes what `target` holds, also on failure. `wake` is sent to whenever the account of a campaign has
 * changed; it has to outlive the sender. curl_global_init has been called. */
MUST_CHECK struct output_sender *output_sender_new(struct output_target *target, uv_async_t *wake,
                                                   struct error *error);
const struct output_target *output_sender_target(const struct output_sender *sender);
/* Queues memory of memory_new or buffer_take, which is taken. */
void output_sender_put(struct output_sender *sender, uint64_t campaign, uint8_t **data, size_t size);
/* Counts a batch that could not be made as lost. */
void output_sender_miss(struct output_sender *sender, uint64_t campaign, const char *reason);
/* False if there has been no batch of this campaign. */
MUST_CHECK bool output_sender_account(struct output_sender *sender, uint64_t campaign,
                                      struct output_account *account);
/* Drops what still waits of this campaign. */
void output_sender_give_up(struct output_sender *sender, uint64_t campaign);
/* Ends the thread, at once. NULLs the pointer; NULL is tolerated. */
void output_sender_free(struct output_sender **sender);

/* No batch of it waits any more. */
bool output_account_is_settled(const struct output_account *account);
