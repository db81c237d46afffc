/* In place of agent/net/resolver.c. */
#include "tests/unit/agent/net/fake_resolver.h"

#include "agent/net/resolver.h"
#include "common/memory.h"

#include <string.h>

struct address_list fake_addresses;

struct resolver {
    uv_loop_t *loop;
};

struct resolver_query {
    uv_timer_t timer;
    void (*on_done)(void *context, const struct address_list *list, const struct resolver_failure *failure);
    void *context;
    bool is_nowhere;
};

struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options)
{
    struct resolver *resolver = MEMORY_NEW(struct resolver);

    (void)options;
    resolver->loop = loop;
    return resolver;
}

void resolver_close(struct resolver **resolver)
{
    memory_free(*resolver);
    *resolver = NULL;
}

bool resolver_look(struct resolver *resolver, const char *host, struct address_list *list)
{
    (void)resolver;
    if (net_address_parse(host, &list->items[0])) {
        list->count = 1;
        return true;
    }
    *list = fake_addresses;
    return strcmp(host, "later") != 0 && strcmp(host, "never") != 0 && strcmp(host, "nowhere") != 0;
}

static void on_query_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static void on_query(uv_timer_t *timer)
{
    struct resolver_query *query = timer->data;
    const struct resolver_failure failure = {.text = "no such name"};
    const struct address_list none = {.count = 0};

    query->on_done(query->context, query->is_nowhere ? &none : &fake_addresses,
                   query->is_nowhere ? &failure : NULL);
    uv_close((uv_handle_t *)timer, on_query_closed);
}

struct resolver_query *resolver_ask(struct resolver *resolver, const char *host,
                                    void (*on_done)(void *context, const struct address_list *list,
                                                    const struct resolver_failure *failure),
                                    void *context)
{
    struct resolver_query *query = MEMORY_NEW(struct resolver_query);

    uv_timer_init(resolver->loop, &query->timer);
    query->timer.data = query;
    query->on_done = on_done;
    query->context = context;
    query->is_nowhere = strcmp(host, "nowhere") == 0;
    if (strcmp(host, "never") != 0) {
        uv_timer_start(&query->timer, on_query, 5, 0);
    }
    return query;
}

void resolver_cancel(struct resolver_query **query)
{
    if (*query != NULL) {
        uv_close((uv_handle_t *)&(*query)->timer, on_query_closed);
    }
    *query = NULL;
}
