/* Reads HTTP/1.x responses (RFC 9112) from bytes as they come. Pure: no socket, no clock. Strict where
 * laxness lets two readers disagree about where a message ends: both lengths, two lengths, folded lines,
 * white space before a colon, a bare CR, a zero byte, or a chunk size that is no plain number end the
 * connection. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP1_HEAD_MAX_BYTES (64u * 1024u)
/* Responses that only inform (100 Continue, 103 Early Hints) before the one that answers. */
#define HTTP1_INTERIM_MAX 32u

enum http1_event {
    HTTP1_MORE,    /* all of the input was taken; more has to come */
    HTTP1_INTERIM, /* a 1xx response was read: its status is in `status` */
    HTTP1_HEAD,    /* the head of the response that answers is complete */
    HTTP1_BODY,    /* `piece` is the next part of the body */
    HTTP1_END,     /* the response is complete; what is left of the input does not belong to it */
    HTTP1_UPGRADE, /* 101, or 2xx to CONNECT: what is left of the input is of another protocol */
    HTTP1_ERROR    /* `error` says what is wrong; nothing more can be read from this connection */
};

enum http1_request_kind { HTTP1_USUAL, HTTP1_TO_HEAD, HTTP1_TO_CONNECT };

struct http1_parser {
    uint8_t state;
    uint8_t request_kind;
    uint8_t minor_version;
    uint8_t interim_count;
    bool has_begun; /* a byte of a response has come */
    bool has_length;
    bool is_chunked;
    bool has_close; /* in Connection */
    bool has_keep_alive;
    /* Fields that the caller may want to look up: set with the head. */
    bool has_set_cookie;
    bool has_location;
    bool has_content_encoding;
    bool has_challenge; /* WWW-Authenticate or Proxy-Authenticate */
    uint16_t status;
    uint32_t trailer_bytes;
    uint64_t left_bytes; /* of the body, or of the chunk */
    size_t line_start;   /* in `head` */
    const char *error;
};

/* Ready for the response to the next request. */
void http1_begin(struct http1_parser *parser, enum http1_request_kind kind);
/* Takes from the start of `input` what it understands, and says what it found. Head lines ("Name: value\r\n",
 * without the status line) are appended to `head`, which is cleared where a response begins. `piece` borrows
 * from `input`. Call again until HTTP1_MORE, HTTP1_END, HTTP1_UPGRADE or HTTP1_ERROR. */
MUST_CHECK enum http1_event http1_next(struct http1_parser *parser, struct bytes *input, struct buffer *head,
                                       struct bytes *piece);
/* The connection has ended: HTTP1_END where that ends the body, else HTTP1_ERROR. */
MUST_CHECK enum http1_event http1_finish(struct http1_parser *parser);
/* Whether nothing of a response has come yet. */
bool http1_is_untouched(const struct http1_parser *parser);
/* Of a response that was read to its end: whether the connection can serve another request. */
bool http1_keeps_alive(const struct http1_parser *parser);
