/* Sessions of Engine.IO: their packets that wait, their polls, their heartbeats. */
#include "target/target_sessions.h"

#include "common/clock.h"
#include "common/container.h"
#include "common/map.h"
#include "common/memory.h"
#include "target/target_socketio.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SID_BYTES 32
#define SEPARATOR "\x1e"

struct session {
    struct sessions *sessions;
    struct guest guest;
    struct session_plan plan;
    char sid[SID_BYTES];
    unsigned holders;
    bool is_over;
    bool is_ready; /* in the list of those that have something for their WebSocket */
    struct session *next_ready;
    void *owner; /* of the WebSocket; NULL: polling */
    struct MHD_Connection *poll;
    char **packets; /* that wait, from `first` on */
    size_t first;
    size_t count;
    size_t capacity;
    size_t unsent_bytes;
    uint64_t ping_ns; /* when the next one is due, in version 4 */
    uint64_t heard_ns;
};

struct sessions {
    pthread_mutex_t lock;
    struct map *by_sid;
    struct map *rooms;
    struct session *ready;
    uint64_t serial;
    bool is_stopping;
    void (*wake)(void *context);
    void *wake_context;
};

struct sessions *sessions_new(void)
{
    struct sessions *sessions = MEMORY_NEW(struct sessions);
    pthread_mutex_init(&sessions->lock, NULL);
    sessions->by_sid = map_new();
    sessions->rooms = map_new();
    return sessions;
}

void sessions_set_wake(struct sessions *sessions, void (*wake)(void *context), void *context)
{
    sessions->wake = wake;
    sessions->wake_context = context;
}

/* What carries it looks at it. Under the lock, as all that is static here. */
static void session_tell(struct session *session)
{
    struct sessions *sessions = session->sessions;
    if (session->poll != NULL && (session->count > session->first || session->is_over)) {
        MHD_resume_connection(session->poll);
        session->poll = NULL;
    }
    if (session->owner != NULL && !session->is_ready) {
        session->is_ready = true;
        session->next_ready = sessions->ready;
        sessions->ready = session;
        sessions->wake(sessions->wake_context);
    }
}

static void session_free_packets(struct session *session)
{
    while (session->first < session->count) {
        memory_free(session->packets[session->first++]);
    }
    memory_free(session->packets);
    session->packets = NULL;
    session->first = session->count = session->capacity = 0;
}

static void session_drop_holder(struct session *session)
{
    if (--session->holders == 0) {
        session_free_packets(session);
        memory_free(session);
    }
}

/* No longer alive; those who hold it find that out. */
static void session_finish(struct session *session)
{
    if (session->is_over) {
        return;
    }
    session->is_over = true;
    guest_leave(&session->guest);
    (void)map_remove(session->sessions->by_sid, bytes_of_string(session->sid));
    session_tell(session);
    session_drop_holder(session);
}

/* Takes the packet. */
static void session_put(struct session *session, char *packet)
{
    size_t size = strlen(packet);
    if (session->is_over || session->unsent_bytes + size > SESSION_MAX_UNSENT_BYTES) {
        memory_free(packet);
        session_finish(session);
        return;
    }
    session->packets =
        memory_reserve(session->packets, &session->capacity, session->count + 1, sizeof *session->packets);
    session->packets[session->count++] = packet;
    session->unsent_bytes += size;
    session_tell(session);
}

static void session_send_message(struct guest *guest, const char *text)
{
    session_put(CONTAINER_OF(guest, struct session, guest), memory_format("4%s", text));
}

static char *session_format_open(const struct session *session)
{
    return memory_format("0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%" PRIu64
                         ",\"pingTimeout\":%" PRIu64 ",\"maxPayload\":%u}",
                         session->sid, session->plan.is_websocket ? "" : "\"websocket\"",
                         session->plan.interval_ms, session->plan.timeout_ms, SESSION_MAX_PAYLOAD_BYTES);
}

struct session *sessions_open(struct sessions *sessions, const struct session_plan *plan)
{
    struct session *session = MEMORY_NEW(struct session);
    session->sessions = sessions;
    session->plan = *plan;
    session->holders = 2; /* the map and the caller */
    session->heard_ns = clock_now_ns();
    session->ping_ns = session->heard_ns + plan->interval_ms * NS_PER_MS;
    session->guest = (struct guest){.rooms = sessions->rooms,
                                    .version = plan->version,
                                    .sid = session->sid,
                                    .send = session_send_message};
    pthread_mutex_lock(&sessions->lock);
    (void)snprintf(session->sid, sizeof session->sid, "tutti-%" PRIu64, ++sessions->serial);
    bool is_taken = !sessions->is_stopping;
    if (is_taken) {
        (void)map_put(sessions->by_sid, bytes_of_string(session->sid), session);
        session_put(session, session_format_open(session));
        guest_begin(&session->guest);
        sessions->wake(sessions->wake_context); /* its heart is to beat */
    } else {
        memory_free(session);
    }
    pthread_mutex_unlock(&sessions->lock);
    return is_taken ? session : NULL;
}

struct session *sessions_find(struct sessions *sessions, const char *sid)
{
    pthread_mutex_lock(&sessions->lock);
    struct session *session = map_get(sessions->by_sid, bytes_of_string(sid));
    if (session != NULL) {
        session->holders++;
    }
    pthread_mutex_unlock(&sessions->lock);
    return session;
}

void session_release(struct session **pointer)
{
    struct session *session = *pointer;
    *pointer = NULL;
    if (session != NULL) {
        struct sessions *sessions = session->sessions;
        pthread_mutex_lock(&sessions->lock);
        session_drop_holder(session);
        pthread_mutex_unlock(&sessions->lock);
    }
}

unsigned session_version(const struct session *session)
{
    return session->plan.version;
}

/* False: a packet that no client sends. */
static bool session_take(struct session *session, struct bytes packet)
{
    struct bytes rest = bytes_of(packet.data + 1, packet.size - 1);
    switch (packet.data[0]) {
    case '1':
        session_finish(session);
        return true;
    case '2':
        session_put(session, memory_format("3%.*s", (int)rest.size, (const char *)rest.data));
        return true;
    case '3':
        return true;
    case '4':
        return guest_receive(&session->guest, rest);
    default:
        return false;
    }
}

bool session_receive(struct session *session, struct bytes packet)
{
    pthread_mutex_lock(&session->sessions->lock);
    session->heard_ns = clock_now_ns();
    if (!session->is_over && (packet.size == 0 || !session_take(session, packet))) {
        session_finish(session);
    }
    bool is_alive = !session->is_over;
    pthread_mutex_unlock(&session->sessions->lock);
    return is_alive;
}

enum session_poll session_poll(struct session *session, struct MHD_Connection *connection)
{
    struct sessions *sessions = session->sessions;
    enum session_poll answer = SESSION_POLL_READY;
    pthread_mutex_lock(&sessions->lock);
    if (session->poll != NULL) {
        session_finish(session);
        answer = SESSION_POLL_TWICE;
    } else if (session->first == session->count && !session->is_over && !sessions->is_stopping) {
        /* Within the lock: else it could be resumed before it is suspended. */
        session->poll = connection;
        MHD_suspend_connection(connection);
        answer = SESSION_POLL_WAITS;
    }
    pthread_mutex_unlock(&sessions->lock);
    return answer;
}

/* The count of units of UTF-16 in it, as version 3 has it. */
static size_t packet_units(const char *packet)
{
    size_t units = 0;
    for (const char *at = packet; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        units += (byte & 0xC0u) != 0x80u;
        units += byte >= 0xF0u;
    }
    return units;
}

/* Owned by the caller; NULL: there is none. */
static char *session_pop(struct session *session)
{
    if (session->first == session->count) {
        return NULL;
    }
    char *packet = session->packets[session->first++];
    session->unsent_bytes -= strlen(packet);
    if (session->first == session->count) {
        session->first = session->count = 0;
    }
    return packet;
}

void session_take_payload(struct session *session, struct buffer *payload)
{
    char *packet;
    pthread_mutex_lock(&session->sessions->lock);
    while ((packet = session_pop(session)) != NULL) {
        if (session->plan.version == 3) {
            (void)buffer_append_format(payload, "%zu:", packet_units(packet));
        } else if (payload->size > 0) {
            (void)buffer_append_string(payload, SEPARATOR);
        }
        (void)buffer_append_string(payload, packet);
        memory_free(packet);
    }
    if (payload->size == 0) {
        (void)buffer_append_string(payload, session->plan.version == 3 ? "1:1" : "1");
    }
    pthread_mutex_unlock(&session->sessions->lock);
}

void session_end(struct session *session)
{
    pthread_mutex_lock(&session->sessions->lock);
    session_finish(session);
    pthread_mutex_unlock(&session->sessions->lock);
}

void session_bind(struct session *session, void *owner)
{
    pthread_mutex_lock(&session->sessions->lock);
    session->owner = owner;
    session_tell(session);
    pthread_mutex_unlock(&session->sessions->lock);
}

static void session_unlist(struct session *session)
{
    struct session **at = &session->sessions->ready;
    while (*at != NULL && *at != session) {
        at = &(*at)->next_ready;
    }
    if (*at == session) {
        *at = session->next_ready;
    }
    session->is_ready = false;
}

void session_unbind(struct session *session)
{
    pthread_mutex_lock(&session->sessions->lock);
    session_unlist(session);
    session->owner = NULL;
    session_finish(session);
    pthread_mutex_unlock(&session->sessions->lock);
}

void session_release_poll(struct session *session)
{
    pthread_mutex_lock(&session->sessions->lock);
    if (session->poll != NULL) {
        session_put(session, memory_copy_string("6"));
    }
    pthread_mutex_unlock(&session->sessions->lock);
}

void *sessions_take_ready(struct sessions *sessions)
{
    void *owner = NULL;
    pthread_mutex_lock(&sessions->lock);
    if (sessions->ready != NULL) {
        struct session *session = sessions->ready;
        owner = session->owner;
        session_unlist(session);
    }
    pthread_mutex_unlock(&sessions->lock);
    return owner;
}

bool session_take_packet(struct session *session, struct buffer *into)
{
    pthread_mutex_lock(&session->sessions->lock);
    char *packet = session_pop(session);
    if (packet != NULL) {
        (void)buffer_append_string(into, packet);
        memory_free(packet);
    }
    pthread_mutex_unlock(&session->sessions->lock);
    return packet != NULL;
}

bool session_is_over(const struct session *session)
{
    pthread_mutex_lock(&session->sessions->lock);
    bool is_over = session->is_over;
    pthread_mutex_unlock(&session->sessions->lock);
    return is_over;
}

static void session_beat(struct session *session, uint64_t now_ns)
{
    uint64_t silent_ns = now_ns - session->heard_ns;
    if (silent_ns > (session->plan.interval_ms + session->plan.timeout_ms) * NS_PER_MS) {
        session_finish(session);
    } else if (session->plan.version == 4 && now_ns >= session->ping_ns) {
        session->ping_ns = now_ns + session->plan.interval_ms * NS_PER_MS;
        session_put(session, memory_copy_string("2"));
    }
}

bool sessions_tick(struct sessions *sessions, uint64_t now_ns)
{
    struct map_cursor cursor = {0};
    pthread_mutex_lock(&sessions->lock);
    while (map_next(sessions->by_sid, &cursor)) {
        session_beat(cursor.value, now_ns);
    }
    bool has_any = map_size(sessions->by_sid) > 0;
    pthread_mutex_unlock(&sessions->lock);
    return has_any;
}

void sessions_stop(struct sessions *sessions)
{
    struct map_cursor cursor = {0};
    pthread_mutex_lock(&sessions->lock);
    sessions->is_stopping = true;
    while (map_next(sessions->by_sid, &cursor)) {
        session_finish(cursor.value);
    }
    pthread_mutex_unlock(&sessions->lock);
}

void sessions_free(struct sessions **pointer)
{
    struct sessions *sessions = *pointer;
    *pointer = NULL;
    if (sessions == NULL) {
        return;
    }
    assert(map_size(sessions->by_sid) == 0 && map_size(sessions->rooms) == 0);
    map_free(&sessions->by_sid);
    map_free(&sessions->rooms);
    pthread_mutex_destroy(&sessions->lock);
    memory_free(sessions);
}
