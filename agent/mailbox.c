/* A locked array that the reader swaps for an empty one, and a uv_async that wakes it. */
#include "agent/mailbox.h"

#include "common/memory.h"

struct mailbox {
    uv_async_t async;
    uv_mutex_t lock;
    struct mailbox_callbacks callbacks;
    struct mail *mails; /* under the lock, like the next two */
    size_t count;
    size_t capacity;
    struct mail *taken; /* the reader's own */
    size_t taken_capacity;
};

static void take_batch(struct mailbox *mailbox)
{
    uv_mutex_lock(&mailbox->lock);
    struct mail *mails = mailbox->mails;
    size_t count = mailbox->count;
    size_t capacity = mailbox->capacity;
    mailbox->mails = mailbox->taken;
    mailbox->capacity = mailbox->taken_capacity;
    mailbox->count = 0;
    uv_mutex_unlock(&mailbox->lock);

    mailbox->taken = mails;
    mailbox->taken_capacity = capacity;
    for (size_t i = 0; i < count; i++)
        mailbox->callbacks.on_mail(mailbox->callbacks.context, mails[i]);
    if (mailbox->callbacks.on_batch_end)
        mailbox->callbacks.on_batch_end(mailbox->callbacks.context);
}

static void on_async(uv_async_t *async)
{
    take_batch(async->data);
}

struct mailbox *mailbox_new(uv_loop_t *loop, const struct mailbox_callbacks *callbacks)
{
    struct mailbox *mailbox = MEMORY_NEW(struct mailbox);

    mailbox->callbacks = *callbacks;
    uv_mutex_init(&mailbox->lock);
    uv_async_init(loop, &mailbox->async, on_async);
    mailbox->async.data = mailbox;
    return mailbox;
}

size_t mailbox_put_all(struct mailbox *mailbox, uint32_t tag, void *const *items, size_t count)
{
    uv_mutex_lock(&mailbox->lock);
    size_t waited = mailbox->count;
    mailbox->mails =
        memory_reserve(mailbox->mails, &mailbox->capacity, waited + count, sizeof *mailbox->mails);
    for (size_t i = 0; i < count; i++)
        mailbox->mails[mailbox->count++] = (struct mail){.tag = tag, .item = items[i]};
    size_t waiting = mailbox->count;
    /* Under the lock: once the reader has the piece, it may close the mailbox. */
    if (waited == 0 && waiting > 0)
        uv_async_send(&mailbox->async);
    uv_mutex_unlock(&mailbox->lock);
    return waiting;
}

size_t mailbox_put(struct mailbox *mailbox, uint32_t tag, void *item)
{
    return mailbox_put_all(mailbox, tag, &item, 1);
}

size_t mailbox_waiting(struct mailbox *mailbox)
{
    uv_mutex_lock(&mailbox->lock);
    size_t count = mailbox->count;
    uv_mutex_unlock(&mailbox->lock);
    return count;
}

static void on_closed(uv_handle_t *handle)
{
    struct mailbox *mailbox = handle->data;

    uv_mutex_destroy(&mailbox->lock);
    memory_free(mailbox->mails);
    memory_free(mailbox->taken);
    memory_free(mailbox);
}

void mailbox_close(struct mailbox **mailbox)
{
    if (!*mailbox)
        return;
    take_batch(*mailbox);
    uv_close((uv_handle_t *)&(*mailbox)->async, on_closed);
    *mailbox = NULL;
}
