/* The engine on libcurl: one multi handle on the shard's loop. */
#include "agent/http/curl/curl_client.h"

#include "agent/base/lease.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <openssl/ssl.h>
#include <stdlib.h>

/* Maximum interval between checks whether the lease is valid again. */
#define HELD_LOOK_MS 100u
/* Each client has a cache of its own, for which curl takes this limit. */
#define CLIENT_CONNECTIONS_MAX 6L
/* A handshake takes curl some milliseconds, in two or three pieces. */
#define HANDSHAKES_PER_TURN 4u

struct curl_engine {
    struct http_engine base;
    uv_loop_t *loop;
    CURLM *multi;
    struct lease *lease;
    bool is_held; /* there is no lease: curl is not called */
    struct curl_transfer *transfers;
    struct curl_transfer *nudged; /* an address of theirs has failed */
    struct curl_transfer *queued; /* they begin in the next turns, in order */
    struct curl_transfer **last_queued;
    unsigned begun_in_turn;        /* that shake hands */
    struct memory_account *memory; /* NULL: bodies are not counted */
    uv_timer_t timer;
    uv_prepare_t prepare;
    uint64_t due_ns; /* when curl wants to be called; UINT64_MAX: never */
    struct curl_sockets sockets;
    X509_STORE *authorities; /* the machine's; NULL: nothing has asked for them yet */
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

static void engine_hold(struct curl_engine *engine)
{
    engine->is_held = true;
    curl_sockets_hold(&engine->sockets);
}

static void engine_go_on(struct curl_engine *engine)
{
    engine->is_held = false;
    engine->due_ns = 0; /* timeouts that expired meanwhile */
    curl_sockets_go_on(&engine->sockets);
}

bool curl_engine_may_send(const struct curl_engine *engine)
{
    return engine->lease == NULL || lease_is_held(engine->lease, clock_now_ns());
}

void curl_engine_quieten(struct curl_engine *engine, const struct curl_socket_list *sockets)
{
    if (!curl_engine_may_send(engine)) {
        curl_socket_list_reset(sockets);
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
        curl_socket_list_reset(curl_exchange_sockets(transfer->exchange));
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

/* Where an address has failed, curl finds the next one when it looks at the transfer again. By itself it does
 * so only when the time for one address is over. */
static void nudge_all(struct curl_engine *engine)
{
    while (engine->nudged != NULL) {
        struct curl_transfer *transfer = engine->nudged;
        engine->nudged = transfer->next_nudged;
        transfer->is_nudged = false;
        curl_exchange_nudge(transfer->exchange);
    }
}

static void engine_forget_nudged(struct curl_engine *engine, const struct curl_transfer *transfer)
{
    struct curl_transfer **at = &engine->nudged;

    while (*at != NULL && *at != transfer) {
        at = &(*at)->next_nudged;
    }
    if (*at != NULL) {
        *at = transfer->next_nudged;
    }
}

/* Returns whether a transfer has ended. */
static bool drive(struct curl_engine *engine, curl_socket_t socket, int events)
{
    int running;

    if (!engine_may_drive(engine)) {
        return false;
    }
    curl_multi_socket_action(engine->multi, socket, events, &running);
    nudge_all(engine);
    return read_completions(engine);
}

static void curl_engine_on_ready(void *context, curl_socket_t socket, int flags)
{
    drive(context, socket, flags);
}

static void engine_nudge(struct curl_engine *engine, struct curl_transfer *transfer)
{
    if (!transfer->is_nudged) {
        transfer->is_nudged = true;
        transfer->next_nudged = engine->nudged;
        engine->nudged = transfer;
    }
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context)
{
    struct curl_engine *engine = context;
    struct curl_exchange *exchange = NULL;

    (void)socket_context;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
    if (what != CURL_POLL_REMOVE) {
        curl_sockets_want(&engine->sockets, curl_exchange_sockets(exchange), socket, what);
        return 0;
    }
    /* A handle of curl's own may remove one that has been idle: it belongs to no exchange. */
    if (exchange != NULL && curl_sockets_is_connecting(&engine->sockets, socket)) {
        engine_nudge(engine, curl_exchange_transfer(exchange));
    }
    curl_sockets_rest(&engine->sockets, socket);
    return 0;
}

void curl_engine_opened(struct curl_engine *engine, curl_socket_t socket)
{
    curl_sockets_opened(&engine->sockets, socket);
}

int curl_engine_close_socket(void *context, curl_socket_t socket)
{
    struct curl_engine *engine = context;

    return curl_sockets_close(&engine->sockets, socket);
}

/* The machine's folder of authorities is looked into for the one that is needed: parsing them all would take
 * longer than a handshake. */
CURLcode curl_engine_trust(CURL *easy, void *ssl_context, void *context)
{
    struct curl_engine *engine = context;

    (void)easy;
    if (engine->authorities == NULL) {
        engine->authorities = X509_STORE_new();
        if (engine->authorities == NULL || X509_STORE_set_default_paths(engine->authorities) != 1) {
            return CURLE_SSL_CACERT_BADFILE;
        }
    }
    SSL_CTX_set1_cert_store(ssl_context, engine->authorities);
    return CURLE_OK;
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

static void engine_hand_over(struct curl_engine *engine, struct curl_transfer *transfer)
{
    curl_multi_add_handle(engine->multi, curl_exchange_begin(transfer->exchange));
}

static void engine_unqueue(struct curl_engine *engine, struct curl_transfer *transfer)
{
    struct curl_transfer **at = &engine->queued;

    while (*at != transfer) {
        at = &(*at)->next_queued;
    }
    *at = transfer->next_queued;
    if (engine->last_queued == &transfer->next_queued) {
        engine->last_queued = at;
    }
}

static void engine_begin_queued(struct curl_engine *engine)
{
    while (engine->queued != NULL && engine->begun_in_turn < HANDSHAKES_PER_TURN) {
        struct curl_transfer *transfer = engine->queued;
        engine_unqueue(engine, transfer);
        engine->begun_in_turn++;
        engine_hand_over(engine, transfer);
        transfer->is_queued = false;
    }
    engine->begun_in_turn = 0;
}

/* Requests that were started in this turn are sent together, before the loop sleeps. */
static void curl_engine_on_prepare(uv_prepare_t *prepare)
{
    struct curl_engine *engine = prepare->data;

    curl_sockets_begin_turn(&engine->sockets);
    if (!engine_may_drive(engine)) {
        if (engine->transfers != NULL && !uv_is_active((uv_handle_t *)&engine->timer)) {
            uv_timer_start(&engine->timer, curl_engine_on_timer, HELD_LOOK_MS, 0);
        }
        return;
    }
    engine_begin_queued(engine);
    if (engine->due_ns != 0) {
        return;
    }
    engine->due_ns = UINT64_MAX;
    bool has_ended = drive(engine, CURL_SOCKET_TIMEOUT, 0);
    /* Curl may need another turn at once, and so may the owner of the transfer: the loop must not sleep
     * now. */
    if (has_ended || engine->due_ns == 0 || engine->queued != NULL) {
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
    engine->last_queued = &engine->queued;
    engine->multi = curl_multi_init();
    if (engine->multi == NULL) {
        abort();
    }
    curl_sockets_init(&engine->sockets, loop, curl_engine_on_ready, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, CLIENT_CONNECTIONS_MAX);
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

    if (--engine->open_handles == 0) {
        memory_free(engine);
    }
}

void curl_engine_close(struct curl_engine **pointer)
{
    struct curl_engine *engine = *pointer;

    if (engine == NULL) {
        return;
    }
    curl_multi_cleanup(engine->multi);
    curl_sockets_finish(&engine->sockets);
    X509_STORE_free(engine->authorities);
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

void curl_engine_begin(struct curl_engine *engine, struct curl_transfer *transfer, bool shakes_hands)
{
    if (!shakes_hands) {
        engine_hand_over(engine, transfer);
    } else if (engine->queued == NULL && engine->begun_in_turn < HANDSHAKES_PER_TURN) {
        engine->begun_in_turn++;
        engine_hand_over(engine, transfer);
    } else {
        transfer->is_queued = true;
        transfer->next_queued = NULL;
        *engine->last_queued = transfer;
        engine->last_queued = &transfer->next_queued;
    }
}

void curl_engine_end(struct curl_engine *engine, CURL *easy, struct curl_transfer *transfer)
{
    *transfer->at = transfer->next;
    if (transfer->next != NULL) {
        transfer->next->at = transfer->at;
    }
    if (transfer->is_queued) {
        engine_unqueue(engine, transfer);
        transfer->is_queued = false;
    } else {
        curl_multi_remove_handle(engine->multi, easy);
    }
    if (transfer->is_nudged) {
        engine_forget_nudged(engine, transfer);
        transfer->is_nudged = false;
    }
}
