/* The proxies that requests have asked for, and which one a request takes. */
#include "agent/http/native/native_inside.h"

#include "agent/http/message/proxy.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

struct native_proxy {
    struct native_proxy *next;
    struct native_proxy **at; /* the pointer that points to this one */
    unsigned references;
    char *text; /* as it was given */
    struct proxy proxy;
    struct stream_proxy tunnel;
    struct stream_proxy plain;
};

struct native_proxy *native_proxy_share(struct native_proxy *proxy)
{
    if (proxy != NULL) {
        proxy->references++;
    }
    return proxy;
}

void native_proxy_drop(struct native_proxy **pointer)
{
    struct native_proxy *proxy = *pointer;

    *pointer = NULL;
    if (proxy == NULL || --proxy->references > 0) {
        return;
    }
    *proxy->at = proxy->next;
    if (proxy->next != NULL) {
        proxy->next->at = proxy->at;
    }
    proxy_finish(&proxy->proxy);
    memory_free(proxy->text);
    memory_free(proxy);
}

static struct native_proxy *native_proxy_new(struct native_engine *engine, const char *text,
                                             struct error *error)
{
    struct proxy parsed;

    if (!proxy_parse(text, &parsed, error)) {
        return NULL;
    }
    struct native_proxy *proxy = MEMORY_NEW(struct native_proxy);
    proxy->text = memory_copy_string(text);
    proxy->proxy = parsed;
    proxy->plain =
        (struct stream_proxy){.host = parsed.host, .is_literal = parsed.is_literal, .port = parsed.port};
    proxy->tunnel = proxy->plain;
    proxy->tunnel.is_tunnel = true;
    proxy->tunnel.authorization = parsed.authorization;
    proxy->next = engine->proxies;
    proxy->at = &engine->proxies;
    if (proxy->next != NULL) {
        proxy->next->at = &proxy->next;
    }
    engine->proxies = proxy;
    return proxy;
}

/* What the environment has for this URL; NULL: no proxy. */
static const char *proxy_of_environment(const struct url *url)
{
    const char *proxy = getenv(url->is_tls ? "https_proxy" : "http_proxy");
    const char *bypassed = getenv("no_proxy");
    bool is_bypassed = bypassed != NULL && proxy_is_bypassed(bypassed, url);

    return proxy != NULL && *proxy && !is_bypassed ? proxy : NULL;
}

bool native_proxy_find(struct native_engine *engine, const char *wanted, const struct url *url,
                       struct native_proxy **found, struct error *error)
{
    const char *text =
        wanted != NULL && strcmp(wanted, PROXY_OF_ENVIRONMENT) == 0 ? proxy_of_environment(url) : wanted;
    struct native_proxy *proxy = engine->proxies;

    *found = NULL;
    if (text == NULL) {
        return true;
    }
    while (proxy != NULL && strcmp(proxy->text, text) != 0) {
        proxy = proxy->next;
    }
    if (proxy == NULL) {
        proxy = native_proxy_new(engine, text, error);
    }
    *found = native_proxy_share(proxy);
    return proxy != NULL;
}

const char *native_proxy_authorization(const struct native_proxy *proxy)
{
    return proxy->proxy.authorization;
}

const struct stream_proxy *native_proxy_of_stream(const struct native_proxy *proxy, bool is_tunnel)
{
    return is_tunnel ? &proxy->tunnel : &proxy->plain;
}
