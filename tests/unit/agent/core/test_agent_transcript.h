/* The transcript of an agent: how its commands and messages are recorded. */
#pragma once
#include "tests/unit/agent/core/test_agent_support.h"

/* As "SHARD:COMMAND(…)". */
void write_command(struct buffer *into, uint32_t shard, const struct command *command);
/* The byte at this offset of each artifact that the tests leave. */
uint8_t artifact_byte(uint64_t offset);
/* As "NAME(…)"; fails the test if an agent never sends such a message. */
void write_message(struct buffer *into, const struct message *message);
