/* What is counted second by second: groups of rows, and the columns that their points have. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum series_group {
    SERIES_REQUESTS,   /* in total, and by name */
    SERIES_TIMINGS,    /* by name */
    SERIES_STEPS,      /* in total, and by scenario */
    SERIES_WAITS,      /* in total, and by name and kind */
    SERIES_SEEN,       /* in total */
    SERIES_LOAD,       /* in total: workers and agents */
    SERIES_ARRIVALS,   /* in total: steps that were to begin at an instant, and how late they were */
    SERIES_MESSAGES,   /* in total, and by name: of WebSockets */
    SERIES_TAGS,       /* all requests with a tag, by tag */
    SERIES_GROUPS,     /* of tutti.group, by name */
    SERIES_CHECKS,     /* in total, and by name */
    SERIES_WEBSOCKETS, /* in total, and by name: their connections, with the times of handshakes */
    SERIES_GROUP_COUNT
};

/* Seconds that are kept by themselves, so that what an agent reports late is counted where it belongs:
 * longer than an agent may be silent before it counts as lost. */
#define SERIES_OPEN_S 16u

/* What a row adds up, or keeps the maximum of. */
#define SERIES_COUNTERS 4u

enum series_unit { SERIES_COUNT, SERIES_BYTES, SERIES_US_AS_MS, SERIES_US_AS_S };

struct series_column {
    const char *key; /* as JSON and CSV name it */
    enum series_unit unit;
    bool is_maximum; /* of the seconds that a point stands for; else their sum */
};

struct series_group_columns {
    const char *key;
    bool has_total;
    const char *key_by_name;                        /* of its rows with names; NULL: it has none */
    struct series_column counters[SERIES_COUNTERS]; /* the first `counter_count` of them */
    size_t counter_count;
    bool has_latency; /* p50, p95, p99 and maximum follow */
};

extern const struct series_group_columns SERIES_GROUP_COLUMNS[SERIES_GROUP_COUNT];
