/* The yardstick for a notifier turn: bare round trips between a DEALER and a ROUTER of two processes over
 * loopback TCP. `zmq_roundtrip ROUNDS [PAUSE_US]`: with a pause before each, as between two turns. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define PAYLOAD_BYTES 64

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* The child: gives each message back to whom it came from, until an empty one. */
static int echo(int endpoint_pipe)
{
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER);
    char endpoint[256];
    size_t endpoint_size = sizeof endpoint;
    if (zmq_bind(router, "tcp://127.0.0.1:*") ||
        zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &endpoint_size) ||
        write(endpoint_pipe, endpoint, endpoint_size) < 0) {
        return 1;
    }
    for (;;) {
        char route[256];
        char body[PAYLOAD_BYTES];
        int route_size = zmq_recv(router, route, sizeof route, 0);
        int body_size = zmq_recv(router, body, sizeof body, 0);
        if (route_size < 0 || body_size <= 0) {
            break;
        }
        zmq_send(router, route, (size_t)route_size, ZMQ_SNDMORE);
        zmq_send(router, body, (size_t)body_size, 0);
    }
    zmq_close(router);
    zmq_ctx_term(context);
    return 0;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 20000;
    long pause_us = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    int ends[2];
    if (rounds == 0 || pipe(ends)) {
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(echo(ends[1]));
    }
    char endpoint[256] = {0};
    if (read(ends[0], endpoint, sizeof endpoint - 1) <= 0) {
        return 1;
    }
    void *context = zmq_ctx_new();
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    zmq_connect(dealer, endpoint);
    uint64_t *samples = calloc(rounds, sizeof *samples);
    if (samples == NULL) {
        return 1;
    }
    char body[PAYLOAD_BYTES];
    memset(body, 'x', sizeof body);
    for (size_t i = 0; i < rounds; i++) {
        if (pause_us > 0) {
            nanosleep(&(struct timespec){.tv_nsec = pause_us * 1000}, NULL);
        }
        uint64_t begun_ns = now_ns();
        zmq_send(dealer, body, sizeof body, 0);
        zmq_recv(dealer, body, sizeof body, 0);
        samples[i] = now_ns() - begun_ns;
    }
    zmq_send(dealer, body, 0, 0);
    waitpid(child, NULL, 0);
    qsort(samples, rounds, sizeof *samples, compare);
    uint64_t p50_ns = samples[rounds / 2];
    uint64_t p99_ns = samples[rounds * 99 / 100];
    printf("{\"rounds\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", rounds, (double)p50_ns / 1e3,
           (double)p99_ns / 1e3);
    free(samples);
    zmq_close(dealer);
    zmq_ctx_term(context);
    return 0;
}
