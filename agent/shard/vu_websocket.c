/* The WebSocket connections of workers. */
#include "agent/shard/vu_websocket.h"

#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
#include "agent/shard/vu_api.h"
#include "agent/websocket/handshake.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/histogram.h"
#include "common/memory.h"

#include <assert.h>
#include <string.h>

#define HANDSHAKE_FIELDS 6u

struct vu_websockets {
    struct alarms *alarms;
    struct memory_account *memory;
    struct frame_codec *codec;
    struct deflater *deflater;      /* NULL: no connection has needed one */
    struct vu_websocket *lingering; /* whose worker is gone */
};

/* What the handshake needs to know. */
struct vu_websocket_plan {
    struct vu_websocket_options options; /* without the texts */
    char *protocols;
    char key[HANDSHAKE_KEY_BYTES];
    uint64_t began_ns;
};

struct vu_websockets *vu_websockets_new(struct alarms *alarms, struct memory_account *memory)
{
    struct vu_websockets *all = MEMORY_NEW(struct vu_websockets);

    all->alarms = alarms;
    all->memory = memory;
    all->codec = frame_codec_new();
    return all;
}

static void vu_websocket_enlist(struct vu_websocket *websocket, struct vu_websocket **list)
{
    websocket->next = *list;
    websocket->at = list;
    if (websocket->next != NULL) {
        websocket->next->at = &websocket->next;
    }
    *list = websocket;
}

static void vu_websocket_delist(struct vu_websocket *websocket)
{
    if (websocket->at == NULL) {
        return;
    }
    *websocket->at = websocket->next;
    if (websocket->next != NULL) {
        websocket->next->at = websocket->at;
    }
    websocket->at = NULL;
}

static void vu_websocket_drop_plan(struct vu_websocket *websocket)
{
    if (websocket->plan != NULL) {
        memory_free(websocket->plan->protocols);
        memory_free(websocket->plan);
        websocket->plan = NULL;
    }
}

void vu_websocket_end_wait(struct vu *vu)
{
    if (vu->awaited_websocket == NULL) {
        return;
    }
    struct vu **at = &vu->awaited_websocket->waiting;
    while (*at != vu) {
        at = &(*at)->next_waiting;
    }
    *at = vu->next_waiting;
    vu->awaited_websocket = NULL;
}

/* All look again, whatever they wait for. */
static void vu_websocket_tell(struct vu_websocket *websocket)
{
    while (websocket->waiting != NULL) {
        struct vu *vu = websocket->waiting;
        vu_websocket_end_wait(vu);
        alarms_unset(websocket->all->alarms, &vu->alarm);
        vu_wake(vu, WAKE_DONE);
    }
}

/* The connection is gone, and nobody has it in a list. The script may still look at what is left. */
static void vu_websocket_end(struct vu_websocket *websocket)
{
    alarms_unset(websocket->all->alarms, &websocket->alarm);
    vu_websocket_delist(websocket);
    http_exchange_free(&websocket->exchange);
    vu_websocket_drop_plan(websocket);
    vu_websocket_tell(websocket);
    websocket->vu = NULL;
    if (websocket->is_held) {
        return;
    }
    websocket_free(&websocket->socket);
    memory_free(websocket->name);
    memory_free(websocket->protocol);
    memory_free(websocket->failure_text);
    memory_free(websocket->phase);
    memory_free(websocket);
}

void vu_websockets_free(struct vu_websockets **pointer)
{
    struct vu_websockets *all = *pointer;

    *pointer = NULL;
    if (all == NULL) {
        return;
    }
    while (all->lingering != NULL) {
        vu_websocket_end(all->lingering);
    }
    frame_codec_free(&all->codec);
    deflater_free(&all->deflater);
    memory_free(all);
}

static struct websocket_statistics *vu_websocket_statistics(struct vu_websocket *websocket)
{
    struct meter *meter = vu_meter(websocket->vu);

    if (websocket->statistics == NULL) {
        websocket->statistics = meter_websocket(meter, bytes_of_string(websocket->name));
        return websocket->statistics;
    }
    return meter_websocket_again(meter, websocket->statistics);
}

static void vu_websocket_count_end(struct vu_websocket *websocket, struct websocket_statistics *statistics)
{
    static const enum websocket_count counts[] = {[WEBSOCKET_BY_US] = WEBSOCKET_COUNT_CLOSED_BY_US,
                                                  [WEBSOCKET_BY_PEER] = WEBSOCKET_COUNT_CLOSED_BY_PEER,
                                                  [WEBSOCKET_LOST] = WEBSOCKET_COUNT_LOST};
    enum websocket_ending ending = websocket_ending(websocket->socket);

    if (ending != WEBSOCKET_ALIVE && !websocket->has_counted) {
        websocket->has_counted = true;
        statistics->counts[counts[ending]]++;
        close_counts_add(&statistics->codes, websocket_ending_code(websocket->socket), 1);
    }
}

/* What has come and gone since the last time. */
static void vu_websocket_count(struct vu_websocket *websocket)
{
    const struct websocket_counts *now = websocket_counts(websocket->socket);
    struct websocket_counts *before = &websocket->counted;
    struct websocket_statistics *statistics = vu_websocket_statistics(websocket);

    statistics->counts[WEBSOCKET_COUNT_MESSAGES_IN] += now->messages_in - before->messages_in;
    statistics->counts[WEBSOCKET_COUNT_MESSAGES_OUT] += now->messages_out - before->messages_out;
    statistics->counts[WEBSOCKET_COUNT_BYTES_IN] += now->bytes_in - before->bytes_in;
    statistics->counts[WEBSOCKET_COUNT_BYTES_OUT] += now->bytes_out - before->bytes_out;
    statistics->counts[WEBSOCKET_COUNT_DROPPED] += now->dropped - before->dropped;
    if (websocket->counted_pongs < websocket_pongs(websocket->socket)) {
        websocket->counted_pongs = websocket_pongs(websocket->socket);
        histogram_record(statistics->ping_us, websocket_round_trip_us(websocket->socket));
    }
    vu_websocket_count_end(websocket, statistics);
    *before = *now;
}

static void vu_websocket_bound_end(struct vu_websocket *websocket)
{
    if (!websocket->is_ending) {
        websocket->is_ending = true;
        alarms_set(websocket->all->alarms, &websocket->alarm, clock_now_ns() + VU_WEBSOCKET_CLOSE_NS);
    }
}

void vu_websocket_changed(struct vu_websocket *websocket)
{
    if (websocket->vu != NULL) {
        vu_websocket_count(websocket);
    }
    if (websocket_is_gone(websocket->socket)) {
        vu_websocket_end(websocket);
        return;
    }
    if (websocket_state(websocket->socket) != WEBSOCKET_OPEN) {
        vu_websocket_bound_end(websocket);
    }
}

static void vu_websocket_on_change(void *context)
{
    struct vu_websocket *websocket = context;

    vu_websocket_tell(websocket);
    vu_websocket_changed(websocket);
}

/* One that is under way will do. While the process has no lease, nothing may leave. */
static void vu_websocket_ping(struct vu_websocket *websocket, uint64_t now_ns)
{
    if (websocket->vu != NULL && shard_may_act(websocket->vu->campaign->shard, now_ns)) {
        websocket_ping(websocket->socket);
    }
    alarms_set(websocket->all->alarms, &websocket->alarm, now_ns + websocket->ping_ns);
}

static void vu_websocket_on_alarm(struct alarm *alarm, uint64_t now_ns)
{
    struct vu_websocket *websocket = CONTAINER_OF(alarm, struct vu_websocket, alarm);

    if (!websocket->is_ending) {
        vu_websocket_ping(websocket, now_ns);
        return;
    }
    websocket_abandon(websocket->socket);
    vu_websocket_changed(websocket);
}

static void vu_websocket_on_left(void *context, uint64_t queued_us)
{
    struct vu_websocket *websocket = context;

    if (websocket->vu != NULL) {
        histogram_record(vu_websocket_statistics(websocket)->queued_us, queued_us);
    }
}

/* By tag: whether there is a connection, and how long that took. */
static void vu_websocket_count_tags(struct vu_websocket *websocket, bool is_ok, uint64_t handshake_us)
{
    const struct slice_sample sample = {.kind = SLICE_WEBSOCKET,
                                        .name = bytes_of_string(websocket->name),
                                        .tags = vu_tags_under(websocket->vu, &websocket->plan->options.tags),
                                        .is_ok = is_ok,
                                        .has_time = is_ok,
                                        .us = handshake_us};

    meter_slice(vu_meter(websocket->vu), &sample);
}

static void vu_websocket_fail(struct vu_websocket *websocket, const char *failure, char *text)
{
    websocket->failure = failure;
    websocket->failure_text = text;
    vu_websocket_statistics(websocket)->counts[WEBSOCKET_COUNT_FAILED]++;
    vu_websocket_count_tags(websocket, false, 0);
}

static void vu_websocket_refuse(struct vu_websocket *websocket, const struct http_response *response)
{
    websocket->status = response->status;
    if (response->failure != HTTP_OK) {
        websocket->phase = memory_copy_string(response->phase);
        vu_websocket_fail(websocket, http_failure_name(response->failure),
                          memory_copy_string(response->text != NULL ? response->text : ""));
    } else {
        vu_websocket_fail(websocket, "upgrade",
                          memory_format("the server does not change to WebSocket: it answers %u, not 101",
                                        response->status));
    }
}

static struct deflater *vu_websockets_need_deflater(struct vu_websockets *all)
{
    if (all->deflater == NULL) {
        all->deflater = deflater_new();
    }
    return all->deflater;
}

static void vu_websocket_accept(struct vu_websocket *websocket, const struct http_response *response)
{
    struct vu_websockets *all = websocket->all;
    const struct vu_websocket_plan *plan = websocket->plan;
    const struct handshake_offer offer = {
        .key = plan->key, .protocols = plan->protocols, .is_compressed = plan->options.is_compressed};
    struct handshake_answer answer;
    struct error error;

    if (!handshake_check(&offer, response->headers, &answer, &error)) {
        vu_websocket_fail(websocket, "handshake", memory_copy_string(error.text));
        return;
    }
    const struct websocket_settings settings = {
        .codec = all->codec,
        .deflater = answer.is_compressed ? vu_websockets_need_deflater(all) : NULL,
        .memory = all->memory,
        .has_context = answer.has_context,
        .max_message = plan->options.max_message,
        .queue = plan->options.queue,
        .policy = plan->options.policy,
        .on_change = vu_websocket_on_change,
        .on_left = vu_websocket_on_left,
        .context = websocket};
    struct websocket_statistics *statistics = vu_websocket_statistics(websocket);
    uint64_t handshake_us = (clock_now_ns() - plan->began_ns) / NS_PER_US;
    statistics->counts[WEBSOCKET_COUNT_OPENED]++;
    histogram_record(statistics->handshake_us, handshake_us);
    vu_websocket_count_tags(websocket, true, handshake_us);
    if (answer.protocol.size > 0) {
        websocket->protocol = memory_copy(answer.protocol.data, answer.protocol.size);
    }
    websocket->socket = websocket_new(&settings, response->upgraded);
    if (websocket->ping_ns > 0) {
        alarms_set(all->alarms, &websocket->alarm, clock_now_ns() + websocket->ping_ns);
    }
}

static void vu_websocket_on_done(void *context, struct http_response *response)
{
    struct vu_websocket *websocket = context;

    if (response->upgraded != NULL) {
        vu_websocket_accept(websocket, response);
    } else {
        vu_websocket_refuse(websocket, response);
    }
    vu_websocket_drop_plan(websocket);
    struct bytes rest = response->rest;
    http_exchange_free(&websocket->exchange);
    vu_websocket_tell(websocket);
    if (websocket->socket != NULL) {
        websocket_begin(websocket->socket, rest); /* which may be its end */
    } else {
        vu_websocket_end(websocket);
    }
}

/* Those of the script, then the handshake's. */
static struct http_header *vu_websocket_fields(const struct http_request *request,
                                               const struct vu_websocket_plan *plan, size_t *count)
{
    struct http_header *fields = memory_new(request->header_count + HANDSHAKE_FIELDS, sizeof *fields);

    *count = request->header_count;
    if (*count > 0) {
        memcpy(fields, request->headers, *count * sizeof *fields);
    }
    fields[(*count)++] = (struct http_header){"Connection", "Upgrade"};
    fields[(*count)++] = (struct http_header){"Upgrade", "websocket"};
    fields[(*count)++] = (struct http_header){"Sec-WebSocket-Version", "13"};
    fields[(*count)++] = (struct http_header){"Sec-WebSocket-Key", plan->key};
    if (plan->protocols != NULL) {
        fields[(*count)++] = (struct http_header){"Sec-WebSocket-Protocol", plan->protocols};
    }
    if (plan->options.is_compressed) {
        fields[(*count)++] = (struct http_header){"Sec-WebSocket-Extensions", HANDSHAKE_DEFLATE};
    }
    return fields;
}

static struct vu_websocket_plan *vu_websocket_plan_new(struct vu_websockets *all,
                                                       const struct vu_websocket_options *options)
{
    struct vu_websocket_plan *plan = MEMORY_NEW(struct vu_websocket_plan);
    uint8_t nonce[HANDSHAKE_NONCE_BYTES];

    plan->options = *options;
    plan->options.name = plan->options.protocols = NULL;
    plan->protocols = memory_copy_string(options->protocols);
    frame_codec_random(all->codec, nonce, sizeof nonce);
    handshake_key(nonce, plan->key);
    plan->began_ns = clock_now_ns();
    return plan;
}

struct vu_websocket *vu_websocket_open(struct vu *vu, const struct http_request *request,
                                       const struct vu_websocket_options *options)
{
    struct vu_websocket *websocket = MEMORY_NEW(struct vu_websocket);
    struct http_request upgrade = *request;

    websocket->vu = vu->shared->main;
    websocket->all = shard_websockets(vu->campaign->shard);
    websocket->name = memory_copy_string(options->name);
    websocket->is_held = true;
    alarm_init(&websocket->alarm, vu_websocket_on_alarm);
    websocket->ping_ns = options->ping_ms * NS_PER_MS;
    vu_websocket_enlist(websocket, &vu->shared->websockets);
    websocket->plan = vu_websocket_plan_new(websocket->all, options);
    SCOPED(memory_free_at)
    struct http_header *fields = vu_websocket_fields(request, websocket->plan, &upgrade.header_count);
    upgrade.headers = fields;
    upgrade.is_fresh = upgrade.is_upgrade = true;
    upgrade.is_followed = upgrade.is_http2 = upgrade.is_shared = false;
    websocket->exchange = http_start(vu->shared->http, &upgrade, vu_websocket_on_done, websocket);
    return websocket;
}

bool vu_websocket_is_connecting(const struct vu_websocket *websocket)
{
    return websocket->exchange != NULL;
}

bool vu_websocket_is_of(const struct vu_websocket *websocket, const struct vu *vu)
{
    return websocket->vu == NULL || websocket->vu == vu->shared->main;
}

void vu_websocket_await(struct vu *vu, struct vu_websocket *websocket, uint64_t due_ns)
{
    vu_websocket_end_wait(vu);
    vu->awaited_websocket = websocket;
    vu->next_waiting = websocket->waiting;
    websocket->waiting = vu;
    if (due_ns > 0) {
        alarms_set(websocket->all->alarms, &vu->alarm, due_ns);
    }
}

void vu_websocket_close(struct vu_websocket *websocket, uint16_t code, struct bytes reason)
{
    websocket_close(websocket->socket, code, reason);
    vu_websocket_changed(websocket);
}

/* Its worker goes on without it. */
static void vu_websocket_leave(struct vu_websocket *websocket)
{
    if (websocket->socket == NULL || websocket_is_gone(websocket->socket)) {
        vu_websocket_end(websocket);
        return;
    }
    if (websocket_state(websocket->socket) == WEBSOCKET_OPEN) {
        vu_websocket_close(websocket, CLOSE_GOING_AWAY, bytes_of("", 0));
    }
    vu_websocket_tell(websocket);
    websocket->vu = NULL;
    vu_websocket_delist(websocket);
    vu_websocket_enlist(websocket, &websocket->all->lingering);
}

void vu_websocket_release(struct vu_websocket **pointer)
{
    struct vu_websocket *websocket = *pointer;

    *pointer = NULL;
    if (websocket == NULL) {
        return;
    }
    websocket->is_held = false;
    if (websocket->vu != NULL) {
        vu_websocket_leave(websocket);
    } else if (websocket->at == NULL) {
        vu_websocket_end(websocket);
    }
}

void vu_websockets_drop(struct vu *vu)
{
    while (vu->shared->websockets != NULL) {
        vu_websocket_leave(vu->shared->websockets);
    }
}
