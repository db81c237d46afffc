/* The engine on libcurl: one multi handle on the shard's loop. */
#include "agent/http/curl/curl_client.h"

#include "agent/base/lease.h"
#include "common/clock.h"
#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Maximum interval between checks whether the lease is valid again. */
#define HELD_LOOK_MS 100u

/* One connection. Curl requests events again for every request; the poll of an idle connection is left
 * unchanged, which saves two system calls each time. */
struct connection {
    uv_poll_t poll;
    struct curl_engine *engine;
    const struct curl_client *client; /* its owner */
    curl_socket_t socket;
    bool is_of_resolver; /* used by curl for name lookups: curl closes it without notice */
    int wanted;          /* requested by curl: UV_READABLE, UV_WRITABLE; 0 while idle */
    int active;          /* events that the poll waits for */
};

struct curl_engine {
    struct http_engine base;
    uv_loop_t *loop;
    CURLM *multi;
    struct lease *lease;
    bool is_held; /* there is no lease: curl is not called */
    struct curl_transfer *transfers;
    struct memory_account *memory; /* NULL: bodies are not counted */
    uv_timer_t timer;
    uv_prepare_t prepare;
    uint64_t due_ns;                 /* when curl wants to be called; UINT64_MAX: never */
    struct connection **connections; /* indexed by descriptor */
    size_t connection_capacity;
    unsigned open_handles;
};

/* The last transfer to time out is reported only here, so this is called every time. */
static bool read_completions(struct curl_engine *engine)
{
    bool has_any = false;
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        struct curl_exchange *exchange = NULL;
        CURLcode result = message->data.result;
        CURL *easy = message->easy_handle;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
        curl_exchange_done(exchange, result);
        has_any = true;
    }
    return has_any;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void listen_as_wanted(struct connection *connection)
{
    if (connection->wanted == connection->active || connection->wanted == 0 || connection->engine->is_held) {
        return;
    }
    connection->active = connection->wanted;
    uv_poll_start(&connection->poll, connection->active, on_poll);
}

static void engine_hold(struct curl_engine *engine)
{
    engine->is_held = true;
    for (size_t i = 0; i < engine->connection_capacity; i++) {
        struct connection *connection = engine->connections[i];
        if (connection != NULL && connection->active != 0) {
            uv_poll_stop(&connection->poll);
            connection->active = 0;
        }
    }
}

static void engine_go_on(struct curl_engine *engine)
{
    engine->is_held = false;
    engine->due_ns = 0; /* timeouts that expired meanwhile */
    for (size_t i = 0; i < engine->connection_capacity; i++) {
        if (engine->connections[i] != NULL) {
            listen_as_wanted(engine->connections[i]);
        }
    }
}

/* Resets the connection at once: what is in the kernel's buffer is not sent, and nothing can be written any
 * more. */
static void connection_reset(const struct connection *connection)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    if (!connection->is_of_resolver) {
        (void)connect(connection->socket, &nowhere, sizeof nowhere);
    }
}

static void engine_reset_all(struct curl_engine *engine, const struct curl_client *client)
{
    for (size_t i = 0; i < engine->connection_capacity; i++) {
        if (engine->connections[i] != NULL && engine->connections[i]->client == client) {
            connection_reset(engine->connections[i]);
        }
    }
}

bool curl_engine_may_send(const struct curl_engine *engine)
{
    return engine->lease == NULL || lease_is_held(engine->lease, clock_now_ns());
}

void curl_engine_quieten(struct curl_engine *engine, const struct curl_client *client)
{
    if (!curl_engine_may_send(engine)) {
        engine_reset_all(engine, client);
    }
}

/* Curl closes them when it looks for a connection the next time. */
void curl_engine_hang_up(struct curl_engine *engine, const struct curl_client *client)
{
    for (size_t i = 0; i < engine->connection_capacity; i++) {
        const struct connection *connection = engine->connections[i];
        if (connection != NULL && connection->client == client && connection->wanted == 0 &&
            !connection->is_of_resolver) {
            (void)shutdown(connection->socket, SHUT_RDWR);
        }
    }
}

/* Transfers that a caller starts in response are not included: they wait for the next lease. */
static void engine_lose_all(struct curl_engine *engine)
{
    struct curl_transfer *transfer = engine->transfers;

    engine->transfers = NULL;
    if (transfer != NULL) {
        transfer->at = &transfer;
    }
    while (transfer != NULL) {
        engine_reset_all(engine, curl_exchange_client(transfer->exchange));
        curl_exchange_lose(transfer->exchange);
    }
}

/* The gate: curl may write in any call, so it is not called without a lease. */
static bool engine_may_drive(struct curl_engine *engine)
{
    enum lease_state state = engine->lease == NULL ? LEASE_HOLDS : lease_look(engine->lease, clock_now_ns());

    if (state == LEASE_HOLDS) {
        if (engine->is_held) {
            engine_go_on(engine);
        }
        return true;
    }
    if (!engine->is_held) {
        engine_hold(engine);
    }
    if (state == LEASE_GONE) {
        engine_lose_all(engine);
    }
    return false;
}

/* Returns whether a transfer has ended. */
static bool drive(struct curl_engine *engine, curl_socket_t socket, int events)
{
    int running;

    if (!engine_may_drive(engine)) {
        return false;
    }
    curl_multi_socket_action(engine->multi, socket, events, &running);
    return read_completions(engine);
}

static struct connection *find_connection(struct curl_engine *engine, curl_socket_t socket)
{
    return (size_t)socket < engine->connection_capacity ? engine->connections[socket] : NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    int flags = 0;

    if (connection->wanted == 0) {
        /* Most likely closed by the other end: curl finds out when it wants to use the connection again. */
        uv_poll_stop(poll);
        connection->active = 0;
        return;
    }
    /* Reported as readable and writable: given only the error, curl does not find out its cause ("connection
     * reset"). libuv has stopped the poll. */
    if (status < 0) {
        flags = CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
        connection->active = 0;
    }
    if (events & UV_READABLE) {
        flags |= CURL_CSELECT_IN;
    }
    if (events & UV_WRITABLE) {
        flags |= CURL_CSELECT_OUT;
    }
    drive(connection->engine, connection->socket, flags);
    if (connection->active == 0 && find_connection(connection->engine, connection->socket) == connection) {
        listen_as_wanted(connection);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

/* Curl's resolver threads report through a local socket pair. */
static bool is_local(curl_socket_t socket)
{
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;

    return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

static struct connection *need_connection(struct curl_engine *engine, curl_socket_t socket)
{
    struct connection *connection = find_connection(engine, socket);
    size_t had = engine->connection_capacity;

    if (connection != NULL) {
        return connection;
    }
    engine->connections = memory_reserve(engine->connections, &engine->connection_capacity,
                                         (size_t)socket + 1, sizeof(struct connection *));
    for (size_t i = had; i < engine->connection_capacity; i++) {
        engine->connections[i] = NULL;
    }
    connection = MEMORY_NEW(struct connection);
    if (uv_poll_init(engine->loop, &connection->poll, socket) != 0) {
        memory_free(connection);
        return NULL;
    }
    connection->engine = engine;
    connection->socket = socket;
    connection->is_of_resolver = is_local(socket);
    connection->poll.data = connection;
    engine->connections[socket] = connection;
    return connection;
}

static void drop_connection(struct connection *connection)
{
    connection->engine->connections[connection->socket] = NULL;
    uv_poll_stop(&connection->poll);
    uv_close((uv_handle_t *)&connection->poll, on_poll_closed);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context)
{
    struct curl_engine *engine = context;

    (void)socket_context;
    if (what == CURL_POLL_REMOVE) {
        struct connection *connection = find_connection(engine, socket);
        if (connection != NULL) {
            connection->wanted = 0;
        }
        if (connection != NULL && connection->is_of_resolver) {
            drop_connection(connection);
        }
        return 0;
    }
    struct connection *connection = need_connection(engine, socket);
    if (connection == NULL) {
        return 0;
    }
    struct curl_exchange *exchange = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
    connection->client = curl_exchange_client(exchange);
    connection->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    listen_as_wanted(connection);
    return 0;
}

int curl_engine_close_socket(void *context, curl_socket_t socket)
{
    struct curl_engine *engine = context;
    struct connection *connection = find_connection(engine, socket);

    if (connection != NULL) {
        drop_connection(connection);
    }
    return close(socket);
}

static void curl_engine_on_timer(uv_timer_t *timer)
{
    struct curl_engine *engine = timer->data;
    uint64_t now_ns = clock_now_ns();

    if (engine->due_ns == UINT64_MAX) {
        return;
    }
    if (now_ns >= engine->due_ns) {
        engine->due_ns = UINT64_MAX;
        drive(engine, CURL_SOCKET_TIMEOUT, 0);
    }
    if (engine->due_ns != UINT64_MAX && !uv_is_active((uv_handle_t *)timer) && engine->due_ns > now_ns) {
        uv_timer_start(timer, curl_engine_on_timer, (engine->due_ns - now_ns) / NS_PER_MS + 1, 0);
    }
}

/* A timer that fires early does no harm: it checks due_ns. So it is only changed to fire earlier. */
static int on_timeout_change(CURLM *multi, long timeout_ms, void *context)
{
    struct curl_engine *engine = context;

    (void)multi;
    if (timeout_ms < 0) {
        engine->due_ns = UINT64_MAX;
        return 0;
    }
    engine->due_ns = timeout_ms == 0 ? 0 : clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    if (timeout_ms == 0) {
        return 0; /* handled in on_prepare */
    }
    if (!uv_is_active((uv_handle_t *)&engine->timer) ||
        uv_timer_get_due_in(&engine->timer) > (uint64_t)timeout_ms + 1) {
        uv_timer_start(&engine->timer, curl_engine_on_timer, (uint64_t)timeout_ms + 1, 0);
    }
    return 0;
}

/* Requests that were started in this turn are sent together, before the loop sleeps. */
static void curl_engine_on_prepare(uv_prepare_t *prepare)
{
    struct curl_engine *engine = prepare->data;

    if (!engine_may_drive(engine)) {
        if (engine->transfers != NULL && !uv_is_active((uv_handle_t *)&engine->timer)) {
            uv_timer_start(&engine->timer, curl_engine_on_timer, HELD_LOOK_MS, 0);
        }
        return;
    }
    if (engine->due_ns != 0) {
        return;
    }
    engine->due_ns = UINT64_MAX;
    bool has_ended = drive(engine, CURL_SOCKET_TIMEOUT, 0);
    /* Curl may need another turn at once, and so may the owner of the transfer: the loop must not sleep
     * now. */
    if (has_ended || engine->due_ns == 0) {
        uv_timer_start(&engine->timer, curl_engine_on_timer, 0, 0);
    }
}

struct curl_engine *curl_engine_new(uv_loop_t *loop, struct lease *lease)
{
    static uv_once_t once = UV_ONCE_INIT;
    struct curl_engine *engine = MEMORY_NEW(struct curl_engine);

    uv_once(&once, curl_client_global_init);
    engine->loop = loop;
    engine->lease = lease;
    engine->due_ns = UINT64_MAX;
    engine->multi = curl_multi_init();
    if (engine->multi == NULL) {
        abort();
    }
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    uv_timer_init(loop, &engine->timer);
    uv_prepare_init(loop, &engine->prepare);
    engine->timer.data = engine->prepare.data = engine;
    engine->open_handles = 2;
    uv_prepare_start(&engine->prepare, curl_engine_on_prepare);
    return engine;
}

static void curl_engine_on_closed(uv_handle_t *handle)
{
    struct curl_engine *engine = handle->data;

    if (--engine->open_handles > 0) {
        return;
    }
    memory_free(engine->connections);
    memory_free(engine);
}

void curl_engine_close(struct curl_engine **pointer)
{
    struct curl_engine *engine = *pointer;

    if (engine == NULL) {
        return;
    }
    curl_multi_cleanup(engine->multi);
    uv_close((uv_handle_t *)&engine->timer, curl_engine_on_closed);
    uv_close((uv_handle_t *)&engine->prepare, curl_engine_on_closed);
    *pointer = NULL;
}

struct memory_account *curl_engine_memory(struct curl_engine *engine)
{
    return engine->memory;
}

void curl_engine_set_memory(struct curl_engine *engine, struct memory_account *memory)
{
    engine->memory = memory;
}

void curl_engine_add(struct curl_engine *engine, struct curl_transfer *transfer)
{
    transfer->next = engine->transfers;
    transfer->at = &engine->transfers;
    if (transfer->next != NULL) {
        transfer->next->at = &transfer->next;
    }
    engine->transfers = transfer;
}

void curl_engine_begin(struct curl_engine *engine, CURL *easy)
{
    curl_multi_add_handle(engine->multi, easy);
}

void curl_engine_end(struct curl_engine *engine, CURL *easy, struct curl_transfer *transfer)
{
    *transfer->at = transfer->next;
    if (transfer->next != NULL) {
        transfer->next->at = transfer->at;
    }
    curl_multi_remove_handle(engine->multi, easy);
}
