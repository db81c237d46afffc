/* The engine of a shard: its clock, its lease, and whose request is under way. */
#include "agent/http/native/native_inside.h"
#include "agent/http/native/native_kind.h"

#include "agent/base/lease.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

/* How often a lease is looked for that holds again, at least. */
#define HELD_LOOK_MS 100u
/* Of the head of a request, with a small body. */
#define OUT_MAX_BYTES (4u * 1024u * 1024u)

static void native_on_timer(uv_timer_t *timer);
static void native_on_idle(uv_idle_t *idle);

static void native_list_push(struct native_exchange **list, struct native_exchange *exchange)
{
    exchange->next = *list;
    exchange->at = list;
    if (exchange->next != NULL) {
        exchange->next->at = &exchange->next;
    }
    *list = exchange;
}

void native_engine_add(struct native_engine *engine, struct native_exchange *exchange)
{
    native_list_push(&engine->running, exchange);
}

void native_engine_remove(struct native_exchange *exchange)
{
    *exchange->at = exchange->next;
    if (exchange->next != NULL) {
        exchange->next->at = exchange->at;
    }
    exchange->at = NULL;
}

void native_engine_end_later(struct native_engine *engine, struct native_exchange *exchange)
{
    native_list_push(&engine->ended, exchange);
    if (!engine->defers) {
        native_engine_wake(engine);
    }
}

void native_engine_wake(struct native_engine *engine)
{
    if (engine->ended != NULL) {
        uv_idle_start(&engine->idle, native_on_idle);
    }
}

/* In at least `least_ms`. A timer of the loop that is early does no harm: it is touched only to come earlier.
 */
static void wake_in_time(struct native_engine *engine, uint64_t now_ns, uint64_t least_ms)
{
    uint64_t due_ns = timers_next_ns(engine->timers);
    uint64_t ms = due_ns <= now_ns ? 0 : (due_ns - now_ns) / NS_PER_MS + 1;

    if (due_ns == TIMERS_NEVER) {
        return;
    }
    ms = ms > least_ms ? ms : least_ms;
    if (!uv_is_active((uv_handle_t *)&engine->timer) || uv_timer_get_due_in(&engine->timer) > ms) {
        uv_timer_start(&engine->timer, native_on_timer, ms, 0);
    }
}

void native_engine_set_timer(struct native_engine *engine, struct native_timer *timer, uint64_t due_ns)
{
    bool comes_up_in_time = timer->timer.position != TIMER_UNSET && timer->timer.due_ns <= due_ns;

    timer->due_ns = due_ns;
    if (!comes_up_in_time) {
        timers_set(engine->timers, &timer->timer, due_ns);
        wake_in_time(engine, clock_now_ns(), 0);
    }
}

void native_engine_unset_timer(struct native_timer *timer)
{
    timer->due_ns = TIMERS_NEVER;
}

void native_engine_forget_timer(struct native_engine *engine, struct native_timer *timer)
{
    timers_unset(engine->timers, &timer->timer);
}

void native_engine_deliver(struct native_engine *engine)
{
    struct native_exchange *list = engine->ended;

    engine->ended = NULL;
    if (list != NULL) {
        list->at = &list;
    }
    while (list != NULL) {
        struct native_exchange *exchange = list;
        native_engine_remove(exchange);
        native_exchange_deliver(exchange);
    }
}

/* None of their bytes may leave any more; those that callbacks begin are not on them. */
static void drop_multiplexed(struct native_exchange *list)
{
    for (struct native_exchange *at = list; at != NULL; at = at->next) {
        if (at->connection != NULL && at->connection->is_multiplexed) {
            native_connection_drop(at->connection, true);
        }
    }
}

/* Those that a callback begins are not among them: they wait for the next lease. */
static void lose_all(struct native_engine *engine)
{
    struct native_exchange *list = engine->running;

    engine->has_delivered |= list != NULL;
    engine->running = NULL;
    drop_multiplexed(list);
    if (list != NULL) {
        list->at = &list;
    }
    while (list != NULL) {
        native_exchange_lose(list);
    }
}

/* The gate: whether anything may go on now. */
static bool native_may_drive(struct native_engine *engine)
{
    enum lease_state state = engine->lease == NULL ? LEASE_HOLDS : lease_look(engine->lease, clock_now_ns());

    if (state == LEASE_HOLDS) {
        if (engine->is_held) {
            engine->is_held = false;
            net_go_on(engine->net);
        }
        return true;
    }
    if (!engine->is_held) {
        engine->is_held = true;
        net_hold(engine->net);
    }
    if (state == LEASE_GONE) {
        lose_all(engine);
        net_lose(engine->net);
    }
    return false;
}

static void fire_timer(struct native_engine *engine, struct native_timer *timer)
{
    engine->has_delivered = true;
    timer->due_ns = TIMERS_NEVER;
    if (timer->is_for_body) {
        native_exchange_continue(timer->exchange);
    } else {
        native_exchange_time_out(timer->exchange);
    }
}

static void fire_timers(struct native_engine *engine, uint64_t now_ns)
{
    struct timer *timer;

    while ((timer = timers_take_due(engine->timers, now_ns)) != NULL) {
        struct native_timer *due = CONTAINER_OF(timer, struct native_timer, timer);
        if (due->due_ns <= now_ns) {
            fire_timer(engine, due);
        } else if (due->due_ns != TIMERS_NEVER) {
            timers_set(engine->timers, timer, due->due_ns);
        }
    }
}

static void native_on_timer(uv_timer_t *timer)
{
    struct native_engine *engine = timer->data;
    bool is_driven = native_may_drive(engine);

    if (is_driven) {
        fire_timers(engine, clock_now_ns());
    }
    /* Not 0, which libuv would call again before anything else. What is due without a lease stays due. */
    wake_in_time(engine, clock_now_ns(), is_driven ? 1 : HELD_LOOK_MS);
}

/* While it runs the loop does not sleep: once more after the last, because a worker that waited for an answer
 * may want a turn. */
static void native_on_idle(uv_idle_t *idle)
{
    struct native_engine *engine = idle->data;
    bool has_delivered = engine->has_delivered;

    engine->has_delivered = false;
    engine->has_delivered |= engine->ended != NULL;
    native_engine_deliver(engine);
    if (!has_delivered && !engine->has_delivered) {
        uv_idle_stop(idle);
    }
}

static void native_on_prepare(uv_prepare_t *prepare)
{
    struct native_engine *engine = prepare->data;

    if (!native_may_drive(engine) && engine->running != NULL) {
        uv_timer_start(&engine->timer, native_on_timer, HELD_LOOK_MS, 0);
    }
    if (engine->has_delivered) {
        uv_idle_start(&engine->idle, native_on_idle);
    }
}

static struct http_engine *native_engine_new(uv_loop_t *loop, struct lease *lease)
{
    struct native_engine *engine = MEMORY_NEW(struct native_engine);

    engine->loop = loop;
    engine->lease = lease;
    engine->net = net_new(loop, lease);
    engine->timers = timers_new();
    buffer_init(&engine->out, OUT_MAX_BYTES);
    buffer_init(&engine->frames, OUT_MAX_BYTES);
    uv_timer_init(loop, &engine->timer);
    uv_prepare_init(loop, &engine->prepare);
    uv_idle_init(loop, &engine->idle);
    engine->timer.data = engine->prepare.data = engine->idle.data = engine;
    engine->open_handles = 3;
    uv_prepare_start(&engine->prepare, native_on_prepare);
    return &engine->base;
}

static struct native_engine *native_of(struct http_engine *base)
{
    return CONTAINER_OF(base, struct native_engine, base);
}

struct net *native_kind_net(struct http_engine *base)
{
    return native_of(base)->net;
}

static void native_engine_set_memory(struct http_engine *base, struct memory_account *memory)
{
    native_of(base)->memory = memory;
}

static void on_native_closed(uv_handle_t *handle)
{
    struct native_engine *engine = handle->data;

    if (--engine->open_handles == 0) {
        memory_free(engine);
    }
}

static void native_engine_close(struct http_engine *base)
{
    struct native_engine *engine = native_of(base);

    net_close(&engine->net);
    timers_free(&engine->timers);
    buffer_finish(&engine->out);
    buffer_finish(&engine->frames);
    uv_close((uv_handle_t *)&engine->timer, on_native_closed);
    uv_close((uv_handle_t *)&engine->prepare, on_native_closed);
    uv_close((uv_handle_t *)&engine->idle, on_native_closed);
}

const struct http_engine_functions native_kind = {
    .engine_new = native_engine_new,
    .engine_set_memory = native_engine_set_memory,
    .engine_close = native_engine_close,
    .client_new = native_client_new,
    .client_set_network = native_client_set_network,
    .client_free = native_client_free,
    .client_cancel = native_client_cancel,
    .start = native_client_start,
    .exchange_free = native_exchange_free,
    .read = native_stream_read,
    .room = native_upload_room,
    .write = native_upload_write,
    .cookies = native_client_cookies,
    .close_idle = native_client_close_idle,
};
