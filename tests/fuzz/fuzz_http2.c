/* Any bytes as what a server of HTTP/2 says: each request ends once, none hangs, and what is given is whole.
 * The first byte says how many requests there are and of which kind, the second in which pieces the rest is
 * written. */
#include "fuzz.h"

#include "agent/http/engine.h"
#include "agent/http/message/http1_parser.h"
#include "agent/http/native/native_kind.h"
#include "common/memory.h"

#include <netinet/in.h>
#include <string.h>
#include <uv.h>

#define REQUESTS_MAX 4u
#define MAX_BODY_BYTES 100000u
#define SENT_BYTES 70000u /* more than the windows that a server begins with */
/* So many connections in a row go to one address: ports of closed ones rest for a minute. */
#define CONNECTIONS_PER_ADDRESS 10000u

struct peer {
    uv_tcp_t tcp;
    struct peer *next;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct bytes left;
};

static struct {
    uv_loop_t loop;
    uv_tcp_t listener;
    struct http_engine *engine;
    struct peer *peers;
    struct bytes answer;
    size_t piece_size;
    uint16_t port;
    unsigned runs;
    unsigned done;
    unsigned open_peers;
    char sink[65536];
} stand;

static void on_peer_closed(uv_handle_t *handle)
{
    stand.open_peers--;
    memory_free(handle->data);
}

static void give_sink(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle, (void)size;
    *buffer = uv_buf_init(stand.sink, sizeof stand.sink);
}

static void on_peer_read(uv_stream_t *tcp, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    if (size < 0) {
        (void)uv_read_stop(tcp);
    }
}

static void on_peer_written(uv_write_t *write, int status);

static void peer_go_on(struct peer *peer)
{
    size_t size = peer->left.size < stand.piece_size ? peer->left.size : stand.piece_size;
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)peer->left.data, (unsigned)size);

    if (size == 0) {
        (void)uv_shutdown(&peer->shutdown, (uv_stream_t *)&peer->tcp, NULL);
        return;
    }
    peer->left = bytes_of(peer->left.data + size, peer->left.size - size);
    (void)uv_write(&peer->write, (uv_stream_t *)&peer->tcp, &buffer, 1, on_peer_written);
}

static void on_peer_written(uv_write_t *write, int status)
{
    if (status == 0) {
        peer_go_on(write->handle->data);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct peer *peer = MEMORY_NEW(struct peer);

    FUZZ_CHECK(status == 0);
    uv_tcp_init(&stand.loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->next = stand.peers;
    peer->left = stand.answer;
    stand.peers = peer;
    stand.open_peers++;
    FUZZ_CHECK(uv_accept(listener, (uv_stream_t *)&peer->tcp) == 0);
    (void)uv_read_start((uv_stream_t *)&peer->tcp, give_sink, on_peer_read);
    peer_go_on(peer);
}

static void stand_begin(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int size = sizeof address;

    if (stand.engine != NULL) {
        return;
    }
    uv_loop_init(&stand.loop);
    uv_tcp_init(&stand.loop, &stand.listener);
    FUZZ_CHECK(uv_tcp_bind(&stand.listener, (struct sockaddr *)&address, 0) == 0);
    FUZZ_CHECK(uv_listen((uv_stream_t *)&stand.listener, 128, on_connection) == 0);
    FUZZ_CHECK(uv_tcp_getsockname(&stand.listener, (struct sockaddr *)&address, &size) == 0);
    stand.port = ntohs(address.sin_port);
    stand.engine = http_engine_new(&native_kind, &stand.loop, NULL);
}

static void stand_close_peers(void)
{
    while (stand.peers != NULL) {
        struct peer *peer = stand.peers;
        stand.peers = peer->next;
        uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
    }
    while (stand.open_peers > 0) {
        uv_run(&stand.loop, UV_RUN_ONCE);
    }
}

static void on_done(void *context, struct http_response *response)
{
    bool *is_done = context;

    FUZZ_CHECK(!*is_done);
    *is_done = true;
    stand.done++;
    /* The server has closed by then. */
    FUZZ_CHECK(response->failure != HTTP_TIMEOUT && response->failure != HTTP_LOST);
    if (response->failure == HTTP_OK) {
        FUZZ_CHECK(response->status >= 200 && response->status <= 999);
        FUZZ_CHECK(response->body.size <= MAX_BODY_BYTES && response->headers.size <= HTTP1_HEAD_MAX_BYTES);
        FUZZ_CHECK(response->headers.size == 0 ||
                   memchr(response->headers.data, 0, response->headers.size) == NULL);
    } else {
        FUZZ_CHECK(response->text != NULL && response->text[0] != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sent[SENT_BYTES];
    struct bytes input = bytes_of(data, size);
    bool are_done[REQUESTS_MAX] = {false};
    uint64_t kind = fuzz_number(&input, 1);
    unsigned count = (unsigned)(kind % REQUESTS_MAX) + 1;
    char url[100];

    stand_begin();
    stand.piece_size = (size_t)fuzz_number(&input, 1) * 4 + 1;
    stand.answer = input;
    stand.done = 0;
    snprintf(url, sizeof url, "http://127.0.0.%u:%u/", 1 + stand.runs++ / CONNECTIONS_PER_ADDRESS % 200,
             stand.port);
    const struct http_request request = {.method = kind & 4   ? "HEAD"
                                                   : kind & 8 ? "POST"
                                                              : "GET",
                                         .url = url,
                                         .is_http2 = true,
                                         .timeout_ms = 8000,
                                         .max_body_bytes = MAX_BODY_BYTES,
                                         .has_body = (kind & 8) != 0,
                                         .body = bytes_of(sent, kind & 8 ? sizeof sent : 0)};
    struct http_client *client = http_client_new(stand.engine);
    for (unsigned i = 0; i < count; i++) {
        (void)http_start(client, &request, on_done, &are_done[i]);
    }
    while (stand.done < count) {
        uv_run(&stand.loop, UV_RUN_ONCE);
    }
    http_client_free(&client);
    stand_close_peers();
    return 0;
}
