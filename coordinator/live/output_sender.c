/* One output: a bounded queue of batches, and the thread that sends them. */
#include "coordinator/live/output_sender.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/live/output_datagrams.h"
#include "coordinator/live/output_post.h"

#include <assert.h>
#include <string.h>

#define RETRY_NS ((uint64_t)NS_PER_S)

struct output_batch {
    struct output_batch *next;
    uint64_t campaign;
    uint8_t *data;
    size_t size;
};

struct output_sender {
    struct output_target target;
    struct output_post *post;           /* NULL for statsd */
    struct output_datagrams *datagrams; /* NULL for the others */
    uv_async_t *wake;
    uv_thread_t thread;
    uv_mutex_t mutex; /* of all that follows */
    uv_cond_t changed;
    struct output_batch *first;
    struct output_batch *last;
    size_t count;
    size_t bytes;
    uint64_t retry_ns;                /* not before then, by uv_hrtime */
    char reason[OUTPUT_REASON_BYTES]; /* why the latest batch failed; empty: it was taken, or is the first */
    struct output_account accounts[OUTPUT_ACCOUNTS];
    size_t account_count; /* that were ever begun */
    bool is_closing;
};

static void output_batch_free(struct output_batch **batch)
{
    memory_free((*batch)->data);
    memory_free(*batch);
    *batch = NULL;
}

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

static struct output_batch *output_take_first(struct output_sender *sender)
{
    struct output_batch *batch = sender->first;
    sender->first = batch->next;
    sender->last = sender->first != NULL ? sender->last : NULL;
    sender->count--;
    sender->bytes -= batch->size;
    return batch;
}

/* Of a batch that was not tried: it waited for another one. */
static const char *output_reason_to_wait(const struct output_sender *sender)
{
    return sender->reason[0] != '\0' ? sender->reason : "it is too slow";
}

static void output_make_room(struct output_sender *sender, size_t size)
{
    while (sender->count > 0 &&
           (sender->count >= OUTPUT_QUEUE_BATCHES || sender->bytes + size > OUTPUT_QUEUE_BYTES)) {
        struct output_batch *oldest = output_take_first(sender);
        output_lose(sender, oldest->campaign, output_reason_to_wait(sender));
        output_batch_free(&oldest);
    }
}

/* A batch that may be taken another time goes to the front again, unless that is too late. */
static void output_settle(struct output_sender *sender, struct output_batch *batch, enum output_result result,
                          const struct error *error)
{
    struct output_account *account = output_need_account(sender, batch->campaign);
    sender->reason[0] = '\0';
    if (result != OUTPUT_TAKEN) {
        bytes_to_text(bytes_of_string(error->text), sender->reason, sizeof sender->reason);
        output_note_reason(account, sender->reason);
    }
    if (result == OUTPUT_LATER && !account->is_over && sender->count < OUTPUT_QUEUE_BATCHES) {
        batch->next = sender->first;
        sender->first = batch;
        sender->last = sender->last != NULL ? sender->last : batch;
        sender->count++;
        sender->bytes += batch->size;
        sender->retry_ns = uv_hrtime() + RETRY_NS;
        return;
    }
    account->taken += result == OUTPUT_TAKEN;
    account->lost += result != OUTPUT_TAKEN;
    output_batch_free(&batch);
}

static enum output_result output_send(struct output_sender *sender, const struct output_batch *batch,
                                      struct error *error)
{
    struct bytes body = bytes_of(batch->data, batch->size);
    return sender->post != NULL ? output_post_send(sender->post, body, error)
                                : output_datagrams_send(sender->datagrams, body, error);
}

/* False when the sender is closing. */
static bool output_await_batch(struct output_sender *sender)
{
    while (!sender->is_closing) {
        uint64_t now_ns = uv_hrtime();
        if (sender->first == NULL) {
            uv_cond_wait(&sender->changed, &sender->mutex);
        } else if (now_ns < sender->retry_ns) {
            (void)uv_cond_timedwait(&sender->changed, &sender->mutex, sender->retry_ns - now_ns);
        } else {
            return true;
        }
    }
    return false;
}

static void output_sender_run(void *context)
{
    struct output_sender *sender = context;
    uv_mutex_lock(&sender->mutex);
    while (output_await_batch(sender)) {
        struct output_batch *batch = output_take_first(sender);
        struct error error;
        uv_mutex_unlock(&sender->mutex);
        enum output_result result = output_send(sender, batch, &error);
        uv_mutex_lock(&sender->mutex);
        output_settle(sender, batch, result, &error);
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
    output_make_room(sender, size);
    output_need_account(sender, campaign)->points++;
    if (sender->last != NULL) {
        sender->last->next = batch;
    } else {
        sender->first = batch;
    }
    sender->last = batch;
    sender->count++;
    sender->bytes += size;
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
    struct output_batch **at = &sender->first;
    uv_mutex_lock(&sender->mutex);
    struct output_account *account = output_find_account(sender, campaign);
    if (account != NULL && account->taken + account->lost < account->points) {
        account->is_over = true;
        output_note_reason(account, output_reason_to_wait(sender));
    }
    sender->last = NULL;
    while (*at != NULL) {
        struct output_batch *batch = *at;
        if (batch->campaign == campaign) {
            *at = batch->next;
            sender->count--;
            sender->bytes -= batch->size;
            output_batch_free(&batch);
        } else {
            sender->last = batch;
            at = &batch->next;
        }
    }
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
    while (sender->first != NULL) {
        struct output_batch *batch = output_take_first(sender);
        output_batch_free(&batch);
    }
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
