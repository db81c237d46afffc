/* The bytes are a journal, or what stands inside of one where the sums are right: an event, a link, the state
 * that it begins with. Whatever they are, they are refused or understood. */
#include "fuzz.h"

#include "common/memory.h"
#include "coordinator/core/coordinator_pack.h"
#include "coordinator/core/journal/event_log.h"

#define MOST_BYTES (4u * 1024u * 1024u)

static void read_event_log(struct bytes bytes)
{
    struct event_log_reader reader;
    struct event_log_head head;
    struct error error;
    size_t good_bytes = 0;
    if (event_log_open(&reader, bytes, &head, &error)) {
        while (event_log_next(&reader) == EVENT_LOG_EVENT) {
            FUZZ_CHECK(reader.good_bytes >= good_bytes && reader.good_bytes <= bytes.size);
            good_bytes = reader.good_bytes;
        }
    }
    event_log_reader_finish(&reader);
}

/* What was understood, written down and read again, is the same. */
static void read_event(struct bytes bytes)
{
    struct decoded_event record = {0};
    struct decoded_event again = {0};
    struct unpack from = unpack_of(bytes);
    if (event_decode(&from, 1000, &record)) {
        SCOPED(buffer_finish) struct buffer once;
        SCOPED(buffer_finish) struct buffer twice;
        buffer_init(&once, MOST_BYTES);
        buffer_init(&twice, MOST_BYTES);
        event_encode(&once, 1000, &record.event);
        struct unpack from_once = unpack_of(buffer_bytes(&once));
        FUZZ_CHECK(event_decode(&from_once, 1000, &again) && unpack_is_done(&from_once));
        event_encode(&twice, 1000, &again.event);
        FUZZ_CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    }
    decoded_event_finish(&record);
    decoded_event_finish(&again);
}

static void read_link(struct bytes bytes)
{
    struct unpack from = unpack_of(bytes);
    struct link *link = link_unpack(&from);
    if (link != NULL) {
        SCOPED(buffer_finish) struct buffer once;
        buffer_init(&once, MOST_BYTES);
        link_pack(link, &once);
        struct unpack from_once = unpack_of(buffer_bytes(&once));
        struct link *again = link_unpack(&from_once);
        FUZZ_CHECK(again != NULL && link_backlog(again) == link_backlog(link));
        link_free(&again);
    }
    link_free(&link);
}

/* What was understood goes on, whatever it is, and packed and read again it is the same. */
static void read_base(struct bytes bytes)
{
    struct coordinator *coordinator = coordinator_unpack(bytes, NULL);
    if (coordinator != NULL && coordinator_is_at_rest(coordinator)) {
        SCOPED(buffer_finish) struct buffer once;
        SCOPED(buffer_finish) struct buffer twice;
        buffer_init(&once, MOST_BYTES);
        buffer_init(&twice, MOST_BYTES);
        coordinator_pack(coordinator, &once);
        struct coordinator *again = coordinator_unpack(buffer_bytes(&once), NULL);
        FUZZ_CHECK(again != NULL);
        coordinator_pack(again, &twice);
        FUZZ_CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
        coordinator_free(&again);
    }
    coordinator_free(&coordinator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct bytes inside = size > 0 ? bytes_of(data + 1, size - 1) : bytes;
    read_event_log(bytes);
    switch (size > 0 ? data[0] % 3 : 3) {
    case 0:
        read_event(inside);
        break;
    case 1:
        read_link(inside);
        break;
    case 2:
        read_base(inside);
        break;
    default:
        break;
    }
    return 0;
}
