/* Connections and requests of HTTP/2. */
#include "tests/unit/agent/http/http2_server_inside.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX_BYTES (64u * 1024u * 1024u)

static void http2_peer_closed(uv_handle_t *handle)
{
    struct http2_peer *peer = handle->data;

    while (peer->requests != NULL) {
        struct http2_request *request = peer->requests;
        peer->requests = request->next;
        buffer_finish(&request->fields);
        buffer_finish(&request->body);
        buffer_finish(&request->answer);
        memory_free(request);
    }
    nghttp2_session_del(peer->session);
    memory_free(peer);
}

void http2_peer_close(struct http2_peer *peer)
{
    struct http2_peer **at = &peer->server->peers;

    if (uv_is_closing((uv_handle_t *)&peer->tcp)) {
        return;
    }
    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    uv_close((uv_handle_t *)&peer->tcp, http2_peer_closed);
}

struct http2_write {
    uv_write_t request;
    uint8_t *data;
};

static void http2_on_written(uv_write_t *request, int status)
{
    struct http2_write *write = (struct http2_write *)request;

    (void)status;
    memory_free(write->data);
    memory_free(write);
}

void http2_peer_send(struct http2_peer *peer, const void *data, size_t size)
{
    struct http2_write *write = MEMORY_NEW(struct http2_write);

    write->data = memory_new(size, 1);
    memcpy(write->data, data, size);
    uv_buf_t buffer = uv_buf_init((char *)write->data, (unsigned)size);
    uv_write(&write->request, (uv_stream_t *)&peer->tcp, &buffer, 1, http2_on_written);
}

void http2_peer_flush(struct http2_peer *peer)
{
    const uint8_t *data;
    ssize_t size;

    while (!uv_is_closing((uv_handle_t *)&peer->tcp) &&
           (size = nghttp2_session_mem_send(peer->session, &data)) > 0) {
        http2_peer_send(peer, data, (size_t)size);
    }
    if (peer->is_leaving) {
        http2_peer_close(peer);
    }
}

static struct http2_request *request_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int server_on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http2_peer *peer = context;

    if (request_of(session, frame->hd.stream_id) != NULL) {
        return 0;
    }
    struct http2_request *request = MEMORY_NEW(struct http2_request);
    request->peer = peer;
    request->id = frame->hd.stream_id;
    buffer_init(&request->fields, BODY_MAX_BYTES);
    buffer_init(&request->body, BODY_MAX_BYTES);
    buffer_init(&request->answer, BODY_MAX_BYTES);
    request->next = peer->requests;
    peer->requests = request;
    nghttp2_session_set_stream_user_data(session, request->id, request);
    return 0;
}

static int server_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                            size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                            void *context)
{
    struct http2_request *request = request_of(session, frame->hd.stream_id);

    (void)flags, (void)context;
    if (name_size == 5 && memcmp(name, ":path", 5) == 0) {
        bytes_to_text(bytes_of(value, value_size), request->path, sizeof request->path);
    }
    request->is_expecting |= name_size == 6 && memcmp(name, "expect", 6) == 0;
    buffer_append_format(&request->fields, "%.*s: %.*s\n", (int)name_size, (const char *)name,
                         (int)value_size, (const char *)value);
    return 0;
}

static void on_request_head(struct http2_request *request)
{
    if (strcmp(request->path, "/early") == 0) {
        http2_answer_status(request, "413", NULL, NULL);
    } else if (request->is_expecting && strcmp(request->path, "/refuses") == 0) {
        http2_answer_status(request, "417", NULL, NULL);
    } else if (request->is_expecting && strcmp(request->path, "/continue") == 0) {
        http2_answer_inform(request, "100", 1);
    }
}

static int server_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http2_peer *peer = context;
    struct http2_request *request = request_of(session, frame->hd.stream_id);
    uint8_t type = frame->hd.type;

    if (type == NGHTTP2_RST_STREAM) {
        peer->server->resets++;
        peer->server->reset_code = frame->rst_stream.error_code;
        return 0;
    }
    peer->server->pongs += type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (request == NULL || (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA)) {
        return 0;
    }
    if (type == NGHTTP2_HEADERS) {
        on_request_head(request);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && strcmp(request->path, "/early") != 0) {
        http2_answer(request);
    }
    return 0;
}

static int server_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                          size_t size, void *context)
{
    struct http2_request *request = request_of(session, id);

    (void)flags, (void)context;
    (void)buffer_append(&request->body, data, size);
    if (strcmp(request->path, "/sink") != 0) {
        nghttp2_session_consume(session, id, size);
    }
    return 0;
}

static void make_session(struct http2_peer *peer)
{
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, 1u << 20);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, server_on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, server_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, server_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, server_on_data);
    assert_int_equal(nghttp2_session_server_new2(&peer->session, callbacks, peer, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, settings, 1);
}

static void server_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct http2_peer *peer = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(peer->wire, sizeof peer->wire);
}

static void server_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct http2_peer *peer = stream->data;

    if (count < 0 ||
        nghttp2_session_mem_recv(peer->session, (const uint8_t *)buffer->base, (size_t)count) < 0) {
        http2_peer_close(peer);
        return;
    }
    http2_peer_flush(peer);
    if (peer->noise_seed != 0 && !uv_is_closing((uv_handle_t *)&peer->tcp)) {
        http2_answer_noise(peer);
    }
}

static void server_on_connection(uv_stream_t *stream, int status)
{
    struct http2_server *server = stream->data;
    struct http2_peer *peer = MEMORY_NEW(struct http2_peer);

    assert_int_equal(status, 0);
    uv_tcp_init(stream->loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->server = server;
    peer->number = ++server->connections;
    peer->next = server->peers;
    server->peers = peer;
    make_session(peer);
    uv_accept(stream, (uv_stream_t *)&peer->tcp);
    uv_tcp_nodelay(&peer->tcp, 1); /* its frames are written one by one */
    uv_read_start((uv_stream_t *)&peer->tcp, server_on_alloc, server_on_read);
    http2_peer_flush(peer);
}

struct http2_server *http2_server_new(uv_loop_t *loop)
{
    struct http2_server *server = MEMORY_NEW(struct http2_server);
    struct sockaddr_in address;

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server->tcp);
    server->tcp.data = server;
    uv_tcp_bind(&server->tcp, (const struct sockaddr *)&address, 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, 16, server_on_connection), 0);
    return server;
}

int http2_server_port(const struct http2_server *server)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

unsigned http2_server_connections(const struct http2_server *server)
{
    return server->connections;
}

unsigned http2_server_requests(const struct http2_server *server)
{
    return server->requests;
}

unsigned http2_server_resets(const struct http2_server *server)
{
    return server->resets;
}

uint32_t http2_server_reset_code(const struct http2_server *server)
{
    return server->reset_code;
}

unsigned http2_server_pongs(const struct http2_server *server)
{
    return server->pongs;
}

void http2_server_hang_up(struct http2_server *server)
{
    while (server->peers != NULL) {
        http2_peer_close(server->peers);
    }
}

static void server_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void http2_server_close(struct http2_server **pointer)
{
    http2_server_hang_up(*pointer);
    uv_close((uv_handle_t *)&(*pointer)->tcp, server_on_closed);
    *pointer = NULL;
}
