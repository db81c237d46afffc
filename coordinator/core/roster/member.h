/* One agent that has joined: its link, whether it is heard and hears us, and how it is doing. */
#pragma once
#include "common/attributes.h"
#include "common/text.h"
#include "coordinator/core/base/deadline.h"
#include "coordinator/core/base/outbox.h"
#include "coordinator/core/base/settings.h"
#include "proto/link/link.h"
#include "proto/message/message.h"

#define MEMBER_ROUND_TRIPS 8u
/* With more than this unacknowledged on its link, messages from an agent are not taken in. With more than the
 * maximum, nothing is sent to it any more, and it is lost when its lease has run out. */
#define MEMBER_HELD_BYTES (12u * 1024u * 1024u)
#define MEMBER_HELD_MOST_BYTES (48u * 1024u * 1024u)
/* An agent that has sent this many malformed messages is given up. */
#define MEMBER_MALFORMED_MOST 1000u
#define MEMBER_COMPLAINTS_MOST 10u

/* One process of an agent, from its hello until it is lost. */
struct member {
    const struct coordinator_settings *settings; /* borrowed from the members */
    uint64_t incarnation;
    struct text name;
    struct text host;
    uint32_t pid;
    uint32_t cores;
    uint32_t shards;
    uint64_t memory_bytes;
    uint64_t used_bytes; /* of them, as it said last; unlike the gauges it outlives the coordinator */
    struct text labels;
    struct text program; /* the version of its program, as it says */
    uint32_t capacity;   /* workers; 0: any number */
    uint64_t held;       /* workers placed on it by campaigns that have not ended */
    struct link *link;
    struct deadline due;
    /* Counts as heard, and as hearing us, at this time: after a hello, or after we were not running. */
    uint64_t excused_ns;
    uint64_t returned_ns; /* when it was heard again after a silence */
    uint64_t greeted_ns;  /* when its last repeated hello was heeded */
    uint64_t newest_sent; /* sequence */
    uint64_t bulk_ns;     /* until then a large message may occupy all of a slow line */
    uint64_t muted_ns;    /* since when nothing is sent to it, because it does not hear us; 0: it does */
    uint64_t restored_ns; /* when we were restored; 0: not since it joined */
    uint64_t known_ns;    /* when the last frame left to it before that, as far as we know */
    uint64_t round_trips_ns[MEMBER_ROUND_TRIPS]; /* the latest, in a ring; 0: not measured yet */
    unsigned next_round_trip;
    struct gauges gauges;  /* its latest, without the histogram; interval 0: none yet */
    bool is_awaited;       /* since we were restored: it cannot be reached before it is heard */
    bool needs_attention;  /* its link may have a frame to hand out */
    uint64_t malformed;    /* messages, and operations in messages, that were refused */
    uint64_t complaint_ns; /* when the next refusal may be logged */
    unsigned complaints;   /* that were logged */
    uint64_t unread;       /* messages that were not taken in, and will be sent again */
    uint64_t told_full_ns; /* when that may be logged again */
    /* A message of operations that is half done: it is applied from `next_operation` on when the agent has
     * acknowledged more of what was sent to it. */
    bool is_half_done;
    struct message unfinished;
    size_t next_operation;
    uint64_t leaving_ns;   /* since when its operator wants it to leave; 0: it stays */
    bool is_let_go;        /* it was told that it may */
    bool has_left;         /* it has said goodbye */
    size_t overview_index; /* scratch space of the overview */
};

MUST_CHECK struct member *member_new(const struct coordinator_settings *settings, uint64_t now_ns,
                                     uint64_t incarnation, const struct hello *hello);
void member_free(struct member **member);

/* How many more workers it takes; UINT32_MAX: any number. */
uint32_t member_room(const struct member *member);
/* When it was last known to be alive. */
uint64_t member_heard_ns(const struct member *member);
/* The longest of its last few round trips; 0 while none is known. */
uint64_t member_round_trip_ns(const struct member *member);
void member_take_gauges(struct member *member, const struct gauges *gauges);

/* Whether this frame of its link echoes one of ours that we do not know of, sent before we were restored:
 * then the member has heard more of us than the journal that we were restored from contains. The journal is
 * stale, and neither the link nor anything else that was restored can be continued. */
MUST_CHECK bool member_knows_better(const struct member *member, const struct envelope *envelope);
/* Takes in a frame of its link. Unless `is_message_wanted`, only the envelope is taken in: a message in it
 * will be sent again. */
MUST_CHECK enum link_verdict member_receive(struct member *member, uint64_t now_ns,
                                            const struct envelope *envelope, bool has_message,
                                            bool is_message_wanted);
/* It has said hello again: it has a new connection, or has not received our welcome. False if it did so only
 * a moment ago and everything that it has not acknowledged is on its way. */
MUST_CHECK bool member_greet_again(struct member *member, uint64_t now_ns);
/* We were not running: what it sent meanwhile is still unread, so it is not silent yet. */
void member_excuse(struct member *member, uint64_t now_ns);
/* Another process continues as us: as member_excuse, and it cannot be reached before it is heard. */
void member_restored(struct member *member, uint64_t now_ns);

/* Why it is to be declared lost: silent for too long, or deaf. NULL: it is not lost. */
const char *member_loss(const struct member *member, uint64_t now_ns);
/* Whether it may turn out to be lost: that it has not answered means nothing yet. */
bool member_is_in_doubt(const struct member *member, uint64_t now_ns);

/* Whether it has acknowledged enough, and made sense often enough, for another message to be taken in. */
bool member_has_space(const struct member *member);
/* A message of it is not taken in: counts it, and logs it at most once a minute. */
void member_note_unread(struct member *member, uint64_t now_ns, struct outbox *outbox);
/* A message of it made no sense: counts it, and logs it at most once a second and ten times. */
void member_complain(struct member *member, uint64_t now_ns, struct outbox *outbox, const char *what);

/* Puts every frame that can leave now into the outbox. Returns when it has to be looked at again. */
uint64_t member_hand_out(struct member *member, uint64_t now_ns, struct outbox *outbox);
