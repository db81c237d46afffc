/* An HTTP server on the test's own loop that misbehaves as the path says. */
#pragma once
#include <uv.h>

struct rude_server;

/* Paths: /ok (the body is the number of the connection), /echo (the request's head and body), /cookie (sets
 * who=N), /status/404, /redirect (to /ok), /loop (to itself), /reset, /stall, /empty, /half, /broken, /chunks
 * (a malformed one), /big (without end), /close (the server closes after the answer), /later-close (… a
 * moment after). */
struct rude_server *rude_server_new(uv_loop_t *loop);
int rude_server_port(const struct rude_server *server);
/* Closes all; the memory goes with the loop's close callbacks. */
void rude_server_close(struct rude_server **server);
