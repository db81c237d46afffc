/* A WebSocket connection of a client after its handshake. */
#include "agent/websocket/websocket.h"

#include "agent/base/memory_account.h"
#include "agent/net/stream.h"
#include "common/clock.h"
#include "common/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PING_BYTES 8u
#define TEXT_BYTES 200
#define CLOSE_POLICY 1008u

struct websocket {
    struct stream *stream; /* NULL: gone */
    struct frame_codec *codec;
    struct deflater *deflater;
    struct message_reader reader;
    struct message_queue queue;
    struct send_queue unsent;
    size_t unsent_bytes; /* counted in `memory` */
    struct memory_account *memory;
    struct websocket_counts counts;
    void (*on_change)(void *context);
    void (*on_left)(void *context, uint64_t queued_us);
    void *context;
    uint8_t state;
    uint8_t ending;
    uint16_t close_code;
    uint16_t ending_code;
    char *text;
    uint8_t ping[PING_BYTES]; /* that is under way */
    uint64_t pinged_ns;       /* 0: none is */
    uint64_t pongs;
    uint64_t round_trip_us;
};

/* What has left holds no memory any more. */
static void websocket_give_back_unsent(struct websocket *websocket)
{
    size_t pending = websocket_unsent(websocket);

    if (websocket->unsent_bytes > pending) {
        message_give_back(websocket->memory, websocket->unsent_bytes - pending);
        websocket->unsent_bytes = pending;
    }
}

/* False if there is no memory for what the kernel may not take; then nothing is written. */
static bool websocket_write_counted(struct websocket *websocket, struct bytes frame)
{
    if (websocket->memory != NULL) {
        if (!memory_account_take_body(websocket->memory, frame.size)) {
            return false;
        }
        websocket->unsent_bytes += frame.size;
    }
    stream_write(websocket->stream, frame);
    websocket_give_back_unsent(websocket);
    return true;
}

/* Control frames are small, and have to leave. */
static void websocket_write(struct websocket *websocket, enum frame_opcode opcode, struct bytes data)
{
    struct bytes frame = frame_write(websocket->codec, opcode, false, data);

    if (!websocket_write_counted(websocket, frame)) {
        stream_write(websocket->stream, frame);
    }
}

static void websocket_write_close(struct websocket *websocket, uint16_t code, struct bytes reason)
{
    uint8_t payload[FRAME_CONTROL_MAX_BYTES] = {(uint8_t)(code >> 8), (uint8_t)code};

    assert(reason.size <= WEBSOCKET_REASON_MAX_BYTES);
    if (reason.size > 0) {
        memcpy(payload + 2, reason.data, reason.size);
    }
    websocket_write(websocket, FRAME_CLOSE, bytes_of(payload, code == CLOSE_NO_CODE ? 0 : 2 + reason.size));
}

static void websocket_note_ending(struct websocket *websocket, enum websocket_ending ending, uint16_t code)
{
    if (websocket->ending == WEBSOCKET_ALIVE) {
        websocket->ending = (uint8_t)ending;
        websocket->ending_code = code;
    }
}

/* The first code that is known stays. */
static void websocket_note_closed(struct websocket *websocket, uint16_t code, struct bytes text)
{
    char printable[TEXT_BYTES];

    if (websocket->state == WEBSOCKET_CLOSED) {
        return;
    }
    websocket->state = WEBSOCKET_CLOSED;
    websocket->close_code = code;
    bytes_to_text(text, printable, sizeof printable);
    websocket->text = memory_copy_string(printable);
}

static void websocket_end(struct websocket *websocket, bool is_reset)
{
    stream_close(&websocket->stream, is_reset);
    websocket_give_back_unsent(websocket);
    send_queue_finish(&websocket->unsent);
    frame_reader_finish(&websocket->reader.frames);
}

/* The server has broken a rule, or the queue is full: what else comes is not looked at. */
static void websocket_fail(struct websocket *websocket, uint16_t code, const char *text)
{
    if (websocket->state == WEBSOCKET_OPEN) {
        websocket_write_close(websocket, code, bytes_of_string(text));
    }
    websocket_note_ending(websocket, WEBSOCKET_BY_US, code);
    websocket_note_closed(websocket, code, bytes_of_string(text));
}

static void websocket_take_message(struct websocket *websocket, bool is_binary)
{
    struct websocket_message message = {.is_binary = is_binary,
                                        .at_ns = stream_received_ns(websocket->stream)};

    message.data = message_reader_take(&websocket->reader, &message.size);
    websocket->counts.messages_in++;
    websocket->counts.bytes_in += message.size;
    bool is_kept = message_queue_put(&websocket->queue, &message);
    websocket->counts.dropped = websocket->queue.dropped;
    if (!is_kept) {
        websocket_fail(websocket, CLOSE_POLICY, "the queue of messages not received yet is full");
    }
}

static void websocket_take_pong(struct websocket *websocket, struct bytes data)
{
    if (websocket->pinged_ns > 0 && bytes_equal(data, bytes_of(websocket->ping, PING_BYTES))) {
        uint64_t received_ns = stream_received_ns(websocket->stream);
        websocket->round_trip_us =
            received_ns > websocket->pinged_ns ? (received_ns - websocket->pinged_ns) / 1000 : 0;
        websocket->pinged_ns = 0;
        websocket->pongs++;
    }
}

static void websocket_take_close(struct websocket *websocket, struct bytes reason)
{
    uint16_t code = websocket->reader.code;

    if (websocket->state == WEBSOCKET_OPEN) {
        websocket_write_close(websocket, code, bytes_of("", 0));
    }
    websocket_note_ending(websocket, WEBSOCKET_BY_PEER, code);
    websocket_note_closed(websocket, code, reason);
}

static void websocket_take_event(struct websocket *websocket, enum message_event event, struct bytes data)
{
    switch (event) {
    case MESSAGE_TEXT:
    case MESSAGE_BINARY:
        websocket_take_message(websocket, event == MESSAGE_BINARY);
        break;
    case MESSAGE_PING:
        if (websocket->state == WEBSOCKET_OPEN &&
            stream_pending(websocket->stream) <= WEBSOCKET_UNSENT_PONG_BYTES) {
            websocket_write(websocket, FRAME_PONG, data);
        }
        break;
    case MESSAGE_PONG:
        websocket_take_pong(websocket, data);
        break;
    case MESSAGE_CLOSE:
        websocket_take_close(websocket, data);
        break;
    default:
        websocket_fail(websocket, websocket->reader.code, websocket->reader.error);
        break;
    }
}

/* What has come after its end is thrown away, so that the kernel does not answer it with a reset. */
static void websocket_on_data(void *context, struct bytes data)
{
    struct websocket *websocket = context;
    struct bytes payload;

    while (websocket->state != WEBSOCKET_CLOSED) {
        enum message_event event = message_next(&websocket->reader, &data, &payload);
        if (event == MESSAGE_MORE) {
            break;
        }
        websocket_take_event(websocket, event, payload);
    }
    websocket->on_change(websocket->context);
}

static void websocket_note_left(struct websocket *websocket, uint64_t queued_ns)
{
    if (websocket->on_left != NULL) {
        websocket->on_left(websocket->context, queued_ns / 1000);
    }
}

static void websocket_on_progress(void *context)
{
    struct websocket *websocket = context;
    uint64_t left = websocket->unsent.left;
    uint64_t now_ns = stream_ready_ns(websocket->stream);
    uint64_t began_ns;

    websocket_give_back_unsent(websocket);
    while (send_queue_take(&websocket->unsent, stream_taken(websocket->stream), now_ns, &began_ns)) {
        websocket_note_left(websocket, now_ns > began_ns ? now_ns - began_ns : 0);
    }
    if (websocket->unsent.left > left) {
        websocket->on_change(websocket->context);
    }
}

static void websocket_on_end(void *context, enum net_failure failure, const char *text)
{
    struct websocket *websocket = context;

    (void)failure;
    websocket_note_ending(websocket, WEBSOCKET_LOST, CLOSE_ABNORMAL);
    websocket_note_closed(
        websocket, CLOSE_ABNORMAL,
        bytes_of_string(text[0] != '\0' ? text : "the server ended the connection without a close frame"));
    websocket_end(websocket, false);
    websocket->on_change(websocket->context);
}

static void websocket_on_lost(void *context)
{
    struct websocket *websocket = context;

    websocket_note_ending(websocket, WEBSOCKET_LOST, CLOSE_ABNORMAL);
    websocket_note_closed(websocket, CLOSE_ABNORMAL, bytes_of_string("the agent lost its lease"));
    websocket_end(websocket, true);
    websocket->on_change(websocket->context);
}

struct websocket *websocket_new(const struct websocket_settings *settings, struct stream **stream)
{
    struct websocket *websocket = MEMORY_NEW(struct websocket);

    websocket->stream = *stream;
    *stream = NULL;
    websocket->codec = settings->codec;
    websocket->deflater = settings->deflater;
    websocket->memory = settings->memory;
    websocket->on_change = settings->on_change;
    websocket->on_left = settings->on_left;
    websocket->context = settings->context;
    message_reader_init(&websocket->reader, settings->codec, settings->max_message);
    websocket->reader.memory = settings->memory;
    if (settings->deflater != NULL) {
        websocket->reader.inflater = inflater_new(settings->has_context);
    }
    message_queue_init(&websocket->queue, settings->queue, settings->policy);
    websocket->queue.memory = settings->memory;
    return websocket;
}

void websocket_begin(struct websocket *websocket, struct bytes rest)
{
    static const struct stream_callbacks callbacks = {.on_data = websocket_on_data,
                                                      .on_progress = websocket_on_progress,
                                                      .on_end = websocket_on_end,
                                                      .on_lost = websocket_on_lost};

    stream_set_owner(websocket->stream, &callbacks, websocket);
    stream_stamp(websocket->stream);
    if (rest.size > 0) {
        websocket_on_data(websocket, rest);
    }
}

void websocket_free(struct websocket **pointer)
{
    struct websocket *websocket = *pointer;

    *pointer = NULL;
    if (websocket == NULL) {
        return;
    }
    websocket_end(websocket, false);
    message_reader_finish(&websocket->reader);
    message_queue_finish(&websocket->queue);
    memory_free(websocket->text);
    memory_free(websocket);
}

enum websocket_state websocket_state(const struct websocket *websocket)
{
    return (enum websocket_state)websocket->state;
}

enum websocket_ending websocket_ending(const struct websocket *websocket)
{
    return (enum websocket_ending)websocket->ending;
}

uint16_t websocket_close_code(const struct websocket *websocket)
{
    return websocket->close_code;
}

const char *websocket_close_text(const struct websocket *websocket)
{
    return websocket->text != NULL ? websocket->text : "";
}

uint16_t websocket_ending_code(const struct websocket *websocket)
{
    return websocket->ending_code;
}

bool websocket_is_gone(const struct websocket *websocket)
{
    return websocket->stream == NULL;
}

const struct websocket_counts *websocket_counts(const struct websocket *websocket)
{
    return &websocket->counts;
}

bool websocket_send(struct websocket *websocket, bool is_binary, struct bytes data)
{
    enum frame_opcode opcode = is_binary ? FRAME_BINARY : FRAME_TEXT;
    bool is_compressed = websocket->deflater != NULL;
    uint64_t began_ns = clock_now_ns();

    assert(websocket->state == WEBSOCKET_OPEN);
    struct bytes frame = frame_write(websocket->codec, opcode, is_compressed,
                                     is_compressed ? deflater_compress(websocket->deflater, data) : data);
    uint64_t written_ns = clock_now_ns();
    if (!websocket_write_counted(websocket, frame)) {
        return false;
    }
    websocket->counts.messages_out++;
    websocket->counts.bytes_out += data.size;
    size_t pending = stream_pending(websocket->stream);
    if (pending == 0) {
        send_queue_pass(&websocket->unsent, written_ns);
        websocket_note_left(websocket, written_ns - began_ns);
    } else {
        send_queue_add(&websocket->unsent, stream_taken(websocket->stream) + pending, began_ns);
    }
    return true;
}

size_t websocket_unsent(const struct websocket *websocket)
{
    return websocket->stream != NULL ? stream_pending(websocket->stream) : 0;
}

uint64_t websocket_sent(const struct websocket *websocket)
{
    return websocket->unsent.sent;
}

uint64_t websocket_left(const struct websocket *websocket)
{
    return websocket->unsent.left;
}

uint64_t websocket_left_ns(const struct websocket *websocket)
{
    return websocket->unsent.left_ns;
}

const struct websocket_message *websocket_first(const struct websocket *websocket)
{
    return websocket->queue.first;
}

void websocket_drop_first(struct websocket *websocket)
{
    struct websocket_message *message = message_queue_take(&websocket->queue);

    websocket_message_free(&websocket->queue, &message);
}

void websocket_ping(struct websocket *websocket)
{
    assert(websocket->state == WEBSOCKET_OPEN);
    if (websocket->pinged_ns > 0) {
        return;
    }
    frame_codec_random(websocket->codec, websocket->ping, PING_BYTES);
    websocket->pinged_ns = clock_now_ns();
    websocket_write(websocket, FRAME_PING, bytes_of(websocket->ping, PING_BYTES));
}

uint64_t websocket_pongs(const struct websocket *websocket)
{
    return websocket->pongs;
}

uint64_t websocket_round_trip_us(const struct websocket *websocket)
{
    return websocket->round_trip_us;
}

void websocket_close(struct websocket *websocket, uint16_t code, struct bytes reason)
{
    assert(websocket->state == WEBSOCKET_OPEN);
    websocket_write_close(websocket, code, reason);
    websocket->state = WEBSOCKET_CLOSING;
    websocket_note_ending(websocket, WEBSOCKET_BY_US, code);
}

void websocket_abandon(struct websocket *websocket)
{
    websocket_note_ending(websocket, WEBSOCKET_LOST, CLOSE_ABNORMAL);
    websocket_note_closed(websocket, CLOSE_ABNORMAL,
                          bytes_of_string("the server has not answered our close frame"));
    websocket_end(websocket, true);
}
