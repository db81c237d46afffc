/* What the files of a client know of each other. */
#pragma once
#include "agent/http/curl/curl_client.h"
#include "agent/http/curl/curl_request.h"
#include "agent/http/http_bodies.h"
#include "agent/http/message/content_decoder.h"
#include "agent/http/message/http1_parser.h"

struct curl_client {
    struct http_client base;
    struct curl_engine *engine;
    struct curl_transfer transfer;
    CURL *easy;
    CURLSH *share;
    void (*on_done)(void *context, struct http_response *response);
    void *context;
    struct curl_request request;
    struct http_bodies bodies;
    struct http1_parser parser;      /* of the head */
    struct content_decoder *decoder; /* NULL: the body comes as it is */
    struct http_response response;
    uint64_t started_ns;
    uint64_t begun_ns; /* this exchange of several, when redirects are followed */
    uint64_t timeout_ms;
    uint32_t redirects;
    enum http_failure failure; /* by our own judgement, with its `text`; HTTP_OK: curl's counts */
    int open_errno;            /* why no socket could be made; 0: one could */
    bool is_running;
    bool is_followed;
    bool has_opened; /* a socket, in this exchange */
    bool has_sent;
    bool has_begun_answer; /* to what was sent last */
    bool has_whole_head;
    bool is_broken_off; /* the connection has served before, and ended without a byte of the answer */
    bool is_retried;
    char address[HTTP_ADDRESS_BYTES];
    char error_text[CURL_ERROR_SIZE];
    char text[CURL_ERROR_SIZE + 64];
};

/* curl_answer.c. The first judgement counts. */
void curl_answer_judge(struct curl_client *client, enum http_failure failure, const char *text);
void curl_answer_judge_no_memory(struct curl_client *client);
/* What curl has found at the end of an exchange. */
void curl_answer_judge_result(struct curl_client *client, CURLcode result);
/* Empties head and body. */
void curl_answer_clear(struct curl_client *client);
/* For CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION. */
size_t curl_answer_on_header(char *data, size_t size, size_t count, void *client);
size_t curl_answer_on_body(char *data, size_t size, size_t count, void *client);
/* Everything but failure and text. */
void curl_answer_read(struct curl_client *client, struct http_response *response);
