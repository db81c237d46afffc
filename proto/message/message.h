/* What the coordinator and an agent send to each other, as C structures; proto/codec/codec.h turns them into
 * bytes. */
#pragma once
#include "common/bytes.h"
#include "common/histogram.h"
#include "common/worker_set.h"
#include "proto/message/campaign.h"
#include "proto/message/operation.h"
#include "proto/message/request_phase.h"
#include "proto/message/slice.h"
#include "proto/message/slow_traces.h"
#include "proto/message/websocket_count.h"

#include <stdbool.h>
#include <stdint.h>

enum message_kind {
    /* Agent to coordinator. */
    MESSAGE_HELLO,       /* the first message; unnumbered, repeated until answered */
    MESSAGE_DEPLOYED,    /* the script is loaded, or why not */
    MESSAGE_GLOBAL_DONE, /* a global fixture has run, or how it failed */
    MESSAGE_OPERATIONS,  /* what workers did, in order */
    MESSAGE_DRAINED,     /* the furthest step begun in each synchronising room */
    MESSAGE_FAILURE,     /* a step failed, and the campaign stops at the first failure */
    MESSAGE_STATISTICS,  /* counts since the last report */
    MESSAGE_FINISHED, /* all workers of this agent have ended and are torn down; its last statistics were sent
                         before */
    MESSAGE_BUNDLE_WANTED,  /* the next chunk of the files of a campaign */
    MESSAGE_GAUGES,         /* the state of the agent itself, whatever campaigns it runs */
    MESSAGE_ARTIFACT,       /* a piece of an artifact of a failed step */
    MESSAGE_WORKERS_WANTED, /* arrivals have found no free worker: so many more could begin. Answered by
                               ASSIGN */
    MESSAGE_LEAVING,        /* its operator stops it: its workers go on until MESSAGE_LEAVE, or until its
                               campaigns are over */
    MESSAGE_GOODBYE,        /* it leaves: none of its workers acts any more. Answered by a refusal */
    /* Coordinator to agent. */
    MESSAGE_WELCOME,
    MESSAGE_REFUSED, /* unnumbered: why there is no link */
    MESSAGE_DEPLOY,  /* options, workers, and the list of files in the bundle */
    MESSAGE_BUNDLE_CHUNK,
    MESSAGE_GLOBAL,      /* run a global fixture here */
    MESSAGE_BEGIN,       /* workers start at an instant */
    MESSAGE_ASSIGN,      /* more workers for this agent: those of a lost one, or new ones */
    MESSAGE_REPLIES,     /* outcomes of operations */
    MESSAGE_SYNCHRONISE, /* these rooms synchronise: report progress */
    MESSAGE_DRAIN,       /* begin no new step; report the progress of the rooms */
    MESSAGE_RUN_UNTIL,   /* the last step of each synchronising room */
    MESSAGE_ROOMS_DONE,  /* all workers of these rooms have ended: tear sessions down */
    MESSAGE_STOP,        /* end every wait and every worker */
    MESSAGE_FORGET,      /* the campaign is over; its memory can go */
    MESSAGE_SCALE,       /* the number of workers has changed: those beyond it end */
    MESSAGE_PACE,        /* the campaign pauses or goes on, or its rate has changed */
    MESSAGE_LEAVE,       /* to an agent that is leaving: its campaigns go on without it */
    MESSAGE_KIND_COUNT
};

struct hello {
    uint32_t version_lowest;
    uint32_t version_highest;
    uint64_t features; /* a bit set; none yet */
    struct bytes name; /* of the agent */
    struct bytes host;
    uint32_t pid;
    uint32_t cores;
    uint64_t memory_bytes;
    uint32_t shards;
    struct bytes labels; /* proto/message/labels.h */
    uint32_t capacity; /* workers that it takes at the same time, of all campaigns together; 0: any number */
    uint32_t gone_pid; /* the process on its host that had its name, and is no more; 0: it knows of none */
    struct bytes program; /* its version, "0.1.0"; empty: older than such words */
};

struct welcome {
    uint32_t version;
    uint64_t epoch; /* of the coordinator: a different one means that it has lost its memory */
    uint64_t lease_ms;
    uint64_t heartbeat_ms;
};

struct refused {
    bool is_final; /* retrying does not help */
    struct bytes text;
    uint32_t
        holder_pid; /* of the process on the agent's host that has its name; 0: it is not because of that */
};

struct deploy {
    struct campaign_options options;
    struct bundle_listing bundle;
    struct worker_set workers;
    bool is_seed_fixed;
};

/* A part of the contents of all files of a bundle, concatenated. A chunk has LIMIT_CHUNK_BYTES, the last one
 * what is left. Chunks are requested, and sent, in order. */
struct bundle_chunk {
    struct bytes hash;
    uint64_t offset;
    struct bytes content; /* none in MESSAGE_BUNDLE_WANTED */
};

struct global {
    enum global_phase phase;
};

/* Answers MESSAGE_DEPLOY and MESSAGE_GLOBAL; text is the error. */
struct done {
    enum global_phase phase;
    bool is_ok;
    struct bytes text;
};

struct begin {
    int64_t at_ns;         /* coordinator's clock; 0 is at once */
    uint64_t from_plan_ns; /* of an agent that joins later: arrivals before this instant are others' */
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

/* From now on workers have ids below `workers`; in the listed rooms, from the given step on. */
struct scale {
    uint32_t workers;
    uint32_t load; /* that those are of which are more than before */
    struct room_step *rooms;
    size_t room_count;
};

/* What has changed of a campaign's plan, all of it. Instants count from the plan's beginning; while the
 * campaign is paused the plan stands still. */
struct pace {
    bool is_paused;
    uint64_t paused_at_ns; /* if it is */
    uint64_t shift_ns;     /* how long it was paused before, altogether */
    bool has_rate;         /* from rate_at_ns on it is constant, after `before` arrivals and a part */
    uint64_t rate_at_ns;
    double rate_per_s;
    double before;
    uint64_t slots_at_ns;     /* from then on every so many-th arrival is of the same worker: */
    uint32_t load;            /* whose arrivals those are of */
    uint32_t slots;           /* 0: as many as there were workers at the beginning; with rooms, of rooms */
    struct room_step *starts; /* rooms whose arrivals begin then, each with this step */
    size_t start_count;
    struct room_step *rooms; /* where workers meet, they pause before this step */
    size_t room_count;
};

/* Shows the state of a page when a step failed. */
enum artifact_kind { ARTIFACT_SCREENSHOT, ARTIFACT_SOURCE, ARTIFACT_KINDS };

/* A piece of an artifact. Pieces have LIMIT_CHUNK_BYTES, the last one what is left; they are sent in order,
 * and the pieces of different artifacts are not interleaved. */
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

/* Statistics: all counts are increments since the last message. */
struct request_statistics {
    struct bytes name;
    bool is_timing; /* tutti.time, not a request */
    uint64_t count;
    uint64_t failed;
    uint64_t forgiven;       /* failures that were counted, and that the script has taken back since */
    uint64_t received_bytes; /* of bodies */
    uint64_t sent_bytes;
    struct close_counts statuses;  /* of answers: HTTP's status codes, instead of those of an end */
    struct slow_traces slowest;    /* of those with traces; owned by the message */
    struct histogram *latency_us;  /* of those that left; owned by the message */
    struct histogram *response_us; /* the same from the intended start; NULL: there is none */
    struct histogram *phase_us[REQUEST_PHASE_COUNT]; /* the same; NULL: not measured */
};

/* What a script has judged under one name: tutti.check, response:expect. */
struct check_statistics {
    struct bytes name;
    uint64_t passed;
    uint64_t failed;
    struct bytes text; /* why the first one failed; empty if none did */
    uint32_t worker;   /* that had it */
    uint64_t step;
};

struct wait_statistics {
    struct bytes name;
    enum operation_kind kind;
    uint64_t outcomes[OUTCOME_COUNT];
    struct histogram *waited_us; /* owned by the message */
};

struct error_statistics {
    struct bytes key;      /* errors of one key are one; empty: that is the text */
    struct bytes text;     /* of the first one */
    struct bytes scenario; /* whose step failed; empty: it was no step */
    uint64_t count;
    uint32_t worker; /* the first one that had it */
    uint64_t step;
};

struct websocket_statistics {
    struct bytes name;
    uint64_t counts[WEBSOCKET_COUNTS];
    struct close_counts codes;
    struct histogram *handshake_us; /* of those that were opened; owned by the message */
    struct histogram *ping_us;      /* the round trip of pings; likewise */
    struct histogram *queued_us;    /* from sending a message until the kernel had it; likewise */
};

/* Of what has one name, that part which has this tag; and groups. */
struct slice_statistics {
    enum slice_kind kind;
    struct bytes name;
    struct bytes tag; /* "tier=gold", "{region=eu,tier=gold}"; empty: all of a group */
    uint64_t count;
    uint64_t failed;
    uint64_t forgiven;    /* as in request_statistics */
    struct histogram *us; /* how long they took, as far as it is known; owned by the message */
};

/* The steps of a scenario; all steps together are in the statistics themselves. */
struct scenario_statistics {
    struct bytes name;
    uint64_t weight_milli;     /* not an increment */
    uint64_t steps[3];         /* ok, failed, stopped */
    struct histogram *step_us; /* owned by the message */
};

struct statistics {
    uint64_t steps_ok;
    uint64_t steps_failed;
    uint64_t steps_failed_by_loss; /* of those: only because others were lost with their agent */
    uint64_t steps_stopped;
    uint32_t workers_running; /* at this moment, not an increment */
    int64_t at_ns; /* the middle of the time that it covers, by the coordinator's clock; 0: unknown */
    struct histogram *step_us; /* duration of steps; owned by the message */
    /* Where steps have an instant at which they are to begin: how late they began, and their duration since
     * that instant; NULL: none had one. Owned by the message. */
    struct histogram *late_us;
    struct histogram *response_us;
    uint64_t arrivals; /* of the plan, that have begun */
    uint64_t dropped;  /* that have found no worker */
    struct request_statistics *requests;
    size_t request_count;
    struct wait_statistics *waits;
    size_t wait_count;
    struct error_statistics *errors;
    size_t error_count;
    struct websocket_statistics *websockets;
    size_t websocket_count;
    struct check_statistics *checks;
    size_t check_count;
    struct scenario_statistics *scenarios;
    size_t scenario_count;
    struct slice_statistics *slices;
    size_t slice_count;
};

/* The state of one shard's event loop since the last report. */
struct loop_gauges {
    uint64_t lag_p99_us; /* the delay before an event was handled, 99th percentile */
    uint64_t lag_max_us;
    uint64_t busy_us; /* spent outside of waiting */
};

/* Of an agent; counts are increments since the last message. */
struct gauges {
    uint64_t interval_us;    /* since the last message */
    uint64_t cpu_us;         /* of the agent's process */
    uint64_t host_cpu_us;    /* of all processes on all cores of its host */
    uint64_t load_milli;     /* the host's load average over one minute, in thousandths */
    uint64_t memory_bytes;   /* resident */
    bool has_clock;          /* the clocks have been compared */
    int64_t clock_offset_ns; /* the coordinator's clock minus the agent's */
    uint64_t clock_uncertainty_ns;
    struct loop_gauges *loops; /* by shard */
    size_t loop_count;
    struct histogram *lag_us; /* of all shards, in microseconds of time; owned by the message */
};

struct message {
    enum message_kind kind;
    uint64_t campaign; /* 0 for kinds that concern none */
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
            bool is_answer; /* to WORKERS_WANTED: these are all that come of it, if any */
        } assign;
        struct {
            uint32_t workers;
            uint32_t load;
        } wanted;
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
        struct pace pace;
        struct failure failure;
        struct artifact_piece artifact;
        /* FINISHED: how many workers this agent has ever been given. If fewer than were assigned to it, an
         * ASSIGN is in transit. */
        struct {
            uint64_t workers;
        } finished;
        struct statistics statistics;
        struct gauges gauges;
        struct refused stop; /* text: the reason */
    };
    /* Where the decoder keeps everything that the pointers above point to; NULL in a message that was not
     * decoded, whose pointers are borrowed from its creator. */
    void *arena;
};
