/* The default times of a coordinator. */
#include "coordinator/core/base/settings.h"

struct coordinator_settings coordinator_default_settings(uint64_t epoch)
{
    return (struct coordinator_settings){.epoch = epoch,
                                         .heartbeat_ms = 1000,
                                         .lease_ms = 10000,
                                         .loss_ms = 15000,
                                         .deadlock_delay_ms = 50,
                                         .start_delay_ms = 100};
}
