/* How much a peer may make us hold: every bound of the protocol in one place. */
#pragma once

#define PROTOCOL_VERSION 2u

#define LIMIT_FRAME_BYTES                                                                                    \
    (24u * 1024u * 1024u) /* one message, encoded; what all rooms were told comes closest */
#define LIMIT_ENVELOPE_BYTES 1024u
/* Messages from an agent to the coordinator are smaller, since a stranger may hold an agent's key: */
#define LIMIT_FROM_AGENT_BYTES (1024u * 1024u) /* one message, encoded */
#define LIMIT_CUT_BYTES (4u * 1024u * 1024u)   /* above this the connection is closed without an answer */
#define LIMIT_HELLO_BYTES (16u * 1024u)
#define LIMIT_OPERATIONS 2048u       /* in one message */
#define LIMIT_NAMED_WORKERS 262144u  /* named by the operations of one message, unless it has only one */
#define LIMIT_FROM_AGENT_ITEMS 8192u /* in a message of another kind */
#define LIMIT_FROM_AGENT_BUCKETS (1024u * 1024u) /* instead of LIMIT_HISTOGRAM_BUCKETS */
#define LIMIT_CALLS_AT_ONCE 16u                  /* of one worker: sent, and not answered yet */
#define LIMIT_AGENTS 4096u                       /* joined to one coordinator */
#define LIMIT_BATCH_BYTES (256u * 1024u) /* up to which a sender fills one batch of operations or replies */
#define LIMIT_NAME_BYTES 255u            /* notifier, barrier, variable, campaign, agent, request … */
#define LIMIT_RESOLVE_BYTES 16000u       /* addresses of hosts */
#define LIMIT_TEXT_BYTES 2000u           /* a message for a person */
#define LIMIT_CAMPAIGN_ID 999999999999999999u /* fits a JSON integer */
#define LIMIT_WORKERS 1000000u                /* of a campaign */
#define LIMIT_ROOM_SIZE LIMIT_WORKERS
#define LIMIT_BATCH_ITEMS 65536u
#define LIMIT_SET_RUNS 65536u /* runs of one worker set */
#define LIMIT_BUNDLE_FILES 1000u
#define LIMIT_BUNDLE_BYTES (64u * 1024u * 1024u) /* all files of it */
#define LIMIT_CHUNK_BYTES (256u * 1024u)         /* of a bundle in one message */
#define LIMIT_ARTIFACTS 20u                      /* that a campaign keeps */
#define LIMIT_ARTIFACT_BYTES (1024u * 1024u)
#define LIMIT_SHARED_VALUES 64u   /* of the replies in one message */
#define LIMIT_MISSING 32u         /* worker ids listed in an outcome */
#define LIMIT_REQUEST_NAMES 2000u /* kinds of request, wait or error in one report of statistics */
#define LIMIT_SLICES 6000u        /* of them by tag, and groups, likewise */
#define LIMIT_CLOSE_CODES 16u     /* of WebSocket connections of one name, counted each by itself */
#define LIMIT_SHARDS 256u
/* Processor time of one turn of a worker, between two waits. */
#define LIMIT_TURN_MS 2000u
#define LIMIT_TURN_MAX_MS 3600000u
#define LIMIT_DURATION_MS (366ull * 24 * 3600 * 1000)      /* every timeout and duration */
#define LIMIT_PLAN_NS (LIMIT_DURATION_MS * 10u * 1000000u) /* instants of a plan, and pauses of it */
#define LIMIT_LOAD_BYTES 16384u                            /* the loads of a campaign, as text */
#define LIMIT_ARRIVALS 1e15                                /* of a plan */
#define LIMIT_INTERVAL_US (LIMIT_DURATION_MS * 1000u)      /* between two reports of an agent */
#define LIMIT_PATH_BYTES 1000u                             /* of a file in a bundle */
#define LIMIT_HISTOGRAM_BUCKETS                                                                              \
    (32u * 1024u * 1024u) /* sum of the highest buckets of all histograms in one report */
/* Memory that decoding may take: a multiple of the size of the bytes plus a constant, but never more than the
 * last. */
#define LIMIT_DECODED_TIMES 64u
#define LIMIT_DECODED_MORE_BYTES (64u * 1024u)
#define LIMIT_DECODED_BYTES (64u * 1024u * 1024u)
