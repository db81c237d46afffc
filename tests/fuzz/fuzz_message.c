/* Any bytes as a message: refused, or decoded into something that survives another round and is the same
 * then. */
#include "fuzz.h"

#include "common/buffer.h"
#include "proto/codec/codec.h"
#include "tests/unit/proto/message/message_samples.h"

#include <string.h>

#define MAXIMUM_BYTES (64u << 20)

static void check_same(const struct buffer *left, const struct buffer *right)
{
    FUZZ_CHECK(!left->has_overflowed && !right->has_overflowed);
    FUZZ_CHECK(bytes_equal(buffer_bytes(left), buffer_bytes(right)));
}

static void check_round(const struct message *message)
{
    struct buffer encoded;
    struct buffer again;
    struct buffer before;
    struct buffer after;
    struct message decoded;
    struct error error;
    buffer_init(&encoded, MAXIMUM_BYTES);
    buffer_init(&again, MAXIMUM_BYTES);
    buffer_init(&before, MAXIMUM_BYTES);
    buffer_init(&after, MAXIMUM_BYTES);
    message_encode(message, &encoded);
    FUZZ_CHECK(message_decode(buffer_bytes(&encoded), &decoded, &error));
    message_encode(&decoded, &again);
    check_same(&encoded, &again);
    message_describe(message, &before);
    message_describe(&decoded, &after);
    check_same(&before, &after);
    message_finish(&decoded);
    buffer_finish(&encoded);
    buffer_finish(&again);
    buffer_finish(&before);
    buffer_finish(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    struct error error;
    if (message_decode(bytes_of(data, size), &message, &error)) {
        check_round(&message);
        message_finish(&message);
    } else {
        FUZZ_CHECK(bytes_is_printable(bytes_of_string(error.text)));
    }
    return 0;
}
