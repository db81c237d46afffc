/* The practice target that the coordinator lends to campaigns: it exists as long as one of them uses it. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "coordinator/core/base/coordinator_overview.h"

#include <stdint.h>

struct target;

struct shared_target {
    const char
        *endpoint; /* where agents connect: peers that reach this address also reach the target. Borrowed */
    uint16_t wanted_port;  /* 0: any */
    struct target *target; /* NULL: nobody uses it */
};

/* Starts it unless it is running. */
MUST_CHECK bool shared_target_open(struct shared_target *lent, uint16_t *port, struct error *error);
/* Stops it if no campaign that has not ended uses it. */
void shared_target_close_unused(struct shared_target *lent, const struct coordinator_overview *overview);
void shared_target_close(struct shared_target *lent);
