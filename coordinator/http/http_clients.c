/* The connections of the HTTP server: how many each client may have, and how long each may take. */
#include "coordinator/http/http_clients.h"

#include "common/memory.h"

#include <assert.h>

/* One that was turned away has so long to say what it wants, to be told so. */
#define VISITOR_TURNED_AWAY_MS 2000u
/* Who has been silent for less is not closed for the sake of another. */
#define VISITOR_GRACE_MS 1000u

struct visitor {
    struct visitor *next; /* who came after it */
    struct visitor *previous;
    struct address peer;
    struct address client; /* the peer, or whom it speaks for */
    int descriptor;
    enum visitor_state state;
    uint64_t since_ms; /* in this state */
    uint64_t due_ms;
    bool is_proxied; /* comes through a proxy that we trust */
    bool is_turned_away;
    bool is_dismissed;
};

struct http_clients {
    struct http_clients_settings settings;
    const struct trusted_proxies *proxies;
    struct visitor *first;
    struct visitor *last;
    unsigned count; /* dismissed ones too, until they have left */
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

static bool visitor_is_idle(const struct visitor *visitor)
{
    return visitor->state == VISITOR_CALLING || visitor->state == VISITOR_RESTING;
}

static void visitor_enter(struct visitor *visitor, enum visitor_state state, uint64_t now_ms, uint64_t due_ms)
{
    visitor->state = state;
    visitor->since_ms = now_ms;
    visitor->due_ms = visitor->is_dismissed ? UINT64_MAX : due_ms;
}

/* Connections of a client that counts by itself, requests of one that a proxy speaks for. */
static unsigned http_clients_of_client(const struct http_clients *http_clients, const struct visitor *as)
{
    unsigned count = 0;
    for (const struct visitor *each = http_clients->first; each != NULL; each = each->next) {
        bool is_of_it = each->is_proxied == as->is_proxied && address_equal(&each->client, &as->client);
        bool counts = !each->is_dismissed && !each->is_turned_away;
        count += is_of_it && counts && !(each->is_proxied && visitor_is_idle(each));
    }
    return count;
}

static unsigned http_clients_served(const struct http_clients *http_clients)
{
    unsigned count = 0;
    for (const struct visitor *each = http_clients->first; each != NULL; each = each->next) {
        count += !each->is_dismissed && !each->is_turned_away;
    }
    return count;
}

/* The one that has been silent for the longest time; `of`: only of the same client, NULL: of all. */
static struct visitor *http_clients_most_silent(const struct http_clients *http_clients,
                                                const struct visitor *of, uint64_t now_ms)
{
    struct visitor *found = NULL;
    for (struct visitor *each = http_clients->first; each != NULL; each = each->next) {
        bool may_go = visitor_is_idle(each) && !each->is_dismissed && !each->is_turned_away &&
                      now_ms - each->since_ms >= VISITOR_GRACE_MS;
        bool is_of_it = of == NULL || address_equal(&each->client, &of->client);
        if (may_go && is_of_it && (found == NULL || each->since_ms < found->since_ms)) {
            found = each;
        }
    }
    return found;
}

static void http_clients_append(struct http_clients *http_clients, struct visitor *visitor)
{
    visitor->previous = http_clients->last;
    *(http_clients->last != NULL ? &http_clients->last->next : &http_clients->first) = visitor;
    http_clients->last = visitor;
    http_clients->count++;
}

struct visitor *http_clients_come(struct http_clients *http_clients, const struct address *peer,
                                  int descriptor, uint64_t now_ms, struct visitor **victim)
{
    const struct http_clients_settings *settings = &http_clients->settings;
    struct visitor *visitor = MEMORY_NEW(struct visitor);
    *victim = NULL;
    visitor->peer = visitor->client = *peer;
    visitor->descriptor = descriptor;
    visitor->is_proxied = http_clients->proxies != NULL && trusted_proxies_hold(http_clients->proxies, peer);
    visitor_enter(visitor, VISITOR_CALLING, now_ms, now_ms + settings->headers_ms);
    bool is_full_of_it =
        !visitor->is_proxied && http_clients_of_client(http_clients, visitor) >= settings->most_each;
    if (is_full_of_it || http_clients_served(http_clients) >= settings->most) {
        *victim = http_clients_most_silent(http_clients, is_full_of_it ? visitor : NULL, now_ms);
        visitor->is_turned_away = *victim == NULL;
    }
    if (visitor->is_turned_away) {
        visitor->due_ms = http_clients->count >= settings->most + settings->spare
                              ? now_ms
                              : now_ms + VISITOR_TURNED_AWAY_MS;
    }
    http_clients_append(http_clients, visitor);
    return visitor;
}

void http_clients_leave(struct http_clients *http_clients, struct visitor **at)
{
    struct visitor *visitor = *at;
    *at = NULL;
    *(visitor->previous != NULL ? &visitor->previous->next : &http_clients->first) = visitor->next;
    *(visitor->next != NULL ? &visitor->next->previous : &http_clients->last) = visitor->previous;
    http_clients->count--;
    memory_free(visitor);
}

unsigned http_clients_count(const struct http_clients *http_clients)
{
    return http_clients->count;
}

int visitor_descriptor(const struct visitor *visitor)
{
    return visitor->descriptor;
}

enum visitor_state visitor_state(const struct visitor *visitor)
{
    return visitor->state;
}

bool visitor_is_turned_away(const struct visitor *visitor)
{
    return visitor->is_turned_away;
}

void visitor_dismiss(struct visitor *visitor)
{
    visitor->is_dismissed = true;
    visitor->due_ms = UINT64_MAX;
}

static uint64_t time_for_bytes_ms(size_t bytes)
{
    return (uint64_t)bytes * 1000 / VISITOR_BYTES_A_SECOND;
}

bool visitor_asks(struct http_clients *http_clients, struct visitor *visitor, struct bytes x_forwarded_for,
                  struct bytes forwarded, uint64_t now_ms)
{
    visitor_enter(visitor, VISITOR_SENDING, now_ms, now_ms + http_clients->settings.body_ms);
    if (!visitor->is_proxied) {
        return true;
    }
    visitor->client = forwarded_client(http_clients->proxies, &visitor->peer, x_forwarded_for, forwarded);
    return http_clients_of_client(http_clients, visitor) <= http_clients->settings.most_each;
}

void visitor_sends(const struct http_clients *http_clients, struct visitor *visitor, size_t bytes)
{
    if (visitor->state == VISITOR_SENDING && !visitor->is_dismissed) {
        visitor->due_ms = visitor->since_ms + http_clients->settings.body_ms + time_for_bytes_ms(bytes);
    }
}

void visitor_is_served(struct visitor *visitor)
{
    visitor_enter(visitor, VISITOR_SERVED, visitor->since_ms, UINT64_MAX);
}

void visitor_reads(const struct http_clients *http_clients, struct visitor *visitor, size_t bytes,
                   uint64_t now_ms)
{
    uint64_t time_ms = http_clients->settings.answer_ms + time_for_bytes_ms(bytes);
    visitor_enter(visitor, VISITOR_READING, now_ms, now_ms + time_ms);
}

void visitor_rests(const struct http_clients *http_clients, struct visitor *visitor, uint64_t now_ms)
{
    visitor_enter(visitor, VISITOR_RESTING, now_ms, now_ms + http_clients->settings.idle_ms);
}

uint64_t http_clients_due_ms(const struct http_clients *http_clients)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct visitor *each = http_clients->first; each != NULL; each = each->next) {
        due_ms = each->due_ms < due_ms ? each->due_ms : due_ms;
    }
    return due_ms;
}

struct visitor *http_clients_overdue(const struct http_clients *http_clients, uint64_t now_ms)
{
    for (struct visitor *each = http_clients->first; each != NULL; each = each->next) {
        if (each->due_ms <= now_ms) {
            return each;
        }
    }
    return NULL;
}
