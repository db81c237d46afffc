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
    *statistics = (struct statistics){.workers_running = statistics->workers_running};
    parcel->bytes = 0;
    parcel->buckets = 0;
}

/* For an entry with texts of so many bytes and a histogram, which may be NULL. */
static void make_space(struct parcel *parcel, size_t text_bytes, const struct histogram *histogram)
{
    struct histogram_cursor cursor = {0};
    uint64_t bytes = ENTRY_BYTES + text_bytes;
    uint64_t buckets = 0;
    while (histogram != NULL && histogram_next(histogram, &cursor)) {
        bytes += BUCKET_BYTES;
        buckets = cursor.bucket + 1;
    }
    if (parcel->bytes > 0 &&
        (parcel->bytes + bytes > LIMIT_BATCH_BYTES || parcel->buckets + buckets > PARCEL_BUCKETS)) {
        send_parcel(parcel);
    }
    parcel->bytes += bytes;
    parcel->buckets += buckets;
}

void agent_send_statistics(struct agent *agent, uint64_t campaign, const struct statistics *statistics)
{
    struct parcel parcel = {.agent = agent, .message = {.kind = MESSAGE_STATISTICS, .campaign = campaign}};
    struct statistics *part = &parcel.message.statistics;
    *part = *statistics;
    part->request_count = part->wait_count = part->error_count = 0;
    make_space(&parcel, 0, statistics->step_us);
    for (size_t i = 0; i < statistics->request_count; i++) {
        make_space(&parcel, statistics->requests[i].name.size, statistics->requests[i].latency_us);
        part->requests = part->request_count == 0 ? &statistics->requests[i] : part->requests;
        part->request_count++;
    }
    for (size_t i = 0; i < statistics->wait_count; i++) {
        make_space(&parcel, statistics->waits[i].name.size, statistics->waits[i].waited_us);
        part->waits = part->wait_count == 0 ? &statistics->waits[i] : part->waits;
        part->wait_count++;
    }
    for (size_t i = 0; i < statistics->error_count; i++) {
        const struct error_statistics *error = &statistics->errors[i];
        make_space(&parcel, error->key.size + error->text.size, NULL);
        part->errors = part->error_count == 0 ? &statistics->errors[i] : part->errors;
        part->error_count++;
    }
    send_parcel(&parcel);
}
