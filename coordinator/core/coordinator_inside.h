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
    uint64_t last_campaign;
    uint64_t last_restored; /* campaign that there was when we were restored; 0: we have not been */
    uint64_t last_step_ns;
};

/* What its campaigns borrow of it. */
struct campaign_home coordinator_home(struct coordinator *coordinator);

/* coordinator_parting.c */
/* It is lost: `why` is told to the operator. The member is gone. */
void coordinator_lose(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *why);
/* It has said goodbye. */
void coordinator_take_leave(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* It may not join any more. */
void coordinator_show_out(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
/* It knows what we do not, though we have been restored to what we should know. */
void coordinator_disown_the_past(struct coordinator *coordinator, uint64_t now_ns, struct member *member);
