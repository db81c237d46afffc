/* An HTTP server on the test's own loop that misbehaves as the path says. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct rude_server;

/* Paths: /ok (the body is the number of the connection), /echo (the request's head and body), /cookie (sets
 * who=N), /status/404, /redirect (to /ok), /loop (to itself), /reset, /stall, /empty, /half, /broken, /chunks
 * (a malformed one), /big (endless), /close (the server closes after the answer), /later-close (… a moment
 * after), /sink (the body is not read before rude_server_drain), /redirect/NNN (to /echo), /redirect-to?URL
 * (by 307), /gzip/N (N bytes, coded), /cut-gzip/N (N bytes of a coded body), /dies (closes without an answer
 * unless it is the first request of its connection), /early (413 as soon as the head has come, then closes),
 * /continue (says 100 to who expects it), /hints (says 103), /refuses (says 417), /meet/N (answers when N
 * have asked for it). */
struct rude_server *rude_server_new(uv_loop_t *loop);
int rude_server_port(const struct rude_server *server);
/* Requests whose head has arrived so far, and bytes of /sink; whether such a connection has ended. */
unsigned rude_server_requests(const struct rude_server *server);
/* The request that was complete last, as text. */
const char *rude_server_last(const struct rude_server *server);
/* Sends this on each connection, at once and unasked; or ends its own direction. */
void rude_server_say(struct rude_server *server, const char *text);
void rude_server_hang_up(struct rude_server *server);
size_t rude_server_sunk(const struct rude_server *server);
bool rude_server_has_ended(const struct rude_server *server);
void rude_server_drain(struct rude_server *server);
/* Closes everything; the memory is freed in the loop's close callbacks. */
void rude_server_close(struct rude_server **server);
