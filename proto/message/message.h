/* What the coordinator and an agent say to each other, as C structures; proto/codec/codec.h turns them into
 * bytes.
 */
#pragma once
#include "common/bytes.h"
#include "common/histogram.h"
#include "common/worker_set.h"
#include "proto/message/campaign.h"
#include "proto/message/operation.h"

#include <stdbool.h>
#include <stdint.h>

enum message_kind {
    /* Agent to coordinator. */
    MESSAGE_HELLO,         /* the first one; unnumbered, repeated until answered */
    MESSAGE_DEPLOYED,      /* the script is loaded, or why not */
    MESSAGE_GLOBAL_DONE,   /* a global fixture has run, or how it failed */
    MESSAGE_OPERATIONS,    /* what workers did, in order */
    MESSAGE_DRAINED,       /* the furthest step begun in each synchronising room */
    MESSAGE_FAILURE,       /* a step failed, and the campaign asked to stop at that */
    MESSAGE_STATISTICS,    /* what was counted since the last one */
    MESSAGE_FINISHED,      /* all workers of this agent have ended and are torn down; its last statistics came
                              before */
    MESSAGE_BUNDLE_WANTED, /* the next chunk of the files of a campaign */
    MESSAGE_GAUGES,        /* how the agent itself is doing, whatever campaigns it runs */
    MESSAGE_ARTIFACT,      /* a piece of what a failed step has left */
    MESSAGE_GOODBYE,       /* it leaves: none of its workers acts any more. Answered by a refusal */
    /* Coordinator to agent. */
    MESSAGE_WELCOME,
    MESSAGE_REFUSED, /* unnumbered: why there is no link */
    MESSAGE_DEPLOY,  /* options, workers, and what the bundle consists of */
    MESSAGE_BUNDLE_CHUNK,
    MESSAGE_GLOBAL,      /* run a global fixture here */
    MESSAGE_BEGIN,       /* workers start at an instant */
    MESSAGE_ASSIGN,      /* more workers for this agent: those of a lost one */
    MESSAGE_REPLIES,     /* outcomes of operations */
    MESSAGE_SYNCHRONISE, /* these rooms synchronise: report progress */
    MESSAGE_DRAIN,       /* begin no new step; say how far the rooms are */
    MESSAGE_RUN_UNTIL,   /* the last step of each synchronising room */
    MESSAGE_ROOMS_DONE,  /* all workers of these rooms have ended: tear sessions down */
    MESSAGE_STOP,        /* end every wait and every worker */
    MESSAGE_FORGET,      /* the campaign is over; its memory can go */
    MESSAGE_SCALE,       /* the campaign has another number of workers: those beyond it end */
    MESSAGE_KIND_COUNT
};

struct hello {
    uint32_t version_lowest;
    uint32_t version_highest;
    uint64_t features; /* bits; none yet */
    struct bytes name; /* of the agent */
    struct bytes host;
    uint32_t pid;
    uint32_t cores;
    uint64_t memory_bytes;
    uint32_t shards;
    struct bytes labels; /* proto/message/labels.h */
    uint32_t capacity;   /* workers that it takes at once, of all campaigns; 0: any number */
};

struct welcome {
    uint32_t version;
    uint64_t epoch; /* of the coordinator: another one has other memories */
    uint64_t lease_ms;
    uint64_t heartbeat_ms;
};

struct refused {
    bool is_final; /* trying again does not help */
    struct bytes text;
};

struct deploy {
    struct campaign_options options;
    struct bundle_listing bundle;
    struct worker_set workers;
    bool is_seed_fixed;
};

/* A part of the contents of all files of a bundle, one behind the other. A chunk has LIMIT_CHUNK_BYTES, the
 * last one what is left. Chunks are asked for, and come, in order. */
struct bundle_chunk {
    struct bytes hash;
    uint64_t offset;
    struct bytes content; /* none in MESSAGE_BUNDLE_WANTED */
};

struct global {
    enum global_phase phase;
};

/* Answers MESSAGE_DEPLOY and MESSAGE_GLOBAL; text is why not. */
struct done {
    enum global_phase phase;
    bool is_ok;
    struct bytes text;
};

struct begin {
    int64_t at_ns; /* coordinator's clock; 0 is at once */
};

/* Workers that continue at `first_step`. */
struct assignment {
    struct worker_set workers;
    uint64_t first_step;
};

struct room_step {
    uint32_t room;
    uint64_t step;
};

/* Workers have ids below `workers` from now on; in the rooms that are named, from that step on. */
struct scale {
    uint32_t workers;
    struct room_step *rooms;
    size_t room_count;
};

/* What shows how a page stood when a step failed. */
enum artifact_kind { ARTIFACT_SCREENSHOT, ARTIFACT_SOURCE, ARTIFACT_KINDS };

/* A piece of one. Its pieces have LIMIT_CHUNK_BYTES, the last one what is left; they come in order, with no
 * piece of another between. */
struct artifact_piece {
    enum artifact_kind kind;
    uint32_t worker;
    uint64_t step;
    uint64_t size_bytes; /* of the whole, at most LIMIT_ARTIFACT_BYTES */
    uint64_t offset;
    struct bytes content;
};

struct failure {
    uint32_t worker;
    uint64_t step;
    struct bytes text;
};

/* Statistics: all counts are what came since the last message. */
struct request_statistics {
    struct bytes name;
    bool is_timing; /* tutti.time, not a request */
    uint64_t count;
    uint64_t failed;
    struct histogram *latency_us; /* owned by the message */
};

struct wait_statistics {
    struct bytes name;
    enum operation_kind kind;
    uint64_t outcomes[OUTCOME_COUNT];
    struct histogram *waited_us; /* owned by the message */
};

struct error_statistics {
    struct bytes text;
    uint64_t count;
    uint32_t worker; /* the first that had it */
    uint64_t step;
};

struct statistics {
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_stopped;
    uint32_t workers_running;  /* now, not since */
    struct histogram *step_us; /* duration of steps; owned by the message */
    struct request_statistics *requests;
    size_t request_count;
    struct wait_statistics *waits;
    size_t wait_count;
    struct error_statistics *errors;
    size_t error_count;
};

/* How the loop of one shard was since the last report. */
struct loop_gauges {
    uint64_t lag_p99_us; /* what came at any moment was looked at within this, 99 times in 100 */
    uint64_t lag_max_us;
    uint64_t busy_us; /* did not wait for anything */
};

/* Of an agent; what is counted is what came since the last message. */
struct gauges {
    uint64_t interval_us;    /* since the last message */
    uint64_t cpu_us;         /* of the agent's process */
    uint64_t host_cpu_us;    /* of all processes on all cores of its host */
    uint64_t load_milli;     /* the host's load average of a minute, in thousandths */
    uint64_t memory_bytes;   /* resident */
    bool has_clock;          /* there was an exchange of the clocks */
    int64_t clock_offset_ns; /* the coordinator's clock minus the agent's */
    uint64_t clock_uncertainty_ns;
    struct loop_gauges *loops; /* by shard */
    size_t loop_count;
    struct histogram *lag_us; /* of all shards, in microseconds of time; owned by the message */
};

struct message {
    enum message_kind kind;
    uint64_t campaign; /* 0 where it concerns none */
    union {
        struct hello hello;
        struct welcome welcome;
        struct refused refused;
        struct deploy deploy;
        struct bundle_chunk bundle_chunk; /* BUNDLE_WANTED, BUNDLE_CHUNK */
        struct global global;
        struct done done; /* DEPLOYED, GLOBAL_DONE */
        struct begin begin;
        struct {
            struct assignment *items;
            size_t count;
        } assign;
        struct {
            struct operation *items;
            size_t count;
        } operations;
        struct {
            const struct reply *items;
            size_t count;
        } replies;
        struct worker_set rooms; /* SYNCHRONISE, ROOMS_DONE: room ids */
        struct {
            struct room_step *items;
            size_t count;
        } room_steps; /* DRAINED, RUN_UNTIL */
        struct scale scale;
        struct failure failure;
        struct artifact_piece artifact;
        /* FINISHED: how many this agent was ever given. Fewer than were dealt to it: an ASSIGN is on its way.
         */
        struct {
            uint64_t workers;
        } finished;
        struct statistics statistics;
        struct gauges gauges;
        struct refused stop; /* text: why */
    };
    /* Where the decoder keeps all that the pointers above point to; NULL in a message that was not decoded,
     * whose pointers are borrowed from its maker. */
    void *arena;
};
