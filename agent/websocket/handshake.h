/* The opening handshake of a WebSocket client (RFC 6455 section 4) as header fields. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* With the terminating zero. */
#define HANDSHAKE_KEY_BYTES 25u
#define HANDSHAKE_ACCEPT_BYTES 29u
#define HANDSHAKE_NONCE_BYTES 16u
/* The value of Sec-WebSocket-Extensions: we keep no context between messages that we compress, so that no
 * connection has a compressor of its own. */
#define HANDSHAKE_DEFLATE "permessage-deflate; client_no_context_takeover"

/* Sec-WebSocket-Key of a random nonce. */
void handshake_key(const uint8_t nonce[HANDSHAKE_NONCE_BYTES], char key[HANDSHAKE_KEY_BYTES]);
/* What the server has to answer to the key. */
void handshake_accept(const char *key, char accept[HANDSHAKE_ACCEPT_BYTES]);

/* What was asked for. */
struct handshake_offer {
    const char *key;
    const char *protocols; /* "chat, superchat"; NULL: none */
    bool is_compressed;    /* HANDSHAKE_DEFLATE was offered */
};

/* What was agreed. */
struct handshake_answer {
    struct bytes protocol; /* borrows from the fields; empty: none */
    bool is_compressed;
    bool has_context; /* the server compresses a message with what it has seen of the ones before */
};

/* Judges an answer 101 by its fields ("Name: value\r\n"). False with an error that names what is wrong. */
MUST_CHECK bool handshake_check(const struct handshake_offer *offer, struct bytes fields,
                                struct handshake_answer *answer, struct error *error);
