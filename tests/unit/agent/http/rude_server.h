/* An HTTP server on the test's own loop that misbehaves as the path says. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct rude_server;

/* Paths: /ok (the body is the number of the connection), /echo (the request's head and body), /cookie (sets
 * who=N), /status/404, /redirect (to /ok), /loop (to itself), /reset, /stall, /empty, /half, /broken, /chunks
 * (a malformed one), /big (endless), /close (the server closes after the answer), /later-close (… a moment
 * after), /sink (the body is not read before rude_server_drain). */
struct rude_server *rude_server_new(uv_loop_t *loop);
int rude_server_port(const struct rude_server *server);
/* Requests whose head has arrived so far, and bytes of /sink; whether such a connection has ended. */
unsigned rude_server_requests(const struct rude_server *server);
size_t rude_server_sunk(const struct rude_server *server);
bool rude_server_has_ended(const struct rude_server *server);
void rude_server_drain(struct rude_server *server);
/* Closes everything; the memory is freed in the loop's close callbacks. */
void rude_server_close(struct rude_server **server);
