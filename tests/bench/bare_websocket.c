/* The yardstick for WebSockets: wslay on libuv and nothing else, one thread; each connection sends a message
 * when the one before has come back. */
#include "tests/bench/websocket_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <uv.h>
#include <wslay/wslay.h>

#define MESSAGE_BYTES 100
#define MASKS 256

static const char HANDSHAKE[] =
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct bench {
    uv_loop_t loop;
    uv_timer_t end;
    unsigned long done;
    unsigned long failed;
    uint8_t masks[4 * MASKS]; /* random, taken in turn: as fresh ones cost, without a call for each */
    unsigned next_mask;
    uint8_t message[MESSAGE_BYTES];
};

struct connection {
    int fd; /* first: wslay's callbacks see only this */
    uv_poll_t poll;
    wslay_event_context_ptr wslay;
    struct bench *bench;
};

static int on_mask(wslay_event_context_ptr wslay, uint8_t *into, size_t size, void *context)
{
    struct bench *bench = ((const struct connection *)context)->bench;
    (void)wslay;
    memcpy(into, bench->masks + 4 * (bench->next_mask++ % MASKS), size);
    return 0;
}

static void say(const struct connection *connection)
{
    const struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = connection->bench->message, .msg_length = MESSAGE_BYTES};
    wslay_event_queue_msg(connection->wslay, &message);
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
                       void *context)
{
    const struct connection *connection = context;
    (void)wslay;
    if (message->msg_length == MESSAGE_BYTES &&
        memcmp(message->msg, connection->bench->message, MESSAGE_BYTES) == 0) {
        connection->bench->done++;
    } else {
        connection->bench->failed++;
    }
    say(connection);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    (void)events;
    if (status < 0 || wslay_event_recv(connection->wslay) != 0 || wslay_event_send(connection->wslay) != 0) {
        connection->bench->failed++;
        uv_poll_stop(poll);
    }
}

static void on_end(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static int dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int yes = 1;
    char answer[1024] = "";
    size_t size = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, HANDSHAKE, sizeof HANDSHAKE - 1, 0) != (ssize_t)sizeof HANDSHAKE - 1) {
        perror("bare_websocket");
        exit(1);
    }
    while (strstr(answer, "\r\n\r\n") == NULL) {
        ssize_t count = recv(fd, answer + size, sizeof answer - 1 - size, 0);
        if (count <= 0) {
            fprintf(stderr, "bare_websocket: no answer\n");
            exit(1);
        }
        size += (size_t)count;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void open_connection(struct bench *bench, uint16_t port)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = websocket_wire_receive,
                                                           .send_callback = websocket_wire_send,
                                                           .genmask_callback = on_mask,
                                                           .on_msg_recv_callback = on_message};
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL ||
        wslay_event_context_client_init(&connection->wslay, &callbacks, connection) != 0) {
        abort();
    }
    connection->bench = bench;
    connection->fd = dial(port);
    uv_poll_init(&bench->loop, &connection->poll, connection->fd);
    connection->poll.data = connection;
    uv_poll_start(&connection->poll, UV_READABLE, on_ready);
    say(connection);
    wslay_event_send(connection->wslay);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bare_websocket PORT CONNECTIONS SECONDS\n");
        return 2;
    }
    static struct bench bench;
    uv_loop_init(&bench.loop);
    memset(bench.message, 'x', MESSAGE_BYTES);
    if (getrandom(bench.masks, sizeof bench.masks, 0) != (ssize_t)sizeof bench.masks) {
        return 1;
    }
    for (int i = 0; i < atoi(argv[2]); i++) {
        open_connection(&bench, (uint16_t)atoi(argv[1]));
    }
    uv_timer_init(&bench.loop, &bench.end);
    uv_timer_start(&bench.end, on_end, (uint64_t)atoi(argv[3]) * 1000, 0);
    uint64_t begun_ns = uv_hrtime();
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    double elapsed_s = (double)(uv_hrtime() - begun_ns) / 1e9;
    printf("{\"messages\": %lu, \"failed\": %lu, \"seconds\": %.3f, \"per_s\": %.0f}\n", bench.done,
           bench.failed, elapsed_s, (double)bench.done / elapsed_s);
    /* The process ends here: the bench measures messages, not tidying up. */
    return bench.failed ? 1 : 0;
}
