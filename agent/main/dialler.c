/* Looks for the coordinator until it is connected, and says why it is not. */
#include "agent/main/dialler.h"

#include "agent/main/endpoint.h"
#include "common/clock.h"
#include "common/duration.h"
#include "common/memory.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 250u
#define REPEAT_NS (10 * NS_PER_S)
/* Between two different complaints: a line that breaks again and again alternates between them. */
#define CHANGE_NS NS_PER_S
#define LOOK_NS NS_PER_S
/* How long a name server, or the coordinator's host, may take before it is said that it does not answer. */
#define PATIENCE_NS (3 * NS_PER_S)
/* How long one of several addresses is tried, and one where the coordinator has been. */
#define ADDRESS_NS NS_PER_S
#define KNOWN_ADDRESS_NS (5 * NS_PER_S)
#define ENDPOINT_BYTES 512u
#define WORDS_BYTES 40u

static void dialler_on_timer(uv_timer_t *timer);

static void dialler_tell(struct dialler *dialler, const char *verb, const char *what)
{
    const struct dialler_settings *settings = &dialler->settings;
    uint64_t now_ns = clock_now_ns();
    bool is_same = strncmp(dialler->told, what, sizeof dialler->told - 1) == 0;

    if (dialler->told_ns != 0 && now_ns - dialler->told_ns < (is_same ? REPEAT_NS : CHANGE_NS)) {
        return;
    }
    dialler->told_ns = now_ns;
    bytes_to_text(bytes_of_string(what), dialler->told, sizeof dialler->told);
    log_about(LOG_WARNING, settings->name, settings->subject, "%s %s: %s; trying on", verb,
              settings->coordinator, what);
}

void dialler_complain(struct dialler *dialler, const char *what)
{
    dialler_tell(dialler, "cannot join", what);
}

static const char *dialler_host(const struct dialler *dialler, char host[NAME_LOOKUP_HOST_BYTES])
{
    endpoint_host(dialler->settings.coordinator, host, NAME_LOOKUP_HOST_BYTES);
    return host;
}

static void dialler_look(struct dialler *dialler)
{
    char host[NAME_LOOKUP_HOST_BYTES];

    if (dialler->lookup != NULL && !name_lookup_is_busy(dialler->lookup)) {
        dialler->looked_ns = clock_now_ns();
        name_lookup_start(dialler->lookup, dialler_host(dialler, host));
    }
}

static void dialler_dial(struct dialler *dialler, size_t at)
{
    char endpoint[ENDPOINT_BYTES];
    struct error error;

    dialler->at = at;
    dialler->dialled_ns = clock_now_ns();
    dialler->has_failed = false;
    endpoint_at(dialler->settings.coordinator, &dialler->found.addresses[at], endpoint, sizeof endpoint);
    dialler->is_dialled = socket_dial(dialler->socket, endpoint, &error);
    if (!dialler->is_dialled) {
        dialler_tell(dialler, "cannot reach", error.text);
    }
}

/* Where `address` stands among them; SIZE_MAX: it does not. */
static size_t dialler_place_of(const struct name_found *found, const struct address *address)
{
    for (size_t i = 0; i < found->count; i++) {
        if (address_equal(&found->addresses[i], address)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The address that is dialled stays as long as the name leads there. */
static void dialler_on_found(void *context, const struct name_found *found)
{
    struct dialler *dialler = context;
    char text[DIALLER_TOLD_BYTES];
    char host[NAME_LOOKUP_HOST_BYTES];

    if (found->failure != NULL) {
        (void)snprintf(text, sizeof text, "the name %.80s cannot be resolved: %.80s",
                       dialler_host(dialler, host), found->failure);
        if (!dialler->is_connected) {
            dialler_tell(dialler, "cannot reach", text);
        }
        return;
    }
    struct address before = dialler->found.addresses[dialler->at];
    size_t place = dialler->is_dialled ? dialler_place_of(found, &before) : SIZE_MAX;
    dialler->found = *found;
    if (place != SIZE_MAX) {
        dialler->at = place;
    } else {
        dialler_dial(dialler, 0);
    }
}

static void dialler_on_probe_closed(uv_handle_t *handle)
{
    memory_free(handle);
}

static void dialler_end_probe(struct dialler *dialler)
{
    if (dialler->probe != NULL) {
        dialler->probe->data = NULL;
        uv_close((uv_handle_t *)dialler->probe, dialler_on_probe_closed);
        dialler->probe = NULL;
    }
}

static const char *dialler_words(int status)
{
    switch (status) {
    case UV_ECONNREFUSED:
        return "nothing listens there (connection refused): does the coordinator run, and is this its port?";
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
        return "there is no way to that host (unreachable)";
    case UV_ETIMEDOUT:
        return "that host does not answer: is it up, and does a firewall let us through?";
    default:
        return uv_strerror(status);
    }
}

static void dialler_on_probed(uv_connect_t *request, int status)
{
    struct dialler *dialler = request->handle->data;

    memory_free(request);
    if (dialler == NULL) {
        return;
    }
    dialler_end_probe(dialler);
    if (status < 0 && !dialler->is_connected) {
        dialler_tell(dialler, "cannot reach", dialler_words(status));
    }
}

/* The address that ZeroMQ has dialled. False if it is none that we can read. */
static bool dialler_address(const struct dialler *dialler, struct sockaddr_storage *socket)
{
    char host[NAME_LOOKUP_HOST_BYTES];
    struct address address = dialler->found.addresses[dialler->at];

    if (dialler->lookup == NULL && !address_parse(bytes_of_string(dialler_host(dialler, host)), &address)) {
        return false;
    }
    (void)address_to_socket(&address, endpoint_port(dialler->settings.coordinator), socket);
    return true;
}

static void dialler_probe(struct dialler *dialler)
{
    uint64_t now_ns = clock_now_ns();
    struct sockaddr_storage socket;

    bool is_due = dialler->probed_ns == 0 || now_ns - dialler->probed_ns >= REPEAT_NS;
    if (dialler->probe != NULL || !is_due || !dialler->is_dialled || !dialler_address(dialler, &socket)) {
        return;
    }
    uv_connect_t *request = MEMORY_NEW(uv_connect_t);
    dialler->probed_ns = now_ns;
    dialler->probe = MEMORY_NEW(uv_tcp_t);
    (void)uv_tcp_init(dialler->timer.loop, dialler->probe);
    dialler->probe->data = dialler;
    int result = uv_tcp_connect(request, dialler->probe, (const struct sockaddr *)&socket, dialler_on_probed);
    if (result != 0) {
        memory_free(request);
        dialler_end_probe(dialler);
        dialler_tell(dialler, "cannot reach", dialler_words(result));
    }
}

/* Those that do not come to an end by themselves. */
static void dialler_lose_patience(struct dialler *dialler, uint64_t now_ns)
{
    char text[DIALLER_TOLD_BYTES];
    char host[NAME_LOOKUP_HOST_BYTES];

    if (dialler->lookup != NULL && name_lookup_is_busy(dialler->lookup) &&
        now_ns - dialler->looked_ns >= PATIENCE_NS) {
        (void)snprintf(text, sizeof text, "the name %.80s is not resolved: no name server answers",
                       dialler_host(dialler, host));
        dialler_tell(dialler, "cannot reach", text);
    }
    if (dialler->probe != NULL && now_ns - dialler->probed_ns >= PATIENCE_NS) {
        dialler_end_probe(dialler);
        dialler_tell(dialler, "cannot reach", dialler_words(UV_ETIMEDOUT));
    }
}

static void dialler_on_timer(uv_timer_t *timer)
{
    struct dialler *dialler = timer->data;
    uint64_t now_ns = clock_now_ns();
    uint64_t for_ns = now_ns - dialler->dialled_ns;

    dialler_lose_patience(dialler, now_ns);
    if (now_ns - dialler->looked_ns >= LOOK_NS) {
        dialler_look(dialler);
    }
    if (dialler->has_failed && dialler->found.count > 1 &&
        for_ns >= (dialler->was_let_in ? KNOWN_ADDRESS_NS : ADDRESS_NS)) {
        dialler_dial(dialler, (dialler->at + 1) % dialler->found.count);
    } else if (dialler->has_failed || for_ns >= PATIENCE_NS) {
        dialler_probe(dialler);
    }
}

const char *dialler_open(struct dialler *dialler, uv_loop_t *loop, const struct dialler_settings *settings)
{
    char host[NAME_LOOKUP_HOST_BYTES];
    struct address address;

    *dialler = (struct dialler){.settings = *settings, .lost_ns = clock_now_ns()};
    (void)uv_timer_init(loop, &dialler->timer);
    dialler->timer.data = dialler;
    (void)dialler_host(dialler, host);
    if (host[0] == '[' || address_parse(bytes_of_string(host), &address)) {
        dialler->is_dialled = true;
        return settings->coordinator;
    }
    dialler->lookup = name_lookup_new(loop, dialler_on_found, dialler);
    return NULL;
}

static void dialler_run(struct dialler *dialler)
{
    if (!uv_is_active((const uv_handle_t *)&dialler->timer)) {
        (void)uv_timer_start(&dialler->timer, dialler_on_timer, TICK_MS, TICK_MS);
    }
}

void dialler_start(struct dialler *dialler, struct socket *socket)
{
    dialler->socket = socket;
    dialler->dialled_ns = clock_now_ns();
    dialler_look(dialler);
    dialler_run(dialler);
}

void dialler_connected(struct dialler *dialler)
{
    const struct dialler_settings *settings = &dialler->settings;
    char words[WORDS_BYTES];

    (void)uv_timer_stop(&dialler->timer);
    dialler_end_probe(dialler);
    if (dialler->told_ns != 0) {
        duration_describe((clock_now_ns() - dialler->lost_ns) / NS_PER_MS, words, sizeof words);
        log_about(LOG_INFO, settings->name, settings->subject, "%s %s after %s",
                  dialler->was_let_in ? "back at" : "connected to", settings->coordinator, words);
    }
    dialler->was_let_in = dialler->is_connected = true;
    dialler->told_ns = 0;
}

static void dialler_lose(struct dialler *dialler, const char *what)
{
    if (dialler->is_connected) {
        dialler->is_connected = false;
        dialler->has_failed = false;
        dialler->lost_ns = dialler->dialled_ns = clock_now_ns();
        dialler->probed_ns = 0;
        if (!dialler->settings.is_quiet) {
            dialler_tell(dialler, "lost the coordinator at", what);
        }
        dialler_run(dialler);
    }
}

void dialler_away(struct dialler *dialler, bool was_connected)
{
    if (dialler->is_connected && was_connected) {
        dialler_lose(dialler, "it has ended the connection");
    } else if (!dialler->is_connected) {
        dialler->has_failed = !was_connected || dialler->has_failed;
    }
}

void dialler_reconnect(struct dialler *dialler)
{
    dialler_lose(dialler, "it has gone silent");
    dialler_look(dialler);
    socket_reconnect(dialler->socket);
}

void dialler_close(struct dialler *dialler)
{
    if (dialler->settings.coordinator == NULL) {
        return;
    }
    dialler_end_probe(dialler);
    name_lookup_close(&dialler->lookup);
    uv_close((uv_handle_t *)&dialler->timer, NULL);
}
