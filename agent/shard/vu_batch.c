/* Several requests of a worker at once. */
#include "agent/shard/vu_batch.h"

#include "agent/shard/vu.h"
#include "common/memory.h"

#include <assert.h>

struct vu_batch_item {
    struct vu *vu;
    struct http_exchange *exchange;
    const struct http_response *response;
};

struct vu_batch {
    size_t count;
    size_t started;
    size_t done;
    struct vu_batch_item *items;
};

void vu_batch_begin(struct vu *vu, size_t count)
{
    struct vu_batch *batch = MEMORY_NEW(struct vu_batch);

    vu_forget_exchange(vu);
    batch->count = count;
    batch->items = memory_new(count, sizeof *batch->items);
    vu->batch = batch;
}

static void vu_batch_on_done(void *context, struct http_response *response)
{
    struct vu_batch_item *item = context;
    struct vu *vu = item->vu;

    item->response = response;
    vu->batch->done++;
    if (vu->batch->done == vu->batch->count) {
        vu_wake(vu, WAKE_DONE);
    }
}

void vu_batch_start(struct vu *vu, const struct http_request *request)
{
    struct vu_batch *batch = vu->batch;

    assert(batch->started < batch->count);
    struct vu_batch_item *item = &batch->items[batch->started++];
    item->vu = vu;
    item->exchange = http_start(vu->http, request, vu_batch_on_done, item);
}

size_t vu_batch_count(const struct vu *vu)
{
    return vu->batch != NULL && vu->batch->done == vu->batch->count ? vu->batch->count : 0;
}

const struct http_response *vu_batch_response(const struct vu *vu, size_t index)
{
    assert(index < vu_batch_count(vu));
    return vu->batch->items[index].response;
}

/* The last one first: those that wait for a connection would go out meanwhile. */
void vu_batch_drop(struct vu *vu)
{
    if (vu->batch != NULL) {
        while (vu->batch->started > 0) {
            http_exchange_free(&vu->batch->items[--vu->batch->started].exchange);
        }
        memory_free(vu->batch->items);
        memory_free(vu->batch);
        vu->batch = NULL;
    }
}
