/* An HTTP server that answers, breaks, stalls, resets and closes by lot, and keeps a ledger of what it did to
 * each request.
 *
 *     ledger_server SEED REQUESTS
 *
 * prints its port, serves until its standard input ends, and then prints the ledger as JSON. Requests are
 * GET /r/ID and POST /r/ID, with an ID below REQUESTS; an answer carries the ID. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_BYTES 8192
#define OUT_BYTES 4096
#define MAX_EVENTS 512

/* What happens to a request. In the order of the names below. */
enum act {
    ACT_PLAIN,        /* Content-Length */
    ACT_CHUNKS,       /* chunked, with an extension and a trailer */
    ACT_TO_END,       /* the body ends with the connection */
    ACT_INTERIM,      /* 103, 100, then the answer */
    ACT_NOT_FOUND,    /* 404 */
    ACT_BUSY,         /* 503 */
    ACT_SAID_CLOSE,   /* Connection: close */
    ACT_CLOSE_AFTER,  /* the answer, then the end, which was not announced */
    ACT_RESET_AFTER,  /* the answer, then a reset */
    ACT_408_AFTER,    /* the answer, then a 408 and the end */
    ACT_HALF_AFTER,   /* the answer, then the end of one direction; the other is read until the client ends */
    ACT_MORE,         /* an answer that is longer than its length */
    ACT_EARLY,        /* 413 before the body was read, then the end */
    ACT_CLOSE_BEFORE, /* the end instead of an answer */
    ACT_RESET_BEFORE,
    ACT_CLOSE_IN_HEAD,
    ACT_RESET_IN_HEAD,
    ACT_CLOSE_IN_BODY,
    ACT_RESET_IN_BODY,
    ACT_CLOSE_IN_CHUNK,
    ACT_NO_HTTP,   /* a status line that is none */
    ACT_BAD_CHUNK, /* a chunk's size that is none */
    ACT_STALL,     /* nothing at all */
    ACT_STALL_IN_BODY,
    ACTS
};

/* Of 10,000 requests. */
static const struct {
    const char *name;
    const char *outcome; /* as the report calls it: "ok", a status, or a kind */
    unsigned share;
} acts[ACTS] = {
    [ACT_PLAIN] = {"plain", "ok", 5496},
    [ACT_CHUNKS] = {"chunks", "ok", 1000},
    [ACT_TO_END] = {"to end", "ok", 200},
    [ACT_INTERIM] = {"interim", "ok", 200},
    [ACT_NOT_FOUND] = {"not found", "404", 200},
    [ACT_BUSY] = {"busy", "503", 200},
    [ACT_SAID_CLOSE] = {"said close", "ok", 300},
    [ACT_CLOSE_AFTER] = {"close after", "ok", 300},
    [ACT_RESET_AFTER] = {"reset after", "ok", 200},
    [ACT_408_AFTER] = {"408 after", "ok", 200},
    [ACT_HALF_AFTER] = {"half after", "ok", 200},
    [ACT_MORE] = {"more", "ok", 200},
    [ACT_EARLY] = {"early", "413", 200},
    [ACT_CLOSE_BEFORE] = {"close before", "reset", 200},
    [ACT_RESET_BEFORE] = {"reset before", "reset", 200},
    [ACT_CLOSE_IN_HEAD] = {"close in head", "reset", 200},
    [ACT_RESET_IN_HEAD] = {"reset in head", "reset", 100},
    [ACT_CLOSE_IN_BODY] = {"close in body", "reset", 100},
    [ACT_RESET_IN_BODY] = {"reset in body", "reset", 100},
    [ACT_CLOSE_IN_CHUNK] = {"close in chunk", "reset", 100},
    [ACT_NO_HTTP] = {"no http", "protocol", 50},
    [ACT_BAD_CHUNK] = {"bad chunk", "protocol", 50},
    [ACT_STALL] = {"stall", "timeout", 2},
    [ACT_STALL_IN_BODY] = {"stall in body", "timeout", 2},
};

enum after { AFTER_NOTHING, AFTER_CLOSE, AFTER_RESET, AFTER_HALF, AFTER_STALL };

struct peer {
    int fd;
    bool is_deaf; /* nothing that it sends is looked at any more */
    size_t in_size;
    char in[IN_BYTES];
};

/* Of a request: how often it has come, and what was done the last time. */
struct entry {
    uint8_t arrivals;
    uint8_t act;
    uint8_t is_post;
};

static uint64_t seed;
static uint64_t request_count;
static struct entry *entries;
static struct peer **peers; /* indexed by descriptor */
static size_t peer_capacity;
static uint64_t strangers; /* requests that are none of ours */
static int poller;

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static enum act draw_act(uint64_t id, unsigned arrival)
{
    unsigned lot = (unsigned)(mix(seed ^ (id << 3) ^ arrival) % 10000);

    for (int i = 0; i < ACTS; i++) {
        if (lot < acts[i].share) {
            return (enum act)i;
        }
        lot -= acts[i].share;
    }
    return ACT_PLAIN;
}

static void peer_close(struct peer *peer, bool is_reset)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (is_reset) {
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    peers[peer->fd] = NULL;
    close(peer->fd);
    free(peer);
}

static void peer_send(const struct peer *peer, const char *text, size_t size)
{
    /* Answers are small, and one is under way: the kernel takes them whole. */
    (void)send(peer->fd, text, size, MSG_NOSIGNAL);
}

/* "ID:" and some letters. */
static size_t write_body(char *body, size_t capacity, uint64_t id)
{
    size_t letters = mix(id ^ seed) % 1500;
    size_t size = (size_t)snprintf(body, capacity, "%llu:", (unsigned long long)id);

    memset(body + size, 'a' + (int)(id % 26), letters);
    body[size + letters] = 0;
    return size + letters;
}

static size_t write_answer(char *out, enum act act, const char *body, size_t size)
{
    const char *extra = act == ACT_SAID_CLOSE ? "Connection: close\r\n" : "";
    const char *status = act == ACT_NOT_FOUND ? "404 Not Found"
                         : act == ACT_BUSY    ? "503 Service Unavailable"
                         : act == ACT_EARLY   ? "413 Content Too Large"
                                              : "200 OK";
    const char *before = act == ACT_INTERIM ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                                              "HTTP/1.1 100 Continue\r\n\r\n"
                                            : "";
    bool is_short = act == ACT_CLOSE_IN_BODY || act == ACT_RESET_IN_BODY || act == ACT_STALL_IN_BODY;
    int head;

    if (act == ACT_TO_END) {
        head = snprintf(out, OUT_BYTES, "HTTP/1.1 200 OK\r\nX-Size: %zu\r\n\r\n", size);
    } else if (act == ACT_CHUNKS || act == ACT_CLOSE_IN_CHUNK || act == ACT_BAD_CHUNK) {
        size_t first = size / 2;
        return (size_t)snprintf(out, OUT_BYTES,
                                "HTTP/1.1 200 OK\r\nX-Size: %zu\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "%zx;of=two\r\n%.*s\r\n%s%zx\r\n%s%s",
                                size, first, (int)first, body, act == ACT_BAD_CHUNK ? "x" : "", size - first,
                                body + first, act == ACT_CHUNKS ? "\r\n0\r\nX-Trailer: yes\r\n\r\n" : "");
    } else {
        head = snprintf(out, OUT_BYTES, "%sHTTP/1.1 %s\r\nX-Size: %zu\r\n%sContent-Length: %zu\r\n\r\n",
                        before, status, size, extra, size + (is_short ? 100 : 0));
    }
    memcpy(out + head, body, size);
    size += (size_t)head;
    /* In one piece with the answer: what comes on an idle connection a moment later could also be meant for
     * the next request. */
    if (act == ACT_MORE || act == ACT_408_AFTER) {
        size += (size_t)snprintf(out + size, OUT_BYTES - size, "HTTP/1.1 %s\r\nContent-Length: 3\r\n\r\nhey",
                                 act == ACT_MORE ? "200 OK" : "408 Request Timeout");
    }
    return size;
}

static enum after after_act(enum act act)
{
    switch (act) {
    case ACT_TO_END:
    case ACT_SAID_CLOSE:
    case ACT_CLOSE_AFTER:
    case ACT_408_AFTER:
    case ACT_CLOSE_BEFORE:
    case ACT_CLOSE_IN_HEAD:
    case ACT_CLOSE_IN_BODY:
    case ACT_CLOSE_IN_CHUNK:
    case ACT_NO_HTTP:
    case ACT_MORE:
        return AFTER_CLOSE;
    case ACT_RESET_AFTER:
    case ACT_RESET_BEFORE:
    case ACT_RESET_IN_HEAD:
    case ACT_RESET_IN_BODY:
        return AFTER_RESET;
    case ACT_HALF_AFTER:
    case ACT_EARLY:
    case ACT_BAD_CHUNK:
        return AFTER_HALF;
    case ACT_STALL:
    case ACT_STALL_IN_BODY:
        return AFTER_STALL;
    default:
        return AFTER_NOTHING;
    }
}

/* False if the peer has gone. */
static bool peer_act(struct peer *peer, uint64_t id, enum act act)
{
    static char body[OUT_BYTES];
    static char out[OUT_BYTES];
    size_t size = write_answer(out, act, body, write_body(body, sizeof body, id));

    switch (act) {
    case ACT_CLOSE_BEFORE:
    case ACT_RESET_BEFORE:
    case ACT_STALL:
        break;
    case ACT_CLOSE_IN_HEAD:
    case ACT_RESET_IN_HEAD:
        peer_send(peer, out, 10 + id % 20);
        break;
    case ACT_NO_HTTP:
        peer_send(peer, "ICY 200 OK\r\n\r\nhello, who are you?\r\n", 35);
        break;
    default:
        peer_send(peer, out, size);
    }
    switch (after_act(act)) {
    case AFTER_CLOSE:
    case AFTER_RESET:
        peer_close(peer, after_act(act) == AFTER_RESET);
        return false;
    case AFTER_HALF:
        shutdown(peer->fd, SHUT_WR);
        peer->is_deaf = true;
        return true;
    case AFTER_STALL:
        peer->is_deaf = true;
        return true;
    case AFTER_NOTHING:
        break;
    }
    return true;
}

/* What is done to a request of which the head has come; false if the peer has gone. */
static bool peer_take(struct peer *peer, bool is_post, uint64_t id)
{
    if (id >= request_count) {
        strangers++;
        peer_close(peer, true);
        return false;
    }
    struct entry *entry = &entries[id];
    enum act act = draw_act(id, entry->arrivals);
    if (entry->arrivals < UINT8_MAX) {
        entry->arrivals++;
    }
    entry->act = (uint8_t)act;
    entry->is_post = is_post;
    return peer_act(peer, id, act);
}

/* The length of the first request, 0 while it is not whole. An early answer does not wait for the body. */
static size_t request_size(const struct peer *peer, bool *is_post, uint64_t *id)
{
    const char *end = memmem(peer->in, peer->in_size, "\r\n\r\n", 4);

    if (end == NULL) {
        return 0;
    }
    size_t head = (size_t)(end - peer->in) + 4;
    const char *length = memmem(peer->in, head, "Content-Length: ", 16);
    *is_post = memcmp(peer->in, "POST ", 5) == 0;
    const char *path = memchr(peer->in, '/', head);
    *id = path != NULL && memcmp(path, "/r/", 3) == 0 ? strtoull(path + 3, NULL, 10) : UINT64_MAX;
    size_t size = head + (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
    bool is_early = *id < request_count && draw_act(*id, entries[*id].arrivals) == ACT_EARLY;
    return size <= peer->in_size ? size : is_early ? head : 0;
}

static void peer_read(struct peer *peer)
{
    ssize_t count = recv(peer->fd, peer->in + peer->in_size, sizeof peer->in - 1 - peer->in_size, 0);

    if (count < 0 && errno == EAGAIN) {
        return;
    }
    if (count <= 0) {
        peer_close(peer, false);
        return;
    }
    if (peer->is_deaf) {
        return;
    }
    peer->in_size += (size_t)count;
    peer->in[peer->in_size] = 0;
    bool is_post;
    uint64_t id;
    size_t size;
    while (!peer->is_deaf && (size = request_size(peer, &is_post, &id)) > 0) {
        peer->in_size -= size < peer->in_size ? size : peer->in_size;
        memmove(peer->in, peer->in + size, peer->in_size);
        if (!peer_take(peer, is_post, id)) {
            return;
        }
    }
    if (peer->is_deaf) {
        peer->in_size = 0;
    }
}

static void accept_all(int listener)
{
    int fd;
    int on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if ((size_t)fd >= peer_capacity) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peers[fd] = calloc(1, sizeof *peers[fd]);
        if (peers[fd] == NULL) {
            abort();
        }
        peers[fd]->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 4096) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("listen");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void print_counts(const char *name, const uint64_t *counts)
{
    printf("\"%s\": {", name);
    for (int i = 0; i < ACTS; i++) {
        printf("%s\"%s\": %llu", i > 0 ? ", " : "", acts[i].name, (unsigned long long)counts[i]);
    }
    printf("}, ");
}

static void print_ledger(void)
{
    uint64_t counts[2][ACTS] = {0};
    uint64_t unseen[2] = {0}; /* by the parity of the ID */
    uint64_t repeated[2] = {0};
    uint64_t most = 0;

    for (uint64_t id = 0; id < request_count; id++) {
        const struct entry *entry = &entries[id];
        if (entry->arrivals == 0) {
            unseen[id % 2]++;
            continue;
        }
        counts[entry->is_post][entry->act]++;
        repeated[entry->is_post] += entry->arrivals > 1;
        most = entry->arrivals > most ? entry->arrivals : most;
    }
    printf("{");
    print_counts("get", counts[0]);
    print_counts("post", counts[1]);
    printf("\"outcomes\": {");
    for (int i = 0; i < ACTS; i++) {
        printf("%s\"%s\": \"%s\"", i > 0 ? ", " : "", acts[i].name, acts[i].outcome);
    }
    printf("}, \"unseen_even\": %llu, \"unseen_odd\": %llu, \"repeated_get\": %llu, \"repeated_post\": %llu, "
           "\"most_arrivals\": %llu, \"strangers\": %llu}\n",
           (unsigned long long)unseen[0], (unsigned long long)unseen[1], (unsigned long long)repeated[0],
           (unsigned long long)repeated[1], (unsigned long long)most, (unsigned long long)strangers);
}

int main(int argc, char **argv)
{
    struct epoll_event events[MAX_EVENTS];
    struct rlimit limit;
    bool is_over = false;

    if (argc != 3) {
        fprintf(stderr, "usage: ledger_server SEED REQUESTS\n");
        return 2;
    }
    seed = strtoull(argv[1], NULL, 10);
    request_count = strtoull(argv[2], NULL, 10);
    getrlimit(RLIMIT_NOFILE, &limit);
    peer_capacity = limit.rlim_cur < 1u << 20 ? limit.rlim_cur : 1u << 20;
    entries = calloc(request_count, sizeof *entries);
    peers = calloc(peer_capacity, sizeof *peers);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (entries == NULL || peers == NULL || poller < 0) {
        abort();
    }
    int listener = listen_on_loopback();
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    while (!is_over) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
            } else if (fd == STDIN_FILENO) {
                is_over = true;
            } else if (peers[fd] != NULL) {
                peer_read(peers[fd]);
            }
        }
    }
    print_ledger();
    free(entries);
    free(peers);
    return 0;
}
