/* Answers each request according to a row of a table. */
#include "tests/unit/agent/http/rude_server.h"

#include "common/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <zlib.h>

#define REQUEST_MAX_BYTES 65536

enum after { KEEP, CLOSE, RESET, FLOOD };

struct peer {
    uv_tcp_t tcp;
    struct rude_server *server;
    struct peer *next;
    unsigned number;
    unsigned requests;
    enum after after;
    bool is_sink;
    bool is_parked;   /* its answer waits for others to ask */
    bool is_expected; /* has said what it thinks of Expect */
    size_t size;
    char request[REQUEST_MAX_BYTES];
};

struct rude_server {
    uv_tcp_t tcp;
    struct peer *peers;
    unsigned count;
    unsigned requests;
    size_t sunk;
    bool has_ended;
    char last[REQUEST_MAX_BYTES];
};

struct answer {
    const char *path;
    const char *text; /* NULL: nothing */
    enum after after;
};

static const struct answer answers[] = {
    {"/status/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", KEEP},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 5\r\n\r\nmoved", KEEP},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", KEEP},
    {"/reset", NULL, RESET},
    {"/stall", NULL, KEEP},
    {"/empty", NULL, CLOSE},
    {"/half", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE},
    {"/broken", "what is this\r\n\r\n", CLOSE},
    {"/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n", CLOSE},
    {"/big", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", FLOOD},
    {"/close", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye", CLOSE},
    {"/later-close", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbye", CLOSE},
};

static void on_peer_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static void forget(struct peer *peer)
{
    for (struct peer **at = &peer->server->peers; *at != NULL; at = &(*at)->next) {
        if (*at == peer) {
            *at = peer->next;
            return;
        }
    }
}

static void close_peer(struct peer *peer)
{
    if (uv_is_closing((uv_handle_t *)&peer->tcp)) {
        return;
    }
    forget(peer);
    uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
}

static void send_text(struct peer *peer, const char *text);

static void on_written(uv_write_t *request, int status)
{
    struct peer *peer = request->handle->data;
    enum after after = peer->after;

    free(request);
    if (uv_is_closing((uv_handle_t *)&peer->tcp)) {
        return;
    }
    if (status < 0 || after == CLOSE) {
        close_peer(peer);
    } else if (after == FLOOD) {
        send_text(peer, NULL);
    }
}

static void send_text(struct peer *peer, const char *text)
{
    static char flood[65536];
    uv_write_t *request = malloc(sizeof *request);
    uv_buf_t buffer = uv_buf_init(flood, sizeof flood);

    assert(request);
    if (text != NULL) {
        buffer = uv_buf_init(memory_copy_string(text), (unsigned)strlen(text));
        /* Small answers are sent at once, so that the copy can be freed. */
        int sent = uv_try_write((uv_stream_t *)&peer->tcp, &buffer, 1);
        memory_free(buffer.base);
        assert(sent == (int)strlen(text) || sent < 0);
        buffer = uv_buf_init(flood, 0);
    }
    uv_write(request, (uv_stream_t *)&peer->tcp, &buffer, 1, on_written);
}

static void answer_with_body(struct peer *peer, const char *extra, const char *body)
{
    char *text =
        memory_format("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s", strlen(body), extra, body);

    send_text(peer, text);
    memory_free(text);
}

static void answer_redirect(struct peer *peer, const char *status, const char *location)
{
    int size = (int)strcspn(location, " ");
    char *text = memory_format("HTTP/1.1 %.3s Moved\r\nLocation: %.*s\r\nContent-Length: 5\r\n\r\nmoved",
                               status, size, location);

    send_text(peer, text);
    memory_free(text);
}

/* `size` bytes of 'a', of whose coded form `kept` bytes are sent. */
static void answer_gzip(struct peer *peer, size_t size, size_t kept)
{
    uint8_t *plain = memory_new(size, 1);
    uint8_t *coded = memory_new(size + 1000, 1);
    z_stream zlib = {
        .next_in = plain, .avail_in = (unsigned)size, .next_out = coded, .avail_out = (unsigned)size + 1000};

    memset(plain, 'a', size);
    int status = deflateInit2(&zlib, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    assert(status == Z_OK);
    status = deflate(&zlib, Z_FINISH);
    assert(status == Z_STREAM_END);
    (void)status;
    kept = kept < zlib.total_out ? kept : zlib.total_out;
    char *head =
        memory_format("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", kept);
    uv_buf_t buffers[] = {uv_buf_init(head, (unsigned)strlen(head)),
                          uv_buf_init((char *)coded, (unsigned)kept)};
    int sent = uv_try_write((uv_stream_t *)&peer->tcp, buffers, 2);
    assert(sent == (int)(strlen(head) + kept));
    (void)sent;
    deflateEnd(&zlib);
    memory_free(head);
    memory_free(plain);
    memory_free(coded);
}

/* All of them together, once `count` have asked. */
static void answer_together(struct peer *newest, unsigned long count)
{
    unsigned parked = 0;

    newest->is_parked = true;
    for (struct peer *peer = newest->server->peers; peer != NULL; peer = peer->next) {
        parked += peer->is_parked;
    }
    for (struct peer *peer = newest->server->peers; peer != NULL && parked >= count; peer = peer->next) {
        if (peer->is_parked) {
            peer->is_parked = false;
            answer_with_body(peer, "", "together");
        }
    }
}

/* Those that depend on more than their path. */
static bool answer_specially(struct peer *peer, const char *path)
{
    if (strncmp(path, "/redirect/", 10) == 0) {
        answer_redirect(peer, path + 10, "/echo");
    } else if (strncmp(path, "/redirect-to?", 13) == 0) {
        answer_redirect(peer, "307", path + 13);
    } else if (strncmp(path, "/gzip/", 6) == 0) {
        answer_gzip(peer, strtoul(path + 6, NULL, 10), SIZE_MAX);
    } else if (strncmp(path, "/cut-gzip/", 10) == 0) {
        answer_gzip(peer, 1000, strtoul(path + 10, NULL, 10));
    } else if (strncmp(path, "/meet/", 6) == 0) {
        answer_together(peer, strtoul(path + 6, NULL, 10));
    } else if (strncmp(path, "/dies ", 6) == 0 && peer->requests > 1) {
        close_peer(peer);
    } else {
        return false;
    }
    return true;
}

/* Before the body has come: whether that was the answer. */
static bool answer_head(struct peer *peer)
{
    bool is_expecting = strcasestr(peer->request, "\r\nExpect: 100-continue\r\n") != NULL;

    if (strstr(peer->request, " /early ") != NULL) {
        peer->size = 0;
        peer->after = CLOSE;
        send_text(peer, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge");
        return true;
    }
    if (!is_expecting || peer->is_expected) {
        return false;
    }
    peer->is_expected = true;
    if (strstr(peer->request, " /refuses ") != NULL) {
        peer->size = 0;
        peer->server->requests++;
        peer->after = KEEP;
        send_text(peer, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (strstr(peer->request, " /continue ") != NULL) {
        send_text(peer, "HTTP/1.1 100 Continue\r\n\r\n");
    } else if (strstr(peer->request, " /hints ") != NULL) {
        send_text(peer, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    }
    return false;
}

static void answer(struct peer *peer)
{
    char line[200];
    const char *path = strchr(peer->request, ' ');

    path = path != NULL ? path + 1 : "";
    size_t length = strcspn(path, " ?");
    peer->after = KEEP;
    if (answer_specially(peer, path)) {
        return;
    }
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (strlen(answers[i].path) != length || memcmp(path, answers[i].path, length) != 0) {
            continue;
        }
        peer->after = answers[i].after;
        if (peer->after == RESET) {
            forget(peer);
            uv_tcp_close_reset(&peer->tcp, on_peer_closed);
        } else if (answers[i].text != NULL) {
            send_text(peer, answers[i].text);
        } else if (peer->after == CLOSE) {
            close_peer(peer);
        }
        return;
    }
    snprintf(line, sizeof line, "%u", peer->number);
    if (strncmp(path, "/echo", 5) == 0) {
        answer_with_body(peer, "X-Twice: a\r\nx-twice: b\r\n", peer->request);
    } else if (strncmp(path, "/cookie", 7) == 0) {
        answer_with_body(peer, "Set-Cookie: who=someone\r\n", line);
    } else {
        answer_with_body(peer, "", line);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct peer *peer = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(peer->request + peer->size, (unsigned)(sizeof peer->request - 1 - peer->size));
}

static size_t body_size(const char *head)
{
    const char *length = strstr(head, "Content-Length: ");

    return length != NULL ? strtoul(length + 16, NULL, 10) : 0;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct peer *peer = stream->data;

    (void)buffer;
    if (count < 0) {
        peer->server->has_ended = peer->server->has_ended || peer->is_sink;
        close_peer(peer);
        return;
    }
    if (peer->is_sink) {
        peer->server->sunk += (size_t)count;
        return;
    }
    peer->size += (size_t)count;
    peer->request[peer->size] = 0;
    const char *end = strstr(peer->request, "\r\n\r\n");
    if (end != NULL && strstr(peer->request, " /sink ") != NULL) {
        peer->is_sink = true;
        peer->server->sunk = peer->size;
        peer->size = 0;
        uv_read_stop(stream);
        return;
    }
    if (end != NULL && answer_head(peer)) {
        return;
    }
    if (end == NULL || peer->size < (size_t)(end + 4 - peer->request) + body_size(peer->request)) {
        return;
    }
    peer->size = 0;
    peer->server->requests++;
    peer->requests++;
    peer->is_expected = false;
    memcpy(peer->server->last, peer->request, sizeof peer->request);
    answer(peer);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct rude_server *server = stream->data;
    struct peer *peer = MEMORY_NEW(struct peer);

    assert(status == 0);
    (void)status;
    uv_tcp_init(stream->loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->server = server;
    peer->number = ++server->count;
    peer->next = server->peers;
    server->peers = peer;
    uv_accept(stream, (uv_stream_t *)&peer->tcp);
    uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
}

struct rude_server *rude_server_new(uv_loop_t *loop)
{
    struct rude_server *server = MEMORY_NEW(struct rude_server);
    struct sockaddr_in address;

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server->tcp);
    server->tcp.data = server;
    uv_tcp_bind(&server->tcp, (const struct sockaddr *)&address, 0);
    int result = uv_listen((uv_stream_t *)&server->tcp, 16, on_connection);
    assert(result == 0);
    (void)result;
    return server;
}

unsigned rude_server_requests(const struct rude_server *server)
{
    return server->requests;
}

const char *rude_server_last(const struct rude_server *server)
{
    return server->last;
}

void rude_server_say(struct rude_server *server, const char *text)
{
    for (struct peer *peer = server->peers; peer != NULL; peer = peer->next) {
        uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
        (void)uv_try_write((uv_stream_t *)&peer->tcp, &buffer, 1);
    }
}

void rude_server_hang_up(struct rude_server *server)
{
    for (struct peer *peer = server->peers; peer != NULL; peer = peer->next) {
        uv_os_fd_t fd;
        if (uv_fileno((uv_handle_t *)&peer->tcp, &fd) == 0) {
            (void)shutdown(fd, SHUT_WR);
        }
    }
}

size_t rude_server_sunk(const struct rude_server *server)
{
    return server->sunk;
}

bool rude_server_has_ended(const struct rude_server *server)
{
    return server->has_ended;
}

void rude_server_drain(struct rude_server *server)
{
    for (struct peer *peer = server->peers; peer != NULL; peer = peer->next) {
        if (peer->is_sink) {
            uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
        }
    }
}

int rude_server_port(const struct rude_server *server)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static void on_server_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void rude_server_close(struct rude_server **pointer)
{
    struct rude_server *server = *pointer;

    while (server->peers != NULL) {
        close_peer(server->peers);
    }
    uv_close((uv_handle_t *)&server->tcp, on_server_closed);
    *pointer = NULL;
}
