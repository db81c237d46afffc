/* A socket's input is a buffer that the reader takes from; while more waits than it may hold, nothing is read
 * from the kernel. */
#include "agent/shard/vu_socket.h"

#include "agent/base/memory_account.h"
#include "agent/net/address_list.h"
#include "agent/net/datagrams.h"
#include "agent/net/stream.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
#include "agent/shard/vu_network.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <string.h>

/* What one socket may hold without being counted. */
#define UNCOUNTED_BYTES (16u * 1024u)

/* What a stream borrows until it is connected. */
struct vu_socket_plan {
    char *host;
    char *path;
    char *ca;
    char *certificate;
    char *key;
    struct tls_options tls;
    struct address source;
};

static struct alarms *vu_socket_alarms(const struct vu_socket *socket)
{
    return shard_alarms(socket->vu->campaign->shard);
}

static struct memory_account *vu_socket_memory(const struct vu_socket *socket)
{
    return shard_memory(socket->vu->campaign->shard);
}

static void vu_socket_drop_plan(struct vu_socket *socket)
{
    struct vu_socket_plan *plan = socket->plan;

    if (plan == NULL) {
        return;
    }
    socket->plan = NULL;
    memory_free(plan->host);
    memory_free(plan->path);
    memory_free(plan->ca);
    memory_free(plan->certificate);
    memory_free(plan->key);
    memory_free(plan);
}

static void vu_socket_tell(struct vu_socket *socket)
{
    struct vu *vu = socket->vu;

    if (vu->awaited_socket == socket) {
        alarms_unset(vu_socket_alarms(socket), &socket->alarm);
        vu->awaited_socket = NULL;
        vu_wake(vu, WAKE_DONE);
    }
}

static void vu_socket_on_due(struct alarm *alarm, uint64_t now_ns)
{
    struct vu_socket *socket = CONTAINER_OF(alarm, struct vu_socket, alarm);

    (void)now_ns;
    socket->is_due = true;
    vu_socket_tell(socket);
}

void vu_socket_await(struct vu_socket *socket, uint64_t due_ns)
{
    socket->is_due = false;
    socket->vu->awaited_socket = socket;
    if (due_ns > 0) {
        alarms_set(vu_socket_alarms(socket), &socket->alarm, due_ns);
    } else {
        alarms_unset(vu_socket_alarms(socket), &socket->alarm);
    }
}

/* False if there is no memory for it, and for as many bytes more. */
static bool vu_socket_count(struct vu_socket *socket, size_t more)
{
    struct memory_account *memory = vu_socket_memory(socket);
    size_t held =
        socket->input.capacity + (socket->stream != NULL ? stream_pending(socket->stream) : 0) + more;
    size_t bytes = held > UNCOUNTED_BYTES ? held - UNCOUNTED_BYTES : 0;

    if (bytes > socket->counted_bytes && !memory_account_take_body(memory, bytes - socket->counted_bytes)) {
        return false;
    }
    if (bytes < socket->counted_bytes) {
        memory_account_give_body(memory, socket->counted_bytes - bytes);
    }
    socket->counted_bytes = bytes;
    return true;
}

/* What has come stays readable. */
static void vu_socket_end(struct vu_socket *socket, enum vu_socket_state state, enum http_failure failure,
                          const char *text)
{
    socket->state = (uint8_t)state;
    socket->failure = failure;
    memory_free(socket->text);
    socket->text = memory_copy_string(text);
    stream_close(&socket->stream, state == VU_SOCKET_FAILED);
    datagrams_close(&socket->datagrams);
    vu_socket_drop_plan(socket);
    (void)vu_socket_count(socket, 0);
    vu_socket_tell(socket);
}

void vu_socket_fail(struct vu_socket *socket, enum http_failure failure, const char *text)
{
    vu_socket_end(socket, VU_SOCKET_FAILED, failure, text);
}

static void vu_socket_on_open(void *context)
{
    struct vu_socket *socket = context;

    socket->state = VU_SOCKET_OPEN;
    vu_socket_drop_plan(socket);
    vu_socket_tell(socket);
}

struct bytes vu_socket_unread(const struct vu_socket *socket)
{
    size_t size = socket->input.size - socket->taken;

    return bytes_of(size > 0 ? socket->input.data + socket->taken : NULL, size);
}

static void vu_socket_pause(struct vu_socket *socket)
{
    size_t most = socket->wanted > VU_SOCKET_HELD_BYTES ? socket->wanted : VU_SOCKET_HELD_BYTES;
    bool is_paused = vu_socket_unread(socket).size >= most;

    if (is_paused == socket->is_paused) {
        return;
    }
    socket->is_paused = is_paused;
    if (socket->stream != NULL) {
        stream_pause(socket->stream, is_paused);
    } else if (socket->datagrams != NULL) {
        datagrams_pause(socket->datagrams, is_paused);
    }
}

static void vu_socket_make_room(struct vu_socket *socket)
{
    struct bytes unread = vu_socket_unread(socket);

    if (socket->taken > 0) {
        if (unread.size > 0) {
            memmove(socket->input.data, unread.data, unread.size);
        }
        socket->input.size = unread.size;
        socket->taken = 0;
    }
}

static bool vu_socket_keep(struct vu_socket *socket, struct bytes data)
{
    return vu_socket_count(socket, data.size) && buffer_append(&socket->input, data.data, data.size) &&
           vu_socket_count(socket, 0);
}

static void vu_socket_on_data(void *context, struct bytes data)
{
    struct vu_socket *socket = context;

    vu_socket_make_room(socket);
    socket->received_bytes += data.size;
    if (!vu_socket_keep(socket, data)) {
        vu_socket_fail(socket, HTTP_NO_MEMORY, "there is no memory left for what this thread has received");
        return;
    }
    vu_socket_pause(socket);
    vu_socket_tell(socket);
}

/* One for which there is no memory is lost, as datagrams may be. */
static void vu_socket_on_datagram(void *context, struct bytes data)
{
    struct vu_socket *socket = context;
    uint32_t size = (uint32_t)data.size;

    vu_socket_make_room(socket);
    if (!vu_socket_count(socket, sizeof size + data.size)) {
        return;
    }
    socket->received_bytes += data.size;
    (void)buffer_append(&socket->input, &size, sizeof size);
    (void)buffer_append(&socket->input, data.data, data.size);
    vu_socket_pause(socket);
    vu_socket_tell(socket);
}

static void vu_socket_on_drain(void *context)
{
    struct vu_socket *socket = context;

    (void)vu_socket_count(socket, 0);
    vu_socket_tell(socket);
}

static enum http_failure vu_socket_failure_of(enum net_failure failure)
{
    static const enum http_failure failures[] = {
        [NET_OK] = HTTP_OK,           [NET_RESOLVE] = HTTP_RESOLVE,
        [NET_REFUSED] = HTTP_REFUSED, [NET_UNREACHABLE] = HTTP_UNREACHABLE,
        [NET_CONNECT] = HTTP_CONNECT, [NET_LOCAL_LIMIT] = HTTP_LOCAL_LIMIT,
        [NET_TLS] = HTTP_TLS,         [NET_PROXY] = HTTP_OTHER,
        [NET_CUT] = HTTP_RESET,       [NET_RESET] = HTTP_RESET,
    };

    return failures[failure];
}

static void vu_socket_on_end(void *context, enum net_failure failure, const char *text)
{
    vu_socket_end(context, failure == NET_OK ? VU_SOCKET_ENDED : VU_SOCKET_FAILED,
                  vu_socket_failure_of(failure),
                  failure == NET_CUT ? "the server closed the connection without the goodbye of TLS" : text);
}

static void vu_socket_on_lost(void *context)
{
    vu_socket_fail(context, HTTP_LOST, "the agent lost its lease while the connection was open");
}

static char *vu_socket_copy(const char *text)
{
    return text != NULL ? memory_copy_string(text) : NULL;
}

static struct vu_socket_plan *vu_socket_plan_new(const struct vu_socket_target *target)
{
    struct vu_socket_plan *plan = MEMORY_NEW(struct vu_socket_plan);

    plan->host = vu_socket_copy(target->host);
    plan->path = vu_socket_copy(target->path);
    plan->ca = vu_socket_copy(target->tls.ca_pem);
    plan->certificate = vu_socket_copy(target->tls.certificate_pem);
    plan->key = vu_socket_copy(target->tls.key_pem);
    plan->tls = (struct tls_options){.is_unverified = target->tls.is_unverified,
                                     .ca_pem = plan->ca,
                                     .certificate_pem = plan->certificate,
                                     .key_pem = plan->key};
    return plan;
}

static void vu_socket_connect(struct vu_socket *socket, struct net *net,
                              const struct vu_socket_target *target)
{
    static const struct stream_callbacks callbacks = {.on_open = vu_socket_on_open,
                                                      .on_data = vu_socket_on_data,
                                                      .on_drain = vu_socket_on_drain,
                                                      .on_end = vu_socket_on_end,
                                                      .on_lost = vu_socket_on_lost};
    struct vu_socket_plan *plan = socket->plan;
    struct net_address literal;
    const struct stream_target to = {
        .host = plan->host,
        .path = plan->path,
        .port = target->port,
        .is_literal = plan->host != NULL && net_address_parse(plan->host, &literal),
        .is_tls = target->is_tls,
        .turn = socket->vu->id,
        .overrides = socket->vu->campaign->options->resolve,
        .source = plan->path == NULL && vu_network_source(socket->vu, &plan->source) ? &plan->source : NULL,
        .tls = &plan->tls};

    socket->stream = stream_open(net, &to, &callbacks, socket);
}

static void vu_socket_open_datagrams(struct vu_socket *socket, struct net *net,
                                     const struct vu_socket_target *target)
{
    static const struct datagrams_callbacks callbacks = {
        .on_open = vu_socket_on_open, .on_data = vu_socket_on_datagram, .on_end = vu_socket_on_end};
    struct address source;
    const struct datagrams_target to = {.host = target->host,
                                        .port = target->port,
                                        .overrides = socket->vu->campaign->options->resolve,
                                        .source = vu_network_source(socket->vu, &source) ? &source : NULL};

    socket->datagrams = datagrams_open(net, &to, &callbacks, socket);
}

void vu_socket_open(struct vu *vu, struct vu_socket *socket, const struct vu_socket_target *target)
{
    struct net *net = shard_net(vu->campaign->shard);

    *socket = (struct vu_socket){.vu = vu,
                                 .next = vu->sockets,
                                 .at = &vu->sockets,
                                 .state = VU_SOCKET_CONNECTING,
                                 .is_tls = target->is_tls,
                                 .began_ns = clock_now_ns()};
    if (socket->next != NULL) {
        socket->next->at = &socket->next;
    }
    vu->sockets = socket;
    alarm_init(&socket->alarm, vu_socket_on_due);
    buffer_init(&socket->input, VU_SOCKET_MAX_BYTES + VU_SOCKET_HELD_BYTES);
    socket->plan = vu_socket_plan_new(target);
    if (target->is_datagrams) {
        vu_socket_open_datagrams(socket, net, target);
    } else {
        vu_socket_connect(socket, net, target);
    }
}

void vu_socket_take(struct vu_socket *socket, size_t size)
{
    socket->taken += size;
    if (socket->taken == socket->input.size) {
        socket->taken = 0;
        buffer_clear(&socket->input);
        if (socket->input.capacity > UNCOUNTED_BYTES) {
            buffer_finish(&socket->input);
        }
        (void)vu_socket_count(socket, 0);
    }
    vu_socket_want(socket, 0);
}

void vu_socket_want(struct vu_socket *socket, size_t size)
{
    socket->wanted = size;
    vu_socket_pause(socket);
}

bool vu_socket_take_datagram(struct vu_socket *socket, struct bytes *datagram)
{
    struct bytes unread = vu_socket_unread(socket);
    uint32_t size;

    if (unread.size == 0) {
        return false;
    }
    memcpy(&size, unread.data, sizeof size);
    *datagram = bytes_of(unread.data + sizeof size, size);
    socket->taken += sizeof size + size;
    vu_socket_pause(socket);
    return true;
}

bool vu_socket_send(struct vu_socket *socket, struct bytes data)
{
    if (!vu_socket_count(socket, data.size)) {
        return false;
    }
    stream_write(socket->stream, data);
    socket->sent_bytes += data.size;
    (void)vu_socket_count(socket, 0);
    return true;
}

enum http_failure vu_socket_send_datagram(struct vu_socket *socket, struct bytes data, char *text,
                                          size_t size)
{
    enum net_failure failure = datagrams_send(socket->datagrams, data, text, size);

    if (failure == NET_OK) {
        socket->sent_bytes += data.size;
    }
    return vu_socket_failure_of(failure);
}

bool vu_socket_is_sending(const struct vu_socket *socket)
{
    return socket->stream != NULL && stream_pending(socket->stream) > 0;
}

const char *vu_socket_address(const struct vu_socket *socket)
{
    if (socket->stream != NULL) {
        return stream_peer(socket->stream);
    }
    return socket->datagrams != NULL ? datagrams_peer(socket->datagrams) : "";
}

static uint64_t microseconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

void vu_socket_phases(const struct vu_socket *socket, uint64_t phase_us[REQUEST_PHASE_COUNT])
{
    memset(phase_us, 0, REQUEST_PHASE_COUNT * sizeof *phase_us);
    if (socket->stream == NULL) {
        return;
    }
    const struct stream_times *times = stream_times(socket->stream);
    phase_us[REQUEST_LOOKUP] = microseconds_between(socket->began_ns, times->resolved_ns);
    phase_us[REQUEST_CONNECT] = microseconds_between(times->resolved_ns, times->connected_ns);
    phase_us[REQUEST_TLS] = socket->is_tls ? microseconds_between(times->connected_ns, times->open_ns) : 0;
}

void vu_socket_close(struct vu_socket *socket)
{
    struct vu *vu = socket->vu;

    if (vu == NULL) {
        return;
    }
    if (vu->awaited_socket == socket) {
        vu->awaited_socket = NULL;
    }
    alarms_unset(vu_socket_alarms(socket), &socket->alarm);
    stream_close(&socket->stream, false);
    datagrams_close(&socket->datagrams);
    vu_socket_drop_plan(socket);
    buffer_finish(&socket->input);
    socket->taken = 0;
    (void)vu_socket_count(socket, 0);
    memory_free(socket->text);
    socket->text = NULL;
    *socket->at = socket->next;
    if (socket->next != NULL) {
        socket->next->at = socket->at;
    }
    socket->state = VU_SOCKET_CLOSED;
    socket->vu = NULL;
}

size_t vu_sockets_count(const struct vu *vu)
{
    size_t count = 0;

    for (const struct vu_socket *socket = vu->sockets; socket != NULL; socket = socket->next) {
        count++;
    }
    return count;
}

void vu_sockets_drop(struct vu *vu)
{
    while (vu->sockets != NULL) {
        vu_socket_close(vu->sockets);
    }
}
