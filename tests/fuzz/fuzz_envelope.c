/* Any bytes as an envelope. */
#include "fuzz.h"

#include "common/buffer.h"
#include "proto/codec/codec.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope envelope;
    struct envelope again;
    struct error error;
    if (!envelope_decode(bytes_of(data, size), &envelope, &error)) {
        return 0;
    }
    struct buffer encoded;
    buffer_init(&encoded, 1000);
    envelope_encode(&envelope, &encoded);
    FUZZ_CHECK(envelope_decode(buffer_bytes(&encoded), &again, &error));
    FUZZ_CHECK(memcmp(&envelope, &again, sizeof again) == 0);
    buffer_finish(&encoded);
    return 0;
}
