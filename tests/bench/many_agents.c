/* Many agents that have joined and do nothing: the real core of an agent for each, on a socket of its own.
 * `many_agents ENDPOINT COUNT` says "joined" when all have, and goes on until its input ends. */
#include "agent/core/agent.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define TURN_MS 20
#define AGENTS_MAX 1000ul

struct one {
    struct agent *agent;
    void *zmq;
};

static void step(struct one *one, struct agent_event *event)
{
    struct agent_effects effects = {0};
    event->now_ns = clock_now_ns();
    agent_step(one->agent, event, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        const struct agent_effect *effect = &effects.items[i];
        if (effect->kind == AGENT_SEND) {
            SCOPED(buffer_finish) struct buffer envelope;
            buffer_init(&envelope, LIMIT_ENVELOPE_BYTES);
            envelope_encode(&effect->envelope, &envelope);
            zmq_send(one->zmq, envelope.data, envelope.size, ZMQ_SNDMORE | ZMQ_DONTWAIT);
            zmq_send(one->zmq, shared_bytes(effect->message).data, shared_bytes(effect->message).size,
                     ZMQ_DONTWAIT);
        } else if (effect->kind == AGENT_REFUSED) {
            fprintf(stderr, "%s\n", effect->text);
            exit(1);
        }
    }
    agent_effects_finish(&effects);
}

static bool receive(struct one *one)
{
    zmq_msg_t parts[2];
    zmq_msg_init(&parts[0]);
    zmq_msg_init(&parts[1]);
    bool is_there = zmq_msg_recv(&parts[0], one->zmq, ZMQ_DONTWAIT) >= 0 &&
                    zmq_msg_recv(&parts[1], one->zmq, ZMQ_DONTWAIT) >= 0;
    struct error error;
    struct agent_event event = {.kind = AGENT_FRAME};
    if (is_there && envelope_decode(bytes_of(zmq_msg_data(&parts[0]), zmq_msg_size(&parts[0])),
                                    &event.envelope, &error)) {
        event.message = bytes_of(zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]));
        step(one, &event);
    }
    zmq_msg_close(&parts[0]);
    zmq_msg_close(&parts[1]);
    return is_there;
}

static void turn(struct one *one)
{
    bool has_received = false;
    while (receive(one)) {
        has_received = true;
    }
    bool is_due = agent_due_ns(one->agent) <= clock_now_ns();
    struct agent_event tick = {.kind = AGENT_TICK};
    struct agent_event end = {.kind = AGENT_TURN_END};
    if (is_due) {
        step(one, &tick);
    }
    if (is_due || has_received) {
        step(one, &end);
    }
}

static void open_one(struct one *one, void *context, const char *endpoint, unsigned number)
{
    char name[32];
    int linger_ms = 0;
    snprintf(name, sizeof name, "agent-%u", number);
    struct agent_settings settings = {.incarnation = ((uint64_t)getpid() << 32) + number + 1,
                                      .seed = number,
                                      .name = name,
                                      .host = "bench",
                                      .coordinator_host = "127.0.0.1",
                                      .pid = (uint32_t)getpid(),
                                      .cores = 1,
                                      .memory_bytes = 1u << 30,
                                      .shards = 1};
    one->agent = agent_new(&settings, clock_now_ns());
    one->zmq = zmq_socket(context, ZMQ_DEALER);
    if (one->zmq == NULL || zmq_setsockopt(one->zmq, ZMQ_LINGER, &linger_ms, sizeof linger_ms) != 0 ||
        zmq_connect(one->zmq, endpoint) != 0) {
        fprintf(stderr, "agent %u: %s\n", number, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static bool are_joined(const struct one *all, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!agent_is_joined(all[i].agent)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (count == 0 || count > AGENTS_MAX) {
        fprintf(stderr, "usage: many_agents ENDPOINT COUNT, at most %lu\n", AGENTS_MAX);
        return 2;
    }
    void *context = zmq_ctx_new();
    struct one *all = memory_new(count, sizeof *all);
    for (unsigned i = 0; i < count; i++) {
        open_one(&all[i], context, argv[1], i);
    }
    bool was_told = false;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, TURN_MS) == 0) {
        for (unsigned i = 0; i < count; i++) {
            turn(&all[i]);
        }
        if (!was_told && are_joined(all, (unsigned)count)) {
            was_told = true;
            puts("joined");
            fflush(stdout);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        zmq_close(all[i].zmq);
        agent_free(&all[i].agent);
    }
    memory_free(all);
    zmq_ctx_term(context);
    return 0;
}
