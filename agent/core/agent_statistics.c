/* What the shards have counted, in messages that are as large as an agent's may be. */
#include "agent/core/agent_internal.h"
#include "proto/message/limits.h"

/* About what an entry takes on the wire without its name and histogram, and what a bucket takes. */
#define ENTRY_BYTES 60u
#define BUCKET_BYTES 5u
#define PARCEL_BUCKETS (LIMIT_FROM_AGENT_BUCKETS / 2)

/* A message that is being filled. */
struct parcel {
    struct agent *agent;
    struct message message;
    uint64_t bytes;
    uint64_t buckets; /* of all its histograms together */
};

static void send_parcel(struct parcel *parcel)
{
    struct statistics *statistics = &parcel->message.statistics;
    agent_send(parcel->agent, &parcel->message);
    *statistics =
        (struct statistics){.workers_running = statistics->workers_running, .at_ns = statistics->at_ns};
    parcel->bytes = 0;
    parcel->buckets = 0;
}

/* What an entry takes of a message. */
struct parcel_share {
    uint64_t bytes;
    uint64_t buckets;
};

/* Of an entry with texts of so many bytes. */
static struct parcel_share share_of_text(size_t text_bytes)
{
    return (struct parcel_share){.bytes = ENTRY_BYTES + text_bytes};
}

/* `histogram` may be NULL. */
static void add_histogram(struct parcel_share *share, const struct histogram *histogram)
{
    struct histogram_cursor cursor = {0};
    uint64_t buckets = 0;
    while (histogram != NULL && histogram_next(histogram, &cursor)) {
        share->bytes += BUCKET_BYTES;
        buckets = cursor.bucket + 1;
    }
    share->buckets += buckets;
}

static void make_space(struct parcel *parcel, struct parcel_share share)
{
    if (parcel->bytes > 0 && (parcel->bytes + share.bytes > LIMIT_BATCH_BYTES ||
                              parcel->buckets + share.buckets > PARCEL_BUCKETS)) {
        send_parcel(parcel);
    }
    parcel->bytes += share.bytes;
    parcel->buckets += share.buckets;
}

static void make_space_for_request(struct parcel *parcel, const struct request_statistics *request)
{
    struct parcel_share share = share_of_text(request->name.size);
    add_histogram(&share, request->latency_us);
    add_histogram(&share, request->response_us);
    share.bytes += request->statuses.size * BUCKET_BYTES * 2;
    share.bytes += request->slowest.size * sizeof request->slowest.items[0];
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        add_histogram(&share, request->phase_us[phase]);
    }
    make_space(parcel, share);
}

static void make_space_for_wait(struct parcel *parcel, const struct wait_statistics *wait)
{
    struct parcel_share share = share_of_text(wait->name.size);
    add_histogram(&share, wait->waited_us);
    make_space(parcel, share);
}

static void make_space_for_websocket(struct parcel *parcel, const struct websocket_statistics *websocket)
{
    struct parcel_share share = share_of_text(websocket->name.size);
    share.bytes += WEBSOCKET_COUNTS * BUCKET_BYTES + websocket->codes.size * ENTRY_BYTES;
    add_histogram(&share, websocket->handshake_us);
    add_histogram(&share, websocket->ping_us);
    add_histogram(&share, websocket->queued_us);
    make_space(parcel, share);
}

static void fill_slices(struct parcel *parcel, const struct statistics *statistics)
{
    struct statistics *part = &parcel->message.statistics;
    for (size_t i = 0; i < statistics->slice_count; i++) {
        struct slice_statistics *slice = &statistics->slices[i];
        struct parcel_share share = share_of_text(slice->name.size + slice->tag.size);
        add_histogram(&share, slice->us);
        make_space(parcel, share);
        part->slices = part->slice_count == 0 ? slice : part->slices;
        part->slice_count++;
    }
}

void agent_send_statistics(struct agent *agent, uint64_t campaign, const struct statistics *statistics)
{
    struct parcel parcel = {.agent = agent, .message = {.kind = MESSAGE_STATISTICS, .campaign = campaign}};
    struct statistics *part = &parcel.message.statistics;
    *part = *statistics;
    part->request_count = part->wait_count = part->error_count = part->websocket_count = 0;
    part->check_count = 0;
    part->scenario_count = 0;
    part->slice_count = 0;
    struct parcel_share share = share_of_text(0);
    add_histogram(&share, statistics->step_us);
    add_histogram(&share, statistics->late_us);
    add_histogram(&share, statistics->response_us);
    make_space(&parcel, share);
    for (size_t i = 0; i < statistics->request_count; i++) {
        make_space_for_request(&parcel, &statistics->requests[i]);
        part->requests = part->request_count == 0 ? &statistics->requests[i] : part->requests;
        part->request_count++;
    }
    for (size_t i = 0; i < statistics->wait_count; i++) {
        make_space_for_wait(&parcel, &statistics->waits[i]);
        part->waits = part->wait_count == 0 ? &statistics->waits[i] : part->waits;
        part->wait_count++;
    }
    for (size_t i = 0; i < statistics->error_count; i++) {
        const struct error_statistics *error = &statistics->errors[i];
        make_space(&parcel, share_of_text(error->key.size + error->text.size + error->scenario.size));
        part->errors = part->error_count == 0 ? &statistics->errors[i] : part->errors;
        part->error_count++;
    }
    for (size_t i = 0; i < statistics->websocket_count; i++) {
        make_space_for_websocket(&parcel, &statistics->websockets[i]);
        part->websockets = part->websocket_count == 0 ? &statistics->websockets[i] : part->websockets;
        part->websocket_count++;
    }
    for (size_t i = 0; i < statistics->check_count; i++) {
        const struct check_statistics *check = &statistics->checks[i];
        make_space(&parcel, share_of_text(check->name.size + check->text.size));
        part->checks = part->check_count == 0 ? &statistics->checks[i] : part->checks;
        part->check_count++;
    }
    for (size_t i = 0; i < statistics->scenario_count; i++) {
        struct parcel_share of_scenario = share_of_text(statistics->scenarios[i].name.size);
        add_histogram(&of_scenario, statistics->scenarios[i].step_us);
        make_space(&parcel, of_scenario);
        part->scenarios = part->scenario_count == 0 ? &statistics->scenarios[i] : part->scenarios;
        part->scenario_count++;
    }
    fill_slices(&parcel, statistics);
    send_parcel(&parcel);
}
