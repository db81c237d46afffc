/* Names of hosts, looked up by c-ares on the loop of a shard. */
#include "agent/net/resolver.h"

#include "agent/base/connect_failure.h"
#include "common/clock.h"
#include "common/map.h"
#include "common/memory.h"

#include <ares.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MAX 4096u
#define CONFIGURATION_FILE "/etc/resolv.conf"
#define CONFIGURATION_LOOK_NS (5 * NS_PER_S)
#define TRY_TIMEOUT_MS 2000
#define TRIES 3
#define ERROR_BYTES 160

/* One who waits for a name. */
struct resolver_query {
    struct resolved_name *name;
    struct resolver_query *next;
    void (*on_done)(void *context, const struct address_list *list, const struct resolver_failure *failure);
    void *context;
    bool is_cancelled;
};

struct resolved_name {
    struct resolver *resolver;
    struct resolver_query *queries;
    struct address_list list;
    char error[ERROR_BYTES];
    bool is_local_failure;
    uint64_t until_ns;
    bool is_asked; /* under way */
    bool is_ready; /* to be delivered */
    char host[];
};

/* A socket of c-ares. */
struct resolver_socket {
    uv_poll_t poll;
    struct resolver *resolver;
    struct resolver_socket *next;
    ares_socket_t socket;
};

struct resolver {
    uv_loop_t *loop;
    struct resolver_options options;
    ares_channel channel;
    struct map *names;
    struct resolver_socket *sockets;
    uv_timer_t timer;
    uv_timer_t delivery; /* of answers: outside c-ares, and outside those who ask */
    unsigned open_handles;
    uint64_t looked_ns; /* at the configuration */
    struct timespec configured;
    bool is_open; /* the channel */
    bool is_delivering;
    bool is_closing;
};

static void resolver_set_timer(struct resolver *resolver);

static void resolver_on_socket_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct resolver_socket *socket = poll->data;
    struct resolver *resolver = socket->resolver;
    bool is_readable = status < 0 || (events & UV_READABLE);
    bool is_writable = status < 0 || (events & UV_WRITABLE);

    ares_process_fd(resolver->channel, is_readable ? socket->socket : ARES_SOCKET_BAD,
                    is_writable ? socket->socket : ARES_SOCKET_BAD);
    if (!resolver->is_closing) {
        resolver_set_timer(resolver);
    }
}

static void resolver_drop_socket(struct resolver_socket **at)
{
    struct resolver_socket *socket = *at;

    *at = socket->next;
    uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, resolver_on_socket_closed);
}

/* c-ares says what it wants of a socket; of neither kind: it is about to close it. */
static void on_socket_state(void *context, ares_socket_t fd, int is_readable, int is_writable)
{
    struct resolver *resolver = context;
    struct resolver_socket **at = &resolver->sockets;

    while (*at != NULL && (*at)->socket != fd) {
        at = &(*at)->next;
    }
    if (!is_readable && !is_writable) {
        if (*at != NULL) {
            resolver_drop_socket(at);
        }
        return;
    }
    if (*at == NULL) {
        struct resolver_socket *socket = MEMORY_NEW(struct resolver_socket);
        if (uv_poll_init_socket(resolver->loop, &socket->poll, fd) != 0) {
            memory_free(socket);
            return; /* the try runs into its timeout */
        }
        socket->poll.data = socket;
        socket->resolver = resolver;
        socket->socket = fd;
        *at = socket;
    }
    uv_poll_start(&(*at)->poll, (is_readable ? UV_READABLE : 0) | (is_writable ? UV_WRITABLE : 0),
                  on_socket_ready);
}

static void resolver_on_timer(uv_timer_t *timer)
{
    struct resolver *resolver = timer->data;

    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (!resolver->is_closing) {
        resolver_set_timer(resolver);
    }
}

static void resolver_set_timer(struct resolver *resolver)
{
    struct timeval left;
    const struct timeval *next = ares_timeout(resolver->channel, NULL, &left);

    if (next == NULL) {
        uv_timer_stop(&resolver->timer); /* nothing is under way */
        return;
    }
    uint64_t ms = (uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1;
    uv_timer_start(&resolver->timer, resolver_on_timer, ms, 0);
}

static void close_channel(struct resolver *resolver)
{
    if (resolver->is_open) {
        ares_destroy(resolver->channel); /* ends what is under way with ARES_EDESTRUCTION */
        resolver->is_open = false;
    }
    while (resolver->sockets != NULL) {
        resolver_drop_socket(&resolver->sockets);
    }
}

static void open_channel(struct resolver *resolver)
{
    const struct resolver_options *ours = &resolver->options;
    struct ares_options options = {.timeout = ours->timeout_ms > 0 ? ours->timeout_ms : TRY_TIMEOUT_MS,
                                   .tries = ours->tries > 0 ? ours->tries : TRIES,
                                   .sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = resolver};

    resolver->is_open =
        ares_init_options(&resolver->channel, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS;
    if (resolver->is_open && ours->servers != NULL &&
        ares_set_servers_ports_csv(resolver->channel, ours->servers) != ARES_SUCCESS) {
        close_channel(resolver);
    }
}

static void resolver_global_init(void)
{
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        abort();
    }
}

struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options)
{
    static uv_once_t once = UV_ONCE_INIT;
    struct resolver *resolver = MEMORY_NEW(struct resolver);

    uv_once(&once, resolver_global_init);
    resolver->loop = loop;
    if (options != NULL) {
        resolver->options = *options;
    }
    resolver->names = map_new();
    uv_timer_init(loop, &resolver->timer);
    uv_timer_init(loop, &resolver->delivery);
    resolver->timer.data = resolver->delivery.data = resolver;
    resolver->open_handles = 2;
    return resolver;
}

static void free_name(struct resolved_name *name)
{
    while (name->queries != NULL) {
        struct resolver_query *query = name->queries;
        name->queries = query->next;
        memory_free(query);
    }
    memory_free(name);
}

static void on_resolver_closed(uv_handle_t *handle)
{
    struct resolver *resolver = handle->data;

    if (--resolver->open_handles == 0) {
        memory_free(resolver);
    }
}

void resolver_close(struct resolver **pointer)
{
    struct resolver *resolver = *pointer;
    struct map_cursor cursor = {0};

    if (resolver == NULL) {
        return;
    }
    resolver->is_closing = true;
    close_channel(resolver);
    while (map_next(resolver->names, &cursor)) {
        free_name(cursor.value);
    }
    map_free(&resolver->names);
    uv_close((uv_handle_t *)&resolver->timer, on_resolver_closed);
    uv_close((uv_handle_t *)&resolver->delivery, on_resolver_closed);
    *pointer = NULL;
}

static struct resolved_name *find_name(const struct resolver *resolver, const char *host)
{
    return map_get(resolver->names, bytes_of_string(host));
}

bool resolver_look(struct resolver *resolver, const char *host, struct address_list *list)
{
    struct net_address literal;

    if (net_address_parse(host, &literal)) {
        list->items[0] = literal;
        list->count = 1;
        return true;
    }
    const struct resolved_name *name = find_name(resolver, host);
    if (name == NULL || name->is_asked || name->list.count == 0 || clock_now_ns() >= name->until_ns) {
        return false;
    }
    *list = name->list;
    return true;
}

/* Names that nobody waits for go when there are too many. */
static void drop_idle_names(struct resolver *resolver)
{
    struct map_cursor cursor = {0};

    while (map_next(resolver->names, &cursor)) {
        struct resolved_name *name = cursor.value;
        if (name->queries == NULL && !name->is_asked && !name->is_ready) {
            (void)map_remove(resolver->names, cursor.key);
            memory_free(name);
        }
    }
}

static struct resolved_name *need_name(struct resolver *resolver, const char *host)
{
    struct resolved_name *name = find_name(resolver, host);
    size_t size = strlen(host) + 1;

    if (name != NULL) {
        return name;
    }
    if (map_size(resolver->names) >= NAMES_MAX && !resolver->is_delivering) {
        drop_idle_names(resolver);
    }
    name = memory_new(1, sizeof *name + size);
    memcpy(name->host, host, size);
    name->resolver = resolver;
    (void)map_put(resolver->names, bytes_of_string(host), name);
    return name;
}

static void name_is_ready(struct resolved_name *name);

/* Each gets the answer once; who asks from within a callback is added to a list of its own. */
static void resolver_deliver(struct resolved_name *name)
{
    const struct resolver_failure failure = {.text = name->error, .is_local = name->is_local_failure};
    struct resolver_query *queries = name->queries;

    name->queries = NULL;
    while (queries != NULL) {
        struct resolver_query *query = queries;
        queries = query->next;
        if (!query->is_cancelled) {
            query->on_done(query->context, &name->list, name->list.count == 0 ? &failure : NULL);
        }
        memory_free(query);
    }
    name->is_ready = false;
    if (name->queries != NULL) {
        name_is_ready(name); /* they have asked from within a callback */
    }
}

static void on_delivery(uv_timer_t *timer)
{
    struct resolver *resolver = timer->data;
    struct map_cursor cursor = {0};

    resolver->is_delivering = true;
    while (!resolver->is_closing && map_next(resolver->names, &cursor)) {
        struct resolved_name *name = cursor.value;
        if (name->is_ready) {
            resolver_deliver(name);
        }
    }
    resolver->is_delivering = false;
}

static void name_is_ready(struct resolved_name *name)
{
    name->is_ready = true;
    uv_timer_start(&name->resolver->delivery, on_delivery, 0, 0);
}

static void take_addresses(struct resolved_name *name, const struct ares_addrinfo *found)
{
    uint32_t ttl_s = RESOLVER_MAX_TTL_S;

    name->list.count = 0;
    for (const struct ares_addrinfo_node *node = found->nodes; node != NULL; node = node->ai_next) {
        struct net_address address = {0};
        if ((size_t)node->ai_addrlen > sizeof address) {
            continue;
        }
        memcpy(&address, node->ai_addr, (size_t)node->ai_addrlen);
        address_list_add(&name->list, &address);
        if (node->ai_ttl >= 0 && (uint32_t)node->ai_ttl < ttl_s) {
            ttl_s = (uint32_t)node->ai_ttl;
        }
    }
    /* Names of the hosts file have a TTL of 0: it is not read again for each connection. */
    ttl_s = ttl_s > RESOLVER_LEAST_TTL_S ? ttl_s : RESOLVER_LEAST_TTL_S;
    name->until_ns = clock_now_ns() + ttl_s * NS_PER_S;
}

/* What this machine lacks it may have again in a moment; others are not asked at once again. */
static void name_has_failed(struct resolved_name *name, const char *why)
{
    int number = connect_failure_probe();

    name->is_local_failure = number != 0;
    if (number != 0) {
        snprintf(name->error, sizeof name->error, "%s%s", strerror(number), connect_failure_advice(number));
        name->until_ns = 0;
    } else {
        snprintf(name->error, sizeof name->error, "%s", why);
        name->until_ns = clock_now_ns() + RESOLVER_FAILED_TTL_S * NS_PER_S;
    }
}

static void on_addresses(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
    struct resolved_name *name = context;

    (void)timeouts;
    if (status == ARES_EDESTRUCTION && name->resolver->is_closing) {
        return;
    }
    name->is_asked = false;
    name->list.count = 0;
    if (status == ARES_SUCCESS) {
        take_addresses(name, found);
        ares_freeaddrinfo(found);
    }
    if (name->list.count == 0) {
        name_has_failed(name, status == ARES_SUCCESS ? "it has no address" : ares_strerror(status));
    }
    name_is_ready(name);
}

/* Name servers change while an agent runs: in a container, with a network that comes up. */
static void follow_configuration(struct resolver *resolver)
{
    uint64_t now_ns = clock_now_ns();
    struct stat now = {0};

    if (resolver->is_open && now_ns - resolver->looked_ns < CONFIGURATION_LOOK_NS) {
        return;
    }
    resolver->looked_ns = now_ns;
    (void)stat(CONFIGURATION_FILE, &now);
    bool is_same = now.st_mtim.tv_sec == resolver->configured.tv_sec &&
                   now.st_mtim.tv_nsec == resolver->configured.tv_nsec;
    if (resolver->is_open && (is_same || resolver->sockets != NULL)) {
        return; /* not under a query: it would end */
    }
    close_channel(resolver);
    open_channel(resolver);
    resolver->configured = now.st_mtim;
}

static void ask_for(struct resolver *resolver, struct resolved_name *name)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    follow_configuration(resolver);
    if (!resolver->is_open) {
        name->list.count = 0;
        name_has_failed(name, "the name servers of this machine cannot be read");
        name_is_ready(name);
        return;
    }
    name->is_asked = true;
    ares_getaddrinfo(resolver->channel, name->host, NULL, &hints, on_addresses, name);
    resolver_set_timer(resolver);
}

struct resolver_query *resolver_ask(struct resolver *resolver, const char *host,
                                    void (*on_done)(void *context, const struct address_list *list,
                                                    const struct resolver_failure *failure),
                                    void *context)
{
    struct resolved_name *name = need_name(resolver, host);
    struct resolver_query *query = MEMORY_NEW(struct resolver_query);

    query->name = name;
    query->on_done = on_done;
    query->context = context;
    query->next = name->queries;
    name->queries = query;
    if (name->is_asked || name->is_ready) {
        return query;
    }
    if (clock_now_ns() < name->until_ns) {
        name_is_ready(name); /* known by now, or known to be none */
    } else {
        ask_for(resolver, name);
    }
    return query;
}

void resolver_cancel(struct resolver_query **pointer)
{
    if (*pointer != NULL) {
        (*pointer)->is_cancelled = true;
    }
    *pointer = NULL;
}
