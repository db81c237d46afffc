/* The inside of the API, for the files that it is made of. */
#pragma once
#include "common/digest.h"
#include "coordinator/api/api.h"
#include "coordinator/api/login_codes.h"
#include "coordinator/http/http.h"
#include "coordinator/json/json_put.h"
#include "proto/message/limits.h"

/* Campaigns that have not ended, at once. */
#define API_LIVE_CAMPAIGNS 64u

/* That are kept. */
#define API_LOG_LINES 500u
#define API_LOG_LINE_BYTES 4096u

/* Who may use it. */
struct api_entry {
    struct host_names names;
    char *token; /* NULL: none is required */
    char token_digest[DIGEST_TEXT_BYTES];
};

/* Requests to create a campaign, parsed one after the other in a thread: they may be large. */
struct api_work {
    uv_loop_t *loop;
    struct creation_request *first; /* the thread has it */
    struct creation_request *last;
};

struct api {
    struct server *server;
    struct archive *archive;          /* NULL: none */
    struct artifact_store *artifacts; /* NULL: none */
    struct http *http;
    struct api_target target;
    uv_timer_t tick;
    struct api_work work;
    unsigned open_parts;
    struct api_entry entry;
    struct login_codes login_codes;
    struct trusted_proxies proxies;
    uint64_t began_wall_ns;
    struct watcher *watchers;       /* of campaigns */
    struct row_watch *row_watches;  /* of campaigns that are watched by the second */
    unsigned ticks;                 /* seconds */
    struct api_log_line *log_lines; /* by number modulo API_LOG_LINES; NULL: there was none */
    uint64_t log_count;             /* that there ever were */
    bool is_draining;
    bool serves_one_run;
    uint64_t cut_campaigns[API_LIVE_CAMPAIGNS]; /* of which it was said that /metrics cuts their names */
    bool has_complained;                        /* of the archive, which has not worked since */
};

/* The files of the API from the bottom up; each calls those above it here and none below. */

/* api_state.c. The memory of the API goes when the last of its parts has: the clock, the request that a
 * thread reads. */
void api_release(struct api *api);

/* api_answer.c. Takes `value`. */
void api_answer_json(struct http_exchange *request, unsigned status, json_t *value);
void api_answer_error(struct http_exchange *request, unsigned status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* There is no such campaign. */
void api_answer_unknown(struct http_exchange *request, uint64_t campaign);

/* api_log.c */
void api_log_close(struct api *api);

/* api_body.c. Any thread may call it. NULL with what is wrong. Bounded in depth and number of values, so that
 * a body takes no more memory than its size suggests. The caller's to json_decref. */
json_t *api_parse_object(struct bytes body, struct error *error);
/* That of a request, of a few kilobytes; NULL after it has answered 400. */
json_t *api_body_object(struct http_exchange *request);

/* api_entry.c: false after it has answered why not. */
void api_entry_open(struct api_entry *entry, const struct api_settings *settings);
void api_entry_close(struct api_entry *entry);
/* That the request addresses us. */
MUST_CHECK bool api_entry_check_host(const struct api *api, struct http_exchange *request);
/* That it does not come from a page of another origin. `is_page`: what it asks for is a page, to which others
 * may have links. */
MUST_CHECK bool api_entry_check_origin(struct http_exchange *request, bool is_page);
MUST_CHECK bool api_entry_check_token(const struct api *api, struct http_exchange *request);
/* That a body is JSON. */
MUST_CHECK bool api_entry_check_body(struct http_exchange *request);

/* api_archive.c. Writes the campaign to the archive: its report, and once it has ended its series. */
void api_keep(struct api *api, uint64_t campaign);
/* Writes all that have not ended. */
void api_keep_all(struct api *api);
/* What the archive has of a campaign that the server does not have; NULL if nothing. */
const json_t *api_archived_live(const struct api *api, uint64_t campaign);
/* The caller's to json_decref; NULL likewise. */
json_t *api_archived_report(const struct api *api, uint64_t campaign);
/* What was counted second by second, of the server or of the archive: JSON for memory_free; NULL likewise. */
char *api_series_text(const struct api *api, uint64_t campaign);
/* Appends a row for each of those. */
void api_list_archived(const struct api *api, json_t *list);
/* Deletes what is stored of a campaign that the server does not have. False with an error: it is still
 * there. */
MUST_CHECK bool api_forget_archived(const struct api *api, uint64_t campaign, struct error *error);
/* Whether the journal works, and if not, why. */
json_t *api_journal_object(const struct api *api);
/* A campaign that the server has; NULL after it has answered why not. */
const struct report_view *api_find(struct api *api, struct http_exchange *request, uint64_t campaign);

/* api_series.c. Of a query; false if it says nonsense. */
MUST_CHECK bool api_read_since(const struct http_exchange *request, bool *is_given, uint64_t *since_s,
                               struct error *error);

/* api_rows.c. The seconds of a campaign as they come. */
struct row_news {
    uint64_t changed_from; /* the first second that is new or has changed since the last look; `end`: none */
    uint64_t end;          /* one more than the last settled second */
};
/* Of a campaign that the server has. `has_ended`: all seconds are settled. */
struct row_news api_rows_look(struct api *api, uint64_t campaign, bool has_ended);
/* Nobody watches it any more. */
void api_rows_forget(struct api *api, uint64_t campaign);

/* api_metrics.c. Logs, once of each campaign, that not all of its names are shown. */
void api_tell_left_out(struct api *api, const struct report_view *report);
/* api_agent_metrics.c: the agents. */
void api_append_agent_metrics(struct buffer *text, const struct coordinator_overview *overview);

/* api_dashboard.c, api_log.c, api_login.c, api_health.c, api_metrics.c, api_agents.c, api_campaigns.c,
 * api_create.c, api_rooms.c, api_scale.c, api_pace.c, api_watch.c: they answer the routes. `campaign` is the
 * first number of the path, 0 where it has none. */
typedef void api_function(struct api *api, struct http_exchange *request, uint64_t campaign);
api_function api_show_dashboard;
api_function api_show_dashboard_file;
api_function api_login;
api_function api_show_log;
api_function api_create_code;
api_function api_show_health;
api_function api_show_readiness;
api_function api_show_description;
api_function api_show_metrics;
api_function api_list_agents;
api_function api_list_campaigns;
api_function api_show_campaign;
api_function api_show_report;
api_function api_show_series;
api_function api_show_artifact;
api_function api_list_rooms;
api_function api_show_room;
api_function api_stop_campaign;
api_function api_delete_campaign;
api_function api_create_campaign;
api_function api_scale_campaign;
api_function api_rate_campaign;
api_function api_pause_campaign;
api_function api_resume_campaign;
api_function api_watch_campaign;
/* api_create.c. Drops the requests that are not being parsed. */
void api_work_close(struct api_work *work);
/* api_watch.c. Each second: builds the reports of all that have not ended, and sends progress to watchers. */
void api_refresh_reports(struct api *api);
void api_tell_progress(struct api *api);

/* api_routes.c. A bundle in Base64, its paths, and the JSON around them. */
#define API_BODY_BYTES ((size_t)LIMIT_BUNDLE_BYTES / 3 * 4 + (size_t)2 * 1024 * 1024)
/* For the HTTP server; `context` is the API. */
void api_on_headers(void *context, struct http_exchange *request);
void api_on_request(void *context, struct http_exchange *request);
