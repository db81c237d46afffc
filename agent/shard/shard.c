/* The life of a shard: it opens, takes commands for its campaigns, and closes. */
#include "agent/browser/drivers.h"
#include "agent/shard/shard_inside.h"
#include "agent/shard/watchdog.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>

enum tag { TAG_COMMAND, TAG_NUDGE, TAG_STOP };

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
    const struct drivers_settings settings = {.starter = shard->settings.starter,
                                              .starts_at_once = shard->settings.driver_starts};

    if (shard->drivers == NULL) {
        shard->drivers = drivers_new(shard->loop, &settings);
    }
    return shard->drivers;
}

struct memory_account *shard_memory(struct shard *shard)
{
    return &shard->memory;
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
    timers_free(&shard->timers);
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
        forget_campaign(&shard->campaigns);
    }
    http_engine_close(&shard->http);
    drivers_close(&shard->drivers);
    shard_close_turns(shard, shard_on_closed);
    shard_send_posts(shard);
}

static void on_mail(void *context, struct mail mail)
{
    struct shard *shard = context;

    pulse_wake(shard->settings.pulse);
    if (mail.tag == TAG_STOP) {
        shard->is_stopping = true;
    } else if (mail.tag == TAG_NUDGE) {
        shard_resume_turns(shard);
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

static void open_all(struct shard *shard)
{
    struct mailbox_callbacks callbacks = {.on_mail = on_mail, .on_batch_end = on_batch_end, .context = shard};

    shard->open_handles = SHARD_TURN_HANDLES;
    shard_open_turns(shard);
    shard->http = http_engine_new(shard->loop, &shard->lease);
    http_engine_set_memory(shard->http, &shard->memory);
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
    shard->timers = timers_new();
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
