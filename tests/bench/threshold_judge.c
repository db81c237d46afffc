/* What it costs the coordinator to judge thresholds once a second: half of them of single names, half of
 * sliding windows, while agents report requests of many names. In processor time, on one core. */
#include "common/memory.h"
#include "common/random.h"
#include "coordinator/core/thresholds/threshold_look.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define TEXT_BYTES 12000u
#define REQUESTS_A_SECOND 100u /* of each name */

static uint64_t judge_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct thresholds *make_thresholds(unsigned count, unsigned names)
{
    static const char *const forms[] = {"p95 < 200ms", "p99 < 200ms over 30s", "failed < 1%",
                                        "rate > 1/s over 1m"};
    struct error error;
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    for (unsigned i = 0; i < count; i++) {
        buffer_append_format(&text, "request[name %u].%s;", i * 7 % names, forms[i % 4]);
    }
    if (!thresholds_check(buffer_bytes(&text), &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(2);
    }
    return thresholds_new(buffer_bytes(&text));
}

static void report_requests(struct campaign_statistics *statistics, unsigned names, struct random *random)
{
    for (unsigned i = 0; i < names; i++) {
        char name[40];
        struct histogram *us SCOPED(histogram_free) = histogram_new();
        snprintf(name, sizeof name, "name %u", i);
        for (unsigned j = 0; j < REQUESTS_A_SECOND; j++) {
            histogram_record(us, 500 + random_below(random, 100000));
        }
        struct request_statistics request = {
            .name = bytes_of_string(name), .count = REQUESTS_A_SECOND, .latency_us = us};
        campaign_statistics_merge(statistics, &(struct statistics){.requests = &request, .request_count = 1});
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 50;
    unsigned names = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
    uint64_t seconds = argc > 3 ? strtoull(argv[3], NULL, 10) : 120;
    struct random random;
    uint64_t spent_ns = 0;
    if (count == 0 || count > THRESHOLDS_MAX || names == 0 || seconds == 0) {
        return 2;
    }
    random_seed(&random, 1);
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct thresholds *thresholds = make_thresholds(count, names);
    struct threshold_inputs inputs = {.statistics = statistics};
    const struct threshold_source source = {.look = threshold_look, .context = &inputs};
    for (uint64_t second = 1; second <= seconds; second++) {
        report_requests(statistics, names, &random);
        uint64_t began_ns = judge_cpu_ns();
        (void)thresholds_judge(thresholds, second * 1000, &source);
        spent_ns += judge_cpu_ns() - began_ns;
    }
    printf("{\"thresholds\": %u, \"names\": %u, \"ms_per_s\": %.4f}\n", count, names,
           (double)spent_ns / 1e6 / (double)seconds);
    threshold_inputs_finish(&inputs);
    thresholds_free(&thresholds);
    campaign_statistics_free(&statistics);
    return 0;
}
