/* The starter: a child process of the agent that starts its reapers, since the agent itself, once its walls
 * are up, cannot start anything. It is given the kind of a browser, never a program: the programs are looked
 * up when it begins. Every peer is treated as hostile.
 *
 * `tutti reaper starter WALLS READABLE RUNNABLE` has a SOCK_SEQPACKET socket as descriptor 3, on which it
 * receives struct starter_request, one per packet. START and SWEEP come with one descriptor, the reaper's end
 * of a socket pair of its own. The answers are sent there: by the reaper (reaper.h), and as X HOW by the
 * starter if the reaper did not end well; the end of that socket is the end of the reaper. The starter ends
 * with the other side of descriptor 3, and its reapers with theirs. */
#pragma once
#include "agent/browser/kind.h"
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdint.h>

#define STARTER_COMMAND "starter"
#define STARTER_DIED 'X'
/* Alive at the same time. */
#define STARTER_MAX_REAPERS 1024u
#define STARTER_MAX_TIMEOUT_MS 3600000u

enum starter_action {
    STARTER_START = 1, /* a reaper, for a browser's driver */
    STARTER_SWEEP = 2, /* a reaper that cleans up after others */
    STARTER_KILL = 3   /* the reaper with this number */
};

/* Both sides are the same program. */
struct starter_request {
    uint32_t action;
    uint32_t number; /* identifies the reaper, for KILL; chosen by the requester */
    uint32_t kind;   /* START: an enum browser_kind */
    uint32_t timeout_ms;
};

/* Whether the packet is a valid request with this number of descriptors; copies it. */
MUST_CHECK bool starter_request_read(struct bytes packet, unsigned descriptors,
                                     struct starter_request *request);
/* Runs until the other side is gone. argv[0] is "starter". */
int starter_main(int argc, char **argv);
