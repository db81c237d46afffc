/* Looks at this host as one for an agent, a coordinator, or both: what the system grants, files, and the way
 * to the coordinator. Changes nothing. */
#pragma once
#include "cli/doctor/findings.h"
#include "common/host_means.h"

#include <stdbool.h>
#include <stdint.h>

struct doctor {
    bool is_agent;
    bool is_coordinator;
    const char *coordinator; /* tcp://HOST:PORT; NULL: not looked at */
    const char *key;         /* file of an agent; NULL: none */
    const char *keys;        /* folder of a coordinator; NULL: none */
    const char *state;       /* likewise */
    const char *listen;      /* tcp://ADDRESS:PORT */
    const char *http;        /* ADDRESS:PORT */
    struct findings *findings;
};

/* What the kernel grants. `root`: where /proc is, "" for the system's own. */
void doctor_descriptors(const struct doctor *doctor, uint64_t limit);
void doctor_ports(const struct doctor *doctor, const char *root);
void doctor_backlog(const struct doctor *doctor, const char *root);
void doctor_means(const struct doctor *doctor, const struct host_means *means);
void doctor_clock(const struct doctor *doctor);
void doctor_browsers(const struct doctor *doctor);

/* Files and folders. */
void doctor_key(const struct doctor *doctor);
void doctor_keys(const struct doctor *doctor);
void doctor_state(const struct doctor *doctor);

/* Addresses: that a coordinator can listen there; that an agent finds its coordinator. */
void doctor_listen(const struct doctor *doctor);
void doctor_reach(const struct doctor *doctor);

/* All that concern an agent or a coordinator, in this order. */
void doctor_look(const struct doctor *doctor);
