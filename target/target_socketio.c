/* Packets of Socket.IO as a server reads and writes them. */
#include "target/target_socketio.h"

#include "common/attributes.h"
#include "common/map.h"
#include "common/memory.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "secret"
#define ROOM_MAX_BYTES 200u
#define ID_MAX_DIGITS 15u
#define TEXT_MAX_BYTES (2u * 1024u * 1024u)

/* Borrowed from the message. */
struct guest_packet {
    char type;
    struct bytes name; /* of the namespace, with its query; empty: the root */
    struct bytes id;   /* the digits; empty: none */
    struct bytes data;
};

static const char *const NAMES[GUEST_NAMESPACES] = {[GUEST_ROOT] = "/", [GUEST_ADMIN] = "/admin"};
/* As a packet has them. */
static const char *const PREFIXES[GUEST_NAMESPACES] = {[GUEST_ROOT] = "", [GUEST_ADMIN] = "/admin,"};

static struct bytes bytes_cut(struct bytes *rest, size_t size)
{
    struct bytes cut = bytes_of(rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return cut;
}

static bool packet_read(struct bytes message, struct guest_packet *packet)
{
    size_t size = 0;
    *packet = (struct guest_packet){0};
    if (message.size == 0) {
        return false;
    }
    packet->type = (char)bytes_cut(&message, 1).data[0];
    if (message.size > 0 && message.data[0] == '/') {
        const uint8_t *comma = memchr(message.data, ',', message.size);
        size = comma != NULL ? (size_t)(comma - message.data) : message.size;
        packet->name = bytes_cut(&message, size);
        (void)bytes_cut(&message, comma != NULL ? 1 : 0);
    }
    for (size = 0; size < message.size && isdigit(message.data[size]) != 0;) {
        size++;
    }
    packet->id = bytes_cut(&message, size);
    packet->data = message;
    return size <= ID_MAX_DIGITS;
}

/* GUEST_NAMESPACES: there is none of that name. */
static enum guest_namespace namespace_find(struct bytes name)
{
    const uint8_t *query = name.size > 0 ? memchr(name.data, '?', name.size) : NULL;
    size_t size = query != NULL ? (size_t)(query - name.data) : name.size;
    enum guest_namespace found = GUEST_ROOT;
    if (size <= 1) {
        return GUEST_ROOT;
    }
    while (found < GUEST_NAMESPACES &&
           !bytes_equal(bytes_of(name.data, size), bytes_of_string(NAMES[found]))) {
        found++;
    }
    return found;
}

/* Sends TYPE, namespace, id and the JSON of `value`, which may be NULL. */
static void guest_send_json(struct guest *guest, const char *head, struct bytes id, const json_t *value)
{
    struct buffer text SCOPED(buffer_finish);
    char *json SCOPED(memory_free_at) = NULL;
    buffer_init(&text, TEXT_MAX_BYTES);
    (void)buffer_append_string(&text, head);
    (void)buffer_append(&text, id.data, id.size);
    if (value != NULL) {
        json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        (void)buffer_append_string(&text, json != NULL ? json : "null");
    }
    guest->send(guest, buffer_string(&text));
}

static void guest_send(struct guest *guest, char type, enum guest_namespace at, struct bytes id,
                       const json_t *value)
{
    char head[32];
    (void)snprintf(head, sizeof head, "%c%s", type, PREFIXES[at]);
    guest_send_json(guest, head, id, value);
}

void guest_begin(struct guest *guest)
{
    if (guest->version == 3) {
        guest->seats[GUEST_ROOT].is_connected = true;
        guest_send(guest, '0', GUEST_ROOT, bytes_of("", 0), NULL);
    }
}

static void guest_refuse(struct guest *guest, struct bytes name, const char *why)
{
    char head[256];
    const uint8_t *query = memchr(name.data, '?', name.size);
    size_t size = query != NULL ? (size_t)(query - name.data) : name.size;
    (void)snprintf(head, sizeof head, "4%.*s,", (int)(size < 200 ? size : 200), (const char *)name.data);
    json_t *text = json_string(why);
    json_t *value = guest->version == 3 ? json_incref(text) : json_pack("{s:O}", "message", text);
    guest_send_json(guest, head, bytes_of("", 0), value);
    json_decref(value);
    json_decref(text);
}

/* Version 3 has it in the query of the name, version 4 in the data. */
static bool guest_has_token(const struct guest *guest, const struct guest_packet *packet)
{
    static const char QUERY[] = "/admin?token=" TOKEN;
    if (guest->version == 3) {
        return bytes_equal(packet->name, bytes_of_string(QUERY));
    }
    json_t *data = json_loadb((const char *)packet->data.data, packet->data.size, 0, NULL);
    const char *token = json_string_value(json_object_get(data, "token"));
    bool has_token = token != NULL && strcmp(token, TOKEN) == 0;
    json_decref(data);
    return has_token;
}

static void guest_connect(struct guest *guest, const struct guest_packet *packet)
{
    enum guest_namespace at = namespace_find(packet->name);
    if (at == GUEST_NAMESPACES) {
        guest_refuse(guest, packet->name, "Invalid namespace");
        return;
    }
    if (at == GUEST_ADMIN && !guest_has_token(guest, packet)) {
        guest_refuse(guest, packet->name, "the token is wrong");
        return;
    }
    guest->seats[at].is_connected = true;
    json_t *value = guest->version == 3 ? NULL : json_pack("{s:s++}", "sid", guest->sid, "#", NAMES[at]);
    guest_send(guest, '0', at, bytes_of("", 0), value);
    json_decref(value);
}

static void seat_leave(struct guest *guest, enum guest_namespace at)
{
    struct guest_seat *seat = &guest->seats[at];
    if (seat->room == NULL) {
        return;
    }
    struct bytes key = bytes_of_string(seat->room);
    struct guest *first = map_get(guest->rooms, key);
    if (first == guest) {
        if (seat->next != NULL) {
            (void)map_put(guest->rooms, key, seat->next);
        } else {
            (void)map_remove(guest->rooms, key);
        }
    } else {
        while (first->seats[at].next != guest) {
            first = first->seats[at].next;
        }
        first->seats[at].next = seat->next;
    }
    seat->next = NULL;
    memory_free(seat->room);
    seat->room = NULL;
}

/* The room as a text, whatever its name is in JSON. Owned by the caller. */
static char *room_name(enum guest_namespace at, const json_t *name)
{
    char *json SCOPED(memory_free_at) = json_dumps(name, JSON_COMPACT | JSON_ENCODE_ANY);
    return json != NULL && strlen(json) <= ROOM_MAX_BYTES ? memory_format("%s %s", NAMES[at], json) : NULL;
}

static size_t seat_join(struct guest *guest, enum guest_namespace at, const json_t *name)
{
    struct guest_seat *seat = &guest->seats[at];
    size_t count = 0;
    seat_leave(guest, at);
    seat->room = name != NULL ? room_name(at, name) : NULL;
    if (seat->room == NULL) {
        return 0;
    }
    seat->next = map_get(guest->rooms, bytes_of_string(seat->room));
    (void)map_put(guest->rooms, bytes_of_string(seat->room), guest);
    for (const struct guest *other = guest; other != NULL; other = other->seats[at].next) {
        count++;
    }
    return count;
}

/* To all in the room, the sender too; how many these are. */
static size_t seat_say(struct guest *guest, enum guest_namespace at, json_t *values)
{
    size_t count = 0;
    json_array_set_new(values, 0, json_string("said"));
    struct guest *other =
        guest->seats[at].room != NULL ? map_get(guest->rooms, bytes_of_string(guest->seats[at].room)) : NULL;
    while (other != NULL) {
        struct guest *next = other->seats[at].next; /* it may be ended for what it has not taken */
        guest_send(other, '2', at, bytes_of("", 0), values);
        count++;
        other = next;
    }
    return count;
}

static void guest_acknowledge(struct guest *guest, enum guest_namespace at, struct bytes id, json_t *values)
{
    if (id.size > 0) {
        guest_send(guest, '3', at, id, values);
    }
}

/* join ROOM, say VALUE …, echo VALUE …; others are acknowledged without a value. */
static void guest_act(struct guest *guest, enum guest_namespace at, const struct guest_packet *packet,
                      json_t *values)
{
    const char *name = json_string_value(json_array_get(values, 0));
    json_t *answer = NULL;
    if (strcmp(name, "join") == 0) {
        answer = json_pack("[I]", (json_int_t)seat_join(guest, at, json_array_get(values, 1)));
    } else if (strcmp(name, "say") == 0) {
        answer = json_pack("[I]", (json_int_t)seat_say(guest, at, values));
    } else if (strcmp(name, "echo") == 0 && packet->id.size == 0) {
        guest_send(guest, '2', at, bytes_of("", 0), values);
    } else if (strcmp(name, "echo") == 0) {
        answer = json_incref(values);
        json_array_remove(values, 0);
    } else {
        answer = json_array();
    }
    guest_acknowledge(guest, at, packet->id, answer);
    json_decref(answer);
}

static bool guest_event(struct guest *guest, enum guest_namespace at, const struct guest_packet *packet)
{
    json_t *values = json_loadb((const char *)packet->data.data, packet->data.size, 0, NULL);
    bool is_event = json_is_string(json_array_get(values, 0));
    if (is_event) {
        guest_act(guest, at, packet, values);
    }
    json_decref(values);
    return is_event;
}

bool guest_receive(struct guest *guest, struct bytes message)
{
    struct guest_packet packet;
    if (!packet_read(message, &packet)) {
        return false;
    }
    enum guest_namespace at = namespace_find(packet.name);
    switch (packet.type) {
    case '0':
        guest_connect(guest, &packet);
        return true;
    case '1':
        if (at != GUEST_NAMESPACES) {
            seat_leave(guest, at);
            guest->seats[at].is_connected = false;
        }
        return true;
    case '2':
        return at != GUEST_NAMESPACES && guest->seats[at].is_connected && guest_event(guest, at, &packet);
    case '3':
        return true;
    default:
        return false;
    }
}

void guest_leave(struct guest *guest)
{
    for (enum guest_namespace at = GUEST_ROOT; at < GUEST_NAMESPACES; at++) {
        seat_leave(guest, at);
    }
}
