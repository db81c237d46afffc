/* The life of a shard: it opens, takes commands for its campaigns, posts what they have to say, and
 * closes. */
#include "agent/shard/shard.h"

#include "agent/base/lease.h"
#include "agent/base/memory_account.h"
#include "agent/browser/drivers.h"
#include "agent/http/curl/curl_kind.h"
#include "agent/http/native/native_kind.h"
#include "agent/shard/loop_lag.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu_websocket.h"
#include "agent/shard/watchdog.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>

/* While workers have turns, what they did waits this long for what others do: thousands that arrive at a
 * barrier take several turns of the loop. */
#define POSTS_NS (10 * NS_PER_MS)
#define LOOP_LAG_PERIOD_NS NS_PER_S
#define OWN_HANDLES 2u

enum tag { TAG_COMMAND, TAG_NUDGE, TAG_STOP };

struct shard {
    struct shard_settings settings;
    char *agent;
    uv_thread_t thread; /* where the loop is our own */
    uv_loop_t own_loop;
    uv_loop_t *loop;
    uv_check_t check;     /* after the sockets */
    uv_prepare_t prepare; /* before the loop may sleep */
    unsigned open_handles;
    struct mailbox *commands;
    struct lease lease;
    struct http_engine *http[HTTP_ENGINE_KINDS]; /* made when the first worker wants one */
    struct drivers *drivers;                     /* NULL: nobody has needed a browser */
    struct vu_websockets *websockets;            /* NULL: nobody has needed one */
    struct memory_account memory;
    struct alarms alarms;
    struct turns turns;
    struct shard_campaign *campaigns;
    void **posts; /* notices that have not left: they leave together, and wake the agent's thread once */
    size_t post_count;
    size_t post_capacity;
    uint64_t waiting_ns; /* since when posts wait for others to join; 0: they do not */
    bool is_hurried;     /* what is posted leaves at the end of this turn */
    struct loop_lag lag;
    struct alarm lag_alarm;
    bool is_stopping;
};

const struct shard_settings *shard_settings(const struct shard *shard)
{
    return &shard->settings;
}

struct alarms *shard_alarms(struct shard *shard)
{
    return &shard->alarms;
}

struct turns *shard_turns(struct shard *shard)
{
    return &shard->turns;
}

struct http_engine *shard_http(struct shard *shard, enum http_engine_kind kind)
{
    static const struct http_engine_functions *const kinds[HTTP_ENGINE_KINDS] = {
        [HTTP_ENGINE_NATIVE] = &native_kind,
        [HTTP_ENGINE_CURL] = &curl_kind,
    };

    if (shard->http[kind] == NULL) {
        shard->http[kind] = http_engine_new(kinds[kind], shard->loop, &shard->lease);
        http_engine_set_memory(shard->http[kind], &shard->memory);
        if (kind == HTTP_ENGINE_NATIVE) {
            turns_set_net(&shard->turns, native_kind_net(shard->http[kind]));
        }
    }
    return shard->http[kind];
}

struct net *shard_net(struct shard *shard)
{
    return native_kind_net(shard_http(shard, HTTP_ENGINE_NATIVE));
}

struct memory_account *shard_memory(struct shard *shard)
{
    return &shard->memory;
}

struct drivers *shard_drivers(struct shard *shard)
{
    const struct drivers_settings settings = {.starter = shard->settings.starter,
                                              .starts_at_once = shard->settings.driver_starts};

    if (shard->drivers == NULL) {
        shard->drivers = drivers_new(shard->loop, &settings);
    }
    return shard->drivers;
}

struct vu_websockets *shard_websockets(struct shard *shard)
{
    if (shard->websockets == NULL) {
        shard->websockets = vu_websockets_new(&shard->alarms, &shard->memory);
    }
    return shard->websockets;
}

bool shard_may_act(const struct shard *shard, uint64_t now_ns)
{
    return lease_is_held(&shard->lease, now_ns);
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
    if (!turns_are_given(&shard->turns) || shard->is_hurried) {
        return false;
    }
    for (const struct shard_campaign *campaign = shard->campaigns; campaign != NULL;
         campaign = campaign->next) {
        if (shard_campaign_is_urgent(campaign)) {
            return false;
        }
    }
    uint64_t now_ns = clock_now_ns();
    if (shard->waiting_ns == 0) {
        shard->waiting_ns = now_ns;
    }
    return now_ns < shard->waiting_ns + POSTS_NS;
}

static void send_posts(struct shard *shard)
{
    if (may_wait(shard)) {
        return;
    }
    for (struct shard_campaign *campaign = shard->campaigns; campaign != NULL; campaign = campaign->next) {
        shard_campaign_post_gathered(campaign);
    }
    if (shard->post_count > 0) {
        mailbox_put_all(shard->settings.notices, shard->settings.index, shard->posts, shard->post_count);
    }
    shard->post_count = 0;
    shard->waiting_ns = 0;
    shard->is_hurried = false;
}

void shard_post_loop(struct shard *shard, uint64_t campaign)
{
    struct notice *notice = notice_new(NOTICE_LOOP, campaign);

    notice->lag_us = loop_lag_take(&shard->lag, clock_now_ns(), &notice->loop);
    shard_post(shard, &notice);
}

static void shard_on_lag_due(struct alarm *alarm, uint64_t now_ns)
{
    struct shard *shard = CONTAINER_OF(alarm, struct shard, lag_alarm);

    shard_post_loop(shard, 0);
    alarms_set(&shard->alarms, alarm, now_ns + LOOP_LAG_PERIOD_NS);
}

static void shard_on_check(uv_check_t *check)
{
    struct shard *shard = check->data;

    pulse_wake(shard->settings.pulse);
    if (turns_give(&shard->turns)) {
        shard->is_hurried = true;
    }
    send_posts(shard);
}

static void shard_on_prepare(uv_prepare_t *prepare)
{
    struct shard *shard = prepare->data;

    send_posts(shard);
    uint64_t now_ns = clock_now_ns();
    turns_note_time(&shard->turns, now_ns);
    loop_lag_end_turn(&shard->lag, now_ns);
    pulse_sleep(shard->settings.pulse);
}

static struct shard_campaign **find_campaign(struct shard *shard, uint64_t campaign)
{
    struct shard_campaign **at = &shard->campaigns;

    while (*at != NULL && (*at)->id != campaign) {
        at = &(*at)->next;
    }
    return at;
}

static void forget_campaign(struct shard_campaign **at)
{
    struct shard_campaign *campaign = *at;

    *at = campaign->next;
    shard_campaign_free(&campaign);
}

static void take_command(struct shard *shard, struct command *command)
{
    struct shard_campaign **at = find_campaign(shard, command->campaign);

    if (command->kind == COMMAND_DEPLOY && *at == NULL) {
        *at = shard_campaign_new(shard, command);
    } else if (*at != NULL && command->kind == COMMAND_FORGET) {
        forget_campaign(at);
    } else if (*at != NULL && command->kind != COMMAND_DEPLOY) {
        shard_campaign_command(*at, command);
    }
    command_free(&command);
}

static void shard_free(struct shard *shard)
{
    alarms_finish(&shard->alarms);
    loop_lag_finish(&shard->lag);
    memory_free(shard->posts);
    memory_free(shard->agent);
    memory_free(shard);
}

static bool has_thread(const struct shard *shard)
{
    return shard->loop == &shard->own_loop;
}

static void shard_on_closed(uv_handle_t *handle)
{
    struct shard *shard = handle->data;

    if (--shard->open_handles == 0 && !has_thread(shard)) {
        shard_free(shard);
    }
}

static void shard_close_all(struct shard *shard)
{
    while (shard->campaigns != NULL) {
        shard_campaign_leave(shard->campaigns);
        forget_campaign(&shard->campaigns);
    }
    vu_websockets_free(&shard->websockets);
    turns_set_net(&shard->turns, NULL);
    for (size_t i = 0; i < HTTP_ENGINE_KINDS; i++) {
        http_engine_close(&shard->http[i]);
    }
    drivers_close(&shard->drivers);
    alarms_close(&shard->alarms, shard_on_closed, shard);
    turns_close(&shard->turns, shard_on_closed, shard);
    uv_close((uv_handle_t *)&shard->check, shard_on_closed);
    uv_close((uv_handle_t *)&shard->prepare, shard_on_closed);
    send_posts(shard);
}

static void on_mail(void *context, struct mail mail)
{
    struct shard *shard = context;

    pulse_wake(shard->settings.pulse);
    if (mail.tag == TAG_STOP) {
        shard->is_stopping = true;
    } else if (mail.tag == TAG_NUDGE) {
        turns_resume(&shard->turns);
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

    if (!shard->is_stopping || shard->commands == NULL) {
        return;
    }
    struct mailbox *commands = shard->commands;
    shard->commands = NULL;
    shard_close_all(shard);
    mailbox_close(&commands);
}

static void open_loop_hooks(struct shard *shard)
{
    uint64_t now_ns = clock_now_ns();

    loop_lag_init(&shard->lag, shard->loop, now_ns);
    alarm_init(&shard->lag_alarm, shard_on_lag_due);
    alarms_set(&shard->alarms, &shard->lag_alarm, now_ns + LOOP_LAG_PERIOD_NS);
    uv_check_init(shard->loop, &shard->check);
    uv_prepare_init(shard->loop, &shard->prepare);
    shard->check.data = shard->prepare.data = shard;
    uv_check_start(&shard->check, shard_on_check);
    uv_prepare_start(&shard->prepare, shard_on_prepare);
}

static void open_all(struct shard *shard)
{
    struct mailbox_callbacks callbacks = {.on_mail = on_mail, .on_batch_end = on_batch_end, .context = shard};
    const struct turns_settings turns = {
        .loop = shard->loop,
        .alarms = &shard->alarms,
        .lease = &shard->lease,
        .lag = &shard->lag,
        .notices = shard->settings.notices,
        .pulse = shard->settings.pulse,
    };

    shard->open_handles = ALARMS_HANDLES + TURNS_HANDLES + OWN_HANDLES;
    alarms_open(&shard->alarms, shard->loop, &shard->lag);
    turns_open(&shard->turns, &turns);
    open_loop_hooks(shard);
    shard->commands =
        has_thread(shard) ? mailbox_new(shard->loop, &callbacks) : mailbox_new_local(shard->loop, &callbacks);
}

static void shard_run(void *context)
{
    struct shard *shard = context;

    pulse_own(shard->settings.pulse);
    uv_run(shard->loop, UV_RUN_DEFAULT);
    pulse_sleep(shard->settings.pulse);
    int result = uv_loop_close(shard->loop);
    assert(result == 0);
    (void)result;
}

/* Its loop ends as it would on a thread of its own. */
static void shard_end_without_thread(struct shard *shard)
{
    mailbox_put(shard->commands, TAG_STOP, NULL);
    shard_run(shard);
    shard_free(shard);
}

struct shard *shard_start(const struct shard_settings *settings, struct error *error)
{
    struct shard *shard = MEMORY_NEW(struct shard);

    shard->settings = *settings;
    shard->agent = memory_copy_string(settings->agent);
    shard->settings.agent = shard->agent;
    shard->memory.limit_bytes =
        settings->memory_limit_bytes ? settings->memory_limit_bytes : LIMITS_DEFAULT_MEMORY_BYTES;
    lease_init(&shard->lease, settings->lease_until_ns);
    shard->loop = settings->loop != NULL ? settings->loop : &shard->own_loop;
    int result = has_thread(shard) ? uv_loop_init(&shard->own_loop) : 0;
    if (result != 0) {
        (void)error_set(error, "shard %u has no loop: %s (see ulimit -n)", (unsigned)settings->index,
                        uv_strerror(result));
        shard_free(shard);
        return NULL;
    }
    open_all(shard);
    if (!has_thread(shard)) {
        pulse_own(shard->settings.pulse);
    }
    result = has_thread(shard) ? uv_thread_create(&shard->thread, shard_run, shard) : 0;
    if (result != 0) {
        (void)error_set(error, "shard %u has no thread: %s (see ulimit -u)", (unsigned)settings->index,
                        uv_strerror(result));
        shard_end_without_thread(shard);
        return NULL;
    }
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

    if (shard == NULL) {
        return;
    }
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
