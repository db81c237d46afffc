/* Reads HTTP/1.x responses. */
#include "agent/http/message/http1_parser.h"

#include "agent/http/message/fields.h"

#include <string.h>

#define TRAILER_MAX_BYTES (64u * 1024u)
#define CHUNK_LINE_MAX_BYTES 4096u
#define CHUNK_MAX_BYTES (UINT64_MAX >> 4)
#define LENGTH_MAX_DIGITS 19u

enum state {
    STATE_STATUS_LINE,
    STATE_FIELDS,
    STATE_BODY,
    STATE_BODY_TO_END,
    STATE_CHUNK_SIZE,
    STATE_CHUNK,
    STATE_CHUNK_END,
    STATE_TRAILERS,
    STATE_DONE,
    STATE_BROKEN
};

void http1_begin(struct http1_parser *parser, enum http1_request_kind kind)
{
    *parser = (struct http1_parser){.request_kind = (uint8_t)kind};
}

static enum http1_event http1_break(struct http1_parser *parser, const char *error)
{
    parser->state = STATE_BROKEN;
    parser->error = error;
    return HTTP1_ERROR;
}

/* A line of which all has come, without its end; false while it has not. What has come is taken into `head`
 * either way. A bare LF ends a line as well (RFC 9112 §2.2). */
static bool http1_take_line(struct http1_parser *parser, struct bytes *input, struct buffer *head,
                            struct bytes *line)
{
    const uint8_t *end = memchr(input->data, '\n', input->size);
    size_t taken = end != NULL ? (size_t)(end - input->data) + 1 : input->size;

    if (!buffer_append(head, input->data, taken)) {
        (void)http1_break(parser, "the head of the answer is too large");
        return false;
    }
    *input = bytes_of(input->data + taken, input->size - taken);
    if (end == NULL) {
        return false;
    }
    size_t size = head->size - parser->line_start - 1;
    if (size > 0 && head->data[head->size - 2] == '\r') {
        size--;
    }
    *line = bytes_of(head->data + parser->line_start, size);
    return true;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing. */
static bool read_status_line(struct http1_parser *parser, struct bytes line)
{
    const uint8_t *at = line.data;

    if (line.size < 12 || memcmp(at, "HTTP/1.", 7) != 0 || !is_digit(at[7]) || at[8] != ' ' || at[9] < '1' ||
        at[9] > '9' || !is_digit(at[10]) || !is_digit(at[11]) || (line.size > 12 && at[12] != ' ')) {
        return false;
    }
    parser->minor_version = (uint8_t)(at[7] - '0');
    parser->status = (uint16_t)((at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0'));
    return field_is_value(bytes_of(at + 12, line.size - 12));
}

static bool read_length(struct http1_parser *parser, struct bytes value)
{
    uint64_t length = 0;

    if (value.size == 0 || value.size > LENGTH_MAX_DIGITS || parser->has_length) {
        return false;
    }
    for (size_t i = 0; i < value.size; i++) {
        if (!is_digit(value.data[i])) {
            return false;
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0'); /* 19 digits are below 2^64 */
    }
    parser->has_length = true;
    parser->left_bytes = length;
    return true;
}

static void read_connection(struct http1_parser *parser, struct bytes value)
{
    if (field_is_token(value)) { /* one word, as usual */
        parser->has_close |= field_is_word(value, "close");
        parser->has_keep_alive |= FIELD_IS_NAME(value, "keep-alive");
    } else {
        parser->has_close |= field_has_word(value, "close");
        parser->has_keep_alive |= field_has_word(value, "keep-alive");
    }
}

static const char *read_transfer_encoding(struct http1_parser *parser, struct bytes value)
{
    if (parser->is_chunked || !field_is_word(value, "chunked")) {
        return "Transfer-Encoding is something else than chunked";
    }
    parser->is_chunked = true;
    return NULL;
}

/* Fields that say where the body ends, and those that the caller wants to know of. */
static const char *read_special_field(struct http1_parser *parser, struct bytes name, struct bytes value)
{
    switch (name.size) {
    case 8:
        parser->has_location |= FIELD_IS_NAME(name, "location");
        break;
    case 10:
        if (FIELD_IS_NAME(name, "connection")) {
            read_connection(parser, value);
        }
        parser->has_set_cookie |= FIELD_IS_NAME(name, "set-cookie");
        break;
    case 14:
        if (FIELD_IS_NAME(name, "content-length") && !read_length(parser, value)) {
            return "Content-Length is not a number, or there are two of them";
        }
        break;
    case 16:
        parser->has_content_encoding |= FIELD_IS_NAME(name, "content-encoding");
        parser->has_challenge |= FIELD_IS_NAME(name, "www-authenticate");
        break;
    case 17:
        return FIELD_IS_NAME(name, "transfer-encoding") ? read_transfer_encoding(parser, value) : NULL;
    case 18:
        parser->has_challenge |= FIELD_IS_NAME(name, "proxy-authenticate");
        break;
    default:
        break;
    }
    return NULL;
}

static const char *http1_read_field(struct http1_parser *parser, struct bytes line)
{
    if (field_is_space(line.data[0])) {
        return "a header line is folded";
    }
    struct bytes name = field_token(line);
    if (name.size == 0 || name.size == line.size || line.data[name.size] != ':') {
        return "a header line has no name, or white space before its colon";
    }
    struct bytes value = field_trim(bytes_of(line.data + name.size + 1, line.size - name.size - 1));
    if (!field_is_value(value)) {
        return "a header holds a bare CR or a zero byte";
    }
    return read_special_field(parser, name, value);
}

static enum http1_event begin_body(struct http1_parser *parser)
{
    if (parser->is_chunked && (parser->has_length || parser->minor_version == 0)) {
        return http1_break(parser, parser->has_length
                                       ? "the answer has both Content-Length and Transfer-Encoding"
                                       : "an answer of HTTP/1.0 has Transfer-Encoding");
    }
    if (parser->status == 101 || (parser->request_kind == HTTP1_TO_CONNECT && parser->status / 100 == 2)) {
        parser->state = STATE_DONE;
        return HTTP1_UPGRADE;
    }
    if (parser->request_kind == HTTP1_TO_HEAD || parser->status == 204 || parser->status == 304) {
        parser->state = STATE_DONE;
    } else if (parser->is_chunked) {
        parser->state = STATE_CHUNK_SIZE;
    } else if (!parser->has_length) {
        parser->state = STATE_BODY_TO_END;
    } else {
        parser->state = parser->left_bytes > 0 ? STATE_BODY : STATE_DONE;
    }
    return HTTP1_HEAD;
}

static enum http1_event begin_again(struct http1_parser *parser)
{
    struct http1_parser before = *parser;

    if (before.interim_count == HTTP1_INTERIM_MAX) {
        return http1_break(parser, "there is no end to responses that only inform");
    }
    *parser = (struct http1_parser){.request_kind = before.request_kind,
                                    .interim_count = (uint8_t)(before.interim_count + 1),
                                    .status = before.status};
    return HTTP1_INTERIM;
}

/* Cuts a whole line from the input; the line is without its end. */
static bool http1_cut_line(struct bytes *input, struct bytes *line)
{
    const uint8_t *end = memchr(input->data, '\n', input->size);

    if (end == NULL) {
        return false;
    }
    size_t size = (size_t)(end - input->data);
    *line = bytes_of(input->data, size > 0 && end[-1] == '\r' ? size - 1 : size);
    *input = bytes_of(end + 1, input->size - size - 1);
    return true;
}

/* Lines that were read where they are, up to `end`, go into the head in one piece. */
static bool http1_keep_lines(struct http1_parser *parser, struct buffer *head, const uint8_t *lines,
                             const uint8_t *end)
{
    if (!buffer_append(head, lines, (size_t)(end - lines))) {
        (void)http1_break(parser, "the head of the answer is too large");
        return false;
    }
    parser->line_start += (size_t)(end - lines);
    return true;
}

static enum http1_event http1_end_head(struct http1_parser *parser)
{
    bool is_interim = parser->status < 200 && parser->status != 101;

    return is_interim ? begin_again(parser) : begin_body(parser);
}

/* Lines as they usually are; leaves the first one that is not, or is wrong, in the input. */
static const char *read_usual_fields(struct http1_parser *parser, struct bytes *input)
{
    const char *error = NULL;
    struct bytes name;
    struct bytes value;
    size_t size;

    while (error == NULL && (size = field_read_usual(*input, &name, &value)) > 0) {
        *input = bytes_of(input->data + size, input->size - size);
        error = read_special_field(parser, name, value);
    }
    return error;
}

/* Lines are read where they are in the input; only one that came in pieces is put together in `head`. */
static enum http1_event read_head(struct http1_parser *parser, struct bytes *input, struct buffer *head)
{
    const uint8_t *lines = input->data; /* fields that are not in `head` yet */
    struct bytes line = {0};

    for (;;) {
        bool is_in_pieces = head->size > parser->line_start;
        const char *error =
            parser->state == STATE_FIELDS && !is_in_pieces ? read_usual_fields(parser, input) : NULL;
        const uint8_t *end = input->data; /* of the lines before this one */
        if (error != NULL) {
            return http1_break(parser, error);
        }
        bool is_whole =
            is_in_pieces ? http1_take_line(parser, input, head, &line) : http1_cut_line(input, &line);
        if (is_in_pieces) {
            lines = end = input->data;
        }
        if (!is_whole) {
            break;
        }
        if (parser->state == STATE_STATUS_LINE) {
            if (!read_status_line(parser, line)) {
                return http1_break(parser, "this is not an answer of HTTP/1");
            }
            parser->state = STATE_FIELDS;
            buffer_clear(head);
            parser->line_start = 0;
            lines = input->data;
            continue;
        }
        if (line.size == 0) {
            head->size = parser->line_start; /* the empty line is no field */
            return http1_keep_lines(parser, head, lines, end) ? http1_end_head(parser) : HTTP1_ERROR;
        }
        error = http1_read_field(parser, line);
        if (error != NULL) {
            return http1_break(parser, error);
        }
        parser->line_start = head->size;
    }
    if (parser->state == STATE_BROKEN || !http1_keep_lines(parser, head, lines, input->data)) {
        return HTTP1_ERROR;
    }
    (void)http1_take_line(parser, input, head, &line); /* the beginning of one */
    return parser->state == STATE_BROKEN ? HTTP1_ERROR : HTTP1_MORE;
}

static enum http1_event http1_read_piece(struct http1_parser *parser, struct bytes *input,
                                         struct bytes *piece, enum state after)
{
    size_t size = input->size < parser->left_bytes ? input->size : (size_t)parser->left_bytes;

    if (size == 0) {
        return HTTP1_MORE;
    }
    *piece = bytes_of(input->data, size);
    *input = bytes_of(input->data + size, input->size - size);
    parser->left_bytes -= size;
    if (parser->left_bytes == 0) {
        parser->state = (uint8_t)after;
    }
    return HTTP1_BODY;
}

static int hex_digit(uint8_t byte)
{
    if (is_digit(byte)) {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* "1a2b; extension=value", of which the extension is read over. */
static bool read_chunk_size(struct http1_parser *parser, struct bytes line)
{
    uint64_t size = 0;
    size_t digits = 0;

    while (digits < line.size && hex_digit(line.data[digits]) >= 0) {
        if (size > CHUNK_MAX_BYTES >> 4) {
            return false;
        }
        size = size << 4 | (uint64_t)hex_digit(line.data[digits++]);
    }
    struct bytes rest = field_trim(bytes_of(line.data + digits, line.size - digits));
    parser->left_bytes = size;
    return digits > 0 && (rest.size == 0 || rest.data[0] == ';') && field_is_value(rest);
}

/* Lines between chunks and after the last one end with CR LF only: a reader that is lax here lets the bytes
 * of a body pass for the next answer. They are kept behind the fields of the head until they are complete,
 * and then cut off; `line` stays readable until the next append. */
static bool take_chunk_line(struct http1_parser *parser, struct bytes *input, struct buffer *head,
                            struct bytes *line)
{
    bool is_whole = http1_take_line(parser, input, head, line);
    size_t size = head->size - parser->line_start;

    if (parser->state == STATE_BROKEN) {
        return false;
    }
    if (size > CHUNK_LINE_MAX_BYTES) {
        (void)http1_break(parser, "a line between chunks is too long");
        return false;
    }
    if (is_whole && (size < 2 || head->data[head->size - 2] != '\r')) {
        (void)http1_break(parser, "a line between chunks does not end with CR LF");
        return false;
    }
    if (is_whole) {
        head->size = parser->line_start;
    }
    return is_whole;
}

static enum http1_event read_trailer(struct http1_parser *parser, struct bytes line)
{
    parser->trailer_bytes += (uint32_t)line.size + 2;
    if (line.size == 0) {
        parser->state = STATE_DONE;
        return HTTP1_END;
    }
    if (parser->trailer_bytes > TRAILER_MAX_BYTES) {
        return http1_break(parser, "the trailers are too large");
    }
    struct bytes name;
    struct bytes value;
    if (field_is_space(line.data[0]) || !field_split(line, &name, &value) || !field_is_token(name) ||
        !field_is_value(value)) {
        return http1_break(parser, "a trailer is malformed");
    }
    return HTTP1_MORE;
}

static enum http1_event read_chunk_line(struct http1_parser *parser, struct bytes *input, struct buffer *head)
{
    struct bytes line = {0};

    if (!take_chunk_line(parser, input, head, &line)) {
        return parser->state == STATE_BROKEN ? HTTP1_ERROR : HTTP1_MORE;
    }
    switch ((enum state)parser->state) {
    case STATE_CHUNK_SIZE:
        if (!read_chunk_size(parser, line)) {
            return http1_break(parser, "the size of a chunk is not a hexadecimal number, or is absurd");
        }
        parser->state = parser->left_bytes > 0 ? STATE_CHUNK : STATE_TRAILERS;
        return HTTP1_MORE;
    case STATE_CHUNK_END:
        if (line.size > 0) {
            return http1_break(parser, "a chunk is longer than its size");
        }
        parser->state = STATE_CHUNK_SIZE;
        return HTTP1_MORE;
    default:
        return read_trailer(parser, line);
    }
}

/* Of a line that has not come to its end: another protocol may never send one. */
static bool begins_as_http(const struct buffer *head)
{
    static const char start[] = "HTTP/1.";
    size_t size = head->size < sizeof start - 1 ? head->size : sizeof start - 1;

    return memcmp(head->data, start, size) == 0;
}

static enum http1_event take_rest(struct bytes *input, struct bytes *piece)
{
    *piece = *input;
    *input = bytes_of(input->data + input->size, 0);
    return HTTP1_BODY;
}

enum http1_event http1_next(struct http1_parser *parser, struct bytes *input, struct buffer *head,
                            struct bytes *piece)
{
    while (input->size > 0 || parser->state == STATE_DONE) {
        enum http1_event event;
        switch ((enum state)parser->state) {
        case STATE_STATUS_LINE:
            if (!parser->has_begun) {
                parser->has_begun = true;
                buffer_clear(head);
            }
            event = read_head(parser, input, head);
            if (event == HTTP1_MORE && parser->state == STATE_STATUS_LINE && !begins_as_http(head)) {
                return http1_break(parser, "this is not an answer of HTTP/1");
            }
            break;
        case STATE_FIELDS:
            event = read_head(parser, input, head);
            break;
        case STATE_BODY:
            event = http1_read_piece(parser, input, piece, STATE_DONE);
            break;
        case STATE_BODY_TO_END:
            event = take_rest(input, piece);
            break;
        case STATE_CHUNK:
            event = http1_read_piece(parser, input, piece, STATE_CHUNK_END);
            break;
        case STATE_CHUNK_SIZE:
        case STATE_CHUNK_END:
        case STATE_TRAILERS:
            event = read_chunk_line(parser, input, head);
            break;
        case STATE_DONE:
            return HTTP1_END;
        default:
            return HTTP1_ERROR;
        }
        if (event != HTTP1_MORE) {
            return event;
        }
    }
    return HTTP1_MORE;
}

enum http1_event http1_finish(struct http1_parser *parser)
{
    switch ((enum state)parser->state) {
    case STATE_BODY_TO_END:
        parser->state = STATE_DONE;
        parser->has_close = true;
        return HTTP1_END;
    case STATE_DONE:
        return HTTP1_END;
    case STATE_BROKEN:
        return HTTP1_ERROR;
    default:
        return http1_break(parser, http1_is_untouched(parser)
                                       ? "the server closed the connection without an answer"
                                       : "the connection ended in the middle of the answer");
    }
}

bool http1_is_untouched(const struct http1_parser *parser)
{
    return !parser->has_begun && parser->interim_count == 0;
}

bool http1_keeps_alive(const struct http1_parser *parser)
{
    return parser->state == STATE_DONE && !parser->has_close &&
           (parser->minor_version >= 1 || parser->has_keep_alive);
}
