/* The shards of an agent, with the watchdog over them; the commands of one step for a shard go together, and
 * wake it once. */
#pragma once
#include "agent/core/batch/command.h"
#include "agent/shard/shard.h"
#include "common/attributes.h"

#include <stdint.h>

struct agent_shards;

/* `settings` are those of every shard, borrowed as shard_start says; each one's `index` and `pulse` are
 * filled in here. One shard alone runs on settings->loop; several have threads and loops of their own. NULL
 * with an error if there are no threads to be had. */
MUST_CHECK struct agent_shards *agent_shards_start(const struct shard_settings *settings, uint32_t count,
                                                   struct error *error);
/* Takes the command, for agent_shards_send. */
void agent_shards_put(struct agent_shards *shards, uint32_t shard, struct command *command);
void agent_shards_send(struct agent_shards *shards);
/* There is a lease again: spares the workers that wait for it the time until they look themselves. */
void agent_shards_nudge(struct agent_shards *shards);
/* Drops all campaigns and joins the threads. Nothing may be put afterwards. */
void agent_shards_stop(struct agent_shards *shards);
/* Stops them first, if that has not been done. */
void agent_shards_free(struct agent_shards **shards);
