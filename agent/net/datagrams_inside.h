/* What the net knows of datagrams. */
#pragma once
#include "agent/net/datagrams.h"
#include "agent/net/stream_inside.h"

struct datagrams {
    struct net *net;
    struct datagrams *next;
    struct datagrams **at;
    struct datagrams_callbacks callbacks;
    void *context;
    uv_timer_t timer; /* tells what is known at once, in the next turn of the loop */
    struct resolver_query *query;
    struct poller_socket polled;
    struct address source;
    enum net_failure failure; /* to be told */
    uint16_t port;
    bool has_source;
    bool is_paused;
    char host[256];
    char peer[STREAM_PEER_BYTES];
    char text[320];
};

/* After the net was held. */
void datagrams_go_on(struct datagrams *datagrams);
