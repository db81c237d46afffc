/* A worker set in words, for messages: "workers 0–3 and 7". */
#include "common/buffer.h"
#include "common/memory.h"
#include "common/worker_set.h"

#include <assert.h>
#include <stdlib.h>

#define SPELLED_OUT 5u
/* A peer may name billions of workers with three numbers: above this many pieces only their count is
 * given. */
#define PIECES_MAX 65536u
#define TEXT_MAX_BYTES 256u

/* first…last, both included. */
struct piece {
    uint32_t first;
    uint32_t last;
};

struct pieces {
    struct piece *items;
    size_t count;
    size_t capacity;
};

static void free_pieces(struct pieces *pieces)
{
    memory_free(pieces->items);
}

static void add_piece(struct pieces *pieces, uint32_t first, uint32_t last)
{
    pieces->items =
        memory_reserve(pieces->items, &pieces->capacity, pieces->count + 1, sizeof *pieces->items);
    pieces->items[pieces->count++] = (struct piece){.first = first, .last = last};
}

/* A run without gaps is one piece however long it is; any other run is one piece per worker. */
static bool collect(struct pieces *pieces, const struct worker_set *set)
{
    for (size_t i = 0; i < set->run_count; i++) {
        struct worker_run run = set->runs[i];
        bool is_gapless = run.stride == 1 || run.count == 1;
        if (pieces->count + (is_gapless ? 1 : run.count) > PIECES_MAX) {
            return false;
        }
        if (is_gapless) {
            add_piece(pieces, run.first, run.first + (run.count - 1));
            continue;
        }
        for (uint32_t within = 0; within < run.count; within++) {
            uint32_t worker = run.first + run.stride * within;
            add_piece(pieces, worker, worker);
        }
    }
    return true;
}

static int by_first(const void *left, const void *right)
{
    uint32_t left_first = ((const struct piece *)left)->first;
    uint32_t right_first = ((const struct piece *)right)->first;
    return (left_first > right_first) - (left_first < right_first);
}

/* Sorts, and merges pieces that touch or overlap. */
static void tidy(struct pieces *pieces)
{
    assert(pieces->items != NULL);
    qsort(pieces->items, pieces->count, sizeof *pieces->items, by_first);
    size_t kept = 0;
    for (size_t i = 1; i < pieces->count; i++) {
        struct piece *last = &pieces->items[kept];
        struct piece next = pieces->items[i];
        if (next.first <= (uint64_t)last->last + 1) {
            last->last = next.last > last->last ? next.last : last->last;
        } else {
            pieces->items[++kept] = next;
        }
    }
    pieces->count = kept + 1;
}

static void write_piece(struct buffer *text, struct piece piece)
{
    if (piece.first == piece.last) {
        buffer_append_format(text, "%u", piece.first);
    } else {
        buffer_append_format(text, "%u–%u", piece.first, piece.last);
    }
}

static void write_pieces(struct buffer *text, const struct pieces *pieces)
{
    bool is_one = pieces->count == 1 && pieces->items[0].first == pieces->items[0].last;
    buffer_append_string(text, is_one ? "worker " : "workers ");
    size_t shown = pieces->count < SPELLED_OUT ? pieces->count : SPELLED_OUT;
    for (size_t i = 0; i < shown; i++) {
        bool ends_the_list = i + 1 == shown && shown == pieces->count;
        buffer_append_string(text, i == 0 ? "" : ends_the_list ? " and " : ", ");
        write_piece(text, pieces->items[i]);
    }
    uint64_t more = 0;
    for (size_t i = shown; i < pieces->count; i++) {
        more += (uint64_t)pieces->items[i].last - pieces->items[i].first + 1;
    }
    if (more > 0) {
        buffer_append_format(text, " and %llu more", (unsigned long long)more);
    }
}

void worker_set_describe(const struct worker_set *set, char *text, size_t size)
{
    SCOPED(buffer_finish) struct buffer words;
    SCOPED(free_pieces) struct pieces pieces = {0};
    buffer_init(&words, TEXT_MAX_BYTES);
    if (set->run_count == 0) {
        buffer_append_string(&words, "no workers");
    } else if (!collect(&pieces, set)) {
        buffer_append_format(&words, "%llu workers", (unsigned long long)worker_set_count(set));
    } else {
        tidy(&pieces);
        write_pieces(&words, &pieces);
    }
    bytes_to_text(buffer_bytes(&words), text, size);
}
