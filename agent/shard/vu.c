/* The life of a worker on its shard: made, woken, stopped, freed. */
#include "agent/shard/vu.h"

#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <lauxlib.h>
#include <time.h>

/* libuv's timers come up to a millisecond late, so a release is prepared earlier than that. */
#define RELEASE_LEAD_NS (2 * NS_PER_MS)
#define SPIN_NS (NS_PER_MS / 5)

/* Sleeps until just before the instant, then looks at the clock. */
static void await_instant(uint64_t at_ns)
{
    uint64_t now_ns = clock_now_ns();

    if (at_ns > now_ns + SPIN_NS && at_ns - now_ns < 2 * RELEASE_LEAD_NS) {
        struct timespec pause = {.tv_nsec = (long)(at_ns - now_ns - SPIN_NS)};
        nanosleep(&pause, NULL);
    }
    while (clock_now_ns() < at_ns && at_ns - now_ns < 2 * RELEASE_LEAD_NS) {
        ;
    }
}

static void on_due(struct alarm *alarm, uint64_t now_ns)
{
    struct vu *vu = CONTAINER_OF(alarm, struct vu, alarm);

    (void)now_ns;
    if (vu->phase == VU_STEP_DELAY) {
        vu->phase = VU_IDLE;
        shard_campaign_step_done(vu->campaign, vu, STEP_OK, NULL);
        return;
    }
    if (vu->release_ns != 0) {
        await_instant(vu->release_ns);
    }
    vu->release_ns = 0;
    vu_wake(vu, WAKE_DONE);
}

void vu_release_at(struct vu *vu, uint64_t at_ns)
{
    vu->release_ns = at_ns;
    shard_set_alarm(vu->campaign->shard, &vu->alarm, at_ns - RELEASE_LEAD_NS);
}

struct vu *vu_new(struct shard_campaign *campaign, uint32_t id)
{
    struct vu *vu = MEMORY_NEW(struct vu);

    vu->campaign = campaign;
    vu->id = id;
    vu->object_reference = LUA_NOREF;
    vu->witness_reference = LUA_NOREF;
    vu->closer_reference = LUA_NOREF;
    alarm_init(&vu->alarm, on_due);
    return vu;
}

void vu_drop_thread(struct vu *vu)
{
    lua_State *lua = vu->campaign->script->lua;

    if (vu->thread == NULL) {
        return;
    }
    lua_pushnil(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, vu->thread);
    vu->thread = NULL;
}

/* The object may outlive the worker in a variable of the script: it then says so. */
static void drop_object(struct vu *vu)
{
    lua_State *lua = vu->campaign->script->lua;

    if (vu->object_reference == LUA_NOREF) {
        return;
    }
    lua_rawgeti(lua, LUA_REGISTRYINDEX, vu->object_reference);
    *(struct vu **)lua_touserdata(lua, -1) = NULL;
    lua_pop(lua, 1);
    luaL_unref(lua, LUA_REGISTRYINDEX, vu->object_reference);
    vu->object_reference = LUA_NOREF;
}

const struct vu_hooks *vu_hooks(const struct vu *vu)
{
    return shard_settings(vu->campaign->shard)->hooks;
}

void vu_free(struct vu **pointer)
{
    struct vu *vu = *pointer;

    if (vu == NULL) {
        return;
    }
    shard_unset_alarm(vu->campaign->shard, &vu->alarm);
    shard_unqueue(vu->campaign->shard, vu);
    http_client_free(&vu->http);
    vu_hooks(vu)->drop_drivers(vu);
    http_client_free(&vu->webdriver);
    vu_drop_answer(vu);
    drop_object(vu);
    luaL_unref(vu->campaign->script->lua, LUA_REGISTRYINDEX, vu->witness_reference);
    luaL_unref(vu->campaign->script->lua, LUA_REGISTRYINDEX, vu->closer_reference);
    memory_free(vu->failure_text);
    vu_drop_thread(vu);
    memory_free(vu);
    *pointer = NULL;
}

void vu_drop_answer(struct vu *vu)
{
    shared_reply_release(&vu->answer);
}

void vu_begin(struct vu *vu, enum vu_phase phase, uint64_t step)
{
    vu->phase = (uint8_t)phase;
    vu->step = step;
    vu->is_begun = false;
    vu->has_been_stopped = false;
    shard_queue(vu->campaign->shard, vu);
}

void vu_wake(struct vu *vu, enum vu_wake wake)
{
    vu->wake = (uint8_t)wake;
    shard_queue(vu->campaign->shard, vu);
}

static void cancel_requests(struct vu *vu)
{
    if (vu->http != NULL) {
        http_cancel(vu->http);
    }
    if (vu->webdriver != NULL) {
        http_cancel(vu->webdriver);
    }
}

/* The thread goes with all that it would go on with, so a wait that ends after all finds nobody. The runner
 * hears of it in a turn, as of everything that workers do: it is in the middle of a step now. */
void vu_cut_short(struct vu *vu)
{
    if (vu->phase != VU_SETUP && vu->phase != VU_SETUP_SESSION) {
        return;
    }
    shard_unset_alarm(vu->campaign->shard, &vu->alarm);
    cancel_requests(vu);
    vu_hooks(vu)->forget_driver(vu);
    vu_drop_answer(vu);
    if (vu->thread != NULL) {
        vu_drop_thread(vu);
    }
    vu->wait = WAIT_NOTHING;
    vu->release_ns = 0;
    vu->is_cut_short = true;
    shard_queue(vu->campaign->shard, vu);
}

void vu_stop(struct vu *vu)
{
    bool gives_way = vu->phase == VU_SETUP || vu->phase == VU_SETUP_SESSION || vu->phase == VU_STEP ||
                     vu->phase == VU_WITNESS || vu->phase == VU_STEP_DELAY ||
                     (vu->phase == VU_GLOBAL && vu->campaign->global_phase == GLOBAL_SETUP);

    if (!gives_way || vu->is_queued) {
        return;
    }
    if (vu->phase == VU_STEP_DELAY) {
        shard_unset_alarm(vu->campaign->shard, &vu->alarm);
        vu->phase = VU_IDLE;
        shard_campaign_step_done(vu->campaign, vu, STEP_OK, NULL);
    } else if (vu->wait == WAIT_SLEEP) {
        shard_unset_alarm(vu->campaign->shard, &vu->alarm);
        vu_wake(vu, WAKE_STOPPED);
    } else if (vu->wait == WAIT_RESPONSE) {
        cancel_requests(vu);
        vu_wake(vu, WAKE_STOPPED);
    } else if (vu->wait == WAIT_DRIVER) {
        vu_hooks(vu)->forget_driver(vu);
        vu_wake(vu, WAKE_STOPPED);
    }
}
