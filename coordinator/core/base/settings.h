/* The times of a coordinator, and the id that it counts from. */
#pragma once
#include <stdint.h>

struct coordinator_settings {
    uint64_t epoch;             /* drawn at random by the shell, not 0 */
    uint64_t heartbeat_ms;      /* 1,000 */
    uint64_t lease_ms;          /* 10,000: how long an agent goes on without hearing from us */
    uint64_t loss_ms;           /* 15,000, more than the lease: when a silent agent is declared lost */
    uint64_t deadlock_delay_ms; /* 50: how long a room has to be quiet before the search */
    uint64_t last_campaign;     /* the last one before; ids continue from it */
    uint64_t start_delay_ms;    /* 100: how far ahead the start instant and `at_once` releases are broadcast,
                                   unless    an agent's round trip requires more */
};
struct coordinator_settings coordinator_default_settings(uint64_t epoch);
