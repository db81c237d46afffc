/* The starter: a process of the agent that starts its wardens, since the agent, once it has its walls, may
 * start nothing. It is told the kind of a browser, never a program: which ones there are it has looked up
 * when it began. Any peer is taken for hostile.
 *
 * `tutti reaper starter WALLS READABLE RUNNABLE` has a SOCK_SEQPACKET socket as descriptor 3, and there
 * receives struct starter_request, one a packet. With START and SWEEP comes one descriptor, the reaper's end
 * of its own pair of sockets. It is answered there: by the reaper (reaper.h), and with X HOW by the starter
 * where the reaper did not end well; the end of that socket is the end of the reaper. The starter ends with
 * the other side of descriptor 3, and its wardens do with theirs. */
#pragma once
#include "agent/browser/kind.h"
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdint.h>

#define STARTER_COMMAND "starter"
#define STARTER_DIED 'X'
/* That live at once. */
#define STARTER_MAX_WARDENS 1024u
#define STARTER_MAX_TIMEOUT_MS 3600000u

enum starter_action {
    STARTER_START = 1, /* a reaper, of a browser's driver */
    STARTER_SWEEP = 2, /* one that clears up after others */
    STARTER_KILL = 3   /* the reaper of this number */
};

/* Both sides are the same program. */
struct starter_request {
    uint32_t action;
    uint32_t number; /* of the reaper, for KILL; chosen by the one who asks */
    uint32_t kind;   /* START: an enum browser_kind */
    uint32_t timeout_ms;
};

/* Whether the packet is a request that makes sense with so many descriptors; copies it. */
MUST_CHECK bool starter_request_read(struct bytes packet, unsigned descriptors,
                                     struct starter_request *request);
/* Until the other side is gone. argv[0] is "starter". */
int starter_main(int argc, char **argv);
