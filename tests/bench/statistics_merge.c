/* What the coordinator pays for a second of a large campaign: each of so many agents reports requests of so
 * many names; the message is read, and merged into report and series. In processor time, on one core. */
#include "common/memory.h"
#include "common/random.h"
#include "coordinator/core/report/statistics.h"
#include "coordinator/core/series/series.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define MESSAGES 16u
#define NAME_BYTES 16u

static uint64_t merge_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* What an agent says: latencies around 10 ms, as many of each name as there are `requests`. */
static void write_message(unsigned names, unsigned requests, struct random *random, struct buffer *into)
{
    struct request_statistics *all = memory_new(names, sizeof *all);
    char(*texts)[NAME_BYTES] = memory_new(names, NAME_BYTES);
    struct histogram *steps SCOPED(histogram_free) = histogram_new();
    for (unsigned i = 0; i < names; i++) {
        struct histogram *us = histogram_new();
        snprintf(texts[i], NAME_BYTES, "name %u", i);
        for (unsigned j = 0; j < requests; j++) {
            histogram_record(us, 5000 + random_below(random, 10000));
        }
        all[i] = (struct request_statistics){
            .name = bytes_of_string(texts[i]), .count = requests, .latency_us = us};
    }
    histogram_record(steps, 1000000);
    const struct message message = {
        .kind = MESSAGE_STATISTICS,
        .campaign = 1,
        .statistics = {.requests = all, .request_count = names, .steps_ok = 1, .step_us = steps}};
    message_encode(&message, into);
    for (unsigned i = 0; i < names; i++) {
        histogram_free((struct histogram **)(uintptr_t)&all[i].latency_us);
    }
    memory_free(all);
    memory_free(texts);
}

int main(int argc, char **argv)
{
    unsigned agents = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
    unsigned names = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
    unsigned requests = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 10;
    unsigned seconds = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 5;
    struct buffer messages[MESSAGES];
    struct random random;
    if (agents == 0 || names == 0 || names > LIMIT_REQUEST_NAMES || seconds == 0) {
        return 2;
    }
    random_seed(&random, 1);
    for (unsigned i = 0; i < MESSAGES; i++) {
        buffer_init(&messages[i], LIMIT_FROM_AGENT_BYTES);
        write_message(names, requests, &random, &messages[i]);
        assert(!messages[i].has_overflowed);
    }
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct series *series = series_new();
    uint64_t began_ns = merge_cpu_ns();
    for (unsigned i = 0; i < agents * seconds; i++) {
        struct message message;
        struct error error;
        if (!message_decode_from_agent(buffer_bytes(&messages[i % MESSAGES]), &message, &error)) {
            fprintf(stderr, "%s\n", error.text);
            return 1;
        }
        campaign_statistics_merge(statistics, &message.statistics);
        series_add_statistics(series, i / agents, &message.statistics);
        message_finish(&message);
    }
    double share = (double)(merge_cpu_ns() - began_ns) / (double)NS_PER_S / seconds;
    printf("{\"agents\": %u, \"names\": %u, \"bytes\": %zu, \"core_percent\": %.2f}\n", agents, names,
           messages[0].size, 100 * share);
    series_free(&series);
    campaign_statistics_free(&statistics);
    for (unsigned i = 0; i < MESSAGES; i++) {
        buffer_finish(&messages[i]);
    }
    return 0;
}
