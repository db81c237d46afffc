/* An HTTP/2 server without TLS on the test's own loop that misbehaves as the path says. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http2_server;

/* Paths: /ok (the body is the number of the connection), /echo (the request's fields, one a line, and its
 * body), /cookie, /stall, /meet/N (answers when N have asked), /reset/CODE (RST_STREAM), /refuse/N (the first
 * N are refused), /goaway (the first time: GOAWAY that leaves this stream out), /bye (GOAWAY after the
 * answer), /dies (closes the connection unless it is the first request there), /closes (likewise, always),
 * /big/N (N bytes), /head/N (a field of N bytes), /fields/N (N of 1,000 bytes), /trailers, /hints (103
 * first), /informs (103 without end), /continue (100), /refuses (417), /early (413 before the body),
 * /redirect/NNN (to /echo), /short (less than its Content-Length), /text (answers in HTTP/1.1), /raw (a frame
 * that is not allowed), /half (closes in the middle of the body), /ping (sends a PING first), /noise/N
 * (frames that a generator with this seed has made up), /calm (GOAWAY with ENHANCE_YOUR_CALM, and closes),
 * /sink (its body is never let through). */
struct http2_server *http2_server_new(uv_loop_t *loop);
int http2_server_port(const struct http2_server *server);
/* So far. */
unsigned http2_server_connections(const struct http2_server *server);
unsigned http2_server_requests(const struct http2_server *server);
/* Streams that the client has reset, and with which code the last one; PINGs that were answered. */
unsigned http2_server_resets(const struct http2_server *server);
uint32_t http2_server_reset_code(const struct http2_server *server);
unsigned http2_server_pongs(const struct http2_server *server);
/* Closes all connections. */
void http2_server_hang_up(struct http2_server *server);
/* The memory is freed in the loop's close callbacks. */
void http2_server_close(struct http2_server **server);
