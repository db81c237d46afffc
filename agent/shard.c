/* One loop: commands come in, timers fall due, workers have their turns, a bounded number at once. */
#include "agent/shard.h"

#include "agent/browser/drivers.h"
#include "agent/lag.h"
#include "agent/stage.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>

/* What may wait for the agent's thread before workers pause. */
#define NOTICES_MAX_WAITING 100000u
/* A turn of the loop gives way to the sockets after this long, and after this long at the end of a round:
 * what was queued meanwhile mostly follows at once, so that few messages tell of it. */
#define TURN_NS (2 * NS_PER_MS)
#define ROUNDS_NS (NS_PER_MS / 2)
/* While there are turns to give, what the workers did waits so long for others: thousands that arrive at a
 * barrier take several turns. */
#define POSTS_NS (10 * NS_PER_MS)
#define RETRY_MS 20
#define LAG_PERIOD_NS NS_PER_S

enum tag { TAG_COMMAND, TAG_NUDGE, TAG_STOP };

struct shard {
    struct shard_settings settings;
    char *agent;
    uv_thread_t thread; /* where the loop is our own */
    uv_loop_t own_loop;
    uv_loop_t *loop;
    unsigned open_handles;
    struct mailbox *commands;
    struct http_engine *http;
    struct drivers *drivers; /* NULL: nobody has needed a browser */
    struct memory_account memory;
    struct timers *timers;
    uv_timer_t wakeup;
    uv_timer_t retry; /* while workers may not act */
    uv_idle_t busy;   /* while there are turns to give */
    uv_check_t turns;
    uv_prepare_t parting; /* before the loop may sleep */
    void **posts;         /* notices of this turn: they leave together, and wake the agent's thread once */
    size_t post_count;
    size_t post_capacity;
    uint64_t waiting_ns;  /* since when posts wait for others to join; 0: they do not */
    bool is_hurried;      /* what is to be posted does not wait for others */
    uint64_t turn_ns;     /* when the present turn of a worker began */
    struct player *first; /* whose turn it is, in order */
    struct player *last;
    struct stage *stages;
    struct lag lag;
    struct alarm lag_alarm;
    uint64_t now_ns;     /* when the clock was last read; while it is anybody's turn, not long ago */
    uint64_t refused_ns; /* when workers were last kept from acting */
    bool is_stopping;
};

const struct shard_settings *shard_settings(const struct shard *shard)
{
    return &shard->settings;
}

struct http_engine *shard_http(struct shard *shard)
{
    return shard->http;
}

struct drivers *shard_drivers(struct shard *shard)
{
    const struct drivers_settings settings = {.starts_at_once = shard->settings.driver_starts};

    if (!shard->drivers)
        shard->drivers = drivers_new(shard->loop, &settings);
    return shard->drivers;
}

struct memory_account *shard_memory(struct shard *shard)
{
    return &shard->memory;
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

void shard_queue(struct shard *shard, struct player *player)
{
    if (player->is_queued)
        return;
    if (!shard->first)
        shard->now_ns = clock_now_ns();
    player->queued_ns = shard->now_ns;
    player->is_queued = true;
    player->next = NULL;
    if (shard->last)
        shard->last->next = player;
    else
        shard->first = player;
    shard->last = player;
    if (!uv_is_active((uv_handle_t *)&shard->busy) && !uv_is_active((uv_handle_t *)&shard->retry))
        uv_idle_start(&shard->busy, on_idle);
}

uint64_t shard_turn_ns(const struct shard *shard)
{
    return shard->turn_ns;
}

bool shard_is_queued(const struct shard *shard)
{
    return shard->first;
}

void shard_unqueue(struct shard *shard, struct player *player)
{
    struct player *before = NULL;

    if (!player->is_queued)
        return;
    for (struct player *at = shard->first; at != player; at = at->next)
        before = at;
    if (before)
        before->next = player->next;
    else
        shard->first = player->next;
    if (shard->last == player)
        shard->last = before;
    player->is_queued = false;
}

void shard_post(struct shard *shard, struct notice **notice)
{
    shard->posts =
        memory_reserve(shard->posts, &shard->post_capacity, shard->post_count + 1, sizeof *shard->posts);
    shard->posts[shard->post_count++] = *notice;
    *notice = NULL;
}

void shard_hurry(struct shard *shard)
{
    shard->is_hurried = true;
}

/* Others are about to have their turns, and what they do may join. */
static bool may_wait(struct shard *shard)
{
    if (!shard->first || !uv_is_active((const uv_handle_t *)&shard->busy) || shard->is_hurried)
        return false;
    for (const struct stage *stage = shard->stages; stage; stage = stage->next)
        if (stage_is_urgent(stage))
            return false;
    uint64_t now_ns = clock_now_ns();
    if (shard->waiting_ns == 0)
        shard->waiting_ns = now_ns;
    return now_ns < shard->waiting_ns + POSTS_NS;
}

static void send_posts(struct shard *shard)
{
    if (may_wait(shard))
        return;
    for (struct stage *stage = shard->stages; stage; stage = stage->next)
        stage_post_gathered(stage);
    if (shard->post_count > 0)
        mailbox_put_all(shard->settings.notices, shard->settings.index, shard->posts, shard->post_count);
    shard->post_count = 0;
    shard->waiting_ns = 0;
    shard->is_hurried = false;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct shard *shard = prepare->data;

    send_posts(shard);
    shard->now_ns = clock_now_ns();
    lag_end_turn(&shard->lag, shard->now_ns);
}

/* The gate: nobody acts without a lease. */
static bool may_act(const struct shard *shard, uint64_t now_ns)
{
    return now_ns < atomic_load_explicit(shard->settings.lease_until_ns, memory_order_acquire);
}

bool shard_may_act(const struct shard *shard)
{
    return may_act(shard, clock_now_ns());
}

static void on_retry(uv_timer_t *retry)
{
    struct shard *shard = retry->data;

    uv_idle_start(&shard->busy, on_idle);
}

static void pause_turns(struct shard *shard)
{
    uv_idle_stop(&shard->busy);
    uv_timer_start(&shard->retry, on_retry, RETRY_MS, 0);
}

static void give_turns(struct shard *shard)
{
    struct player *last = shard->last;

    if (!shard->first || uv_is_active((uv_handle_t *)&shard->retry))
        return;
    /* The agent's thread cannot keep up with what they did. */
    if (mailbox_waiting(shard->settings.notices) > NOTICES_MAX_WAITING) {
        pause_turns(shard);
        return;
    }
    uint64_t begin_ns = clock_now_ns();
    uint64_t now_ns = begin_ns;
    uint64_t ready_ns = shard->first->queued_ns;
    lag_queued(&shard->lag, ready_ns > shard->refused_ns ? ready_ns : shard->refused_ns, now_ns);
    while (shard->first && now_ns - begin_ns < TURN_NS) {
        shard->now_ns = now_ns;
        if (!may_act(shard, now_ns)) {
            shard->refused_ns = now_ns;
            pause_turns(shard);
            return;
        }
        struct player *player = shard->first;
        bool is_last = player == last;
        shard_unqueue(shard, player);
        shard->turn_ns = now_ns;
        player_turn(player);
        now_ns = clock_now_ns();
        if (is_last && now_ns - begin_ns >= ROUNDS_NS)
            break;
        last = is_last ? shard->last : last;
    }
    if (!shard->first)
        uv_idle_stop(&shard->busy);
}

/* After the sockets had theirs. */
static void on_check(uv_check_t *check)
{
    give_turns(check->data);
    send_posts(check->data);
}

static void arm(struct shard *shard);

static void on_wakeup(uv_timer_t *wakeup)
{
    struct shard *shard = wakeup->data;
    uint64_t now_ns = clock_now_ns();
    struct timer *timer;

    if (timers_next_ns(shard->timers) <= now_ns)
        lag_woken(&shard->lag, timers_next_ns(shard->timers), now_ns);
    while ((timer = timers_take_due(shard->timers, now_ns))) {
        struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
        alarm->on_due(alarm, now_ns);
    }
    arm(shard);
}

/* libuv counts whole milliseconds from a clock that it reads once a turn, so a timer may be early: then it
 * comes again. */
static void arm(struct shard *shard)
{
    uint64_t next_ns = timers_next_ns(shard->timers);

    if (next_ns == TIMERS_NEVER)
        return;
    uint64_t now_ns = clock_now_ns();
    uint64_t in_ms = next_ns > now_ns ? (next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
    if (uv_is_active((uv_handle_t *)&shard->wakeup) && uv_timer_get_due_in(&shard->wakeup) <= in_ms)
        return;
    uv_timer_start(&shard->wakeup, on_wakeup, in_ms, 0);
}

void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *alarm, uint64_t now_ns))
{
    timer_init(&alarm->timer);
    alarm->on_due = on_due;
}

void shard_set_alarm(struct shard *shard, struct alarm *alarm, uint64_t due_ns)
{
    timers_set(shard->timers, &alarm->timer, due_ns);
    if (timers_next_ns(shard->timers) == due_ns)
        arm(shard);
}

void shard_unset_alarm(struct shard *shard, struct alarm *alarm)
{
    timers_unset(shard->timers, &alarm->timer);
}

void shard_post_loop(struct shard *shard, uint64_t campaign)
{
    struct notice *notice = notice_new(NOTICE_LOOP, campaign);

    notice->lag_us = lag_take(&shard->lag, clock_now_ns(), &notice->loop);
    shard_post(shard, &notice);
}

static void on_lag_due(struct alarm *alarm, uint64_t now_ns)
{
    struct shard *shard = CONTAINER_OF(alarm, struct shard, lag_alarm);

    shard_post_loop(shard, 0);
    shard_set_alarm(shard, alarm, now_ns + LAG_PERIOD_NS);
}

static struct stage **find_stage(struct shard *shard, uint64_t campaign)
{
    struct stage **at = &shard->stages;

    while (*at && (*at)->campaign != campaign)
        at = &(*at)->next;
    return at;
}

static void forget_stage(struct stage **at)
{
    struct stage *stage = *at;

    *at = stage->next;
    stage_free(&stage);
}

static void take_command(struct shard *shard, struct command *command)
{
    struct stage **at = find_stage(shard, command->campaign);

    if (command->kind == COMMAND_DEPLOY && !*at)
        *at = stage_new(shard, command);
    else if (*at && command->kind == COMMAND_FORGET)
        forget_stage(at);
    else if (*at && command->kind != COMMAND_DEPLOY)
        stage_command(*at, command);
    command_free(&command);
}

static void shard_free(struct shard *shard)
{
    timers_free(&shard->timers);
    lag_finish(&shard->lag);
    memory_free(shard->posts);
    memory_free(shard->agent);
    memory_free(shard);
}

static bool has_thread(const struct shard *shard)
{
    return shard->loop == &shard->own_loop;
}

static void on_closed(uv_handle_t *handle)
{
    struct shard *shard = handle->data;

    if (--shard->open_handles == 0 && !has_thread(shard))
        shard_free(shard);
}

static void close_all(struct shard *shard)
{
    while (shard->stages)
        forget_stage(&shard->stages);
    http_engine_close(&shard->http);
    drivers_close(&shard->drivers);
    uv_close((uv_handle_t *)&shard->wakeup, on_closed);
    uv_close((uv_handle_t *)&shard->retry, on_closed);
    uv_close((uv_handle_t *)&shard->busy, on_closed);
    uv_close((uv_handle_t *)&shard->turns, on_closed);
    uv_close((uv_handle_t *)&shard->parting, on_closed);
    send_posts(shard);
}

static void on_mail(void *context, struct mail mail)
{
    struct shard *shard = context;

    if (mail.tag == TAG_STOP) {
        shard->is_stopping = true;
    } else if (mail.tag == TAG_NUDGE) {
        uv_timer_stop(&shard->retry);
        if (shard->first)
            uv_idle_start(&shard->busy, on_idle);
    } else if (!shard->is_stopping) {
        take_command(shard, mail.item);
    } else {
        struct command *command = mail.item;
        command_free(&command);
    }
}

static void on_batch_end(void *context)
{
    struct shard *shard = context;

    if (!shard->is_stopping || !shard->commands)
        return;
    struct mailbox *commands = shard->commands;
    shard->commands = NULL;
    close_all(shard);
    mailbox_close(&commands);
}

static void open_all(struct shard *shard)
{
    struct mailbox_callbacks callbacks = {.on_mail = on_mail, .on_batch_end = on_batch_end, .context = shard};

    uv_timer_init(shard->loop, &shard->wakeup);
    uv_timer_init(shard->loop, &shard->retry);
    uv_idle_init(shard->loop, &shard->busy);
    uv_check_init(shard->loop, &shard->turns);
    uv_prepare_init(shard->loop, &shard->parting);
    shard->open_handles = 5;
    shard->wakeup.data = shard->retry.data = shard->busy.data = shard->turns.data = shard->parting.data =
        shard;
    shard->now_ns = clock_now_ns();
    lag_init(&shard->lag, shard->loop, shard->now_ns);
    alarm_init(&shard->lag_alarm, on_lag_due);
    shard_set_alarm(shard, &shard->lag_alarm, shard->now_ns + LAG_PERIOD_NS);
    uv_check_start(&shard->turns, on_check);
    uv_prepare_start(&shard->parting, on_prepare);
    shard->http = http_engine_new(shard->loop);
    shard->commands =
        has_thread(shard) ? mailbox_new(shard->loop, &callbacks) : mailbox_new_local(shard->loop, &callbacks);
}

static void run(void *context)
{
    struct shard *shard = context;

    uv_run(shard->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(shard->loop);
    assert(result == 0);
    (void)result;
}

struct shard *shard_start(const struct shard_settings *settings)
{
    struct shard *shard = MEMORY_NEW(struct shard);

    shard->settings = *settings;
    shard->agent = memory_copy_string(settings->agent);
    shard->settings.agent = shard->agent;
    shard->memory.limit_bytes =
        settings->memory_limit_bytes ? settings->memory_limit_bytes : LIMITS_DEFAULT_MEMORY_BYTES;
    shard->timers = timers_new();
    shard->loop = settings->loop ? settings->loop : &shard->own_loop;
    if (has_thread(shard) && uv_loop_init(&shard->own_loop) != 0)
        abort();
    open_all(shard);
    if (has_thread(shard) && uv_thread_create(&shard->thread, run, shard) != 0)
        abort();
    return shard;
}

void shard_command(struct shard *shard, struct command *command)
{
    mailbox_put(shard->commands, TAG_COMMAND, command);
}

void shard_commands(struct shard *shard, void *const *commands, size_t count)
{
    mailbox_put_all(shard->commands, TAG_COMMAND, commands, count);
}

void shard_nudge(struct shard *shard)
{
    mailbox_put(shard->commands, TAG_NUDGE, NULL);
}

void shard_stop(struct shard **pointer)
{
    struct shard *shard = *pointer;

    if (!shard)
        return;
    *pointer = NULL;
    if (has_thread(shard)) {
        mailbox_put(shard->commands, TAG_STOP, NULL);
        uv_thread_join(&shard->thread);
        shard_free(shard);
    } else {
        shard->is_stopping = true;
        on_batch_end(shard);
    }
}
