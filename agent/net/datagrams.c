/* A connected socket of UDP: the kernel lets in what comes from that address alone, and says when nobody
 * listens there. */
#include "agent/net/datagrams_inside.h"

#include "agent/base/connect_failure.h"
#include "agent/base/source_address.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So many are read before others have their turn. */
#define READS_AT_ONCE 64

static void on_datagrams_timer(uv_timer_t *timer)
{
    struct datagrams *datagrams = timer->data;

    if (datagrams->failure != NET_OK) {
        datagrams->callbacks.on_end(datagrams->context, datagrams->failure, datagrams->text);
    } else {
        datagrams->callbacks.on_open(datagrams->context);
    }
}

static void datagrams_tell(struct datagrams *datagrams)
{
    uv_timer_start(&datagrams->timer, on_datagrams_timer, 0, 0);
}

static void datagrams_fail(struct datagrams *datagrams, int number)
{
    datagrams->failure = net_failure_of_system(number);
    snprintf(datagrams->text, sizeof datagrams->text, "%s: %s%s", datagrams->peer, strerror(number),
             connect_failure_advice(number));
    datagrams_tell(datagrams);
}

static void datagrams_drop_socket(struct datagrams *datagrams)
{
    if (datagrams->polled.fd >= 0) {
        poller_remove(&datagrams->polled);
        close(datagrams->polled.fd);
        datagrams->polled.fd = -1;
    }
}

static bool datagrams_may_read(struct datagrams *datagrams)
{
    struct net *net = datagrams->net;

    if (datagrams->is_paused || net->is_held) {
        return false;
    }
    if (!net_may_send(net)) {
        poller_again(&datagrams->polled);
        return false;
    }
    return true;
}

static void on_datagrams_ready(struct poller_socket *polled, uint32_t events)
{
    struct datagrams *datagrams = CONTAINER_OF(polled, struct datagrams, polled);
    struct net *net = datagrams->net;

    (void)events;
    for (int i = 0; i < READS_AT_ONCE; i++) {
        if (!datagrams_may_read(datagrams)) {
            return;
        }
        ssize_t count = recv(polled->fd, net->wire, NET_READ_BYTES, 0);
        net->ready_ns = clock_now_ns();
        if (count >= 0) {
            datagrams->callbacks.on_data(datagrams->context, bytes_of(net->wire, (size_t)count));
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            datagrams_fail(datagrams, errno);
            return;
        }
    }
    poller_again(polled);
}

void datagrams_go_on(struct datagrams *datagrams)
{
    if (datagrams->polled.fd >= 0) {
        poller_again(&datagrams->polled);
    }
}

void datagrams_pause(struct datagrams *datagrams, bool is_paused)
{
    bool was_paused = datagrams->is_paused;

    datagrams->is_paused = is_paused;
    if (was_paused && !is_paused) {
        datagrams_go_on(datagrams);
    }
}

/* 0, or an errno. */
static int datagrams_bind(struct datagrams *datagrams, int fd, const struct net_address *address)
{
    int number = datagrams->has_source ? source_address_bind(fd, &datagrams->source) : 0;

    if (number == 0 && connect(fd, &address->any, net_address_size(address)) != 0) {
        number = errno;
    }
    if (number == 0) {
        datagrams->polled.on_ready = on_datagrams_ready;
        number = poller_add(datagrams->net->poller, &datagrams->polled, fd, POLLER_EDGES);
    }
    return number;
}

/* 0, or an errno: then there is no socket. */
static int datagrams_connect_to(struct datagrams *datagrams, const struct net_address *address)
{
    net_address_text(address, datagrams->peer, sizeof datagrams->peer);
    int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int number = fd < 0 ? errno : datagrams_bind(datagrams, fd, address);
    if (number != 0) {
        if (fd >= 0) {
            close(fd);
        }
        datagrams->polled.fd = -1;
    }
    return number;
}

/* To the first of the addresses that a way leads to: the kernel knows that at once. */
static void datagrams_connect(struct datagrams *datagrams, struct address_list *list)
{
    int number = EADDRNOTAVAIL;

    if (datagrams->has_source) {
        address_list_keep_family(list, address_is_v4(&datagrams->source));
    }
    for (uint32_t i = 0; i < list->count && number != 0; i++) {
        net_address_set_port(&list->items[i], datagrams->port);
        number = datagrams_connect_to(datagrams, &list->items[i]);
    }
    if (number != 0) {
        datagrams_fail(datagrams, number);
        return;
    }
    datagrams_tell(datagrams);
}

static void on_datagrams_resolved(void *context, const struct address_list *list,
                                  const struct resolver_failure *failure)
{
    struct datagrams *datagrams = context;

    datagrams->query = NULL;
    if (failure == NULL) {
        struct address_list found = *list;
        datagrams_connect(datagrams, &found);
        return;
    }
    datagrams->failure = failure->is_local ? NET_LOCAL_LIMIT : NET_RESOLVE;
    snprintf(datagrams->text, sizeof datagrams->text, "the name %.80s cannot be resolved: %.120s",
             datagrams->host, failure->text);
    datagrams_tell(datagrams);
}

struct datagrams *datagrams_open(struct net *net, const struct datagrams_target *target,
                                 const struct datagrams_callbacks *callbacks, void *context)
{
    struct datagrams *datagrams = MEMORY_NEW(struct datagrams);
    struct address_list list;

    datagrams->net = net;
    datagrams->callbacks = *callbacks;
    datagrams->context = context;
    datagrams->polled.fd = -1;
    datagrams->port = target->port;
    bytes_to_text(bytes_of_string(target->host), datagrams->host, sizeof datagrams->host);
    datagrams->has_source = target->source != NULL;
    if (target->source != NULL) {
        datagrams->source = *target->source;
    }
    datagrams->next = net->datagrams;
    datagrams->at = &net->datagrams;
    if (datagrams->next != NULL) {
        datagrams->next->at = &datagrams->next;
    }
    net->datagrams = datagrams;
    uv_timer_init(net->loop, &datagrams->timer);
    datagrams->timer.data = datagrams;
    if (net_look_up(net, target->overrides, datagrams->host, datagrams->port, &list)) {
        datagrams_connect(datagrams, &list);
    } else {
        datagrams->query = resolver_ask(net->resolver, datagrams->host, on_datagrams_resolved, datagrams);
    }
    return datagrams;
}

enum net_failure datagrams_send(struct datagrams *datagrams, struct bytes data, char *text, size_t size)
{
    ssize_t count;

    do {
        count = send(datagrams->polled.fd, data.data, data.size, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count >= 0) {
        return NET_OK;
    }
    int number = errno == EAGAIN ? ENOBUFS : errno;
    snprintf(text, size, "%s: %s", datagrams->peer, strerror(number));
    return net_failure_of_system(number);
}

const char *datagrams_peer(const struct datagrams *datagrams)
{
    return datagrams->peer;
}

static void on_datagrams_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void datagrams_close(struct datagrams **pointer)
{
    struct datagrams *datagrams = *pointer;

    if (datagrams == NULL) {
        return;
    }
    *pointer = NULL;
    resolver_cancel(&datagrams->query);
    datagrams_drop_socket(datagrams);
    *datagrams->at = datagrams->next;
    if (datagrams->next != NULL) {
        datagrams->next->at = datagrams->at;
    }
    uv_close((uv_handle_t *)&datagrams->timer, on_datagrams_closed);
}
