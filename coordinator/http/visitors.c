/* The connections of the HTTP server: how many each client may have, and how long each may take. */
#include "coordinator/http/visitors.h"

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

struct visitors {
    struct visitors_settings settings;
    const struct trusted_proxies *proxies;
    struct visitor *first;
    struct visitor *last;
    unsigned count; /* dismissed ones too, until they have left */
};

struct visitors *visitors_new(const struct visitors_settings *settings, const struct trusted_proxies *proxies)
{
    struct visitors *visitors = MEMORY_NEW(struct visitors);
    visitors->settings = *settings;
    visitors->proxies = proxies;
    return visitors;
}

void visitors_free(struct visitors **visitors)
{
    if (*visitors != NULL) {
        assert((*visitors)->first == NULL);
        memory_free(*visitors);
        *visitors = NULL;
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
static unsigned visitors_of_client(const struct visitors *visitors, const struct visitor *as)
{
    unsigned count = 0;
    for (const struct visitor *each = visitors->first; each != NULL; each = each->next) {
        bool is_of_it = each->is_proxied == as->is_proxied && address_equal(&each->client, &as->client);
        bool counts = !each->is_dismissed && !each->is_turned_away;
        count += is_of_it && counts && !(each->is_proxied && visitor_is_idle(each));
    }
    return count;
}

static unsigned visitors_served(const struct visitors *visitors)
{
    unsigned count = 0;
    for (const struct visitor *each = visitors->first; each != NULL; each = each->next) {
        count += !each->is_dismissed && !each->is_turned_away;
    }
    return count;
}

/* The one that has been silent for the longest time; `of`: only of the same client, NULL: of all. */
static struct visitor *visitors_most_silent(const struct visitors *visitors, const struct visitor *of,
                                            uint64_t now_ms)
{
    struct visitor *found = NULL;
    for (struct visitor *each = visitors->first; each != NULL; each = each->next) {
        bool may_go = visitor_is_idle(each) && !each->is_dismissed && !each->is_turned_away &&
                      now_ms - each->since_ms >= VISITOR_GRACE_MS;
        bool is_of_it = of == NULL || address_equal(&each->client, &of->client);
        if (may_go && is_of_it && (found == NULL || each->since_ms < found->since_ms)) {
            found = each;
        }
    }
    return found;
}

static void visitors_append(struct visitors *visitors, struct visitor *visitor)
{
    visitor->previous = visitors->last;
    *(visitors->last != NULL ? &visitors->last->next : &visitors->first) = visitor;
    visitors->last = visitor;
    visitors->count++;
}

struct visitor *visitors_come(struct visitors *visitors, const struct address *peer, int descriptor,
                              uint64_t now_ms, struct visitor **victim)
{
    const struct visitors_settings *settings = &visitors->settings;
    struct visitor *visitor = MEMORY_NEW(struct visitor);
    *victim = NULL;
    visitor->peer = visitor->client = *peer;
    visitor->descriptor = descriptor;
    visitor->is_proxied = visitors->proxies != NULL && trusted_proxies_hold(visitors->proxies, peer);
    visitor_enter(visitor, VISITOR_CALLING, now_ms, now_ms + settings->headers_ms);
    bool is_full_of_it = !visitor->is_proxied && visitors_of_client(visitors, visitor) >= settings->most_each;
    if (is_full_of_it || visitors_served(visitors) >= settings->most) {
        *victim = visitors_most_silent(visitors, is_full_of_it ? visitor : NULL, now_ms);
        visitor->is_turned_away = *victim == NULL;
    }
    if (visitor->is_turned_away) {
        visitor->due_ms =
            visitors->count >= settings->most + settings->spare ? now_ms : now_ms + VISITOR_TURNED_AWAY_MS;
    }
    visitors_append(visitors, visitor);
    return visitor;
}

void visitors_leave(struct visitors *visitors, struct visitor **at)
{
    struct visitor *visitor = *at;
    *at = NULL;
    *(visitor->previous != NULL ? &visitor->previous->next : &visitors->first) = visitor->next;
    *(visitor->next != NULL ? &visitor->next->previous : &visitors->last) = visitor->previous;
    visitors->count--;
    memory_free(visitor);
}

unsigned visitors_count(const struct visitors *visitors)
{
    return visitors->count;
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

bool visitor_asks(struct visitors *visitors, struct visitor *visitor, struct bytes x_forwarded_for,
                  struct bytes forwarded, uint64_t now_ms)
{
    visitor_enter(visitor, VISITOR_SENDING, now_ms, now_ms + visitors->settings.body_ms);
    if (!visitor->is_proxied) {
        return true;
    }
    visitor->client = forwarded_client(visitors->proxies, &visitor->peer, x_forwarded_for, forwarded);
    return visitors_of_client(visitors, visitor) <= visitors->settings.most_each;
}

void visitor_sends(const struct visitors *visitors, struct visitor *visitor, size_t bytes)
{
    if (visitor->state == VISITOR_SENDING && !visitor->is_dismissed) {
        visitor->due_ms = visitor->since_ms + visitors->settings.body_ms + time_for_bytes_ms(bytes);
    }
}

void visitor_is_served(struct visitor *visitor)
{
    visitor_enter(visitor, VISITOR_SERVED, visitor->since_ms, UINT64_MAX);
}

void visitor_reads(const struct visitors *visitors, struct visitor *visitor, size_t bytes, uint64_t now_ms)
{
    uint64_t time_ms = visitors->settings.answer_ms + time_for_bytes_ms(bytes);
    visitor_enter(visitor, VISITOR_READING, now_ms, now_ms + time_ms);
}

void visitor_rests(const struct visitors *visitors, struct visitor *visitor, uint64_t now_ms)
{
    visitor_enter(visitor, VISITOR_RESTING, now_ms, now_ms + visitors->settings.idle_ms);
}

uint64_t visitors_due_ms(const struct visitors *visitors)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct visitor *each = visitors->first; each != NULL; each = each->next) {
        due_ms = each->due_ms < due_ms ? each->due_ms : due_ms;
    }
    return due_ms;
}

struct visitor *visitors_overdue(const struct visitors *visitors, uint64_t now_ms)
{
    for (struct visitor *each = visitors->first; each != NULL; each = each->next) {
        if (each->due_ms <= now_ms) {
            return each;
        }
    }
    return NULL;
}
