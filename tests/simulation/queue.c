/* A heap of future events; equal ones in insertion order. */
#include "common/memory.h"
#include "tests/simulation/world.h"

static bool is_before(const struct event *left, const struct event *right)
{
    return left->due_ns != right->due_ns ? left->due_ns < right->due_ns : left->order < right->order;
}

void queue_put(struct queue *queue, struct event event)
{
    event.order = ++queue->next_order;
    queue->items = memory_reserve(queue->items, &queue->capacity, queue->count + 1, sizeof *queue->items);
    size_t at = queue->count++;
    while (at > 0 && is_before(&event, &queue->items[(at - 1) / 2])) {
        queue->items[at] = queue->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->items[at] = event;
}

bool queue_take(struct queue *queue, struct event *event)
{
    if (queue->count == 0) {
        return false;
    }
    *event = queue->items[0];
    struct event last = queue->items[--queue->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count) {
            break;
        }
        if (child + 1 < queue->count && is_before(&queue->items[child + 1], &queue->items[child])) {
            child++;
        }
        if (is_before(&last, &queue->items[child])) {
            break;
        }
        queue->items[at] = queue->items[child];
        at = child;
    }
    if (queue->count > 0) {
        queue->items[at] = last;
    }
    return true;
}

const struct event *queue_first(const struct queue *queue)
{
    return queue->count == 0 ? NULL : &queue->items[0];
}
