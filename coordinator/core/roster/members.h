/* The agents that have joined, those that were lost, and what all their links hold. */
#pragma once
#include "common/pack.h"
#include "coordinator/core/roster/member.h"

struct members;

/* All links together may hold this much unacknowledged, and a little more for each member, before messages
 * from agents are no longer taken in. */
#define MEMBERS_HELD_BYTES (32u * 1024u * 1024u)
#define MEMBERS_HELD_EACH_BYTES (256u * 1024u)
/* An agent that goes this often within a minute may not join again before the minute is over. */
#define MEMBERS_PARTINGS_MOST 10u

MUST_CHECK struct members *members_new(const struct coordinator_settings *settings, struct timers *timers);
void members_free(struct members **members);

/* Of the members that have not been lost. NULL: there is none. */
struct member *members_find(const struct members *members, uint64_t incarnation);
struct member *members_find_name(const struct members *members, struct bytes name);
size_t members_count(const struct members *members);
/* In the order in which they joined; index below members_count. */
struct member *members_at(const struct members *members, size_t index);
/* Whether it is among the latest few thousand that were lost. */
bool members_were_lost(const struct members *members, uint64_t incarnation);
/* Whether agents of this name have gone too often lately. */
bool members_is_restless(struct members *members, uint64_t now_ns, struct bytes name);
/* Whether the operator has yet to be told so; true once. */
bool members_tell_restless(struct members *members, struct bytes name);

/* A new member, which is welcomed. No other has its incarnation or its name. */
struct member *members_join(struct members *members, uint64_t now_ns, uint64_t incarnation,
                            const struct hello *hello);
/* It is lost: its link is dropped, and its incarnation never joins again. Frees `*member`. */
void members_lose(struct members *members, uint64_t now_ns, struct member **member, struct outbox *outbox);
/* We were not running: member_excuse for all. */
void members_excuse(struct members *members, uint64_t now_ns);
/* Another process continues as us: member_restored for all. */
void members_restored(struct members *members, uint64_t now_ns);

/* Takes in a frame of this member's link. */
MUST_CHECK enum link_verdict members_receive(struct members *members, uint64_t now_ns, struct member *member,
                                             const struct envelope *envelope, bool has_message);
/* The member has said hello again. */
void members_greet_again(struct members *members, uint64_t now_ns, struct member *member);
/* Queues a message on its link. */
void members_send(struct members *members, struct member *member, const struct message *message);
/* The same for a message that goes to many, encoded once; each link takes a hold of its own. */
MUST_CHECK struct shared *members_encode(const struct message *message);
void members_send_encoded(struct members *members, struct member *member, struct shared *message);
/* Acknowledges what it has said in this turn, even if there is nothing else to send to it. */
void members_acknowledge(struct members *members, struct member *member);
/* The next members_hand_out looks at it. */
void members_wake(struct members *members, struct member *member);

/* Whether a message of it is taken in now: not before it, and all members together, have acknowledged most of
 * what they were sent. */
bool members_may_speak(const struct members *members, const struct member *member);
/* Its `is_half_done` and `next_operation` are set: takes the message, until members_take_up. */
void members_put_off(struct members *members, struct member *member, struct message *message);
/* A member whose message can be continued now, from `next_operation` on. `*message` is the caller's. NULL:
 * there is none. */
MUST_CHECK struct member *members_take_up(struct members *members, struct message *message);

/* Whether members_hand_out has something to do. */
bool members_need_attention(const struct members *members);
/* Puts every frame that can leave now into the outbox. */
void members_hand_out(struct members *members, uint64_t now_ns, struct outbox *outbox);

/* The members, and the lost ones, as bytes. */
void members_pack(const struct members *members, struct buffer *into);
/* Into new, empty members. False if the bytes make no sense. */
MUST_CHECK bool members_unpack(struct members *members, struct unpack *from);
