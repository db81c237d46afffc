/* The handshake with an HTTP proxy that makes a tunnel of a connection: CONNECT (RFC 9110 §9.3.6). Pure. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a proxy's answer may have before the tunnel. */
#define TUNNEL_HEAD_MAX_BYTES (16u * 1024u)
#define TUNNEL_TEXT_BYTES 160

enum tunnel_result {
    TUNNEL_MORE,   /* the answer is not complete */
    TUNNEL_OPEN,   /* what follows is the host's */
    TUNNEL_REFUSED /* `text` says why, and `status` what the proxy has answered, if it has */
};

struct tunnel {
    struct buffer head;
    uint16_t status;
    char text[TUNNEL_TEXT_BYTES];
};

void tunnel_init(struct tunnel *tunnel);
void tunnel_finish(struct tunnel *tunnel);
/* The request. `authorization`: of Proxy-Authorization; NULL: none. */
void tunnel_ask(struct buffer *into, const char *host, uint16_t port, const char *authorization);
/* Takes `used` bytes of what has come, none of what follows the answer. */
MUST_CHECK enum tunnel_result tunnel_take(struct tunnel *tunnel, struct bytes data, size_t *used);
