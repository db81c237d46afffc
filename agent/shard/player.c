/* The life of a worker on its shard: made, woken, stopped, freed. */
#include "agent/shard/player.h"

#include "agent/shard/shard.h"
#include "agent/shard/stage.h"
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
    struct player *player = CONTAINER_OF(alarm, struct player, alarm);

    (void)now_ns;
    if (player->phase == PLAYER_STEP_DELAY) {
        player->phase = PLAYER_IDLE;
        stage_step_done(player->stage, player, STEP_OK, NULL);
        return;
    }
    if (player->release_ns != 0) {
        await_instant(player->release_ns);
    }
    player->release_ns = 0;
    player_wake(player, WAKE_DONE);
}

void player_release_at(struct player *player, uint64_t at_ns)
{
    player->release_ns = at_ns;
    shard_set_alarm(player->stage->shard, &player->alarm, at_ns - RELEASE_LEAD_NS);
}

struct player *player_new(struct stage *stage, uint32_t id)
{
    struct player *player = MEMORY_NEW(struct player);

    player->stage = stage;
    player->id = id;
    player->object_reference = LUA_NOREF;
    player->witness_reference = LUA_NOREF;
    player->closer_reference = LUA_NOREF;
    alarm_init(&player->alarm, on_due);
    return player;
}

void player_drop_thread(struct player *player)
{
    lua_State *lua = player->stage->script->lua;

    if (player->thread == NULL) {
        return;
    }
    lua_pushnil(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, player->thread);
    player->thread = NULL;
}

/* The object may outlive the worker in a variable of the script: it then says so. */
static void drop_object(struct player *player)
{
    lua_State *lua = player->stage->script->lua;

    if (player->object_reference == LUA_NOREF) {
        return;
    }
    lua_rawgeti(lua, LUA_REGISTRYINDEX, player->object_reference);
    *(struct player **)lua_touserdata(lua, -1) = NULL;
    lua_pop(lua, 1);
    luaL_unref(lua, LUA_REGISTRYINDEX, player->object_reference);
    player->object_reference = LUA_NOREF;
}

const struct player_hooks *player_hooks(const struct player *player)
{
    return shard_settings(player->stage->shard)->hooks;
}

void player_free(struct player **pointer)
{
    struct player *player = *pointer;

    if (player == NULL) {
        return;
    }
    shard_unset_alarm(player->stage->shard, &player->alarm);
    shard_unqueue(player->stage->shard, player);
    http_client_free(&player->http);
    player_hooks(player)->drop_drivers(player);
    http_client_free(&player->webdriver);
    player_drop_answer(player);
    drop_object(player);
    luaL_unref(player->stage->script->lua, LUA_REGISTRYINDEX, player->witness_reference);
    luaL_unref(player->stage->script->lua, LUA_REGISTRYINDEX, player->closer_reference);
    memory_free(player->failure_text);
    player_drop_thread(player);
    memory_free(player);
    *pointer = NULL;
}

void player_drop_answer(struct player *player)
{
    struct answer *answer = player->answer;

    player->answer = NULL;
    if (answer == NULL || --answer->holders > 0) {
        return;
    }
    reply_free(&answer->reply);
    memory_free(answer);
}

void player_begin(struct player *player, enum player_phase phase, uint64_t step)
{
    player->phase = (uint8_t)phase;
    player->step = step;
    player->is_begun = false;
    player->has_been_stopped = false;
    shard_queue(player->stage->shard, player);
}

void player_wake(struct player *player, enum player_wake wake)
{
    player->wake = (uint8_t)wake;
    shard_queue(player->stage->shard, player);
}

static void cancel_requests(struct player *player)
{
    if (player->http != NULL) {
        http_cancel(player->http);
    }
    if (player->webdriver != NULL) {
        http_cancel(player->webdriver);
    }
}

/* The thread goes with all that it would go on with, so a wait that ends after all finds nobody. The runner
 * hears of it in a turn, as of everything that workers do: it is in the middle of a step now. */
void player_cut_short(struct player *player)
{
    if (player->phase != PLAYER_SETUP && player->phase != PLAYER_SETUP_SESSION) {
        return;
    }
    shard_unset_alarm(player->stage->shard, &player->alarm);
    cancel_requests(player);
    player_hooks(player)->forget_driver(player);
    player_drop_answer(player);
    if (player->thread != NULL) {
        player_drop_thread(player);
    }
    player->wait = WAIT_NOTHING;
    player->release_ns = 0;
    player->is_cut_short = true;
    shard_queue(player->stage->shard, player);
}

void player_stop(struct player *player)
{
    bool gives_way = player->phase == PLAYER_SETUP || player->phase == PLAYER_SETUP_SESSION ||
                     player->phase == PLAYER_STEP || player->phase == PLAYER_WITNESS ||
                     player->phase == PLAYER_STEP_DELAY ||
                     (player->phase == PLAYER_GLOBAL && player->stage->global_phase == GLOBAL_SETUP);

    if (!gives_way || player->is_queued) {
        return;
    }
    if (player->phase == PLAYER_STEP_DELAY) {
        shard_unset_alarm(player->stage->shard, &player->alarm);
        player->phase = PLAYER_IDLE;
        stage_step_done(player->stage, player, STEP_OK, NULL);
    } else if (player->wait == WAIT_SLEEP) {
        shard_unset_alarm(player->stage->shard, &player->alarm);
        player_wake(player, WAKE_STOPPED);
    } else if (player->wait == WAIT_RESPONSE) {
        cancel_requests(player);
        player_wake(player, WAKE_STOPPED);
    } else if (player->wait == WAIT_DRIVER) {
        player_hooks(player)->forget_driver(player);
        player_wake(player, WAKE_STOPPED);
    }
}
