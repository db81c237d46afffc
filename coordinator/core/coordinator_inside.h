/* The inside of the coordinator, for the files that it is made of. */
#pragma once
#include "coordinator/core/campaign/campaigns.h"
#include "coordinator/core/coordinator.h"
#include "coordinator/core/overview.h"
#include "coordinator/core/roster/admission.h"
#include "coordinator/core/roster/members.h"

struct coordinator {
    struct coordinator_settings settings;
    struct timers *timers;
    struct outbox outbox;
    struct members *members;
    struct admission admission;
    struct overview *overview;
    struct campaigns campaigns;
    struct deadline leaving_due; /* when agents that leave are looked at */
    uint64_t last_campaign;
    uint64_t last_restored; /* the last campaign that existed when we were restored; 0: we were not */
    uint64_t last_step_ns;
};

/* What its campaigns borrow from it. */
struct campaign_home coordinator_home(struct coordinator *coordinator);
