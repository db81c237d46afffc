/* What a shard pays to count requests: so many of each of so many names, taken once a second of a million;
 * plain, and with two tags. In processor time, on one core. */
#include "agent/shard/meter.h"
#include "common/histogram.h"
#include "common/random.h"
#include "proto/message/statistics.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define SAMPLES_A_TAKE 1000000u
#define NAMES_MAX 1000u
#define NAME_BYTES 16u

static uint64_t meter_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Samples in a second of processor time. */
static double count(char (*names)[NAME_BYTES], unsigned name_count, unsigned takes, bool is_tagged)
{
    struct meter *meter = meter_new();
    struct random random;
    struct request_sample sample = {.is_ok = true, .status = 200, .received_bytes = 500, .sent_bytes = 100};
    random_seed(&random, 1);
    if (is_tagged) {
        struct tag_table *table = meter_tags(meter);
        tag_set_put(&sample.tags, tag_table_note(table, bytes_of_string("tier"), bytes_of_string("gold")));
        tag_set_put(&sample.tags, tag_table_note(table, bytes_of_string("region"), bytes_of_string("eu")));
    }
    uint64_t began_ns = meter_cpu_ns();
    for (unsigned take = 0; take < takes; take++) {
        for (unsigned i = 0; i < SAMPLES_A_TAKE; i++) {
            sample.name = bytes_of_string(names[i % name_count]);
            sample.latency_us = 5000 + random_below(&random, 10000);
            meter_request(meter, &sample);
        }
        struct statistics *statistics = meter_take(meter, 1);
        statistics_free(&statistics);
    }
    uint64_t spent_ns = meter_cpu_ns() - began_ns;
    meter_free(&meter);
    return (double)takes * SAMPLES_A_TAKE * (double)NS_PER_S / (double)spent_ns;
}

int main(int argc, char **argv)
{
    static char names[NAMES_MAX][NAME_BYTES];
    unsigned name_count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    unsigned takes = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    if (name_count == 0 || name_count > NAMES_MAX || takes == 0) {
        return 2;
    }
    for (unsigned i = 0; i < name_count; i++) {
        snprintf(names[i], NAME_BYTES, "name %u", i);
    }
    printf("{\"samples_per_s\": %.0f, \"tagged_samples_per_s\": %.0f}\n",
           count(names, name_count, takes, false), count(names, name_count, takes, true));
    return 0;
}
