/* What a request spends its time with. The phases follow each other, and together are the whole time. */
#pragma once

enum request_phase {
    REQUEST_BLOCKED, /* no connection is free for it yet */
    REQUEST_LOOKUP,  /* of the host's name */
    REQUEST_CONNECT,
    REQUEST_TLS,     /* the handshake */
    REQUEST_SENDING, /* until the kernel has taken its last byte, or the answer begins */
    REQUEST_WAITING, /* for the first byte of the answer */
    REQUEST_RECEIVING,
    REQUEST_PHASE_COUNT
};

/* "blocked", "lookup", … */
const char *request_phase_name(enum request_phase phase);
