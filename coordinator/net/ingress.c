/* Access control of the agents' port. */
#include "coordinator/net/ingress.h"

#include "common/map.h"
#include "common/memory.h"
#include "coordinator/net/routes.h"

#include <stdio.h>

#define LOOK_EVERY_MS 1000
#define REFUSALS_MAX_BYTES 1024u

struct ingress {
    struct ingress_callbacks callbacks;
    struct credentials *credentials; /* NULL without keys */
    struct socket_server_keys keys;
    struct routes *routes;
    struct refusals refusals;
    uv_timer_t look; /* reads the list again, and reports refusals */
    bool is_closing;
    void (*on_closed)(void *context);
    void *closer;
};

static void ingress_tell(const struct ingress *ingress, enum log_level level, const char *text)
{
    ingress->callbacks.on_log(ingress->callbacks.context, level, text);
}

static void tell_refusals(struct ingress *ingress)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, REFUSALS_MAX_BYTES);
    enum log_level level;
    if (refusals_tell(&ingress->refusals, &text, &level)) {
        ingress_tell(ingress, level, buffer_string(&text));
    }
}

/* None of their frames is accepted from now on, whether they are told or not. */
static void show_revoked_out(struct ingress *ingress)
{
    struct map_cursor cursor = {0};
    uint64_t incarnation = 0;
    const char *key;
    while (!ingress->is_closing && (key = routes_next(ingress->routes, &cursor, &incarnation)) != NULL) {
        if (credentials_name(ingress->credentials, key) == NULL) {
            ingress->callbacks.on_revoked(ingress->callbacks.context, incarnation);
        }
    }
}

static void look_at_credentials(struct ingress *ingress)
{
    struct error error;
    switch (credentials_look(ingress->credentials, &error)) {
    case CREDENTIALS_SAME:
        break;
    case CREDENTIALS_BROKEN:
        (void)error_wrap(&error, "the list of agents cannot be used, the previous one stays in force: ");
        ingress_tell(ingress, LOG_ERROR, error.text);
        break;
    case CREDENTIALS_CHANGED: {
        char text[ERROR_MAX_BYTES];
        (void)snprintf(text, sizeof text, "the list of agents has changed: %zu may join",
                       credentials_agents(ingress->credentials));
        ingress_tell(ingress, LOG_INFO, text);
        show_revoked_out(ingress);
        break;
    }
    }
}

static void on_look(uv_timer_t *timer)
{
    struct ingress *ingress = (struct ingress *)timer->data;
    tell_refusals(ingress);
    if (ingress->credentials != NULL && !ingress->is_closing) {
        look_at_credentials(ingress);
    }
}

void ingress_refuse(struct ingress *ingress, enum refusal refusal)
{
    ingress->refusals.counts[refusal]++;
    if (!uv_is_active((uv_handle_t *)&ingress->look) && !ingress->is_closing) {
        (void)uv_timer_start(&ingress->look, on_look, LOOK_EVERY_MS, 0);
    }
}

static bool is_welcome(void *context, const char *key)
{
    struct ingress *ingress = context;
    bool is_welcome = credentials_name(ingress->credentials, key) != NULL;
    if (!is_welcome) {
        ingress_refuse(ingress, REFUSAL_STRANGER);
    }
    return is_welcome;
}

void ingress_trouble(struct ingress *ingress, enum socket_trouble trouble, const char *address)
{
    switch (trouble) {
    case SOCKET_KEY_REFUSED:
        break; /* refused by ourselves: counted there */
    case SOCKET_KEYS_ON_ONE_SIDE:
    case SOCKET_HANDSHAKE_BROKEN:
        ingress_refuse(ingress, REFUSAL_HANDSHAKE);
        break;
    case SOCKET_FULL:
        ingress_refuse(ingress, REFUSAL_FULL);
        break;
    case SOCKET_HANDSHAKE_CUT:
    case SOCKET_HANDSHAKE_SLOW:
        ingress_refuse(ingress, REFUSAL_CUT);
        break;
    case SOCKET_FRAME_BROKEN:
        ingress_refuse(ingress, REFUSAL_FRAME);
        break;
    case SOCKET_FRAME_TOO_LARGE:
        refusals_note_large(&ingress->refusals, address);
        ingress_refuse(ingress, REFUSAL_LARGE);
        break;
    }
}

bool ingress_lets_speak(struct ingress *ingress, uint64_t incarnation, const struct socket_sender *from,
                        struct bytes *key_name)
{
    *key_name = bytes_of_string(from->key != NULL ? credentials_name(ingress->credentials, from->key) : NULL);
    if (ingress->credentials != NULL && key_name->size == 0) {
        ingress_refuse(ingress, REFUSAL_REVOKED);
        return false;
    }
    switch (routes_take(ingress->routes, incarnation, from)) {
    case ROUTE_TAKEN:
        return true;
    case ROUTE_OF_ANOTHER_KEY:
        ingress_refuse(ingress, REFUSAL_FOREIGN);
        return false;
    case ROUTE_IN_USE:
    case ROUTES_FULL:
        break;
    }
    ingress_refuse(ingress, REFUSAL_SECOND);
    return false;
}

struct bytes ingress_route(const struct ingress *ingress, uint64_t incarnation)
{
    return routes_find(ingress->routes, incarnation);
}

void ingress_forget(struct ingress *ingress, uint64_t incarnation)
{
    routes_forget(ingress->routes, incarnation);
}

const struct refusals *ingress_refusals(const struct ingress *ingress)
{
    return &ingress->refusals;
}

struct ingress *ingress_new(struct credentials **credentials, const struct ingress_callbacks *callbacks)
{
    struct ingress *ingress = MEMORY_NEW(struct ingress);
    ingress->callbacks = *callbacks;
    ingress->routes = routes_new();
    if (credentials != NULL) {
        ingress->credentials = *credentials;
        *credentials = NULL;
    }
    return ingress;
}

const struct socket_server_keys *ingress_keys(struct ingress *ingress)
{
    if (ingress->credentials == NULL) {
        return NULL;
    }
    ingress->keys = (struct socket_server_keys){
        .pair = credentials_pair(ingress->credentials), .is_welcome = is_welcome, .context = ingress};
    return &ingress->keys;
}

void ingress_start(struct ingress *ingress, uv_loop_t *loop)
{
    (void)uv_timer_init(loop, &ingress->look);
    ingress->look.data = ingress;
    if (ingress->credentials != NULL) {
        credentials_forget_secret(ingress->credentials);
    }
    if (ingress->credentials != NULL && credentials_is_of_folder(ingress->credentials)) {
        (void)uv_timer_start(&ingress->look, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
    }
}

void ingress_free(struct ingress **at)
{
    struct ingress *ingress = *at;
    *at = NULL;
    if (ingress == NULL) {
        return;
    }
    routes_free(&ingress->routes);
    credentials_free(&ingress->credentials);
    memory_free(ingress);
}

static void ingress_on_timer_closed(uv_handle_t *handle)
{
    struct ingress *ingress = (struct ingress *)handle->data;
    void (*on_closed)(void *context) = ingress->on_closed;
    void *closer = ingress->closer;
    ingress_free(&ingress);
    on_closed(closer);
}

void ingress_close(struct ingress **at, void (*on_closed)(void *context), void *context)
{
    struct ingress *ingress = *at;
    *at = NULL;
    ingress->is_closing = true;
    ingress->on_closed = on_closed;
    ingress->closer = context;
    uv_close((uv_handle_t *)&ingress->look, ingress_on_timer_closed);
}
