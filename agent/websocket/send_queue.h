/* Messages on their way to the kernel: which of them it has, and how long they took. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct send_queue_item {
    struct send_queue_item *next;
    uint64_t end_bytes; /* of the message, counted over all that was ever written */
    uint64_t began_ns;
};

/* Zeroed is empty. */
struct send_queue {
    struct send_queue_item *first;
    struct send_queue_item *last;
    uint64_t sent; /* messages so far */
    uint64_t left;
    uint64_t left_ns; /* when the last one left */
};

void send_queue_finish(struct send_queue *queue);
/* A message has left at once. */
void send_queue_pass(struct send_queue *queue, uint64_t now_ns);
/* A message waits: it has left when as many bytes were taken. */
void send_queue_add(struct send_queue *queue, uint64_t end_bytes, uint64_t began_ns);
/* The next one that has left when so many bytes were taken, and since when it was sent. False: no other has.
 */
bool send_queue_take(struct send_queue *queue, uint64_t taken_bytes, uint64_t now_ns, uint64_t *began_ns);
