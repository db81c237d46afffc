/* The practice target: its socket, its threads, and the path of a request through them. */
#include "target/target.h"

#include "common/address.h"
#include "common/memory.h"
#include "target/target_routes.h"
#include "target/target_sockets.h"
#include "target/target_tcp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_ADDRESS "127.0.0.1"
#define PORT_TEXT_BYTES 8
#define THREADS 2u
#define BACKLOG 4096
#define MAX_CONNECTIONS 20000u
/* Descriptors for the rest of the process: `tutti run` has its own sockets in it. */
#define RESERVED_FILES 128u
#define IDLE_TIMEOUT_S 300u
/* Holds the headers of a request and of its response. */
#define CONNECTION_MEMORY_BYTES (16u * 1024u)

struct target {
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct target_scene scene;
};

static bool refuse_socket(int number, const char *address, uint16_t port, struct error *error)
{
    if (number == EADDRINUSE) {
        return error_set(error, "port %u is in use: something else already listens at %s", port, address);
    }
    if (number == EACCES) {
        return error_set(error, "port %u needs privileges that this user does not have", port);
    }
    return error_set_system(error, number, "cannot listen at %s port %u", address, port);
}

static int open_socket(const char *address, uint16_t port, struct error *error)
{
    char service[PORT_TEXT_BYTES];
    (void)snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(address, service, &hints, &found);
    if (failure != 0) {
        error_set(error, "cannot listen at %s: %s", address, gai_strerror(failure));
        return -1;
    }
    int yes = 1;
    int number = 0;
    int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, BACKLOG) != 0) {
        number = errno;
    }
    freeaddrinfo(found);
    if (number == 0) {
        return listener;
    }
    if (listener >= 0) {
        close(listener);
    }
    refuse_socket(number, address, port, error);
    return -1;
}

static unsigned connection_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return MAX_CONNECTIONS;
    }
    rlim_t ours = files.rlim_cur > 2 * RESERVED_FILES ? files.rlim_cur - RESERVED_FILES : files.rlim_cur / 2;
    if (ours < THREADS) {
        return THREADS;
    }
    return ours < MAX_CONNECTIONS ? (unsigned)ours : MAX_CONNECTIONS;
}

/* Called with the headers, then with each piece of the body, then at its end, and again after a delay. */
static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **state)
{
    struct target *target = argument;
    struct target_request *request = *state;
    (void)version;
    if (request == NULL) {
        *state = request = target_request_new(&target->scene, connection);
        if (!target_request_may_send_body(request)) {
            request->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
            return target_route(request);
        }
        return MHD_YES;
    }
    if (*size > 0) {
        size_t added = *size;
        *size = 0;
        return target_request_add(request, data, added) ? MHD_YES : MHD_NO;
    }
    request->path = path;
    request->method = method;
    return target_route(request);
}

static void on_request_end(void *argument, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode reason)
{
    struct target_request *request = *state;
    (void)argument;
    (void)connection;
    (void)reason;
    target_request_free(&request);
    *state = NULL;
}

/* Decodes %XX in place. A zero byte would truncate the text and make two names equal: such a text is left as
 * it was sent. */
static size_t unescape(void *argument, struct MHD_Connection *connection, char *text)
{
    (void)argument;
    (void)connection;
    return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}

static struct MHD_Daemon *start_daemon(struct target *target, int listener)
{
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
                           MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, listener, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, THREADS, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, connection_limit(), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, target, MHD_OPTION_NOTIFY_COMPLETED,
                            on_request_end, NULL, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void fill_scene(struct target_scene *scene)
{
    for (size_t i = 0; i < sizeof scene->filler; i++) {
        size_t column = i % TARGET_FILLER_PERIOD;
        scene->filler[i] = (char)(column + 1 == TARGET_FILLER_PERIOD ? '\n' : 'A' + column % 26);
    }
    atomic_init(&scene->incoming_bytes, 0);
    scene->pads = pads_new();
    scene->sessions = sessions_new();
    target_routes_prepare(scene);
}

static void target_finish(struct target *target)
{
    struct target_scene *scene = &target->scene;
    assert(atomic_load(&scene->incoming_bytes) == 0);
    MHD_destroy_response(scene->index);
    MHD_destroy_response(scene->page);
    MHD_destroy_response(scene->not_found);
    pads_free(&scene->pads);
    target_tcp_free(&scene->tcp);
    delays_free(&scene->delays);
    target_sockets_free(&scene->sockets);
    sessions_free(&scene->sessions);
    memory_free(target);
}

/* The threads and what they use, once there is a socket for them to take over. */
static struct target *start_at(int listener, int tcp_listener, struct error *error)
{
    struct target *target = MEMORY_NEW(struct target);
    target->port = address_local_port(listener);
    target->scene.tcp_port = address_local_port(tcp_listener);
    fill_scene(&target->scene);
    target->scene.tcp = target_tcp_new(tcp_listener, error);
    target->scene.delays = target->scene.tcp != NULL ? delays_new(error) : NULL;
    target->scene.sockets =
        target->scene.delays != NULL ? target_sockets_new(target->scene.sessions, error) : NULL;
    if (target->scene.sockets == NULL) {
        if (target->scene.delays != NULL) {
            delays_stop(target->scene.delays);
        }
        close(listener);
        target_finish(target);
        return NULL;
    }
    /* On failure it is unclear who owns the socket; better to leak one descriptor than to close it twice. */
    target->daemon = start_daemon(target, listener);
    if (target->daemon == NULL) {
        delays_stop(target->scene.delays);
        sessions_stop(target->scene.sessions);
        target_sockets_stop(target->scene.sockets);
        target_finish(target);
        error_set(error, "cannot start the threads of the target");
        return NULL;
    }
    return target;
}

struct target *target_start(const char *address, uint16_t port, struct error *error)
{
    return target_start_with_tcp(address, port, 0, error);
}

struct target *target_start_with_tcp(const char *address, uint16_t port, uint16_t tcp_port,
                                     struct error *error)
{
    const char *host = address != NULL ? address : DEFAULT_ADDRESS;
    int listener = open_socket(host, port, error);
    if (listener < 0) {
        return NULL;
    }
    int tcp_listener = open_socket(host, tcp_port, error);
    if (tcp_listener < 0) {
        close(listener);
        return NULL;
    }
    /* Signals are handled by the threads of the program. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct target *target = start_at(listener, tcp_listener, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return target;
}

uint16_t target_port(const struct target *target)
{
    return target->port;
}

void target_stop(struct target **target)
{
    struct target *stopped = *target;
    *target = NULL;
    if (stopped == NULL) {
        return;
    }
    delays_stop(stopped->scene.delays);
    sessions_stop(stopped->scene.sessions);
    target_sockets_stop(stopped->scene.sockets);
    MHD_stop_daemon(stopped->daemon);
    target_finish(stopped);
}
