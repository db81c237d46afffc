/* How many notifier operations the heart of the coordinator takes: agents' messages decoded, applied and
 * settled, the replies they bring counted. Rooms of five, dealt to four agents as the coordinator deals them;
 * each agent tells of a phase of the step in one message. In processor time, on one core. */
#include "common/buffer.h"
#include "common/memory.h"
#include "common/value.h"
#include "coordinator/core/rooms/rooms.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AGENTS 4u
#define NS_PER_S UINT64_C(1000000000)

struct bench {
    struct campaign_options options;
    struct rooms *rooms;
    uint64_t now_ns;
    uint64_t step;
    uint64_t spent_ns;
    uint64_t operations; /* as they stand in messages, of one worker or many */
    uint64_t workers;    /* whom they stand for */
    uint64_t replies;
    struct operation *items;
    size_t count;
    struct buffer payload;
};

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Readers of one message that saw it at the same instant, more or less. */
#define MOST_INSTANTS 4096u
static const uint32_t AFTER_US[MOST_INSTANTS] = {0, 12, 31, 155};

/* The agent of a seat: those of a room are on different ones. */
static uint32_t agent_of(uint32_t worker)
{
    return worker % AGENTS;
}

static void add(struct bench *bench, enum operation_kind kind, uint32_t room,
                const struct worker_set *workers)
{
    struct operation *operation = &bench->items[bench->count++];
    *operation = (struct operation){.kind = kind, .room = room, .step = bench->step, .workers = *workers};
    if (kind != OPERATION_PAST) {
        operation->name = bytes_of_string("pad");
    }
    if (kind == OPERATION_WRITTEN) {
        operation->value = buffer_bytes(&bench->payload);
        operation->call = (uint32_t)bench->step;
    }
    /* Dated, as an agent does it. */
    if (kind == OPERATION_WRITTEN || kind == OPERATION_READ) {
        operation->first_ns = (int64_t)bench->now_ns;
        operation->uncertainty_us = 100;
    }
    uint64_t count = worker_set_count(workers);
    if (kind == OPERATION_READ && count > 1) {
        assert(count <= MOST_INSTANTS);
        operation->after_us = AFTER_US;
        operation->after_count = count;
    }
}

static bool encode(struct bench *bench, struct buffer *into)
{
    struct message message = {.kind = MESSAGE_OPERATIONS,
                              .campaign = 1,
                              .operations = {.items = bench->items, .count = bench->count}};
    message_encode(&message, into);
    return !into->has_overflowed;
}

/* What is measured: one message of an agent, from bytes to replies. */
static void take(struct bench *bench, struct bytes bytes)
{
    struct message message;
    struct rooms_news news;
    struct error error;
    uint64_t begun_ns = cpu_ns();
    if (!message_decode(bytes, &message, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    for (size_t i = 0; i < message.operations.count; i++) {
        if (!rooms_apply(bench->rooms, bench->now_ns, &message.operations.items[i], &error)) {
            fprintf(stderr, "%s\n", error.text);
            exit(1);
        }
    }
    rooms_settle(bench->rooms, bench->now_ns, &news);
    message_finish(&message);
    bench->spent_ns += cpu_ns() - begun_ns;
    for (size_t i = 0; i < news.reply_count; i++) {
        bench->replies += worker_set_count(&news.replies[i].workers);
    }
}

/* The readers of a room that are on this agent. */
static void readers_of(const struct bench *bench, uint32_t room, uint32_t agent, struct worker_set *readers)
{
    uint32_t size = bench->options.room_size;
    worker_set_clear(readers);
    for (uint32_t worker = room * size; worker + 1 < (room + 1) * size; worker++) {
        if (agent_of(worker) == agent) {
            worker_set_add(readers, worker);
        }
    }
}

static struct worker_set only(uint32_t worker, struct worker_run *run)
{
    *run = (struct worker_run){.first = worker, .stride = 1, .count = 1};
    return (struct worker_set){.runs = run, .run_count = 1, .run_capacity = 1};
}

enum phase { WAITING, WRITING, READING, PASSING, PHASES };

/* What one agent tells of one phase. The sets live until it is encoded. */
static void tell(struct bench *bench, enum phase phase, uint32_t agent, struct worker_set *sets,
                 struct worker_run *writers)
{
    uint32_t rooms = campaign_room_count(&bench->options);
    bench->count = 0;
    for (uint32_t room = 0; room < rooms; room++) {
        uint32_t writer = (room + 1) * bench->options.room_size - 1;
        struct worker_set alone = only(writer, &writers[room]);
        bool is_writers = agent_of(writer) == agent;
        readers_of(bench, room, agent, &sets[room]);
        bool has_readers = sets[room].run_count > 0;
        if (phase == WAITING && has_readers) {
            add(bench, OPERATION_WAIT_WRITER, room, &sets[room]);
        } else if (phase == WRITING && is_writers) {
            add(bench, OPERATION_WRITTEN, room, &alone);
            add(bench, OPERATION_WAIT_READERS, room, &alone);
        } else if (phase == READING && has_readers) {
            add(bench, OPERATION_READ, room, &sets[room]);
        } else if (phase == PASSING && has_readers) {
            add(bench, OPERATION_PAST, room, &sets[room]);
        }
        if (phase == PASSING && is_writers) {
            add(bench, OPERATION_PAST, room, &alone);
        }
    }
}

static void run_step(struct bench *bench, struct worker_set *sets, struct worker_run *writers)
{
    bench->step++;
    for (enum phase phase = WAITING; phase < PHASES; phase++) {
        for (uint32_t agent = 0; agent < AGENTS; agent++) {
            SCOPED(buffer_finish) struct buffer bytes;
            buffer_init(&bytes, LIMIT_FRAME_BYTES);
            tell(bench, phase, agent, sets, writers);
            if (bench->count == 0) {
                continue;
            }
            for (size_t i = 0; i < bench->count; i++) {
                bench->workers += worker_set_count(&bench->items[i].workers);
            }
            bench->operations += bench->count;
            bool is_encoded = encode(bench, &bytes);
            assert(is_encoded);
            (void)is_encoded;
            take(bench, buffer_bytes(&bytes));
            bench->now_ns += NS_PER_S / 1000;
        }
    }
}

int main(int argc, char **argv)
{
    uint32_t workers = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000;
    uint32_t room_size = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 5;
    uint64_t steps = argc > 3 ? strtoull(argv[3], NULL, 10) : 200;
    if (workers == 0 || room_size == 0 || workers % room_size != 0) {
        return 2;
    }
    struct bench bench = {.options = {.workers = workers, .room_size = room_size, .sync_timeout_ms = 60000},
                          .now_ns = NS_PER_S};
    uint32_t rooms = campaign_room_count(&bench.options);
    buffer_init(&bench.payload, VALUE_MAX_BYTES);
    value_append_string(&bench.payload, bytes_of_string("a text of some length, as it goes onto a pad"));
    bench.rooms = rooms_new(&bench.options, NS_PER_S / 10, NS_PER_S / 20);
    bench.items = memory_new(2 * (size_t)rooms, sizeof *bench.items);
    struct worker_set *sets = memory_new(rooms, sizeof *sets);
    struct worker_run *writers = memory_new(rooms, sizeof *writers);
    run_step(&bench, sets, writers); /* the first one makes the rooms */
    bench.spent_ns = bench.operations = bench.workers = bench.replies = 0;
    while (bench.step <= steps) {
        run_step(&bench, sets, writers);
    }
    double seconds = (double)bench.spent_ns / 1e9;
    printf(
        "{\"workers\": %u, \"room_size\": %u, \"operations_per_s\": %.0f, \"worker_operations_per_s\": %.0f, "
        "\"replies_per_s\": %.0f}\n",
        workers, room_size, (double)bench.operations / seconds, (double)bench.workers / seconds,
        (double)bench.replies / seconds);
    for (uint32_t i = 0; i < rooms; i++) {
        worker_set_finish(&sets[i]);
    }
    memory_free(sets);
    memory_free(writers);
    memory_free(bench.items);
    buffer_finish(&bench.payload);
    rooms_free(&bench.rooms);
    return 0;
}
