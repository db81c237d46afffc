/* Connections of the HTTP server: how many each client may have, and how long each may take. */
#include "coordinator/http/http_clients.h"

#include "common/memory.h"

#include <assert.h>

/* A client that is turned away has this long to send its request and receive the refusal. */
#define HTTP_CLIENT_TURNED_AWAY_MS 2000u
/* A connection that has been idle for less is not closed in favour of another. */
#define HTTP_CLIENT_GRACE_MS 1000u

struct http_client {
    struct http_client *next; /* the next younger one */
    struct http_client *previous;
    struct address peer;
    struct address client; /* the peer, or the client that it speaks for */
    int descriptor;
    enum http_client_state state;
    uint64_t since_ms; /* since it has been in this state */
    uint64_t due_ms;
    bool is_proxied; /* comes through a trusted proxy */
    bool is_turned_away;
    bool is_dismissed;
};

struct http_clients {
    struct http_clients_settings settings;
    const struct trusted_proxies *proxies;
    struct http_client *first;
    struct http_client *last;
    unsigned count; /* including dismissed ones, until they have left */
};

struct http_clients *http_clients_new(const struct http_clients_settings *settings,
                                      const struct trusted_proxies *proxies)
{
    struct http_clients *http_clients = MEMORY_NEW(struct http_clients);
    http_clients->settings = *settings;
    http_clients->proxies = proxies;
    return http_clients;
}

void http_clients_free(struct http_clients **http_clients)
{
    if (*http_clients != NULL) {
        assert((*http_clients)->first == NULL);
        memory_free(*http_clients);
        *http_clients = NULL;
    }
}

static bool http_client_is_idle(const struct http_client *http_client)
{
    return http_client->state == HTTP_CLIENT_CALLING || http_client->state == HTTP_CLIENT_RESTING;
}

static void http_client_enter(struct http_client *http_client, enum http_client_state state, uint64_t now_ms,
                              uint64_t due_ms)
{
    http_client->state = state;
    http_client->since_ms = now_ms;
    http_client->due_ms = http_client->is_dismissed ? UINT64_MAX : due_ms;
}

/* The connections of a direct client, the requests of a client behind a proxy. */
static unsigned http_clients_of_client(const struct http_clients *http_clients, const struct http_client *as)
{
    unsigned count = 0;
    for (const struct http_client *each = http_clients->first; each != NULL; each = each->next) {
        bool is_of_it = each->is_proxied == as->is_proxied && address_equal(&each->client, &as->client);
        bool counts = !each->is_dismissed && !each->is_turned_away;
        count += is_of_it && counts && !(each->is_proxied && http_client_is_idle(each));
    }
    return count;
}

static unsigned http_clients_served(const struct http_clients *http_clients)
{
    unsigned count = 0;
    for (const struct http_client *each = http_clients->first; each != NULL; each = each->next) {
        count += !each->is_dismissed && !each->is_turned_away;
    }
    return count;
}

/* The connection that has been idle for the longest time; `of`: only of the same client, NULL: of all. */
static struct http_client *http_clients_most_silent(const struct http_clients *http_clients,
                                                    const struct http_client *of, uint64_t now_ms)
{
    struct http_client *found = NULL;
    for (struct http_client *each = http_clients->first; each != NULL; each = each->next) {
        bool may_go = http_client_is_idle(each) && !each->is_dismissed && !each->is_turned_away &&
                      now_ms - each->since_ms >= HTTP_CLIENT_GRACE_MS;
        bool is_of_it = of == NULL || address_equal(&each->client, &of->client);
        if (may_go && is_of_it && (found == NULL || each->since_ms < found->since_ms)) {
            found = each;
        }
    }
    return found;
}

static void http_clients_append(struct http_clients *http_clients, struct http_client *http_client)
{
    http_client->previous = http_clients->last;
    *(http_clients->last != NULL ? &http_clients->last->next : &http_clients->first) = http_client;
    http_clients->last = http_client;
    http_clients->count++;
}

struct http_client *http_clients_come(struct http_clients *http_clients, const struct address *peer,
                                      int descriptor, uint64_t now_ms, struct http_client **victim)
{
    const struct http_clients_settings *settings = &http_clients->settings;
    struct http_client *http_client = MEMORY_NEW(struct http_client);
    *victim = NULL;
    http_client->peer = http_client->client = *peer;
    http_client->descriptor = descriptor;
    http_client->is_proxied =
        http_clients->proxies != NULL && trusted_proxies_hold(http_clients->proxies, peer);
    http_client_enter(http_client, HTTP_CLIENT_CALLING, now_ms, now_ms + settings->headers_ms);
    bool is_full_of_it =
        !http_client->is_proxied && http_clients_of_client(http_clients, http_client) >= settings->most_each;
    if (is_full_of_it || http_clients_served(http_clients) >= settings->most) {
        *victim = http_clients_most_silent(http_clients, is_full_of_it ? http_client : NULL, now_ms);
        http_client->is_turned_away = *victim == NULL;
    }
    if (http_client->is_turned_away) {
        http_client->due_ms = http_clients->count >= settings->most + settings->spare
                                  ? now_ms
                                  : now_ms + HTTP_CLIENT_TURNED_AWAY_MS;
    }
    http_clients_append(http_clients, http_client);
    return http_client;
}

void http_clients_leave(struct http_clients *http_clients, struct http_client **at)
{
    struct http_client *http_client = *at;
    *at = NULL;
    *(http_client->previous != NULL ? &http_client->previous->next : &http_clients->first) =
        http_client->next;
    *(http_client->next != NULL ? &http_client->next->previous : &http_clients->last) = http_client->previous;
    http_clients->count--;
    memory_free(http_client);
}

unsigned http_clients_count(const struct http_clients *http_clients)
{
    return http_clients->count;
}

int http_client_descriptor(const struct http_client *http_client)
{
    return http_client->descriptor;
}

enum http_client_state http_client_state(const struct http_client *http_client)
{
    return http_client->state;
}

bool http_client_is_turned_away(const struct http_client *http_client)
{
    return http_client->is_turned_away;
}

void http_client_dismiss(struct http_client *http_client)
{
    http_client->is_dismissed = true;
    http_client->due_ms = UINT64_MAX;
}

static uint64_t time_for_bytes_ms(size_t bytes)
{
    return (uint64_t)bytes * 1000 / HTTP_CLIENT_BYTES_A_SECOND;
}

bool http_client_asks(struct http_clients *http_clients, struct http_client *http_client,
                      struct bytes x_forwarded_for, struct bytes forwarded, uint64_t now_ms)
{
    http_client_enter(http_client, HTTP_CLIENT_SENDING, now_ms, now_ms + http_clients->settings.body_ms);
    if (!http_client->is_proxied) {
        return true;
    }
    http_client->client =
        forwarded_client(http_clients->proxies, &http_client->peer, x_forwarded_for, forwarded);
    return http_clients_of_client(http_clients, http_client) <= http_clients->settings.most_each;
}

void http_client_sends(const struct http_clients *http_clients, struct http_client *http_client, size_t bytes)
{
    if (http_client->state == HTTP_CLIENT_SENDING && !http_client->is_dismissed) {
        http_client->due_ms =
            http_client->since_ms + http_clients->settings.body_ms + time_for_bytes_ms(bytes);
    }
}

void http_client_is_served(struct http_client *http_client)
{
    http_client_enter(http_client, HTTP_CLIENT_SERVED, http_client->since_ms, UINT64_MAX);
}

void http_client_reads(const struct http_clients *http_clients, struct http_client *http_client, size_t bytes,
                       uint64_t now_ms)
{
    uint64_t time_ms = http_clients->settings.answer_ms + time_for_bytes_ms(bytes);
    http_client_enter(http_client, HTTP_CLIENT_READING, now_ms, now_ms + time_ms);
}

void http_client_rests(const struct http_clients *http_clients, struct http_client *http_client,
                       uint64_t now_ms)
{
    http_client_enter(http_client, HTTP_CLIENT_RESTING, now_ms, now_ms + http_clients->settings.idle_ms);
}

uint64_t http_clients_due_ms(const struct http_clients *http_clients)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct http_client *each = http_clients->first; each != NULL; each = each->next) {
        due_ms = each->due_ms < due_ms ? each->due_ms : due_ms;
    }
    return due_ms;
}

struct http_client *http_clients_overdue(const struct http_clients *http_clients, uint64_t now_ms)
{
    for (struct http_client *each = http_clients->first; each != NULL; each = each->next) {
        if (each->due_ms <= now_ms) {
            return each;
        }
    }
    return NULL;
}
