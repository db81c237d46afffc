/* Starts, feeds and ends the shards of an agent. */
#include "agent/main/agent_shards.h"

#include "agent/shard/watchdog.h"
#include "common/memory.h"

#include <assert.h>

/* A shard that does not come back: as long as a lease, and its workers are given up with the agent. */
#define STUCK_WARN_MS 1000u
#define STUCK_END_MS 10000u

/* The commands of one step for one shard. */
struct bag {
    void **items;
    size_t count;
    size_t capacity;
};

struct agent_shards {
    struct shard **items; /* NULL each once they have been stopped */
    struct bag *bags;     /* of each */
    struct pulse *pulses; /* likewise */
    uint32_t count;
    struct watchdog *watchdog;
};

static struct watchdog *start_watchdog(const struct agent_shards *shards, const char *agent,
                                       struct error *error)
{
    struct watchdog_settings settings = {.agent = agent,
                                         .pulses = shards->pulses,
                                         .count = shards->count,
                                         .warn_ms = STUCK_WARN_MS,
                                         .end_ms = STUCK_END_MS};

    return watchdog_start(&settings, error);
}

struct agent_shards *agent_shards_start(const struct shard_settings *settings, uint32_t count,
                                        struct error *error)
{
    struct agent_shards *shards = MEMORY_NEW(struct agent_shards);

    shards->count = count;
    shards->items = memory_new(count, sizeof *shards->items);
    shards->bags = memory_new(count, sizeof *shards->bags);
    shards->pulses = memory_new(count, sizeof *shards->pulses);
    for (uint32_t i = 0; i < count; i++) {
        pulse_init(&shards->pulses[i]);
    }
    shards->watchdog = start_watchdog(shards, settings->agent, error);
    for (uint32_t i = 0; shards->watchdog != NULL && i < count; i++) {
        struct shard_settings own = *settings;
        own.index = i;
        own.loop = count == 1 ? settings->loop : NULL;
        own.pulse = &shards->pulses[i];
        shards->items[i] = shard_start(&own, error);
        if (shards->items[i] == NULL) {
            agent_shards_free(&shards);
            return NULL;
        }
    }
    if (shards->watchdog == NULL) {
        agent_shards_free(&shards);
    }
    return shards;
}

void agent_shards_put(struct agent_shards *shards, uint32_t shard, struct command *command)
{
    struct bag *bag = &shards->bags[shard];

    assert(shards->items[shard] != NULL);
    bag->items = memory_reserve(bag->items, &bag->capacity, bag->count + 1, sizeof *bag->items);
    bag->items[bag->count++] = command;
}

void agent_shards_send(struct agent_shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        struct bag *bag = &shards->bags[i];
        if (bag->count > 0) {
            shard_commands(shards->items[i], bag->items, bag->count);
        }
        bag->count = 0;
    }
}

void agent_shards_nudge(struct agent_shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        if (shards->items[i] != NULL) {
            shard_nudge(shards->items[i]);
        }
    }
}

void agent_shards_stop(struct agent_shards *shards)
{
    for (uint32_t i = 0; i < shards->count; i++) {
        shard_stop(&shards->items[i]);
    }
}

void agent_shards_free(struct agent_shards **pointer)
{
    struct agent_shards *shards = *pointer;

    if (shards == NULL) {
        return;
    }
    agent_shards_stop(shards);
    watchdog_stop(&shards->watchdog);
    for (uint32_t i = 0; i < shards->count; i++) {
        pulse_finish(&shards->pulses[i]);
        memory_free(shards->bags[i].items);
    }
    memory_free(shards->pulses);
    memory_free(shards->bags);
    memory_free(shards->items);
    memory_free(shards);
    *pointer = NULL;
}
