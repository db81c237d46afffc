/* How the campaign of these tests is created. */
#pragma once
#include "coordinator/core/coordinator.h"

/* Two workers on one agent. What it points to lives as long as the program. */
struct coordinator_event creation_event(uint64_t now_ns);
