/* A locked array that the reader swaps for an empty one, and an eventfd that wakes it. Not a uv_async: its
 * reader spins until the sender has returned from the call that woke it, which costs most where both share a
 * core. */
#include "agent/shard/mailbox.h"

#include "common/memory.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NO_WAKEUP (-1)

struct mailbox {
    union {
        uv_handle_t handle;
        uv_poll_t poll; /* on `wakeup` */
        uv_idle_t idle; /* of a local mailbox: runs while mail waits */
    };
    int wakeup;         /* NO_WAKEUP: local */
    atomic_uint wakers; /* threads that are about to write to it */
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
    for (size_t i = 0; i < count; i++) {
        mailbox->callbacks.on_mail(mailbox->callbacks.context, mails[i]);
    }
    if (mailbox->callbacks.on_batch_end != NULL) {
        mailbox->callbacks.on_batch_end(mailbox->callbacks.context);
    }
}

static void mailbox_on_wakeup(uv_poll_t *poll, int status, int events)
{
    struct mailbox *mailbox = poll->data;
    eventfd_t count;

    (void)status, (void)events;
    (void)!eventfd_read(mailbox->wakeup, &count);
    take_batch(mailbox);
}

static void mailbox_on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    take_batch(idle->data);
}

static struct mailbox *new_silent(const struct mailbox_callbacks *callbacks)
{
    struct mailbox *mailbox = MEMORY_NEW(struct mailbox);

    mailbox->callbacks = *callbacks;
    uv_mutex_init(&mailbox->lock);
    mailbox->wakeup = NO_WAKEUP;
    return mailbox;
}

struct mailbox *mailbox_new_local(uv_loop_t *loop, const struct mailbox_callbacks *callbacks)
{
    struct mailbox *mailbox = new_silent(callbacks);

    uv_idle_init(loop, &mailbox->idle);
    mailbox->handle.data = mailbox;
    return mailbox;
}

struct mailbox *mailbox_new(uv_loop_t *loop, const struct mailbox_callbacks *callbacks)
{
    struct mailbox *mailbox = new_silent(callbacks);

    mailbox->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->wakeup < 0 || uv_poll_init(loop, &mailbox->poll, mailbox->wakeup) != 0) {
        abort();
    }
    mailbox->handle.data = mailbox;
    uv_poll_start(&mailbox->poll, UV_READABLE, mailbox_on_wakeup);
    return mailbox;
}

static void wake(struct mailbox *mailbox)
{
    if (mailbox->wakeup == NO_WAKEUP) {
        uv_idle_start(&mailbox->idle, mailbox_on_idle);
    } else {
        (void)!eventfd_write(mailbox->wakeup, 1);
    }
}

size_t mailbox_put_all(struct mailbox *mailbox, uint32_t tag, void *const *items, size_t count)
{
    uv_mutex_lock(&mailbox->lock);
    size_t waited = mailbox->count;
    mailbox->mails =
        memory_reserve(mailbox->mails, &mailbox->capacity, waited + count, sizeof *mailbox->mails);
    for (size_t i = 0; i < count; i++) {
        mailbox->mails[mailbox->count++] = (struct mail){.tag = tag, .item = items[i]};
    }
    size_t waiting = mailbox->count;
    bool must_wake = waited == 0 && waiting > 0;
    if (must_wake) {
        atomic_fetch_add(&mailbox->wakers, 1);
    }
    uv_mutex_unlock(&mailbox->lock);
    /* Not under the lock, which the reader would block on at once. */
    if (must_wake) {
        wake(mailbox);
        atomic_fetch_sub(&mailbox->wakers, 1);
    }
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

void mailbox_take(struct mailbox *mailbox)
{
    take_batch(mailbox);
}

static void mailbox_on_closed(uv_handle_t *handle)
{
    struct mailbox *mailbox = handle->data;

    if (mailbox->wakeup != NO_WAKEUP) {
        close(mailbox->wakeup);
    }
    uv_mutex_destroy(&mailbox->lock);
    memory_free(mailbox->mails);
    memory_free(mailbox->taken);
    memory_free(mailbox);
}

void mailbox_close(struct mailbox **mailbox)
{
    if (*mailbox == NULL) {
        return;
    }
    take_batch(*mailbox);
    /* The thread that put the last piece may still be in the call that wakes us. */
    while (atomic_load(&(*mailbox)->wakers) > 0) {
        sched_yield();
    }
    uv_close(&(*mailbox)->handle, mailbox_on_closed);
    *mailbox = NULL;
}
