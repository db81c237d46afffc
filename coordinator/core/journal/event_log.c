/* The journal as a run of bytes. It begins with a line that names its format, and the head as the first
 * block. A block consists of its size, a checksum of that, a checksum of its content, and the events.
 * Checksums depend on the lineage of the journal, and that of the content on the number of the block: so each
 * block proves by itself which one it is. The size has a checksum of its own, since a wrong size would look
 * like a torn end. */
#include "coordinator/core/journal/event_log.h"

#include "common/memory.h"
#include "coordinator/core/coordinator_pack.h"
#include "coordinator/core/journal/event_log_schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "tutti journal "
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define LINE_BYTES_MOST 32u
#define BLOCK_HEAD_BYTES 16u
#define BLOCK_MAX_BYTES UINT32_MAX
/* Format 1 had no such line: its name was in its first block. Format 2 held the contents of bundles. */
#define FORMAT_1_AT (BLOCK_HEAD_BYTES + 1)
/* At most this much memory is kept from block to block. */
#define KEPT_BYTES ((size_t)1024 * 1024)
/* How far beyond a broken block a later one is searched for: more than ever follows a base. */
#define SEARCH_MAX_BYTES ((size_t)256 * 1024 * 1024)

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

/* Without the block number: numbered() adds it. */
static uint64_t sum_content(uint64_t lineage, struct bytes bytes)
{
    uint64_t sum = mix(lineage, bytes.size);
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= bytes.size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes.data + at, sizeof word);
        sum = mix(sum, word);
    }
    for (; at < bytes.size; at++) {
        sum = mix(sum, bytes.data[at]);
    }
    return mix(sum, lineage);
}

static uint64_t numbered(uint64_t sum, uint64_t block)
{
    return mix(sum, block);
}

static uint32_t sum_size(uint64_t lineage, uint32_t size)
{
    return (uint32_t)(mix(mix(lineage, size), ~lineage) >> 32);
}

struct block_head {
    uint32_t size;
    uint32_t size_sum;
    uint64_t sum;
};
static_assert(sizeof(struct block_head) == BLOCK_HEAD_BYTES, "a block's head is written as raw memory");

/* Writes the head of the block that begins at `at`. */
static void seal_from(uint8_t *at, size_t size, uint64_t lineage, uint64_t number)
{
    struct bytes content = bytes_of(at + BLOCK_HEAD_BYTES, size - BLOCK_HEAD_BYTES);
    struct block_head head = {.size = (uint32_t)content.size,
                              .size_sum = sum_size(lineage, (uint32_t)content.size),
                              .sum = numbered(sum_content(lineage, content), number)};
    memcpy(at, &head, sizeof head);
}

static void begin_block(struct event_log_writer *writer)
{
    static const struct block_head room = {0};
    if (writer->block.capacity > KEPT_BYTES) {
        buffer_finish(&writer->block);
        buffer_init(&writer->block, BLOCK_MAX_BYTES);
    }
    buffer_clear(&writer->block);
    buffer_append(&writer->block, &room, sizeof room);
    writer->before_ns = 0;
}

void event_log_writer_init(struct event_log_writer *writer)
{
    *writer = (struct event_log_writer){0};
    buffer_init(&writer->block, BLOCK_MAX_BYTES);
}

void event_log_writer_finish(struct event_log_writer *writer)
{
    buffer_finish(&writer->block);
}

bool event_log_is_waiting(const struct event_log_writer *writer)
{
    return writer->block.size > BLOCK_HEAD_BYTES;
}

static void clock_pack(const struct event_log_clock *clock, struct buffer *into)
{
    pack_number(into, clock->now_ns);
    pack_number(into, clock->machine_ns);
    pack_number(into, clock->wall_ns);
    pack_bytes(into, clock->machine);
}

static void clock_unpack(struct event_log_clock *clock, struct unpack *from)
{
    clock->now_ns = unpack_number(from);
    clock->machine_ns = unpack_number(from);
    clock->wall_ns = unpack_number(from);
    clock->machine = unpack_bytes(from);
}

void event_log_begin_base(const struct event_log_writer *writer, const struct event_log_head *head,
                          struct buffer *into)
{
    static const struct block_head room = {0};
    assert(!event_log_is_waiting(writer) && into->size == 0);
    (void)buffer_append_format(into, MAGIC "%u\n", EVENT_LOG_FORMAT);
    (void)buffer_append(into, &room, sizeof room);
    pack_fixed(into, event_log_schema());
    pack_bytes(into, head->build);
    clock_pack(&head->clock, into);
    pack_fixed(into, writer->lineage);
    pack_number(into, writer->blocks);
}

/* The offset after the line that a journal begins with; 0: there is none. */
static size_t line_bytes(struct bytes bytes)
{
    size_t most = bytes.size < LINE_BYTES_MOST ? bytes.size : LINE_BYTES_MOST;
    const uint8_t *end = most > MAGIC_BYTES && memcmp(bytes.data, MAGIC, MAGIC_BYTES) == 0
                             ? memchr(bytes.data, '\n', most)
                             : NULL;
    return end == NULL ? 0 : (size_t)(end - bytes.data) + 1;
}

bool event_log_seal_base(struct buffer *into)
{
    size_t line = line_bytes(buffer_bytes(into));
    if (into->has_overflowed || into->size - line > BLOCK_MAX_BYTES) {
        return false;
    }
    seal_from(into->data + line, into->size - line, 0, 0);
    return true;
}

void event_log_note(struct event_log_writer *writer, const struct coordinator_event *event)
{
    if (!event_log_is_waiting(writer)) {
        begin_block(writer);
    }
    event_encode(&writer->block, writer->before_ns, event);
    writer->before_ns = event->now_ns;
}

struct bytes event_log_seal(struct event_log_writer *writer)
{
    if (!event_log_is_waiting(writer)) {
        return bytes_of(NULL, 0);
    }
    struct bytes block = buffer_bytes(&writer->block);
    seal_from(writer->block.data, block.size, writer->lineage, writer->blocks++);
    writer->block.size = 0; /* nothing is pending; what was sealed stays in place until the next block */
    return block;
}

/* The block at this offset, if its size is valid; the checksum of its content without the number. */
static bool find_block(const struct event_log_reader *reader, size_t at, struct block_head *head,
                       struct bytes *content)
{
    size_t left = reader->bytes.size - at;
    if (left < BLOCK_HEAD_BYTES) {
        return false;
    }
    memcpy(head, reader->bytes.data + at, sizeof *head);
    if (head->size_sum != sum_size(reader->lineage, head->size) || head->size == 0 ||
        head->size > left - BLOCK_HEAD_BYTES) {
        return false;
    }
    *content = bytes_of(reader->bytes.data + at + BLOCK_HEAD_BYTES, head->size);
    return true;
}

/* Whether a block with a later number exists anywhere after the last good one: then more was written than can
 * be read. */
static bool is_followed(const struct event_log_reader *reader)
{
    size_t from = reader->good_bytes;
    size_t end = reader->bytes.size - from > SEARCH_MAX_BYTES ? from + SEARCH_MAX_BYTES : reader->bytes.size;
    for (size_t at = from; at < end; at++) {
        struct block_head head;
        struct bytes content;
        if (!find_block(reader, at, &head, &content)) {
            continue;
        }
        uint64_t sum = sum_content(reader->lineage, content);
        /* No more blocks can have been in between than there is space for. */
        for (uint64_t more = 1; more <= (at - from) / BLOCK_HEAD_BYTES + 1; more++) {
            if (head.sum == numbered(sum, reader->blocks + more)) {
                return true;
            }
        }
    }
    return false;
}

/* EVENT_LOG_EVENT: `left` is set to the content of the next block. */
static enum event_log_state next_block(struct event_log_reader *reader)
{
    struct block_head head;
    struct bytes content;
    if (reader->good_bytes == reader->bytes.size) {
        return EVENT_LOG_WHOLE;
    }
    if (!find_block(reader, reader->good_bytes, &head, &content) ||
        head.sum != numbered(sum_content(reader->lineage, content), reader->blocks)) {
        return is_followed(reader) ? EVENT_LOG_CORRUPT : EVENT_LOG_TORN;
    }
    reader->blocks++;
    reader->good_bytes += BLOCK_HEAD_BYTES + head.size;
    reader->left = unpack_of(content);
    reader->before_ns = 0;
    return EVENT_LOG_EVENT;
}

/* The format that it claims to have; 0: it is not a journal. */
static unsigned long format_of(struct bytes bytes, size_t *line)
{
    *line = line_bytes(bytes);
    if (*line > 0) {
        char digits[LINE_BYTES_MOST];
        bytes_to_text(bytes_of(bytes.data + MAGIC_BYTES, *line - 1 - MAGIC_BYTES), digits, sizeof digits);
        return strtoul(digits, NULL, 10);
    }
    bool is_first = bytes.size > FORMAT_1_AT + MAGIC_BYTES &&
                    memcmp(bytes.data + FORMAT_1_AT, MAGIC, MAGIC_BYTES - 1) == 0;
    return is_first ? 1 : 0;
}

static bool check_format(struct bytes bytes, size_t *line, struct error *error)
{
    unsigned long format = format_of(bytes, line);
    if (format == 0) {
        return error_set(error, "it is not a journal");
    }
    return format == EVENT_LOG_FORMAT ||
           error_set(error, "it has format %lu, and this build of tutti reads format %u", format,
                     EVENT_LOG_FORMAT);
}

bool event_log_open(struct event_log_reader *reader, struct bytes bytes, struct event_log_head *head,
                    struct error *error)
{
    *reader = (struct event_log_reader){.bytes = bytes};
    *head = (struct event_log_head){0};
    if (!check_format(bytes, &reader->good_bytes, error)) {
        return false;
    }
    if (next_block(reader) != EVENT_LOG_EVENT) {
        return error_set(error, "it is corrupt at its beginning");
    }
    uint64_t schema = unpack_fixed(&reader->left);
    head->build = unpack_bytes(&reader->left);
    if (!reader->left.is_broken && schema != event_log_schema()) {
        return error_set(
            error, "it was written by another build, tutti %.*s, with records that this one does not know",
            BYTES_FORMAT(head->build));
    }
    clock_unpack(&head->clock, &reader->left);
    head->lineage = unpack_fixed(&reader->left);
    head->blocks = unpack_number(&reader->left);
    head->base = reader->left.left;
    reader->head_bytes = reader->good_bytes;
    reader->lineage = head->lineage;
    reader->blocks = head->blocks;
    bool is_sound = !reader->left.is_broken;
    reader->left = unpack_of(bytes_of(NULL, 0));
    return is_sound || error_set(error, "it is corrupt at its beginning");
}

enum event_log_state event_log_next(struct event_log_reader *reader)
{
    if (reader->left.left.size == 0) {
        enum event_log_state state = next_block(reader);
        if (state != EVENT_LOG_EVENT) {
            return state;
        }
    }
    if (!event_decode(&reader->left, reader->before_ns, &reader->record)) {
        return EVENT_LOG_CORRUPT;
    }
    reader->before_ns = reader->record.event.now_ns;
    return EVENT_LOG_EVENT;
}

void event_log_reader_finish(struct event_log_reader *reader)
{
    decoded_event_finish(&reader->record);
}

static struct coordinator *event_log_give_up(struct coordinator *coordinator,
                                             const struct event_log_reader *reader, struct error *error)
{
    if (coordinator == NULL) {
        (void)error_set(error, "the state that it begins with is invalid");
    } else {
        (void)error_set(error, "it is corrupt after byte %zu of %zu", reader->good_bytes, reader->bytes.size);
    }
    coordinator_free(&coordinator);
    return NULL;
}

struct coordinator *event_log_replay(struct event_log_reader *reader, const struct event_log_head *head,
                                     struct event_log_end *end, struct error *error)
{
    struct coordinator_effects effects = {0};
    struct coordinator *coordinator = coordinator_unpack(head->base, reader->bundles);
    enum event_log_state state = EVENT_LOG_CORRUPT;
    *end = (struct event_log_end){.last_ns = head->clock.now_ns};
    while (coordinator != NULL && (state = event_log_next(reader)) == EVENT_LOG_EVENT) {
        decoded_event_load_bundle(&reader->record, reader->bundles);
        coordinator_step(coordinator, &reader->record.event, &effects);
        end->last_ns = reader->record.event.now_ns;
        end->events++;
    }
    coordinator_effects_finish(&effects);
    if (state == EVENT_LOG_CORRUPT) {
        return event_log_give_up(coordinator, reader, error);
    }
    end->good_bytes = reader->good_bytes;
    end->torn_bytes = reader->bytes.size - reader->good_bytes;
    end->blocks = reader->blocks;
    return coordinator;
}
