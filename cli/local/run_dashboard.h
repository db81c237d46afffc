/* The dashboard of `tutti run`: the API of its coordinator on loopback, for as long as the run lasts. */
#pragma once
#include "common/attributes.h"
#include "coordinator/net/server.h"

struct run_dashboard;

/* At this port; 0: any. It requires a token that is drawn for it, and left for the commands of this user. The
 * server has to outlive it. NULL with an error. */
MUST_CHECK struct run_dashboard *run_dashboard_new(uv_loop_t *loop, struct server *server, uint16_t port,
                                                   struct error *error);
/* Good for one login within a minute: for memory_free. */
MUST_CHECK char *run_dashboard_link(struct run_dashboard *dashboard);
/* To be called from the callbacks of the server. NULL is tolerated. */
void run_dashboard_changed(struct run_dashboard *dashboard, uint64_t campaign, enum campaign_state state);
void run_dashboard_deadlock(struct run_dashboard *dashboard, uint64_t campaign, const char *text);
void run_dashboard_log(struct run_dashboard *dashboard, enum log_level level,
                       const struct log_subject *subject, const char *text);
/* What is open goes in the loop's close callbacks. NULLs the pointer; NULL is tolerated. */
void run_dashboard_close(struct run_dashboard **dashboard);
