/* One output: the queue of its batches, and the thread that sends them. */
#include "coordinator/live/output_sender.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/live/output_datagrams.h"
#include "coordinator/live/output_post.h"
#include "coordinator/live/output_queue.h"

#include <assert.h>
#include <string.h>

#define RETRY_NS ((uint64_t)NS_PER_S)
/* What has failed before is given less time while others wait, and then waits so many times as long as it has
 * taken: most of the time is theirs. */
#define SHORT_MS 1000L
#define REST_FACTOR 4u
/* Of a batch that was not tried: it waited for others. */
#define TOO_SLOW "it is too slow"

struct output_sender {
    struct output_target target;
    struct output_post *post;           /* NULL for statsd */
    struct output_datagrams *datagrams; /* NULL for the others */
    uv_async_t *wake;
    uv_thread_t thread;
    uv_mutex_t mutex; /* of all that follows */
    uv_cond_t changed;
    struct output_queue queue; /* its times are those of uv_hrtime */
    struct output_account accounts[OUTPUT_ACCOUNTS];
    size_t account_count; /* that were ever begun */
    bool is_closing;
};

static struct output_account *output_find_account(struct output_sender *sender, uint64_t campaign)
{
    size_t count = sender->account_count < OUTPUT_ACCOUNTS ? sender->account_count : OUTPUT_ACCOUNTS;
    for (size_t i = 0; i < count; i++) {
        if (sender->accounts[i].campaign == campaign) {
            return &sender->accounts[i];
        }
    }
    return NULL;
}

static struct output_account *output_need_account(struct output_sender *sender, uint64_t campaign)
{
    struct output_account *account = output_find_account(sender, campaign);
    if (account == NULL) {
        account = &sender->accounts[sender->account_count++ % OUTPUT_ACCOUNTS];
        *account = (struct output_account){.campaign = campaign};
    }
    return account;
}

static void output_note_reason(struct output_account *account, const char *reason)
{
    if (account->reason[0] == '\0') {
        bytes_to_text(bytes_of_string(reason), account->reason, sizeof account->reason);
    }
}

static void output_lose(struct output_sender *sender, uint64_t campaign, const char *reason)
{
    struct output_account *account = output_find_account(sender, campaign);
    if (account != NULL) {
        account->lost++;
        output_note_reason(account, reason);
    }
}

static void output_make_room(struct output_sender *sender, uint64_t campaign, size_t size)
{
    struct output_batch *oldest;
    while ((oldest = output_queue_overflow(&sender->queue, campaign, size)) != NULL) {
        output_lose(sender, oldest->campaign, TOO_SLOW);
        output_batch_free(&oldest);
    }
}

/* A batch that may be taken another time goes to the front again, unless that is too late. */
static void output_settle(struct output_sender *sender, struct output_batch *batch, enum output_result result,
                          uint64_t took_ns, const struct error *error)
{
    struct output_account *account = output_need_account(sender, batch->campaign);
    account->is_failing = result == OUTPUT_LATER;
    if (result != OUTPUT_TAKEN) {
        output_note_reason(account, error->text);
    }
    if (result == OUTPUT_LATER && !account->is_over &&
        output_queue_count(&sender->queue, batch->campaign) < OUTPUT_QUEUE_BATCHES) {
        uint64_t rest_ns =
            output_queue_has_others(&sender->queue, batch->campaign) ? REST_FACTOR * took_ns : 0;
        output_queue_return(&sender->queue, &batch, uv_hrtime() + RETRY_NS + rest_ns);
        return;
    }
    account->taken += result == OUTPUT_TAKEN;
    account->lost += result != OUTPUT_TAKEN;
    output_batch_free(&batch);
}

static enum output_result output_send(struct output_sender *sender, const struct output_batch *batch,
                                      long limit_ms, struct error *error)
{
    struct bytes body = bytes_of(batch->data, batch->size);
    return sender->post != NULL ? output_post_send(sender->post, body, limit_ms, error)
                                : output_datagrams_send(sender->datagrams, body, error);
}

/* NULL when the sender is closing. */
static struct output_batch *output_await_batch(struct output_sender *sender)
{
    while (!sender->is_closing) {
        uint64_t now_ns = uv_hrtime();
        uint64_t due_ns = OUTPUT_NEVER;
        struct output_batch *batch = output_queue_take(&sender->queue, now_ns, &due_ns);
        if (batch != NULL) {
            return batch;
        }
        if (due_ns == OUTPUT_NEVER) {
            uv_cond_wait(&sender->changed, &sender->mutex);
        } else {
            (void)uv_cond_timedwait(&sender->changed, &sender->mutex, due_ns - now_ns);
        }
    }
    return NULL;
}

static long output_limit_ms(struct output_sender *sender, uint64_t campaign)
{
    const struct output_account *account = output_find_account(sender, campaign);
    bool is_short =
        account != NULL && account->is_failing && output_queue_has_others(&sender->queue, campaign);
    return is_short ? SHORT_MS : OUTPUT_POST_MS;
}

static void output_sender_run(void *context)
{
    struct output_sender *sender = context;
    struct output_batch *batch;
    uv_mutex_lock(&sender->mutex);
    while ((batch = output_await_batch(sender)) != NULL) {
        struct error error;
        long limit_ms = output_limit_ms(sender, batch->campaign);
        uv_mutex_unlock(&sender->mutex);
        uint64_t began_ns = uv_hrtime();
        enum output_result result = output_send(sender, batch, limit_ms, &error);
        uv_mutex_lock(&sender->mutex);
        output_settle(sender, batch, result, uv_hrtime() - began_ns, &error);
        (void)uv_async_send(sender->wake);
    }
    uv_mutex_unlock(&sender->mutex);
}

static bool output_sender_open(struct output_sender *sender, struct error *error)
{
    if (!output_target_open(&sender->target, error)) {
        return false;
    }
    if (sender->target.kind == OUTPUT_STATSD) {
        sender->datagrams = output_datagrams_new(&sender->target, error);
        return sender->datagrams != NULL;
    }
    sender->post = output_post_new(&sender->target);
    return true;
}

struct output_sender *output_sender_new(struct output_target *target, uv_async_t *wake, struct error *error)
{
    struct output_sender *sender = MEMORY_NEW(struct output_sender);
    sender->target = *target;
    *target = (struct output_target){0};
    sender->wake = wake;
    if (!output_sender_open(sender, error)) {
        output_target_finish(&sender->target);
        memory_free(sender);
        return NULL;
    }
    int result = uv_mutex_init(&sender->mutex);
    assert(result == 0);
    result = uv_cond_init(&sender->changed);
    assert(result == 0);
    result = uv_thread_create(&sender->thread, output_sender_run, sender);
    assert(result == 0);
    (void)result;
    return sender;
}

const struct output_target *output_sender_target(const struct output_sender *sender)
{
    return &sender->target;
}

void output_sender_put(struct output_sender *sender, uint64_t campaign, uint8_t **data, size_t size)
{
    struct output_batch *batch = MEMORY_NEW(struct output_batch);
    *batch = (struct output_batch){.campaign = campaign, .data = *data, .size = size};
    *data = NULL;
    uv_mutex_lock(&sender->mutex);
    output_make_room(sender, campaign, size);
    output_need_account(sender, campaign)->points++;
    output_queue_put(&sender->queue, &batch);
    uv_cond_signal(&sender->changed);
    uv_mutex_unlock(&sender->mutex);
}

void output_sender_miss(struct output_sender *sender, uint64_t campaign, const char *reason)
{
    uv_mutex_lock(&sender->mutex);
    output_need_account(sender, campaign)->points++;
    output_lose(sender, campaign, reason);
    uv_mutex_unlock(&sender->mutex);
    (void)uv_async_send(sender->wake);
}

bool output_sender_account(struct output_sender *sender, uint64_t campaign, struct output_account *account)
{
    uv_mutex_lock(&sender->mutex);
    const struct output_account *found = output_find_account(sender, campaign);
    if (found != NULL) {
        *account = *found;
        account->lost = found->is_over ? found->points - found->taken : found->lost;
    }
    uv_mutex_unlock(&sender->mutex);
    return found != NULL;
}

void output_sender_give_up(struct output_sender *sender, uint64_t campaign)
{
    uv_mutex_lock(&sender->mutex);
    struct output_account *account = output_find_account(sender, campaign);
    if (account != NULL && account->taken + account->lost < account->points) {
        account->is_over = true;
        output_note_reason(account, TOO_SLOW);
    }
    output_queue_drop(&sender->queue, campaign);
    uv_mutex_unlock(&sender->mutex);
}

void output_sender_free(struct output_sender **at)
{
    struct output_sender *sender = *at;
    *at = NULL;
    if (sender == NULL) {
        return;
    }
    uv_mutex_lock(&sender->mutex);
    sender->is_closing = true;
    uv_cond_signal(&sender->changed);
    uv_mutex_unlock(&sender->mutex);
    if (sender->post != NULL) {
        output_post_stop(sender->post);
    }
    (void)uv_thread_join(&sender->thread);
    output_queue_finish(&sender->queue);
    output_post_free(&sender->post);
    output_datagrams_free(&sender->datagrams);
    uv_cond_destroy(&sender->changed);
    uv_mutex_destroy(&sender->mutex);
    output_target_finish(&sender->target);
    memory_free(sender);
}

bool output_account_is_settled(const struct output_account *account)
{
    return account->is_over || account->taken + account->lost >= account->points;
}
