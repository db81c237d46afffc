/* The verdict of a campaign as far as it is known: the worst so far, and why. */
#pragma once
#include "common/attributes.h"
#include "coordinator/core/base/campaign_state.h"
#include "proto/message/campaign.h"

#include <stdbool.h>

struct judgement {
    enum verdict verdict;
    char *reason; /* NULL for none; one line */
};

void judgement_finish(struct judgement *judgement);
/* Changes it only to a worse one: deadlocked > failed > aborted > degraded > passed. Where it has failed, the
 * loss of an agent stays part of the reason: it is often the cause. */
void judgement_raise(struct judgement *judgement, enum verdict verdict, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Gives a reason as long as there is no verdict; the verdict replaces it. */
void judgement_explain(struct judgement *judgement, struct bytes text);
/* Appends to the reason. */
void judgement_add_reason(struct judgement *judgement, const char *text);

struct steps_counted {
    uint64_t ok;
    uint64_t failed;
    uint64_t
        failed_by_loss; /* of those: the loss has its own verdict, so they are not held against it again */
    bool is_own_end;    /* it was not stopped */
    struct bytes common_error; /* the most frequent one; empty if there was none */
};
struct requests_counted {
    uint64_t all;
    uint64_t failed;
};
/* At the end: whether any request succeeded, where nothing else judges that. A verdict says how many failed.
 */
void judgement_of_requests(struct judgement *judgement, const struct campaign_options *options,
                           const struct requests_counted *requests);
/* Passed, if there is no verdict yet. `stopped_ns`: how long it ran until it was stopped; 0: it was not. */
void judgement_pass(struct judgement *judgement, uint64_t stopped_ns);
/* At the end: judges whether too many steps failed, or none succeeded. */
void judgement_of_steps(struct judgement *judgement, const struct campaign_options *options,
                        const struct steps_counted *steps);
