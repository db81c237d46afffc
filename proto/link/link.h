/* One end of a link: numbers what it sends, keeps it until acknowledged, sends it again, and lets through
 * what arrives once and in order. Pure: the time is given, frames are handed out. Both ends are alike. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"
#include "common/pack.h"
#include "common/shared.h"

#include <stdbool.h>
#include <stdint.h>

/* What stands in front of each message on the wire. Travels as a frame of its own, the message (if any) as
 * the next. */
struct envelope {
    uint64_t incarnation; /* of the agent, drawn at random when it starts, on both directions */
    uint64_t epoch;       /* of the coordinator; 0 before the agent knows it */
    uint64_t
        sequence; /* from 1; 0 for what is not numbered: hello, refused, heartbeats, bare acknowledgements */
    uint64_t acknowledged;   /* all up to this one have been applied */
    uint64_t sent_ns;        /* the sender's clock */
    uint64_t echoed_sent_ns; /* sent_ns of the newest frame that the sender has had from the other end; 0:
                                none yet */
    uint64_t echo_delay_ns;  /* how long the sender held it before this frame left */
};

enum link_verdict {
    LINK_DELIVER,    /* hand the message on */
    LINK_REPEATED,   /* has been applied already */
    LINK_GAP,        /* something before it is missing; it will be sent again */
    LINK_NO_MESSAGE, /* heartbeat or acknowledgement */
    LINK_FOREIGN     /* belongs to another incarnation, epoch or impossible number: not this link's */
};

/* What may be on its way unacknowledged. One message alone may be larger than the bytes. */
#define LINK_WINDOW_MESSAGES 128u
#define LINK_WINDOW_BYTES (8u * 1024u * 1024u)
/* Of what is sent again after a timeout, until the other end shows that it lives. */
#define LINK_PROBE_MESSAGES 16u
/* While nothing new is acknowledged the timeout doubles from the first to the last. Bytes in flight add to
 * it, so that a bundle on a slow line is not sent twice. */
#define LINK_FIRST_TIMEOUT_NS 250000000ull
#define LINK_LAST_TIMEOUT_NS 2000000000ull
#define LINK_TIMEOUT_NS_PER_BYTE 250ull
/* Bare acknowledgements wait so long for a message to ride on, unless this many messages came in. */
#define LINK_ACKNOWLEDGE_NS 5000000ull
#define LINK_ACKNOWLEDGE_MESSAGES 16u

/* One exchange of the clocks, by the usual four instants. */
struct link_sample {
    uint64_t our_sent_ns;      /* our clock */
    uint64_t peer_received_ns; /* the peer's clock */
    uint64_t peer_sent_ns;     /* the peer's clock */
    uint64_t our_received_ns;  /* our clock */
    uint64_t round_trip_ns;    /* without the time that the peer held it */
    int64_t offset_ns;         /* the peer's clock minus ours; wrong by at most half of the round trip */
};

struct link;

/* heartbeat_ns: at least this often a frame leaves. epoch 0 is for an agent that does not know it yet: the
 * link then takes over the one of the first frame that it takes in. */
MUST_CHECK struct link *link_new(uint64_t incarnation, uint64_t epoch, uint64_t heartbeat_ns,
                                 uint64_t now_ns);
void link_free(struct link **link);
/* 0 while it is not known. */
uint64_t link_epoch(const struct link *link);

/* Queues an encoded message, never empty; takes the buffer's memory. Order of calls is order of delivery. */
void link_send(struct link *link, struct buffer *message);
/* The same for a message that many links have: takes a hold of its own. */
void link_send_shared(struct link *link, struct shared *message);
/* Messages queued or not yet acknowledged: who fills a link looks at this and holds back. */
size_t link_backlog(const struct link *link);

/* The sequence of the message that was queued last, and of the last one that the other end has applied; 0
 * before any. */
uint64_t link_queued(const struct link *link);
uint64_t link_acknowledged(const struct link *link);
/* What of it the memory is, in bytes. */
size_t link_held_bytes(const struct link *link);
/* Since when the other end has acknowledged nothing though something was sent to it; UINT64_MAX while it has
 * nothing to acknowledge. */
uint64_t link_progress_ns(const struct link *link);

/* The next frame to put on the wire now: new ones within the window, those to be sent again, else an
 * acknowledgement or heartbeat that is due. False when there is none. `message` is NULL where the frame has
 * none, else borrowed until the next link_receive or link_free: who wants it for longer takes a hold. Call
 * until false. */
MUST_CHECK bool link_next_frame(struct link *link, uint64_t now_ns, struct envelope *envelope,
                                struct shared **message);
/* When link_next_frame has to be asked again though nothing was sent or received; 0 if it has something now.
 */
uint64_t link_due_ns(const struct link *link);

/* Takes in a frame that has arrived. On LINK_DELIVER the message has to be applied by the caller now. A frame
 * of sequence 0 is LINK_NO_MESSAGE even with a message (hello, refused): that one is not the link's. A
 * foreign frame changes nothing. */
MUST_CHECK enum link_verdict link_receive(struct link *link, uint64_t now_ns, const struct envelope *envelope,
                                          bool has_message);
/* The transport was replaced: all that is unacknowledged goes again at once. */
void link_reconnected(struct link *link);

/* Nothing has to be on its way for it: a frame without a message leaves now, so that the other end learns
 * that we can be reached. */
void link_show(struct link *link);

/* All of it as bytes, and a link that goes on as this one would. NULL if they are none. */
void link_pack(const struct link *link, struct buffer *into);
MUST_CHECK struct link *link_unpack(struct unpack *from);

/* When the last frame of the other end came in; the time of link_new before any. */
uint64_t link_heard_ns(const struct link *link);
/* The newest instant at which a frame left; 0 before any. */
uint64_t link_last_sent_ns(const struct link *link);
/* The latest of our own instants of sending that the other end is known to have seen (echoed), as our clock
 * had it; the time of link_new before any. A lease counts from here: whoever holds it knows that the other
 * end heard from us at that time or later. */
uint64_t link_confirmed_ns(const struct link *link);
/* Gives the newest exchange of the clocks, once; false when there is no new one. */
MUST_CHECK bool link_take_sample(struct link *link, struct link_sample *sample);
