/* What is counted of the WebSocket connections of one name. */
#include "proto/message/websocket_count.h"

#include <assert.h>

const char *websocket_count_name(enum websocket_count count)
{
    static const char *const names[] = {
        [WEBSOCKET_COUNT_OPENED] = "opened",
        [WEBSOCKET_COUNT_FAILED] = "failed",
        [WEBSOCKET_COUNT_CLOSED_BY_US] = "closed_by_us",
        [WEBSOCKET_COUNT_CLOSED_BY_PEER] = "closed_by_peer",
        [WEBSOCKET_COUNT_LOST] = "lost",
        [WEBSOCKET_COUNT_MESSAGES_IN] = "messages_in",
        [WEBSOCKET_COUNT_MESSAGES_OUT] = "messages_out",
        [WEBSOCKET_COUNT_BYTES_IN] = "bytes_in",
        [WEBSOCKET_COUNT_BYTES_OUT] = "bytes_out",
        [WEBSOCKET_COUNT_DROPPED] = "dropped",
    };
    static_assert(sizeof names / sizeof *names == WEBSOCKET_COUNTS, "each count has a name");

    return names[count];
}

void close_counts_add(struct close_counts *counts, uint32_t code, uint64_t count)
{
    size_t at = 0;

    while (at < counts->size && counts->items[at].code != code) {
        at++;
    }
    if (at < counts->size) {
        counts->items[at].count += count;
        return;
    }
    /* The last place is that of the others. */
    if (code != 0 && counts->size >= LIMIT_CLOSE_CODES - 1) {
        close_counts_add(counts, 0, count);
        return;
    }
    counts->items[counts->size++] = (struct close_count){.code = code, .count = count};
}
