/* Writes the inputs and outputs of the coordinator's core, one line each, for debugging. */
#pragma once
#include "coordinator/core/coordinator.h"

#include <stdio.h>

void server_trace_event(FILE *out, const struct coordinator_event *event);
void server_trace_effect(FILE *out, uint64_t now_ns, const struct coordinator_effect *effect);
