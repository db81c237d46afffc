/* What the files of a client know of each other. */
#pragma once
#include "agent/http/curl/curl_client.h"
#include "agent/http/curl/curl_cookies.h"
#include "agent/http/curl/curl_request.h"
#include "agent/http/http_bodies.h"
#include "agent/http/message/content_decoder.h"
#include "agent/http/message/http1_parser.h"
#include "common/address.h"

struct curl_client {
    struct http_client base;
    struct curl_engine *engine;
    CURLSH *share; /* connections, names and cookies */
    struct curl_cookies cookies;
    struct curl_slist *overrides; /* of addresses, as curl has them */
    struct address source;
    bool has_source;
    struct curl_socket_list sockets;
    struct curl_exchange *exchanges;
    struct curl_exchange *spares;
    struct curl_exchange *waiting; /* for others to end, in order */
    unsigned spare_count;
    unsigned running; /* transfers that curl has */
};

struct curl_exchange {
    struct http_exchange base;
    struct curl_engine *engine;
    struct curl_client *client;
    struct curl_exchange *next; /* of the client's exchanges, or spares */
    struct curl_exchange **at;
    struct curl_exchange *next_waiting;
    struct curl_transfer transfer;
    CURL *easy;
    struct curl_request request;
    struct http_bodies bodies;
    struct http1_parser parser;      /* of the head */
    struct content_decoder *decoder; /* NULL: the body comes as it is */
    struct http_response response;
    struct buffer hops;   /* as the response has them */
    uint64_t asked_ns;    /* when it was started */
    uint64_t begun_ns;    /* when curl got it, this time */
    uint64_t answered_ns; /* when the last answer began; 0: none has */
    uint64_t timeout_ms;
    struct http_timings before; /* phases and total of requests that it has gone on from */
    uint32_t redirects;
    enum http_failure failure; /* by our own judgement, with its `text`; HTTP_OK: curl's counts */
    int open_errno;            /* why no socket could be made; 0: one could */
    int probed_errno;       /* no descriptor was left when it failed; 0: there was, or it was not about one */
    bool is_source_refused; /* open_errno says why the socket could not be bound to it */
    bool is_begun;          /* its on_done is to come */
    bool is_running;        /* curl has it */
    bool is_waiting;
    bool is_followed;
    bool is_fresh;
    bool is_digest;
    bool has_opened; /* a socket, since curl got it */
    bool has_sent;
    bool has_begun_answer; /* to what was sent last */
    bool has_whole_head;
    bool is_broken_off; /* the connection has served before, and ended without a byte of the answer */
    bool is_retried;
    bool is_repeated; /* it has gone on from another request */
    char address[HTTP_ADDRESS_BYTES];
    char error_text[CURL_ERROR_SIZE];
    char text[CURL_ERROR_SIZE + 64];
};

/* curl_answer.c. The first judgement counts. */
void curl_answer_judge(struct curl_exchange *exchange, enum http_failure failure, const char *text);
void curl_answer_judge_no_memory(struct curl_exchange *exchange);
/* What curl has found when it has ended. */
void curl_answer_judge_result(struct curl_exchange *exchange, CURLcode result);
/* Empties head and body. */
void curl_answer_clear(struct curl_exchange *exchange);
/* For CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION. */
size_t curl_answer_on_header(char *data, size_t size, size_t count, void *exchange);
size_t curl_answer_on_body(char *data, size_t size, size_t count, void *exchange);
/* It goes on with another request: its times count in those of the response. */
void curl_answer_add_times(struct curl_exchange *exchange);
/* Everything but failure and text. */
void curl_answer_read(struct curl_exchange *exchange, struct http_response *response);

/* curl_repeat.c: whether an exchange that has ended goes on with another request: a second try, one without
 * its expectation, or where a redirect leads. Judges the result. */
MUST_CHECK bool curl_repeat_is_due(struct curl_exchange *exchange, CURLcode result);
/* For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_PREREQFUNCTION. */
curl_socket_t curl_repeat_on_open(void *exchange, curlsocktype purpose, struct curl_sockaddr *address);
int curl_repeat_on_sending(void *exchange, char *to, char *from, int to_port, int from_port);
