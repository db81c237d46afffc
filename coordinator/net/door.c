/* The coordinator's door. */
#include "coordinator/net/door.h"

#include "common/map.h"
#include "common/memory.h"
#include "coordinator/net/routes.h"

#include <stdio.h>

#define LOOK_EVERY_MS 1000
#define REFUSALS_MAX_BYTES 1024u

struct door {
    struct door_callbacks callbacks;
    struct gate *gate; /* NULL without keys */
    struct socket_server_keys keys;
    struct routes *routes;
    struct refusals refusals;
    uv_timer_t look; /* at the list, and for refusals to be told of */
    bool is_closing;
    void (*on_closed)(void *context);
    void *closer;
};

static void door_tell(const struct door *door, enum log_level level, const char *text)
{
    door->callbacks.on_log(door->callbacks.context, level, text);
}

static void tell_refusals(struct door *door)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, REFUSALS_MAX_BYTES);
    enum log_level level;
    if (refusals_tell(&door->refusals, &text, &level)) {
        door_tell(door, level, buffer_string(&text));
    }
}

/* Nothing of theirs comes in from now on, whether they are told or not. */
static void show_revoked_out(struct door *door)
{
    struct map_cursor cursor = {0};
    uint64_t incarnation = 0;
    const char *key;
    while (!door->is_closing && (key = routes_next(door->routes, &cursor, &incarnation)) != NULL) {
        if (gate_name(door->gate, key) == NULL) {
            door->callbacks.on_revoked(door->callbacks.context, incarnation);
        }
    }
}

static void look_at_gate(struct door *door)
{
    struct error error;
    switch (gate_look(door->gate, &error)) {
    case GATE_SAME:
        break;
    case GATE_BROKEN:
        (void)error_wrap(&error, "the list of agents cannot be used, the one of before stays in force: ");
        door_tell(door, LOG_ERROR, error.text);
        break;
    case GATE_CHANGED: {
        char text[ERROR_MAX_BYTES];
        (void)snprintf(text, sizeof text, "the list of agents has changed: %zu may join",
                       gate_agents(door->gate));
        door_tell(door, LOG_INFO, text);
        show_revoked_out(door);
        break;
    }
    }
}

static void on_look(uv_timer_t *timer)
{
    struct door *door = (struct door *)timer->data;
    tell_refusals(door);
    if (door->gate != NULL && !door->is_closing) {
        look_at_gate(door);
    }
}

void door_refuse(struct door *door, enum refusal refusal)
{
    door->refusals.counts[refusal]++;
    if (!uv_is_active((uv_handle_t *)&door->look) && !door->is_closing) {
        (void)uv_timer_start(&door->look, on_look, LOOK_EVERY_MS, 0);
    }
}

static bool is_welcome(void *context, const char *key)
{
    struct door *door = context;
    bool is_welcome = gate_name(door->gate, key) != NULL;
    if (!is_welcome) {
        door_refuse(door, REFUSAL_STRANGER);
    }
    return is_welcome;
}

void door_trouble(struct door *door, enum socket_trouble trouble)
{
    switch (trouble) {
    case SOCKET_KEY_REFUSED:
        break; /* by ourselves: counted there */
    case SOCKET_KEYS_ON_ONE_SIDE:
    case SOCKET_HANDSHAKE_BROKEN:
        door_refuse(door, REFUSAL_HANDSHAKE);
        break;
    case SOCKET_FULL:
        door_refuse(door, REFUSAL_FULL);
        break;
    case SOCKET_HANDSHAKE_CUT:
    case SOCKET_HANDSHAKE_SLOW:
        door_refuse(door, REFUSAL_CUT);
        break;
    case SOCKET_FRAME_BROKEN:
        door_refuse(door, REFUSAL_FRAME);
        break;
    }
}

bool door_lets_speak(struct door *door, uint64_t incarnation, const struct socket_sender *from,
                     struct bytes *key_name)
{
    *key_name = bytes_of_string(from->key != NULL ? gate_name(door->gate, from->key) : NULL);
    if (door->gate != NULL && key_name->size == 0) {
        door_refuse(door, REFUSAL_REVOKED);
        return false;
    }
    switch (routes_take(door->routes, incarnation, from)) {
    case ROUTE_TAKEN:
        return true;
    case ROUTE_OF_ANOTHER_KEY:
        door_refuse(door, REFUSAL_FOREIGN);
        return false;
    case ROUTE_IN_USE:
    case ROUTES_FULL:
        break;
    }
    door_refuse(door, REFUSAL_SECOND);
    return false;
}

struct bytes door_route(const struct door *door, uint64_t incarnation)
{
    return routes_find(door->routes, incarnation);
}

void door_forget(struct door *door, uint64_t incarnation)
{
    routes_forget(door->routes, incarnation);
}

const struct refusals *door_refusals(const struct door *door)
{
    return &door->refusals;
}

struct door *door_new(struct gate **gate, const struct door_callbacks *callbacks)
{
    struct door *door = MEMORY_NEW(struct door);
    door->callbacks = *callbacks;
    door->routes = routes_new();
    if (gate != NULL) {
        door->gate = *gate;
        *gate = NULL;
    }
    return door;
}

const struct socket_server_keys *door_keys(struct door *door)
{
    if (door->gate == NULL) {
        return NULL;
    }
    door->keys =
        (struct socket_server_keys){.pair = gate_pair(door->gate), .is_welcome = is_welcome, .context = door};
    return &door->keys;
}

void door_start(struct door *door, uv_loop_t *loop)
{
    (void)uv_timer_init(loop, &door->look);
    door->look.data = door;
    if (door->gate != NULL) {
        gate_forget_secret(door->gate);
    }
    if (door->gate != NULL && gate_is_of_folder(door->gate)) {
        (void)uv_timer_start(&door->look, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
    }
}

void door_free(struct door **at)
{
    struct door *door = *at;
    *at = NULL;
    if (door == NULL) {
        return;
    }
    routes_free(&door->routes);
    gate_free(&door->gate);
    memory_free(door);
}

static void door_on_timer_closed(uv_handle_t *handle)
{
    struct door *door = (struct door *)handle->data;
    void (*on_closed)(void *context) = door->on_closed;
    void *closer = door->closer;
    door_free(&door);
    on_closed(closer);
}

void door_close(struct door **at, void (*on_closed)(void *context), void *context)
{
    struct door *door = *at;
    *at = NULL;
    door->is_closing = true;
    door->on_closed = on_closed;
    door->closer = context;
    uv_close((uv_handle_t *)&door->look, door_on_timer_closed);
}
