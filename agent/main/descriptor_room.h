/* Whether this process may open a connection for each worker that it is given. */
#pragma once
#include "agent/core/batch/command.h"
#include "common/log.h"

#include <stdint.h>

/* The workers of campaigns that are deployed in one step. Zeroed it is empty. */
struct descriptor_room {
    uint64_t workers;
};

/* Counts those of one shard, if that is what the command is about. */
void descriptor_room_count(struct descriptor_room *room, const struct command *command);
/* After the last command of the step: warns in one line if there are too many, and is empty again. */
void descriptor_room_tell(struct descriptor_room *room, const char *agent, const struct log_subject *subject);
