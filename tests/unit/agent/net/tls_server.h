/* A TLS server on the test's own loop that sends back what it reads, and an authority for its certificate. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* PEM: an authority, and what it has signed. */
struct tls_papers {
    char *authority;
    char *server; /* certificate and key, for localhost and 127.0.0.1 */
    char *client;
};

void tls_papers_make(struct tls_papers *papers);
void tls_papers_finish(struct tls_papers *papers);

struct tls_server;

struct tls_server *tls_server_new(uv_loop_t *loop, const struct tls_papers *papers, bool asks_for_certificate,
                                  int most_version);
uint16_t tls_server_port(const struct tls_server *server);
/* Handshakes that have succeeded on its side. */
unsigned tls_server_handshakes(const struct tls_server *server);
/* Says goodbye on each connection, and closes it. */
void tls_server_end_all(struct tls_server *server);
/* Closes each connection without a goodbye. */
void tls_server_cut_all(struct tls_server *server);
/* The memory goes with the loop's close callbacks. */
void tls_server_close(struct tls_server **server);
