/* Digest authentication of a client (RFC 7616, and RFC 2069 without qop): reads challenges, and writes what
 * answers them. Pure: the client's nonce is given. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum digest_hash { DIGEST_MD5, DIGEST_SHA_256, DIGEST_SHA_512_256 };

/* Zeroed is none. */
struct digest_challenge {
    char *realm;
    char *nonce;
    char *opaque; /* NULL: none */
    enum digest_hash hash;
    bool is_session;    /* "-sess" */
    bool has_algorithm; /* it is named, and so has to be in the answer */
    bool has_qop;       /* "auth" is among what may be had */
    bool is_stale;      /* the nonce has expired; user and password may be right */
    bool is_user_hashed;
};

void digest_challenge_finish(struct digest_challenge *challenge);
/* The first challenge in WWW-Authenticate fields of `head` (lines "Name: value\r\n") that is one of Digest
 * and can be answered; false if there is none. `challenge` is written on success only. */
MUST_CHECK bool digest_challenge_read(struct bytes head, struct digest_challenge *challenge);

/* The request that is to be authorized. */
struct digest_request {
    struct bytes user;
    struct bytes password;
    struct bytes method;
    struct bytes target;
    struct bytes client_nonce; /* of letters and digits */
    uint32_t count;            /* how often this nonce is used: 1 for the first time */
};

/* Appends the value of an Authorization field. False if it does not fit, or the machine's libcrypto refuses
 * the hash. */
MUST_CHECK bool digest_write(const struct digest_challenge *challenge, const struct digest_request *request,
                             struct buffer *out);
