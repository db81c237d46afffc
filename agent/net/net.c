/* What the streams of a shard have in common. */
#include "agent/net/net_inside.h"

#include "agent/base/connect_failure.h"
#include "agent/base/lease.h"
#include "agent/net/datagrams_inside.h"
#include "agent/net/stream_inside.h"
#include "common/clock.h"
#include "common/memory.h"

/* How long connections are begun, and handshakes computed, before others get a turn of the loop: less than
 * workers have theirs, so that a thousand who are to make their first requests all have had one soon. */
#define LINE_NS NS_PER_MS

/* The wall clock may be set, or run a little faster or slower than ours. */
#define CLOCKS_OLD_NS (10 * NS_PER_MS)
/* Of a stamp of the kernel; what is older is none of it. */
#define STAMP_OLD_NS (60 * NS_PER_S)

static void on_line(uv_idle_t *idle);

bool net_may_send(const struct net *net)
{
    return net->lease == NULL || lease_is_held(net->lease, net->now_ns != 0 ? net->now_ns : clock_now_ns());
}

void net_set_now(struct net *net, uint64_t now_ns)
{
    net->now_ns = now_ns;
}

uint64_t net_ready_ns(const struct net *net)
{
    return net->ready_ns;
}

enum net_failure net_failure_of_system(int number)
{
    static const enum net_failure failures[] = {
        [CONNECT_REFUSED] = NET_REFUSED,
        [CONNECT_UNREACHABLE] = NET_UNREACHABLE,
        [CONNECT_LOCAL_LIMIT] = NET_LOCAL_LIMIT,
        [CONNECT_OTHER] = NET_CONNECT,
    };

    return failures[connect_failure_of(number)];
}

bool net_look(struct net *net)
{
    net->ready_ns = clock_now_ns();
    return !net->is_held && (net->lease == NULL || lease_is_held(net->lease, net->ready_ns));
}

uint64_t net_instant_ns(struct net *net, uint64_t wall_ns)
{
    if (net->ready_ns - net->clocks.now_ns > CLOCKS_OLD_NS) {
        net->clocks = clock_pair_now();
    }
    uint64_t at_ns = net->clocks.now_ns + (wall_ns - net->clocks.wall_ns);
    bool is_likely = at_ns + STAMP_OLD_NS > net->ready_ns && at_ns < net->ready_ns + NS_PER_S;

    return is_likely ? at_ns : net->ready_ns;
}

static void free_closed(void *context)
{
    struct net *net = context;

    while (net->closed != NULL) {
        struct stream *stream = net->closed;
        net->closed = stream->next;
        memory_free(stream);
    }
}

struct net *net_new(uv_loop_t *loop, struct lease *lease)
{
    struct net *net = MEMORY_NEW(struct net);

    net->loop = loop;
    net->lease = lease;
    net->resolver = resolver_new(loop, NULL);
    net->poller = poller_new(loop, free_closed, net);
    net->contexts = tls_contexts_new();
    net->wire = memory_new(NET_READ_BYTES, 1);
    net->plain = memory_new(NET_READ_BYTES, 1);
    net->last_in_line = &net->line;
    buffer_init(&net->gathered_bytes, NET_GATHERED_MAX_BYTES);
    uv_idle_init(loop, &net->idle);
    net->idle.data = net;
    return net;
}

static void on_net_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void net_close(struct net **pointer)
{
    struct net *net = *pointer;

    if (net == NULL) {
        return;
    }
    resolver_close(&net->resolver);
    poller_close(&net->poller);
    free_closed(net);
    tls_contexts_free(&net->contexts);
    memory_free(net->wire);
    memory_free(net->plain);
    buffer_finish(&net->gathered_bytes);
    uv_close((uv_handle_t *)&net->idle, on_net_closed);
    *pointer = NULL;
}

void net_hold(struct net *net)
{
    net->is_held = true;
}

void net_go_on(struct net *net)
{
    net->is_held = false;
    for (struct stream *stream = net->streams; stream != NULL; stream = stream->next) {
        stream_go_on(stream);
    }
    for (struct datagrams *datagrams = net->datagrams; datagrams != NULL; datagrams = datagrams->next) {
        datagrams_go_on(datagrams);
    }
    if (net->line != NULL) {
        uv_idle_start(&net->idle, on_line);
    }
}

void net_lose(struct net *net)
{
    struct stream *next;

    for (struct stream *stream = net->streams; stream != NULL; stream = next) {
        next = stream->next;
        if (stream->state == STREAM_OPEN && stream->callbacks.on_lost != NULL) {
            stream->callbacks.on_lost(stream->context);
        }
    }
}

void net_join_line(struct stream *stream)
{
    struct net *net = stream->net;

    if (stream->is_waiting) {
        return;
    }
    stream->is_waiting = true;
    stream->next_in_line = NULL;
    *net->last_in_line = stream;
    net->last_in_line = &stream->next_in_line;
    uv_idle_start(&net->idle, on_line);
}

void net_leave_line(struct stream *stream)
{
    struct stream **at = &stream->net->line;

    if (!stream->is_waiting) {
        return;
    }
    while (*at != stream) {
        at = &(*at)->next_in_line;
    }
    *at = stream->next_in_line;
    if (stream->net->last_in_line == &stream->next_in_line) {
        stream->net->last_in_line = at;
    }
    stream->is_waiting = false;
}

/* Whose turn it is. While the net is held, connections come up; whether they may begin they ask themselves.
 */
static struct stream *first_in_line(const struct net *net)
{
    struct stream *stream = net->line;

    while (net->is_held && stream != NULL && stream->state != STREAM_CONNECTING) {
        stream = stream->next_in_line;
    }
    return stream;
}

static void on_line(uv_idle_t *idle)
{
    struct net *net = idle->data;
    uint64_t until_ns = clock_now_ns() + LINE_NS;
    struct stream *stream;

    while ((stream = first_in_line(net)) != NULL && (net->ready_ns = clock_now_ns()) < until_ns) {
        net_leave_line(stream);
        stream_take_turn(stream);
    }
    if (first_in_line(net) == NULL) {
        uv_idle_stop(idle);
    }
}
