/* The inside of the members, for the files that they are made of. */
#pragma once
#include "common/map.h"
#include "coordinator/core/roster/members.h"

/* A frame of a lost incarnation can be no later than the network delays one. */
#define MEMBERS_LOST_REMEMBERED 4096u

/* How often agents of a name have gone lately. Names with the same hash are counted together. */
#define MEMBERS_PARTINGS 256u
struct partings {
    uint64_t since_ns; /* 0: none yet */
    uint32_t count;
    bool is_told;
};

struct members {
    struct coordinator_settings settings;
    struct timers *timers; /* the coordinator's */
    struct map *by_incarnation;
    struct map *by_name;
    struct member **items; /* in the order in which they joined */
    size_t count;
    size_t capacity;
    struct member **attention;
    size_t attention_count;
    size_t attention_capacity;
    uint64_t lost[MEMBERS_LOST_REMEMBERED]; /* a ring of incarnations; 0: none */
    size_t next_lost;
    struct partings partings[MEMBERS_PARTINGS];
    size_t held_bytes;       /* on all links */
    size_t unfinished_count; /* members whose message is half done */
};

/* Adds a member, which becomes theirs. */
void members_adopt(struct members *members, struct member *member);
