/* A name server on the test's own loop, by UDP and TCP on one port of 127.0.0.1. It knows names below ".test"
 * by what they are to do: three.test       three addresses of IPv4 both.test        one address of each
 * family six.test         one of IPv6 alone ttl-N.test       one address, for N seconds many.test sixteen
 * addresses, by TCP alone: over UDP the answer is cut off empty.test       exists, and has no address
 *   none.test        does not exist, as every other name
 *   broken.test      SERVFAIL
 *   refused.test     REFUSED
 *   silent.test      no answer at all
 *   garbage.test     an answer that is none */
#pragma once
#include <stdint.h>
#include <uv.h>

struct dns_server;

struct dns_server *dns_server_new(uv_loop_t *loop);
/* "127.0.0.1:PORT", borrowed. */
const char *dns_server_address(const struct dns_server *server);
/* How often the name was asked for, by each question that is not cut off: both families count. */
unsigned dns_server_questions(const struct dns_server *server, const char *name);
unsigned dns_server_tcp_questions(const struct dns_server *server);
void dns_server_close(struct dns_server **server);
