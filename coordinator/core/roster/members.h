/* The agents that have joined: one link each, who is heard, and who is declared lost. */
#pragma once
#include "common/error.h"
#include "coordinator/core/base/deadline.h"
#include "coordinator/core/base/outbox.h"
#include "coordinator/core/base/settings.h"
#include "proto/link/link.h"
#include "proto/message/message.h"

struct members;

#define MEMBER_ROUND_TRIPS 8u
/* With so much on its link that it has not acknowledged, nothing that an agent says is taken in; with so much
 * more it is spoken to no longer, and lost when its lease has run out. Together they may have the last, and
 * some more for each. */
#define MEMBER_HELD_BYTES (12u * 1024u * 1024u)
#define MEMBER_HELD_MOST_BYTES (48u * 1024u * 1024u)
#define MEMBERS_HELD_BYTES (32u * 1024u * 1024u)
#define MEMBERS_HELD_EACH_BYTES (256u * 1024u)
/* Whoever has said so much that makes no sense is no agent of ours. */
#define MEMBER_MALFORMED_MOST 1000u
#define MEMBER_COMPLAINTS_MOST 10u
/* Who goes as often within a minute may not come again before that is over. */
#define MEMBER_PARTINGS_MOST 10u

/* One life of an agent, from its hello until it is lost. */
struct member {
    uint64_t incarnation;
    struct bytes name; /* a zero byte stands behind name and host */
    struct bytes host;
    uint32_t pid;
    uint32_t cores;
    uint32_t shards;
    uint64_t memory_bytes;
    struct bytes labels;
    uint32_t capacity; /* 0: any number of workers */
    uint64_t held;     /* workers that were dealt to it in campaigns that have not ended */
    struct link *link;
    struct deadline due;
    /* Counts as heard, and as hearing us, at this time: by a hello, or because we were the ones who slept. */
    uint64_t excused_ns;
    uint64_t returned_ns; /* when it was heard again after a silence */
    uint64_t greeted_ns;  /* when it said hello again last, and was heeded */
    uint64_t newest_sent; /* sequence */
    uint64_t bulk_ns;     /* until then a large message may take all of a slow line */
    uint64_t muted_ns;    /* since when nothing is sent to it, for it does not hear us; 0: it does */
    uint64_t restored_ns; /* when we were restored; 0: not since it joined */
    uint64_t known_ns;    /* when the last frame left to it before that, as far as we know */
    uint64_t round_trips_ns[MEMBER_ROUND_TRIPS]; /* the latest, in a ring; 0: not yet */
    unsigned next_round_trip;
    struct gauges gauges;  /* as it told last, without histogram; interval 0: it has not yet */
    bool is_awaited;       /* since we were restored: it cannot be reached before it is heard */
    bool needs_attention;  /* its link may have a frame to hand out */
    uint64_t malformed;    /* messages, and operations in them, that were refused */
    uint64_t complaint_ns; /* when the next one may be told of */
    unsigned complaints;   /* that were told */
    uint64_t unread;       /* messages that were not taken in, to be sent again */
    uint64_t told_full_ns; /* when that may be told of again */
    /* A message of operations that is half done: too much is on its way for those from `next_operation` on.
     */
    bool is_half_done;
    struct message unfinished;
    size_t next_operation;
    bool has_left;         /* of its own will */
    size_t overview_index; /* scratch of the overview, while it counts */
};

enum admission_result {
    ADMITTED,
    ADMISSION_WRONG_VERSION,
    ADMISSION_WRONG_KEY,
    ADMISSION_NAME_IN_USE,
    ADMISSION_WAS_LOST,
    ADMISSION_RESTLESS,
    ADMISSION_FULL
};

MUST_CHECK struct members *members_new(const struct coordinator_settings *settings, struct timers *timers);
void members_free(struct members **members);

/* How many workers it still takes; UINT32_MAX: any number. */
uint32_t members_room(const struct member *member);
/* Of those that have not been lost. */
struct member *members_find(const struct members *members, uint64_t incarnation);
struct member *members_find_name(const struct members *members, struct bytes name);
/* When it was last known to be alive. */
uint64_t members_heard_ns(const struct member *member);
size_t members_count(const struct members *members);
/* In the order in which they joined. */
struct member *members_at(const struct members *members, size_t place);
/* Of the latest few thousand. */
bool members_were_lost(const struct members *members, uint64_t incarnation);

/* Lets a new incarnation in and welcomes it; else `error` says why not. Sets `*member` when ADMITTED. */
MUST_CHECK enum admission_result members_admit(struct members *members, uint64_t now_ns, uint64_t incarnation,
                                               const struct hello *hello, struct member **member,
                                               struct error *error);
/* Whether this frame of its link echoes one of ours that we know nothing of, though we had not been restored
 * yet when it was sent: what we were restored from is older than what the member has heard of us. Its link
 * cannot be gone on with, nor can anything else that we were restored to. */
MUST_CHECK bool members_knows_better(const struct member *member, const struct envelope *envelope);
/* Takes in a frame of this member's link. */
MUST_CHECK enum link_verdict members_receive(struct members *members, uint64_t now_ns, struct member *member,
                                             const struct envelope *envelope, bool has_message);
/* It has said hello again: its transport is a new one, or it has not had our welcome. */
void members_greet_again(struct members *members, uint64_t now_ns, struct member *member);
/* The longest of the last few round trips to it; 0 while none is known. */
uint64_t members_round_trip_ns(const struct member *member);
/* It tells how it is doing. */
void members_take_gauges(struct member *member, const struct gauges *gauges);
/* Queues a message on its link. */
void members_send(struct members *members, struct member *member, const struct message *message);
/* The same for a message that goes to many, encoded once; each link takes a hold of its own. */
MUST_CHECK struct shared *members_encode(const struct message *message);
void members_send_encoded(struct members *members, struct member *member, struct shared *message);
/* What it has said is acknowledged now, and not when there is something else to send. */
void members_acknowledge(struct members *members, struct member *member);
/* Its due time has come: it is handed out to in the next members_hand_out. */
void members_wake(struct members *members, struct member *member);
/* Why it is to be declared lost: nothing was heard of it for too long, or it has not heard us. NULL: it is
 * not.
 */
const char *members_loss(const struct members *members, uint64_t now_ns, const struct member *member);
/* Whether it may turn out to be lost: what it has not answered says nothing yet. */
bool members_is_in_doubt(const struct members *members, uint64_t now_ns, const struct member *member);
/* It is lost: its link goes, its incarnation never joins again. `*member` is freed. */
void members_lose(struct members *members, uint64_t now_ns, struct member **member, struct outbox *outbox);
/* Whether the operator has to be told of ADMISSION_RESTLESS: once. */
bool members_tell_restless(struct members *members, struct bytes name);
/* We have slept ourselves: what was sent meanwhile is still unread, so nobody is silent yet. */
void members_forgive(struct members *members, uint64_t now_ns);
/* Another process goes on as we: nobody is silent yet, and nobody can be reached before he is heard. */
void members_restored(struct members *members, uint64_t now_ns);
/* Who is there, and who was lost, as bytes. */
void members_pack(const struct members *members, struct buffer *into);
/* Into new ones. False if it makes no sense. */
MUST_CHECK bool members_unpack(struct members *members, struct unpack *from);
/* Whether what it says is taken in now: not before what it was sent has been acknowledged, if that is much.
 */
bool members_may_speak(const struct members *members, const struct member *member);
/* A message of it is not taken in: counts it, and says so, but not again and again. */
void members_note_unread(struct member *member, uint64_t now_ns, struct outbox *outbox);
/* `is_half_done` and `next_operation` were set: the rest of the message waits. Takes it. */
void members_put_off(struct members *members, struct member *member, struct message *message);
/* One whose message can be gone on with now, from `next_operation` on; it is taken out. NULL: there is none.
 */
MUST_CHECK struct member *members_take_up(struct members *members, struct message *message);
/* What all links hold that was not acknowledged. */
size_t members_held_bytes(const struct members *members);
/* A message of a member made no sense: counts it, and says so, at most once a second and ten times. */
void members_complain(struct member *member, uint64_t now_ns, struct outbox *outbox, const char *what);

/* Whether members_hand_out has something to look at. */
bool members_are_restless(const struct members *members);
/* Puts every frame that can leave now into the outbox. */
void members_hand_out(struct members *members, uint64_t now_ns, struct outbox *outbox);
