/* What the files of the native engine know of each other. */
#pragma once
#include "agent/http/engine_kind.h"
#include "agent/http/http_bodies.h"
#include "agent/http/message/content_decoder.h"
#include "agent/http/message/cookie_jar.h"
#include "agent/http/message/digest_auth.h"
#include "agent/http/message/fields.h"
#include "agent/http/message/http1_parser.h"
#include "agent/http/message/known_heads.h"
#include "agent/http/message/url.h"
#include "agent/http/phase_clock.h"
#include "agent/net/stream.h"
#include "common/address.h"
#include "common/buffer.h"
#include "common/timers.h"

#define NATIVE_REDIRECTS_MAX 20u
/* Connections that a client keeps for later, to different origins. */
#define NATIVE_IDLE_MAX 6u

struct native_proxy;
struct native_tls;
struct native_http2;

/* The connections that are kept together, the last used first. */
struct native_pool {
    struct native_connection *connections;
};

struct native_engine {
    struct http_engine base;
    uv_loop_t *loop;
    struct lease *lease;
    struct net *net;
    struct memory_account *memory; /* NULL: bodies are not counted */
    struct timers *timers;         /* of requests */
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_idle_t idle;
    struct native_proxy *proxies;    /* that are in use */
    struct native_tls *tls;          /* the sets of options that are in use */
    struct native_exchange *running; /* all that have a request under way */
    struct native_exchange *ended;   /* whose on_done comes in the next turn */
    struct buffer out;               /* the request that is being written */
    struct buffer frames;            /* of HTTP/2, on their way to a stream */
    struct native_pool shared;       /* connections that the clients share */
    struct known_heads heads;        /* of answers */
    unsigned open_handles;
    uint32_t clients; /* so far: each begins with another address */
    uint32_t living_clients;
    bool defers; /* what ends now is delivered by native_engine_deliver: several are being dealt with */
    bool is_held;
    bool has_delivered; /* something, in this turn of the loop, before it waits */
};

/* One connection, and whose answer it is waiting for. */
struct native_connection {
    struct native_connection *next;
    struct native_engine *engine;
    struct native_pool *pool;
    struct native_exchange *exchange; /* NULL: it is idle, or multiplexed */
    struct native_exchange *streams;  /* of one that is multiplexed, in order */
    struct native_exchange **last_stream;
    struct native_http2 *http2; /* NULL: it is not open yet, or speaks HTTP/1.1 */
    struct stream *stream;
    struct http1_parser parser;
    char *host;
    uint64_t idle_ms;           /* by the loop's clock: since when it has waited for a request */
    struct native_tls *tls;     /* NULL: the usual options */
    struct native_proxy *proxy; /* NULL: none */
    struct address source;      /* of this machine; used if the client has one */
    uint16_t port;
    bool is_tls;
    bool is_used; /* has served a request */
    bool is_open;
    bool is_multiplexed; /* by HTTP/2, or is to be once it is open */
    bool is_fallback;    /* the server has been asked for HTTP/2, and speaks 1.1 */
    bool is_closing;     /* for no further request */
    bool is_kept;        /* it is being read or written: not to be dropped */
};

/* In the heap it may be due too early, or unset: then it is put in its place when it comes up. A request that
 * is answered in time does not touch the heap. */
struct native_timer {
    struct timer timer;
    uint64_t due_ns; /* TIMERS_NEVER: it is not set */
    struct native_exchange *exchange;
    bool is_for_body; /* the server has not said 100: the body goes out all the same */
};

enum native_state {
    NATIVE_IDLE,
    NATIVE_RUNNING, /* something is under way */
    NATIVE_ENDED    /* on_done comes in the next turn */
};

/* What a request wants, kept for redirects and a second try. */
struct native_wish {
    char method[32];
    bool is_to_head; /* what follows from the method */
    bool is_idempotent;
    bool has_body_by_method; /* were it empty */
    struct url url;
    struct native_tls *tls;     /* NULL: the usual options */
    struct native_proxy *proxy; /* to this URL; NULL: none */
    bool is_proxy_of_environment;
    struct buffer fields;  /* the script's, as lines */
    bool are_fields_taken; /* whole, from the request before, and so what follows from them */
    bool has_cookie_field;
    bool has_close_field;  /* Connection: close */
    bool has_expect_field; /* Expect: 100-continue */
    uint8_t *body;
    size_t body_size;
    size_t body_capacity;
    bool has_body;
    bool is_chunked;             /* the body is written piece by piece */
    bool has_length;             /* a body is announced, were it empty */
    bool expects;                /* Expect: 100-continue */
    bool is_expectation_refused; /* by 417: the field stays behind */
    bool is_followed;
    bool is_http2;
    bool is_shared;
    bool is_fresh; /* no kept connection is used, and this one is not kept */
    bool is_upgrade;
    bool has_dropped_body; /* a redirect has made it a GET: fields of the body stay behind */
    bool has_left_origin;  /* a redirect has led elsewhere: credentials stay behind */
    char *authorization;   /* "Basic …"; NULL: none */
    char *digest_user;     /* of digest authentication; NULL: none */
    char *digest_password;
    struct buffer head; /* what the head of the next one can begin with; empty: nothing */
    uint64_t max_body_bytes;
};

/* The challenge that a server has set last: further requests to it answer it at once. */
struct native_digest {
    struct digest_challenge challenge;
    char *host;
    uint16_t port;
    bool is_tls;
    uint32_t uses;
    char client_nonce[17];
};

struct native_client {
    struct http_client base;
    struct native_engine *engine;
    struct native_pool pool;
    struct bytes overrides; /* of addresses; borrowed */
    struct address source;
    bool has_source;
    struct cookie_jar jar;
    struct native_digest *digest; /* NULL: none yet */
    struct native_exchange *exchanges;
    struct native_exchange *spare;   /* not in use; NULL: all are */
    struct native_exchange *waiting; /* for a connection to become free, in order */
    struct native_exchange **last_waiting;
    uint32_t turn;
};

/* Of a body that is read while it comes. */
/* Of a body that is streamed: up to where it had come, and when. */
struct native_arrival {
    uint64_t end;
    uint64_t came_ns;
};

/* Further ones are taken together. */
#define NATIVE_ARRIVALS 32u

struct native_body_stream {
    void (*on_head)(void *context, struct http_response *response);
    void (*on_data)(void *context);
    char *head; /* what `bodies` has of it makes room for trailers */
    size_t head_size;
    size_t taken;                                    /* from the start of what is in `bodies` */
    uint64_t position;                               /* from the start of the body */
    struct native_arrival arrivals[NATIVE_ARRIVALS]; /* of what was not taken */
    uint8_t first_arrival;
    uint8_t arrival_count;
    bool has_head;
    bool is_awaited;
    bool is_paused;
};

/* What HTTP/2 knows of an exchange. */
struct native_stream {
    int32_t id;  /* 0: not begun */
    size_t sent; /* of the body */
    uint16_t status;
    uint8_t interim_count;
    bool has_head;
    bool has_set_cookie;
    bool has_content_encoding;
    bool is_reset_by_peer;
};

/* A request, and its response. */
struct native_exchange {
    struct http_exchange base;
    struct native_engine *engine;
    struct native_client *client;
    struct native_exchange *next_of_client;
    struct native_exchange **at_client;
    struct native_exchange *next; /* in `running`, or in `ended` */
    struct native_exchange **at;
    struct native_exchange *next_waiting;
    struct native_connection *connection; /* NULL: it waits for one, or has ended */
    struct native_exchange *next_stream;  /* on a multiplexed one */
    struct native_exchange **at_stream;
    struct native_stream stream;
    struct native_wish wish;
    char *given_url; /* as the script wrote it: the same again need not be parsed again */
    struct http_bodies bodies;
    struct native_body_stream *streamed; /* NULL: the body is given as a whole */
    struct content_decoder *decoder;
    struct http_response response;
    struct native_timer timer;
    struct native_timer body_timer;
    uint64_t started_ns;
    struct phase_clock clock;
    uint64_t begun_ns; /* this exchange of several, when redirects are followed */
    uint64_t timeout_ms;
    uint32_t redirects;
    struct buffer hops; /* as the response has them */
    uint8_t state;
    uint8_t challenges; /* that were answered, at this URL */
    bool is_waiting;
    bool is_fresh; /* it wants a connection that has served no other */
    bool is_retried;
    bool has_begun_answer;
    bool has_left;          /* a server may have got some of it */
    bool is_upload_open;    /* its head has gone, and more of its body is to come */
    bool is_upload_awaited; /* on_room is to be called */
    void (*on_room)(void *context);
    bool is_body_held;  /* until the server says 100 */
    bool is_challenged; /* the answer is a challenge, which the next request answers */
    char address[HTTP_ADDRESS_BYTES];
    char text[320];
};

/* native_engine.c */
void native_engine_add(struct native_engine *engine, struct native_exchange *exchange);
void native_engine_remove(struct native_exchange *exchange);
void native_engine_set_timer(struct native_engine *engine, struct native_timer *timer, uint64_t due_ns);
void native_engine_unset_timer(struct native_timer *timer);
/* Before its memory goes. */
void native_engine_forget_timer(struct native_engine *engine, struct native_timer *timer);
/* The next turn of the loop comes at once, and delivers what has ended. */
void native_engine_wake(struct native_engine *engine);
/* Calls on_done of those that have ended while the engine deferred. The last that a callback does. */
void native_engine_deliver(struct native_engine *engine);
/* Its on_done comes in the next turn of the loop: for what ends within http_start. */
void native_engine_end_later(struct native_engine *engine, struct native_exchange *exchange);

/* native_client.c; the first eight as engine.h says. */
struct http_client *native_client_new(struct http_engine *engine);
void native_client_set_network(struct http_client *client, const struct http_network *network);
void native_client_free(struct http_client *client);
void native_client_cancel(struct http_client *client);
struct http_exchange *native_client_start(struct http_client *client, const struct http_request *request);
void native_exchange_free(struct http_exchange *exchange);
struct cookie_jar *native_client_cookies(struct http_client *client);
void native_client_close_idle(struct http_client *client);
void native_exchange_lose(struct native_exchange *exchange);
void native_exchange_time_out(struct native_exchange *exchange);
void native_exchange_continue(struct native_exchange *exchange);
/* Ends the request: on_done comes now, unless the engine defers. */
void native_exchange_end(struct native_exchange *exchange, enum http_failure failure, const char *text);
void native_exchange_begin(struct native_exchange *exchange, bool is_fresh);
void native_exchange_deliver(struct native_exchange *exchange);
/* Of those that wait for a connection, the first for whom one will do goes on. */
void native_client_serve_waiting(struct native_client *client);
/* What is said where the bodies of all workers have no more room; written to `text`. */
const char *native_no_memory_text(struct native_exchange *exchange, char *text, size_t size);

/* native_answer.c */
/* False, and the request has ended, where there is no room for it. */
bool native_exchange_take_body(struct native_exchange *exchange, struct bytes piece);
void native_exchange_head_is_complete(struct native_exchange *exchange, uint32_t status, bool has_set_cookie,
                                      bool has_content_encoding);
/* The first byte has come. */
void native_exchange_answer_begins(struct native_exchange *exchange);
void native_exchange_answer_is_complete(struct native_exchange *exchange, bool keeps_alive);
/* The server changes to another protocol, of which it has sent `rest`. */
void native_exchange_is_upgraded(struct native_exchange *exchange, struct bytes rest);
/* Whether the script has the head, and reads the body while it comes. */
bool native_answer_is_streamed(const struct native_exchange *exchange);
void native_answer_note_end(struct native_exchange *exchange, bool is_ok);
/* Gives the response what has come of it, but for the body. */
void native_answer_fill(struct native_exchange *exchange);

/* native_tls.c: one object for each set of options, shared by the clients of an engine, so that two
 * connections have the same options if they have the same pointer. Each pointer counts. NULL stands for the
 * usual options. */
MUST_CHECK struct native_tls *native_tls_find(struct native_engine *engine, const struct http_tls *wanted);
MUST_CHECK struct native_tls *native_tls_share(struct native_tls *tls);
void native_tls_drop(struct native_tls **tls);
/* Borrowed from it. */
const struct tls_options *native_tls_options(const struct native_tls *tls, bool is_http2);

/* native_proxy.c: likewise one object for each proxy as it was given. */
/* The proxy on the way to this URL, or NULL for none; `wanted` is as in http_request. False with an error. */
MUST_CHECK bool native_proxy_find(struct native_engine *engine, const char *wanted, const struct url *url,
                                  struct native_proxy **found, struct error *error);
MUST_CHECK struct native_proxy *native_proxy_share(struct native_proxy *proxy);
void native_proxy_drop(struct native_proxy **proxy);
/* Both borrowed from it. The first may be NULL. */
const char *native_proxy_authorization(const struct native_proxy *proxy);
const struct stream_proxy *native_proxy_of_stream(const struct native_proxy *proxy, bool is_tunnel);

/* native_connection.c */
/* One that is idle, or a new one, for the request of the exchange, which is sent. False where as many as
 * there may be lead to its origin, and all are busy. */
MUST_CHECK bool native_connection_get(struct native_exchange *exchange);
void native_connection_send(struct native_connection *connection);
/* After something of the request has been written: waits for the answer, if all of it has gone. */
void native_connection_note_sent(struct native_exchange *exchange);
/* Brings the clock of the request up to what its connection has reached. */
void native_connection_note_phase(struct native_exchange *exchange);
/* It was not the answer that has come: the request is where it was before. */
void native_connection_await_answer(struct native_exchange *exchange);
/* It has a connection: a new one, or one that is used again. For one that is to be had at once, no time has
 * passed. */
void native_connection_note_found(struct native_exchange *exchange, enum request_phase next);
/* The exchange has no connection any more. */
void native_connection_leave(struct native_exchange *exchange);
/* The same of one whose answer has not come, or is not wanted. */
void native_connection_give_up(struct native_exchange *exchange);
/* It serves the requests of the exchange's client one at a time from now on, this one first. */
void native_connection_adopt(struct native_connection *connection, struct native_exchange *exchange);
bool native_connection_is_for(const struct native_connection *connection, const struct native_wish *wish);
struct native_connection *native_connection_open(struct native_exchange *exchange, struct native_pool *pool);
void native_connection_note_times(const struct native_connection *connection,
                                  struct native_exchange *exchange);
enum http_failure native_failure_of(enum net_failure failure);
void native_connection_drop(struct native_connection *connection, bool is_reset);
void native_connections_drop_idle(struct native_pool *pool);
void native_connections_drop_all(struct native_pool *pool, bool is_reset);

/* native_request.c */
bool native_wish_take(struct native_exchange *exchange, const struct http_request *request,
                      struct error *error);
void native_wish_write_head(struct native_exchange *exchange);
/* Appends the fields as lines. */
void native_wish_write_fields(struct native_exchange *exchange);
/* The next request of a redirect to `location`; false with an error where it leads nowhere. */
bool native_wish_redirect(struct native_exchange *exchange, uint32_t status, struct bytes location,
                          struct error *error);
void native_wish_finish(struct native_wish *wish);
bool native_wish_is_idempotent(const struct native_wish *wish);

/* native_stream.c */
/* For a request whose body is streamed; else forgets that the last one was. */
void native_stream_begin(struct native_exchange *exchange, const struct http_request *request);
void native_stream_finish(struct native_exchange *exchange);
/* The head of the answer that is given, not of one that leads on, is there. */
void native_stream_head(struct native_exchange *exchange);
/* More of the body is there: before it is appended, and after. */
void native_stream_make_room(struct native_exchange *exchange);
void native_stream_grown(struct native_exchange *exchange);
/* The connection goes to others. */
void native_stream_resume(struct native_exchange *exchange);
struct bytes native_stream_read(struct http_exchange *exchange, size_t maximum);

/* native_upload.c */
void native_upload_begin(struct native_exchange *exchange);
void native_upload_go_on(struct native_exchange *exchange);
size_t native_upload_room(struct http_exchange *exchange);
void native_upload_write(struct http_exchange *exchange, struct bytes bytes);
/* native_streams.c: exchanges on connections that are multiplexed. */
/* One to the origin of the request, that is there or new. False where its server is known to speak 1.1. */
MUST_CHECK bool native_streams_get(struct native_exchange *exchange);
void native_streams_on_open(struct native_connection *connection);
void native_streams_on_end(struct native_connection *connection, enum net_failure failure, const char *text);
void native_streams_give_up(struct native_exchange *exchange);
/* Ends all that are on the connection, and drops it; the engine defers. */
void native_streams_fail(struct native_connection *connection, enum http_failure failure, const char *text);
/* Not processed by the server: once more, or it fails. The engine defers. */
void native_streams_refused(struct native_exchange *exchange);

/* native_http2.c */
MUST_CHECK struct native_http2 *native_http2_new(struct native_connection *connection);
void native_http2_free(struct native_http2 **http2);
/* Sends the request of an exchange that is on the connection. */
void native_http2_begin(struct native_http2 *http2, struct native_exchange *exchange);
void native_http2_read(struct native_http2 *http2, struct bytes data);
/* Sends what there is. */
void native_http2_write(struct native_http2 *http2);
/* The body that was held may go out. */
void native_http2_continue(struct native_http2 *http2, struct native_exchange *exchange);
/* The exchange leaves before its stream has come to its end: resets it. */
void native_http2_abandon(struct native_http2 *http2, struct native_exchange *exchange);
/* Why the connection ended, if the server has said so by GOAWAY; NULL if not. */
const char *native_http2_farewell(const struct native_http2 *http2);

/* native_digest.c */
void native_digest_free(struct native_digest **digest);
/* Writes the Authorization field of the request, if it has to do with digests and there is a challenge. */
void native_digest_write(const struct native_exchange *exchange, struct buffer *out);
/* The answer is there: whether it is a challenge, and the request is to be sent once more to answer it. */
bool native_digest_take(struct native_exchange *exchange);
