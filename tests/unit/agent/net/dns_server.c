/* A name server on the test's own loop. */
#include "tests/unit/agent/net/dns_server.h"

#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMES_MAX 64
#define NAME_BYTES 256
#define MESSAGE_BYTES 1500
#define TYPE_A 1
#define TYPE_AAAA 28
#define FLAG_CUT_OFF 0x0200
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define RCODE_REFUSED 5

struct dns_count {
    char name[NAME_BYTES];
    unsigned questions;
};

struct dns_server {
    uv_udp_t udp;
    uv_tcp_t tcp;
    unsigned open_handles;
    unsigned tcp_questions;
    char address[40];
    char wire[65536];
    struct dns_count counts[NAMES_MAX];
};

/* A connection: one question, with the length of two bytes before it. */
struct dns_peer {
    uv_tcp_t tcp;
    struct dns_server *server;
    uint8_t data[MESSAGE_BYTES];
    size_t size;
};

struct dns_question {
    char name[NAME_BYTES];
    unsigned type;
    size_t end; /* in the message */
};

struct dns_message {
    uint8_t data[MESSAGE_BYTES];
    size_t size;
};

static void put(struct dns_message *message, unsigned number)
{
    message->data[message->size++] = (uint8_t)(number >> 8);
    message->data[message->size++] = (uint8_t)number;
}

static void read_question(const uint8_t *data, size_t size, struct dns_question *question)
{
    size_t at = 12;
    size_t length = 0;

    assert_true(size > 16);
    while (data[at] > 0) {
        assert_true(at + data[at] + 5 < size && length + data[at] + 2 < NAME_BYTES);
        memcpy(question->name + length, data + at + 1, data[at]);
        length += data[at];
        question->name[length++] = '.';
        at += data[at] + 1u;
    }
    question->name[length > 0 ? length - 1 : 0] = '\0';
    question->type = (unsigned)(data[at + 1] << 8 | data[at + 2]);
    question->end = at + 5;
}

static bool is_name(const struct dns_question *question, const char *name)
{
    return strcasecmp(question->name, name) == 0;
}

static void put_addresses(struct dns_message *message, const struct dns_question *question, int family,
                          unsigned count, unsigned ttl)
{
    if (question->type != (family == AF_INET ? TYPE_A : TYPE_AAAA)) {
        return;
    }
    for (unsigned i = 1; i <= count; i++) {
        uint8_t address[16] = {10};
        size_t size = family == AF_INET ? 4 : 16;
        address[0] = family == AF_INET ? 10 : 0xfd;
        address[size - 1] = (uint8_t)i;
        put(message, 0xc00c);
        put(message, question->type);
        put(message, 1);
        put(message, ttl >> 16);
        put(message, ttl & 0xffff);
        put(message, (unsigned)size);
        memcpy(message->data + message->size, address, size);
        message->size += size;
        message->data[7]++;
    }
}

static unsigned rcode_of(const struct dns_question *question)
{
    static const char *const known[] = {"three.test", "both.test", "six.test", "many.test", "empty.test"};

    if (is_name(question, "broken.test")) {
        return RCODE_SERVFAIL;
    }
    if (is_name(question, "refused.test")) {
        return RCODE_REFUSED;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (is_name(question, known[i])) {
            return 0;
        }
    }
    return strncmp(question->name, "ttl-", 4) == 0 ? 0 : RCODE_NXDOMAIN;
}

static void put_answer(struct dns_message *message, const struct dns_question *question, bool is_tcp)
{
    if (is_name(question, "three.test")) {
        put_addresses(message, question, AF_INET, 3, 60);
    } else if (is_name(question, "both.test")) {
        put_addresses(message, question, AF_INET, 1, 60);
        put_addresses(message, question, AF_INET6, 1, 60);
    } else if (is_name(question, "six.test")) {
        put_addresses(message, question, AF_INET6, 1, 60);
    } else if (strncmp(question->name, "ttl-", 4) == 0) {
        put_addresses(message, question, AF_INET, 1, (unsigned)atoi(question->name + 4));
    } else if (is_name(question, "many.test") && is_tcp) {
        put_addresses(message, question, AF_INET, 16, 60);
    }
}

static void count_question(struct dns_server *server, const char *name)
{
    struct dns_count *count = server->counts;

    while (count->name[0] != '\0' && strcasecmp(count->name, name) != 0) {
        count++;
        assert_true(count < server->counts + NAMES_MAX);
    }
    snprintf(count->name, sizeof count->name, "%s", name);
    count->questions++;
}

/* False: nothing is answered. */
static bool answer(struct dns_server *server, const uint8_t *data, size_t size, bool is_tcp,
                   struct dns_message *message)
{
    struct dns_question question;

    read_question(data, size, &question);
    bool is_cut_off = is_name(&question, "many.test") && !is_tcp;
    if (!is_cut_off) {
        count_question(server, question.name);
    }
    server->tcp_questions += is_tcp;
    message->size = 0;
    put(message, (unsigned)(data[0] << 8 | data[1]));
    put(message, 0x8180u | rcode_of(&question) | (is_cut_off ? FLAG_CUT_OFF : 0));
    put(message, 1);
    put(message, 0);
    put(message, 0);
    put(message, 0);
    memcpy(message->data + message->size, data + 12, question.end - 12);
    message->size += question.end - 12;
    put_answer(message, &question, is_tcp);
    if (is_name(&question, "garbage.test")) {
        memset(message->data + 4, 0xff, message->size - 4);
    }
    return !is_name(&question, "silent.test");
}

static void on_udp_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct dns_server *server = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(server->wire, sizeof server->wire);
}

static void on_datagram(uv_udp_t *udp, ssize_t count, const uv_buf_t *buffer, const struct sockaddr *from,
                        unsigned flags)
{
    struct dns_message message;

    (void)flags;
    if (count > 0 && answer(udp->data, (const uint8_t *)buffer->base, (size_t)count, false, &message)) {
        uv_buf_t out = uv_buf_init((char *)message.data, (unsigned)message.size);
        (void)uv_udp_try_send(udp, &out, 1, from);
    }
}

static void on_peer_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static void on_peer_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct dns_peer *peer = handle->data;

    (void)suggested;
    *buffer = uv_buf_init((char *)peer->data + peer->size, (unsigned)(sizeof peer->data - peer->size));
}

static void on_peer_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct dns_peer *peer = stream->data;
    struct dns_message message;

    (void)buffer;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_peer_closed);
        return;
    }
    peer->size += (size_t)count;
    size_t length = peer->size >= 2 ? (size_t)(peer->data[0] << 8 | peer->data[1]) : SIZE_MAX - 2;
    if (peer->size < length + 2) {
        return;
    }
    if (answer(peer->server, peer->data + 2, length, true, &message)) {
        uint8_t prefix[2] = {(uint8_t)(message.size >> 8), (uint8_t)message.size};
        uv_buf_t out[] = {uv_buf_init((char *)prefix, 2),
                          uv_buf_init((char *)message.data, (unsigned)message.size)};
        assert_true(uv_try_write(stream, out, 2) > 0);
    }
    memmove(peer->data, peer->data + length + 2, peer->size - length - 2);
    peer->size -= length + 2;
}

static void on_tcp_connection(uv_stream_t *stream, int status)
{
    struct dns_server *server = stream->data;
    struct dns_peer *peer = MEMORY_NEW(struct dns_peer);

    assert_int_equal(status, 0);
    uv_tcp_init(stream->loop, &peer->tcp);
    peer->tcp.data = peer;
    peer->server = server;
    assert_int_equal(uv_accept(stream, (uv_stream_t *)&peer->tcp), 0);
    uv_read_start((uv_stream_t *)&peer->tcp, on_peer_alloc, on_peer_read);
}

/* Both on one port, which has to be free for both. */
static uint16_t bind_pair(int *tcp, int *udp)
{
    for (int i = 0; i < 100; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        *tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        *udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(*tcp, (const struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(*tcp, (struct sockaddr *)&address, &size), 0);
        if (bind(*udp, (const struct sockaddr *)&address, size) == 0) {
            return ntohs(address.sin_port);
        }
        close(*tcp);
        close(*udp);
    }
    fail_msg("no port is free for both");
    return 0;
}

struct dns_server *dns_server_new(uv_loop_t *loop)
{
    struct dns_server *server = MEMORY_NEW(struct dns_server);
    int tcp;
    int udp;
    uint16_t port = bind_pair(&tcp, &udp);

    uv_udp_init(loop, &server->udp);
    uv_tcp_init(loop, &server->tcp);
    server->udp.data = server->tcp.data = server;
    server->open_handles = 2;
    assert_int_equal(uv_tcp_open(&server->tcp, tcp), 0);
    assert_int_equal(uv_udp_open(&server->udp, udp), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, 64, on_tcp_connection), 0);
    uv_udp_recv_start(&server->udp, on_udp_alloc, on_datagram);
    snprintf(server->address, sizeof server->address, "127.0.0.1:%u", port);
    return server;
}

const char *dns_server_address(const struct dns_server *server)
{
    return server->address;
}

unsigned dns_server_questions(const struct dns_server *server, const char *name)
{
    for (const struct dns_count *count = server->counts; count->name[0] != '\0'; count++) {
        if (strcasecmp(count->name, name) == 0) {
            return count->questions;
        }
    }
    return 0;
}

unsigned dns_server_tcp_questions(const struct dns_server *server)
{
    return server->tcp_questions;
}

static void on_dns_closed(uv_handle_t *handle)
{
    struct dns_server *server = handle->data;

    if (--server->open_handles == 0) {
        memory_free(server);
    }
}

void dns_server_close(struct dns_server **server)
{
    uv_close((uv_handle_t *)&(*server)->udp, on_dns_closed);
    uv_close((uv_handle_t *)&(*server)->tcp, on_dns_closed);
    *server = NULL;
}
