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
/* Changes it only to a worse one: deadlocked > failed > aborted > degraded > passed. */
void judgement_raise(struct judgement *judgement, enum verdict verdict, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Appends to the reason. */
void judgement_add_reason(struct judgement *judgement, const char *text);

struct steps_counted {
    uint64_t ok;
    uint64_t failed;
    bool is_own_end;           /* it was not stopped */
    struct bytes common_error; /* the most frequent one; empty if there was none */
};
/* At the end: judges whether too many steps failed, or none succeeded. */
void judgement_of_steps(struct judgement *judgement, const struct campaign_options *options,
                        const struct steps_counted *steps);
