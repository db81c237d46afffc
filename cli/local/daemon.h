/* The coordinator as a daemon: agents on one port, the API on another, signals, and an end in order. */
#pragma once
#include "cli/base/exit_code.h"
#include "coordinator/http/listener.h"
#include "coordinator/http/origin.h"
#include "coordinator/net/credentials.h"
#include "coordinator/store/recovery.h"

struct daemon_settings {
    const char *endpoint; /* "tcp://127.0.0.1:7440" */
    const struct listener_address *http;
    const char *token;   /* NULL: none is asked for */
    bool is_token_drawn; /* by us: commands of this user find it in the runtime folder */
    const struct host_names *names;
    const struct trusted_proxies *proxies;
    struct credentials **credentials; /* NULL: no keys; else taken */
    uint16_t target_port;             /* where the practice target is when a campaign wants it; 0: any */
    const char *state;                /* the folder that outlives us; NULL: there is none */
    uint64_t journal_max_bytes;
    enum recovery_policy on_journal_failure;
};

/* Serves until a signal ends it. */
enum exit_code daemon_run(const struct daemon_settings *settings);
