/* The journal as a run of bytes. A block is its size, a sum of that and of its number, a sum of what it
 * holds, and the events. The size has a sum of its own, since a size that is wrong would look like a torn
 * end. */
#include "coordinator/core/ledger.h"

#include "common/memory.h"

#include <assert.h>
#include <string.h>

#define MAGIC "tutti journal"
#define VERSION 1u
#define HEAD_BYTES 16u
#define BLOCK_MAX_BYTES UINT32_MAX
/* More memory than this is not kept from block to block. */
#define KEPT_BYTES ((size_t)1024 * 1024)

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

static uint64_t sum_of(uint64_t block, struct bytes bytes)
{
    uint64_t sum = mix(block, bytes.size);
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= bytes.size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes.data + at, sizeof word);
        sum = mix(sum, word);
    }
    for (; at < bytes.size; at++) {
        sum = mix(sum, bytes.data[at]);
    }
    return mix(sum, block);
}

struct block_head {
    uint32_t size;
    uint32_t size_sum;
    uint64_t sum;
};
_Static_assert(sizeof(struct block_head) == HEAD_BYTES, "a block's head is written as it is");

static struct block_head head_of(uint64_t block, struct bytes content)
{
    struct block_head head = {.size = (uint32_t)content.size, .sum = sum_of(block, content)};
    head.size_sum = (uint32_t)(sum_of(block, bytes_of(&head.size, sizeof head.size)) >> 32);
    return head;
}

static void begin_block(struct ledger_writer *writer)
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

void ledger_writer_init(struct ledger_writer *writer)
{
    *writer = (struct ledger_writer){0};
    buffer_init(&writer->block, BLOCK_MAX_BYTES);
}

void ledger_writer_finish(struct ledger_writer *writer)
{
    buffer_finish(&writer->block);
}

bool ledger_is_waiting(const struct ledger_writer *writer)
{
    return writer->block.size > HEAD_BYTES;
}

/* What was sealed stays in the buffer until something new is put in. */
static struct bytes seal(struct ledger_writer *writer)
{
    assert(!writer->block.has_overflowed);
    struct bytes whole = buffer_bytes(&writer->block);
    struct block_head head =
        head_of(writer->blocks++, bytes_of(whole.data + HEAD_BYTES, whole.size - HEAD_BYTES));
    memcpy(writer->block.data, &head, sizeof head);
    writer->block.size = 0;
    return whole;
}

struct bytes ledger_begin(struct ledger_writer *writer, const struct ledger_head *head)
{
    assert(!ledger_is_waiting(writer));
    writer->blocks = 0;
    begin_block(writer);
    pack_bytes(&writer->block, bytes_of_string(MAGIC));
    pack_number(&writer->block, VERSION);
    pack_bytes(&writer->block, head->build);
    pack_bytes(&writer->block, head->boot);
    pack_bytes(&writer->block, head->base);
    return seal(writer);
}

void ledger_note(struct ledger_writer *writer, const struct coordinator_event *event)
{
    if (!ledger_is_waiting(writer)) {
        begin_block(writer);
    }
    record_put(&writer->block, writer->before_ns, event);
    writer->before_ns = event->now_ns;
}

struct bytes ledger_seal(struct ledger_writer *writer)
{
    return ledger_is_waiting(writer) ? seal(writer) : bytes_of(NULL, 0);
}

/* LEDGER_EVENT: `left` holds what the next block does. */
static enum ledger_state next_block(struct ledger_reader *reader)
{
    struct block_head head;
    size_t left = reader->bytes.size - reader->good_bytes;
    if (left == 0) {
        return LEDGER_WHOLE;
    }
    if (left < HEAD_BYTES) {
        return LEDGER_TORN;
    }
    const uint8_t *at = reader->bytes.data + reader->good_bytes;
    memcpy(&head, at, sizeof head);
    uint64_t size_sum = sum_of(reader->blocks, bytes_of(&head.size, sizeof head.size)) >> 32;
    if (head.size_sum != (uint32_t)size_sum || head.size == 0) {
        return LEDGER_CORRUPT;
    }
    if (head.size > left - HEAD_BYTES) {
        return LEDGER_TORN;
    }
    struct bytes content = bytes_of(at + HEAD_BYTES, head.size);
    if (head.sum != sum_of(reader->blocks, content)) {
        return LEDGER_CORRUPT;
    }
    reader->blocks++;
    reader->good_bytes += HEAD_BYTES + head.size;
    reader->left = unpack_of(content);
    reader->before_ns = 0;
    return LEDGER_EVENT;
}

bool ledger_open(struct ledger_reader *reader, struct bytes bytes, struct ledger_head *head)
{
    *reader = (struct ledger_reader){.bytes = bytes};
    *head = (struct ledger_head){0};
    if (next_block(reader) != LEDGER_EVENT) {
        return false;
    }
    bool is_ours =
        bytes_equal_string(unpack_bytes(&reader->left), MAGIC) && unpack_number(&reader->left) == VERSION;
    head->build = unpack_bytes(&reader->left);
    head->boot = unpack_bytes(&reader->left);
    head->base = unpack_bytes(&reader->left);
    return is_ours && unpack_is_done(&reader->left);
}

enum ledger_state ledger_next(struct ledger_reader *reader)
{
    if (reader->left.left.size == 0) {
        enum ledger_state state = next_block(reader);
        if (state != LEDGER_EVENT) {
            return state;
        }
    }
    if (!record_take(&reader->left, reader->before_ns, &reader->record)) {
        return LEDGER_CORRUPT;
    }
    reader->before_ns = reader->record.event.now_ns;
    return LEDGER_EVENT;
}

void ledger_reader_finish(struct ledger_reader *reader)
{
    record_finish(&reader->record);
}

static struct coordinator *give_up(struct coordinator *coordinator, const struct ledger_reader *reader,
                                   struct error *error)
{
    (void)error_set(error, "it is corrupt behind byte %zu of %zu", reader->good_bytes, reader->bytes.size);
    coordinator_free(&coordinator);
    return NULL;
}

struct coordinator *ledger_replay(struct ledger_reader *reader, const struct ledger_head *head,
                                  struct ledger_end *end, struct error *error)
{
    struct coordinator_effects effects = {0};
    struct coordinator *coordinator = coordinator_unpack(head->base);
    enum ledger_state state = LEDGER_CORRUPT;
    *end = (struct ledger_end){0};
    while (coordinator != NULL && (state = ledger_next(reader)) == LEDGER_EVENT) {
        coordinator_step(coordinator, &reader->record.event, &effects);
        end->last_ns = reader->record.event.now_ns;
        end->events++;
    }
    coordinator_effects_finish(&effects);
    if (state == LEDGER_CORRUPT) {
        return give_up(coordinator, reader, error);
    }
    end->good_bytes = reader->good_bytes;
    end->torn_bytes = reader->bytes.size - reader->good_bytes;
    end->blocks = reader->blocks;
    return coordinator;
}
