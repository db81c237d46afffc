/* Messages that have come and were not received yet: so many at most. */
#pragma once
#include "common/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_account;

struct websocket_message {
    struct websocket_message *next;
    uint8_t *data; /* owned, followed by a zero byte */
    size_t size;   /* counted in the account */
    uint64_t at_ns;
    bool is_binary;
};

/* What happens to a message that finds the queue full. */
enum queue_policy {
    QUEUE_DROP_OLDEST,
    QUEUE_DROP_NEWEST,
    QUEUE_CLOSE /* the connection, with 1008 */
};

struct message_queue {
    struct memory_account *memory; /* borrowed; NULL: not counted */
    struct websocket_message *first;
    struct websocket_message **last;
    uint32_t count;
    uint32_t maximum;
    enum queue_policy policy;
    uint64_t dropped;
};

void message_queue_init(struct message_queue *queue, uint32_t maximum, enum queue_policy policy);
void message_queue_finish(struct message_queue *queue);
/* Takes the message's data. False if the queue is full and its policy is QUEUE_CLOSE; it is dropped then,
 * too.
 */
MUST_CHECK bool message_queue_put(struct message_queue *queue, const struct websocket_message *message);
/* The oldest; NULL: none. Free with websocket_message_free. */
MUST_CHECK struct websocket_message *message_queue_take(struct message_queue *queue);
void websocket_message_free(struct message_queue *queue, struct websocket_message **message);
