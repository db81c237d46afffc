/* Looks one name up in a thread of its own, which is left alone if it does not come back. */
#include "agent/main/name_lookup.h"

#include "common/memory.h"

#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES ((size_t)256 * 1024)

/* Shared by the loop and the thread; freed by the one that leaves last. */
struct name_lookup {
    pthread_mutex_t lock; /* of what follows, up to the line */
    bool is_abandoned;    /* the loop has no use for it any more */
    bool is_running;      /* the thread is */
    bool is_found;
    struct name_found found;
    uv_async_t wakeup;
    /* The thread only reads the host; the loop has the rest for itself. */
    char host[NAME_LOOKUP_HOST_BYTES];
    bool is_busy;
    void (*on_found)(void *context, const struct name_found *found);
    void *context;
};

static void name_lookup_free(struct name_lookup *lookup)
{
    (void)pthread_mutex_destroy(&lookup->lock);
    memory_free(lookup);
}

static void name_lookup_add(struct name_found *found, const struct addrinfo *list, int family)
{
    for (const struct addrinfo *item = list; item != NULL; item = item->ai_next) {
        if (item->ai_family == family && found->count < NAME_LOOKUP_ADDRESSES &&
            address_of_socket(item->ai_addr, &found->addresses[found->count])) {
            found->count++;
        }
    }
}

static void name_lookup_ask(const char *host, struct name_found *found)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int result = getaddrinfo(host, NULL, &hints, &list);

    *found = (struct name_found){.failure = NULL};
    if (result == 0) {
        name_lookup_add(found, list, AF_INET);
        name_lookup_add(found, list, AF_INET6);
        freeaddrinfo(list);
    }
    if (found->count == 0) {
        found->failure = result != 0 ? gai_strerror(result) : "it has no address";
    }
}

static void *name_lookup_main(void *argument)
{
    struct name_lookup *lookup = argument;
    struct name_found found;

    name_lookup_ask(lookup->host, &found);
    (void)pthread_mutex_lock(&lookup->lock);
    bool is_abandoned = lookup->is_abandoned;
    lookup->found = found;
    lookup->is_found = true;
    lookup->is_running = false;
    if (!is_abandoned) {
        (void)uv_async_send(&lookup->wakeup);
    }
    (void)pthread_mutex_unlock(&lookup->lock);
    if (is_abandoned) {
        name_lookup_free(lookup);
    }
    return NULL;
}

static void name_lookup_on_wakeup(uv_async_t *wakeup)
{
    struct name_lookup *lookup = wakeup->data;
    struct name_found found;

    (void)pthread_mutex_lock(&lookup->lock);
    bool is_found = lookup->is_found;
    lookup->is_found = false;
    found = lookup->found;
    (void)pthread_mutex_unlock(&lookup->lock);
    if (is_found) {
        lookup->is_busy = false;
        lookup->on_found(lookup->context, &found);
    }
}

struct name_lookup *name_lookup_new(uv_loop_t *loop,
                                    void (*on_found)(void *context, const struct name_found *found),
                                    void *context)
{
    struct name_lookup *lookup = MEMORY_NEW(struct name_lookup);

    lookup->on_found = on_found;
    lookup->context = context;
    int result = pthread_mutex_init(&lookup->lock, NULL);
    assert(result == 0);
    (void)result;
    if (uv_async_init(loop, &lookup->wakeup, name_lookup_on_wakeup) != 0) {
        abort();
    }
    lookup->wakeup.data = lookup;
    return lookup;
}

/* Signals are for the other threads: this one may be in the middle of anything. */
static bool name_lookup_spawn(struct name_lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&thread, &attributes, name_lookup_main, lookup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return result == 0;
}

void name_lookup_start(struct name_lookup *lookup, const char *host)
{
    size_t size = strlen(host);

    if (lookup->is_busy || size >= sizeof lookup->host) {
        return;
    }
    memcpy(lookup->host, host, size + 1);
    lookup->is_busy = true;
    (void)pthread_mutex_lock(&lookup->lock);
    lookup->is_running = name_lookup_spawn(lookup);
    if (!lookup->is_running) {
        lookup->found = (struct name_found){.failure = "there is no thread left to ask with"};
        lookup->is_found = true;
        (void)uv_async_send(&lookup->wakeup);
    }
    (void)pthread_mutex_unlock(&lookup->lock);
}

bool name_lookup_is_busy(const struct name_lookup *lookup)
{
    return lookup->is_busy;
}

/* From here on the thread does not touch the handle. */
static void name_lookup_on_closed(uv_handle_t *handle)
{
    struct name_lookup *lookup = handle->data;

    (void)pthread_mutex_lock(&lookup->lock);
    bool is_running = lookup->is_running;
    lookup->is_abandoned = true;
    (void)pthread_mutex_unlock(&lookup->lock);
    if (!is_running) {
        name_lookup_free(lookup);
    }
}

void name_lookup_close(struct name_lookup **at)
{
    struct name_lookup *lookup = *at;

    *at = NULL;
    if (lookup != NULL) {
        lookup->on_found = NULL;
        uv_close((uv_handle_t *)&lookup->wakeup, name_lookup_on_closed);
    }
}
