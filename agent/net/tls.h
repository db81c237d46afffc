/* TLS of a client, by OpenSSL, without a socket: bytes of the wire go in and out through callbacks, so that
 * no buffer stands between a connection and the kernel. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_contexts;
struct tls_session;

/* What connections have in common; one context is made for each set of them. Borrowed for the call. */
struct tls_options {
    bool is_unverified; /* anybody may answer */
    const char *ca_pem; /* certificates of authorities as text, in place of the machine's; NULL: those */
    const char *certificate_pem; /* of the client, with its chain; NULL: none */
    const char *key_pem;
    const char *protocols; /* ALPN in the form of the wire ("\2h2\10http/1.1"); NULL: none */
    int least_version;     /* TLS1_2_VERSION …; 0: the library's */
    int most_version;
};

/* Whether connections can be made with them; false with an error if a text is not what it should be. */
MUST_CHECK bool tls_options_check(const struct tls_options *options, struct error *error);

/* One for each shard. */
MUST_CHECK struct tls_contexts *tls_contexts_new(void);
void tls_contexts_free(struct tls_contexts **contexts);

struct tls_callbacks {
    /* Takes all of the bytes, or refuses for good (false). */
    bool (*on_write)(void *context, struct bytes bytes);
    void *context;
};

/* NULL with an error: the options make no context. `host` is what the certificate has to be for. */
MUST_CHECK struct tls_session *tls_session_new(struct tls_contexts *contexts,
                                               const struct tls_options *options, const char *host,
                                               bool is_literal, const struct tls_callbacks *callbacks,
                                               struct error *error);
void tls_session_free(struct tls_session **session);

enum tls_result {
    TLS_OK,    /* done, or so many bytes */
    TLS_MORE,  /* the other side has to send more */
    TLS_END,   /* it has closed its direction */
    TLS_FAILED /* `error` says why */
};

/* Gives the session what came from the wire; borrowed until TLS_MORE came back from the calls below, and then
 * used up. */
void tls_session_feed(struct tls_session *session, struct bytes wire);
MUST_CHECK enum tls_result tls_session_handshake(struct tls_session *session, struct error *error);
/* Up to `size` bytes into `data`; TLS_OK with the number in `count`. */
MUST_CHECK enum tls_result tls_session_read(struct tls_session *session, void *data, size_t size,
                                            size_t *count, struct error *error);
/* Whether nothing of what came is left: a read would give TLS_MORE. What is left may be part of a record. */
bool tls_session_is_drained(const struct tls_session *session);
/* All of it. */
MUST_CHECK enum tls_result tls_session_write(struct tls_session *session, struct bytes data,
                                             struct error *error);
/* Says goodbye, as far as that goes out. */
void tls_session_close(struct tls_session *session);
/* "h2", or empty: what the handshake has chosen. */
struct bytes tls_session_protocol(const struct tls_session *session);
