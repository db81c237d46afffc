/* The server of the WebSocket benches: wslay on libuv and nothing else, one thread; each message comes back.
 */
#include "tests/bench/websocket_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include <wslay/wslay.h>

#define SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY "Sec-WebSocket-Key: "
#define KEY_BYTES 24
#define HEAD_BYTES 4096
#define BACKLOG 4096

struct member {
    int fd; /* first: wslay's callbacks see only this */
    uv_poll_t poll;
    wslay_event_context_ptr wslay; /* NULL: the handshake is not over */
    char *head;
    size_t head_size;
};

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
                       void *context)
{
    (void)context;
    if (!wslay_is_ctrl_frame(message->opcode)) {
        const struct wslay_event_msg copy = {
            .opcode = message->opcode, .msg = message->msg, .msg_length = message->msg_length};
        wslay_event_queue_msg(wslay, &copy);
    }
}

static void free_member(uv_handle_t *handle)
{
    struct member *member = handle->data;
    if (member->wslay != NULL) {
        wslay_event_context_free(member->wslay);
    }
    close(member->fd);
    free(member->head);
    free(member);
}

static void drop(struct member *member)
{
    uv_poll_stop(&member->poll);
    uv_close((uv_handle_t *)&member->poll, free_member);
}

/* False where it is no handshake. */
static int shake_hands(struct member *member)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = websocket_wire_receive,
                                                           .send_callback = websocket_wire_send,
                                                           .on_msg_recv_callback = on_message};
    const char *key = strstr(member->head, KEY);
    char text[KEY_BYTES + sizeof SUFFIX];
    unsigned char digest[EVP_MAX_MD_SIZE];
    char accept[64];
    char answer[256];
    if (key == NULL || strlen(key) < sizeof KEY + KEY_BYTES) {
        return 0;
    }
    memcpy(text, key + sizeof KEY - 1, KEY_BYTES);
    memcpy(text + KEY_BYTES, SUFFIX, sizeof SUFFIX);
    EVP_Digest(text, sizeof text - 1, digest, NULL, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, 20);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accept);
    free(member->head);
    member->head = NULL;
    return send(member->fd, answer, (size_t)size, MSG_NOSIGNAL) == size &&
           wslay_event_context_server_init(&member->wslay, &callbacks, member) == 0;
}

/* Clients of the bench say nothing before the answer. */
static int read_head(struct member *member)
{
    ssize_t count = recv(member->fd, member->head + member->head_size, HEAD_BYTES - 1 - member->head_size, 0);
    if (count <= 0) {
        return count < 0 && errno == EAGAIN;
    }
    member->head_size += (size_t)count;
    member->head[member->head_size] = '\0';
    if (strstr(member->head, "\r\n\r\n") == NULL) {
        return member->head_size < HEAD_BYTES - 1;
    }
    return shake_hands(member);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct member *member = poll->data;
    if (status < 0) {
        drop(member);
        return;
    }
    if (member->wslay == NULL) {
        if (!read_head(member)) {
            drop(member);
        }
        return;
    }
    if (((events & UV_READABLE) != 0 && wslay_event_recv(member->wslay) != 0) ||
        wslay_event_send(member->wslay) != 0 ||
        (!wslay_event_want_read(member->wslay) && !wslay_event_want_write(member->wslay))) {
        drop(member);
        return;
    }
    int wanted = UV_READABLE | (wslay_event_want_write(member->wslay) ? UV_WRITABLE : 0);
    if (wanted != UV_READABLE || (events & UV_WRITABLE) != 0) {
        uv_poll_start(poll, wanted, on_ready);
    }
}

static void on_connection(uv_poll_t *listener, int status, int events)
{
    const int yes = 1;
    int fd;
    (void)status, (void)events;
    while ((fd = accept4((int)(intptr_t)listener->data, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct member *member = calloc(1, sizeof *member);
        if (member == NULL || (member->head = malloc(HEAD_BYTES)) == NULL) {
            abort();
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        member->fd = fd;
        uv_poll_init(listener->loop, &member->poll, fd);
        member->poll.data = member;
        uv_poll_start(&member->poll, UV_READABLE, on_ready);
    }
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    struct rlimit files;
    uv_loop_t loop;
    uv_poll_t accepting;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, BACKLOG) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("websocket_echo");
        return 1;
    }
    uv_loop_init(&loop);
    uv_poll_init(&loop, &accepting, listener);
    accepting.data = (void *)(intptr_t)listener;
    uv_poll_start(&accepting, UV_READABLE, on_connection);
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    /* Until it is killed. */
    return uv_run(&loop, UV_RUN_DEFAULT);
}
