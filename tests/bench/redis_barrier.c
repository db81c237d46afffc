/* What people do without tutti: a barrier by hand over Redis. Each worker has a connection of its own; it
 * counts itself in (INCR), the last one fills a list (one item a worker), and all pop from it (BLPOP).
 * `redis_barrier SOCKET WORKERS GENERATIONS`: the workers in four processes, as they would be on four hosts.
 */
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4u

/* In memory that all processes share. The generation before the first counted one is for connecting. */
struct times {
    _Atomic uint64_t first_ns; /* when the first worker came to the first generation */
    _Atomic uint64_t last_ns;  /* when the last worker left the last one */
};

struct bench {
    int port;
    unsigned long workers;
    unsigned long generations;
    struct times *times;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

_Noreturn static void give_up(const char *why)
{
    fprintf(stderr, "redis: %s\n", why);
    exit(1);
}

static long long take_reply(redisContext *connection)
{
    void *taken = NULL;
    if (redisGetReply(connection, &taken) != REDIS_OK) {
        taken = NULL;
    }
    redisReply *reply = taken;
    if (reply == NULL) {
        give_up("the connection was lost");
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        give_up(reply->str);
    }
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

static void flush(redisContext *connection)
{
    int is_done = 0;
    while (!is_done) {
        if (redisBufferWrite(connection, &is_done) != REDIS_OK) {
            give_up("the connection was lost");
        }
    }
}

/* The last one to arrive lets all others go, with one command. */
static void open_gate(redisContext *connection, const struct bench *bench, unsigned long generation)
{
    char gate[32];
    snprintf(gate, sizeof gate, "gate:%lu", generation);
    const char **words = calloc(bench->workers + 2, sizeof *words);
    if (words == NULL) {
        exit(1);
    }
    words[0] = "RPUSH";
    words[1] = gate;
    for (unsigned long i = 0; i < bench->workers; i++) {
        words[i + 2] = "go";
    }
    redisAppendCommandArgv(connection, (int)bench->workers + 2, words, NULL);
    flush(connection);
    take_reply(connection);
    free(words);
}

/* All workers of this process go through one generation; none waits for another's reply to send its own. */
static void meet(const struct bench *bench, redisContext **connections, unsigned long count,
                 unsigned long generation)
{
    for (unsigned long i = 0; i < count; i++) {
        redisAppendCommand(connections[i], "INCR count:%lu", generation);
        flush(connections[i]);
    }
    for (unsigned long i = 0; i < count; i++) {
        if (take_reply(connections[i]) == (long long)bench->workers) {
            open_gate(connections[i], bench, generation);
        }
        redisAppendCommand(connections[i], "BLPOP gate:%lu 0", generation);
        flush(connections[i]);
    }
    for (unsigned long i = 0; i < count; i++) {
        take_reply(connections[i]);
    }
}

/* Who comes while the server has not yet let the last ones in is turned away at once. */
static redisContext *connect_patiently(int port)
{
    for (int tries = 0; tries < 2000; tries++) {
        redisContext *connection = redisConnect("127.0.0.1", port);
        if (connection != NULL && connection->err == 0) {
            return connection;
        }
        redisFree(connection);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    give_up("it lets nobody in");
}

static int work(const struct bench *bench, unsigned process)
{
    unsigned long count = bench->workers / PROCESSES + (process < bench->workers % PROCESSES ? 1 : 0);
    redisContext **connections = calloc(count + 1, sizeof(redisContext *));
    for (unsigned long i = 0; connections != NULL && i < count; i++) {
        connections[i] = connect_patiently(bench->port);
    }
    for (unsigned long i = 0; connections != NULL && i <= bench->generations; i++) {
        uint64_t none = 0;
        if (i == 1) {
            atomic_compare_exchange_strong(&bench->times->first_ns, &none, now_ns());
        }
        meet(bench, connections, count, i);
    }
    uint64_t left_ns = now_ns();
    uint64_t before_ns = bench->times->last_ns;
    while (before_ns < left_ns &&
           !atomic_compare_exchange_strong(&bench->times->last_ns, &before_ns, left_ns)) {
    }
    return connections == NULL ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0,
                          .workers = argc > 2 ? strtoul(argv[2], NULL, 10) : 0,
                          .generations = argc > 3 ? strtoul(argv[3], NULL, 10) : 0};
    if (bench.port == 0 || bench.workers == 0 || bench.generations == 0) {
        fprintf(stderr, "usage: redis_barrier PORT WORKERS GENERATIONS\n");
        return 2;
    }
    bench.times = mmap(NULL, sizeof *bench.times, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.times == MAP_FAILED) {
        return 1;
    }
    pid_t children[PROCESSES];
    for (unsigned process = 0; process < PROCESSES; process++) {
        children[process] = fork();
        if (children[process] == 0) {
            _exit(work(&bench, process));
        }
    }
    int worst = 0;
    int status;
    while (wait(&status) > 0) {
        for (unsigned i = 0; i < PROCESSES && status != 0 && worst == 0; i++) {
            kill(children[i], SIGKILL); /* the others would wait for it for ever */
        }
        worst = status != 0 ? 1 : worst;
    }
    if (worst == 0) {
        uint64_t spent_ns = bench.times->last_ns - bench.times->first_ns;
        printf("{\"workers\": %lu, \"generation_ms\": %.4f}\n", bench.workers,
               (double)spent_ns / 1e6 / (double)bench.generations);
    }
    return worst;
}
