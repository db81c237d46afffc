/* Messages that have come and were not received yet. */
#include "agent/websocket/message_queue.h"

#include "agent/websocket/message_reader.h"
#include "common/memory.h"

void message_queue_init(struct message_queue *queue, uint32_t maximum, enum queue_policy policy)
{
    *queue = (struct message_queue){.maximum = maximum, .policy = policy};
    queue->last = &queue->first;
}

void websocket_message_free(struct message_queue *queue, struct websocket_message **message)
{
    if (*message != NULL) {
        message_give_back(queue->memory, (*message)->size);
        memory_free((*message)->data);
        memory_free(*message);
    }
    *message = NULL;
}

void message_queue_finish(struct message_queue *queue)
{
    struct websocket_message *message;

    while ((message = message_queue_take(queue)) != NULL) {
        websocket_message_free(queue, &message);
    }
}

struct websocket_message *message_queue_take(struct message_queue *queue)
{
    struct websocket_message *message = queue->first;

    if (message == NULL) {
        return NULL;
    }
    queue->first = message->next;
    if (queue->first == NULL) {
        queue->last = &queue->first;
    }
    queue->count--;
    return message;
}

bool message_queue_put(struct message_queue *queue, const struct websocket_message *from)
{
    struct websocket_message *message = MEMORY_NEW(struct websocket_message);

    *message = *from;
    message->next = NULL;
    if (queue->count == queue->maximum) {
        queue->dropped++;
        struct websocket_message *dropped =
            queue->policy == QUEUE_DROP_OLDEST ? message_queue_take(queue) : message;
        bool is_kept = dropped != message;
        websocket_message_free(queue, &dropped);
        if (!is_kept) {
            return queue->policy != QUEUE_CLOSE;
        }
    }
    *queue->last = message;
    queue->last = &message->next;
    queue->count++;
    return true;
}
