/* Any bytes as coded bodies: in one piece and in many they become the same, and never more than is wanted. */
#include "fuzz.h"

#include "agent/http/message/content_decoder.h"
#include "common/buffer.h"

#define PLAIN_MAX_BYTES (1u << 18)

static bool take(void *context, struct bytes plain)
{
    struct buffer *out = context;

    FUZZ_CHECK(plain.size > 0);
    return buffer_append(out, plain.data, plain.size);
}

static enum content_result decode(struct bytes name, struct bytes coded, size_t step, struct buffer *out,
                                  bool *is_whole)
{
    struct content_decoder *decoder = content_decoder_new(name);
    enum content_result result = CONTENT_OK;

    FUZZ_CHECK(decoder != NULL && content_decoder_is_whole(decoder));
    buffer_init(out, PLAIN_MAX_BYTES);
    while (coded.size > 0 && result == CONTENT_OK) {
        size_t size = coded.size < step ? coded.size : step;
        result = content_decoder_write(decoder, bytes_of(coded.data, size), take, out);
        coded = bytes_of(coded.data + size, coded.size - size);
    }
    *is_whole = content_decoder_is_whole(decoder);
    content_decoder_free(&decoder);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"gzip", "deflate", "br", "zstd"};
    struct bytes coded = bytes_of(data, size);
    struct bytes name = bytes_of_string(names[fuzz_number(&coded, 1) % 4]);
    size_t steps[] = {1, 2 + fuzz_number(&coded, 1)};
    struct buffer whole;
    bool is_whole;
    enum content_result result = decode(name, coded, SIZE_MAX, &whole, &is_whole);

    for (size_t i = 0; i < 2; i++) {
        struct buffer cut;
        bool is_cut_whole;
        enum content_result again = decode(name, coded, steps[i], &cut, &is_cut_whole);
        if (result != CONTENT_STOPPED && again != CONTENT_STOPPED) {
            FUZZ_CHECK(again == result);
        }
        if (result == CONTENT_OK && again == CONTENT_OK) {
            FUZZ_CHECK(is_cut_whole == is_whole && bytes_equal(buffer_bytes(&whole), buffer_bytes(&cut)));
        }
        buffer_finish(&cut);
    }
    buffer_finish(&whole);
    return 0;
}
