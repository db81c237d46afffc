/* What is counted of the WebSocket connections of one name. */
#pragma once
#include "proto/message/limits.h"

#include <stddef.h>
#include <stdint.h>

enum websocket_count {
    WEBSOCKET_COUNT_OPENED,
    WEBSOCKET_COUNT_FAILED,         /* there was no connection */
    WEBSOCKET_COUNT_CLOSED_BY_US,   /* by the script, at the end of a worker, or for what the server did wrong
                                     */
    WEBSOCKET_COUNT_CLOSED_BY_PEER, /* by a close frame of the server */
    WEBSOCKET_COUNT_LOST,           /* without a close frame of anybody */
    WEBSOCKET_COUNT_MESSAGES_IN,
    WEBSOCKET_COUNT_MESSAGES_OUT,
    WEBSOCKET_COUNT_BYTES_IN, /* of messages, before they are compressed */
    WEBSOCKET_COUNT_BYTES_OUT,
    WEBSOCKET_COUNT_DROPPED, /* messages that found the queue of their connection full */
    WEBSOCKET_COUNTS
};

/* "opened", "failed", … */
const char *websocket_count_name(enum websocket_count count);

/* How often connections have ended with which code. */
struct close_counts {
    struct close_count {
        uint32_t code; /* 0: all those that have no place of their own */
        uint64_t count;
    } items[LIMIT_CLOSE_CODES];
    size_t size;
};

void close_counts_add(struct close_counts *counts, uint32_t code, uint64_t count);
