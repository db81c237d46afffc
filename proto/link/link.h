/* One end of a link: numbers messages, keeps and resends them until they are acknowledged, and delivers what
 * arrives once and in order. Pure: time is passed in, frames are handed out. Both ends are alike. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"
#include "common/pack.h"
#include "common/shared.h"

#include <stdbool.h>
#include <stdint.h>

/* The header of each message on the wire. A frame of its own; the message, if any, is the next frame. */
struct envelope {
    uint64_t incarnation;    /* of the agent, in both directions: drawn at random when it starts */
    uint64_t epoch;          /* of the coordinator; 0 before the agent knows it */
    uint64_t sequence;       /* from 1; 0: unnumbered (hello, refused, heartbeats, bare acknowledgements) */
    uint64_t acknowledged;   /* all messages up to this one were applied */
    uint64_t sent_ns;        /* the sender's clock */
    uint64_t echoed_sent_ns; /* sent_ns of the newest frame received from the other end; 0: none yet */
    uint64_t echo_delay_ns;  /* how long that was held before this frame left */
};

enum link_verdict {
    LINK_DELIVER,    /* hand the message on */
    LINK_REPEATED,   /* was applied before */
    LINK_GAP,        /* something before it is missing; it will be sent again */
    LINK_NO_MESSAGE, /* heartbeat or acknowledgement */
    LINK_FOREIGN     /* of another incarnation or epoch, or with an impossible number */
};

/* What may be in flight. A single message may be larger than that. */
#define LINK_WINDOW_MESSAGES 128u
#define LINK_WINDOW_BYTES (8u * 1024u * 1024u)
/* What is resent after a timeout, until there is a sign of life from the other end. */
#define LINK_PROBE_MESSAGES 16u
/* The timeout doubles from the first to the last as long as nothing new is acknowledged. Bytes in flight add
 * to it, so that a bundle on a slow line is not sent twice. */
#define LINK_FIRST_TIMEOUT_NS 250000000ull
#define LINK_LAST_TIMEOUT_NS 2000000000ull
#define LINK_TIMEOUT_NS_PER_BYTE 250ull
/* How long an acknowledgement waits for a message to travel with, unless this many messages came in. */
#define LINK_ACKNOWLEDGE_NS 5000000ull
#define LINK_ACKNOWLEDGE_MESSAGES 16u

/* One clock exchange, by the usual four instants. */
struct link_sample {
    uint64_t our_sent_ns;      /* our clock */
    uint64_t peer_received_ns; /* the peer's clock */
    uint64_t peer_sent_ns;     /* the peer's clock */
    uint64_t our_received_ns;  /* our clock */
    uint64_t round_trip_ns;    /* without the time at the peer */
    int64_t offset_ns;         /* the peer's clock minus ours; wrong by at most half of the round trip */
};

struct link;

/* heartbeat_ns: a frame leaves at least this often. epoch 0: not known yet, as at an agent; the link then
 * adopts that of the first frame it receives. */
MUST_CHECK struct link *link_new(uint64_t incarnation, uint64_t epoch, uint64_t heartbeat_ns,
                                 uint64_t now_ns);
void link_free(struct link **link);
/* 0: not known yet. */
uint64_t link_epoch(const struct link *link);

/* Queues an encoded message, never empty; takes the buffer's memory. Order of calls is order of delivery. */
void link_send(struct link *link, struct buffer *message);
/* The same for a message that many links have: takes a hold of its own. */
void link_send_shared(struct link *link, struct shared *message);
/* Messages that are queued or not acknowledged. A caller that fills a link looks at this and holds back. */
size_t link_backlog(const struct link *link);

/* The sequence of the message that was queued last, and of the last one that the other end has applied; 0:
 * none yet. */
uint64_t link_queued(const struct link *link);
uint64_t link_acknowledged(const struct link *link);
/* Bytes of the backlog. */
size_t link_held_bytes(const struct link *link);
/* Since when the other end has acknowledged nothing although something was sent to it; UINT64_MAX: it has
 * nothing to acknowledge. */
uint64_t link_progress_ns(const struct link *link);

/* The next frame to put on the wire now: a message within the window, new or resent, else an acknowledgement
 * or heartbeat that is due. False if there is none. `message` is NULL if the frame has none, else borrowed
 * until the next link_receive or link_free: hold it to keep it longer. To be called until it is false. */
MUST_CHECK bool link_next_frame(struct link *link, uint64_t now_ns, struct envelope *envelope,
                                struct shared **message);
/* When to call link_next_frame again if nothing is sent or received until then; 0: it has a frame now. */
uint64_t link_due_ns(const struct link *link);

/* Takes in a frame that has arrived. On LINK_DELIVER the caller has to apply the message now. A frame of
 * sequence 0 is LINK_NO_MESSAGE even with a message (hello, refused), which is not the link's. A foreign
 * frame changes nothing. */
MUST_CHECK enum link_verdict link_receive(struct link *link, uint64_t now_ns, const struct envelope *envelope,
                                          bool has_message);
/* The transport was replaced: everything unacknowledged is resent immediately. */
void link_reconnected(struct link *link);

/* A frame leaves now even without a message, so that the other end learns what was applied and that we are
 * reachable. */
void link_show(struct link *link);

/* The whole link as bytes, and a link that continues as it would. NULL, and `from` is broken, if the bytes
 * make no sense. */
void link_pack(const struct link *link, struct buffer *into);
MUST_CHECK struct link *link_unpack(struct unpack *from);

/* When the last frame from the other end came in; before any, the time of link_new. */
uint64_t link_heard_ns(const struct link *link);
/* The latest instant at which a frame left; 0: none yet. */
uint64_t link_last_sent_ns(const struct link *link);
/* The latest instant of sending, by our clock, that the other end has echoed; before any, the time of
 * link_new. A lease counts from here: the other end heard from us at that time or later. */
uint64_t link_confirmed_ns(const struct link *link);
/* The newest clock exchange, once; false if there is no new one. */
MUST_CHECK bool link_take_sample(struct link *link, struct link_sample *sample);
