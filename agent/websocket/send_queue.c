/* Messages on their way to the kernel. */
#include "agent/websocket/send_queue.h"

#include "common/memory.h"

void send_queue_pass(struct send_queue *queue, uint64_t now_ns)
{
    queue->sent++;
    queue->left++;
    queue->left_ns = now_ns;
}

void send_queue_add(struct send_queue *queue, uint64_t end_bytes, uint64_t began_ns)
{
    struct send_queue_item *item = MEMORY_NEW(struct send_queue_item);

    item->end_bytes = end_bytes;
    item->began_ns = began_ns;
    if (queue->last != NULL) {
        queue->last->next = item;
    } else {
        queue->first = item;
    }
    queue->last = item;
    queue->sent++;
}

static void send_queue_drop_first(struct send_queue *queue)
{
    struct send_queue_item *item = queue->first;

    queue->first = item->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    memory_free(item);
}

bool send_queue_take(struct send_queue *queue, uint64_t taken_bytes, uint64_t now_ns, uint64_t *began_ns)
{
    if (queue->first == NULL || queue->first->end_bytes > taken_bytes) {
        return false;
    }
    *began_ns = queue->first->began_ns;
    send_queue_drop_first(queue);
    queue->left++;
    queue->left_ns = now_ns;
    return true;
}

void send_queue_finish(struct send_queue *queue)
{
    while (queue->first != NULL) {
        send_queue_drop_first(queue);
    }
}
