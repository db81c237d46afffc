/* Coded bodies: whole, in two pieces cut anywhere, and byte by byte; cut short, damaged, and bombs. */
#include "agent/http/message/content_decoder.h"

#include "common/buffer.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <zlib.h>
#include <zstd.h>

#define PLAIN "hello, hello, hello, hello, hello, hello, this is the body\n"
#define CODED_MAX_BYTES 200000u

struct coded {
    const char *name;
    uint8_t data[CODED_MAX_BYTES];
    size_t size;
};

static void deflate_as(struct coded *coded, const char *name, int window, struct bytes plain)
{
    z_stream zlib = {.next_in = (Bytef *)(uintptr_t)plain.data,
                     .avail_in = (uInt)plain.size,
                     .next_out = coded->data,
                     .avail_out = CODED_MAX_BYTES};

    coded->name = name;
    assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    coded->size = zlib.total_out;
    deflateEnd(&zlib);
}

static void zstd_as(struct coded *coded, struct bytes plain)
{
    coded->name = "zstd";
    coded->size = ZSTD_compress(coded->data, CODED_MAX_BYTES, plain.data, plain.size, 3);
    assert_false(ZSTD_isError(coded->size));
}

/* "hello", as one metablock. */
static void brotli_as(struct coded *coded)
{
    static const uint8_t brotli[] = {0x0b, 0x02, 0x80, 'h', 'e', 'l', 'l', 'o', 0x03};

    coded->name = "br";
    coded->size = sizeof brotli;
    memcpy(coded->data, brotli, sizeof brotli);
}

static bool take(void *context, struct bytes plain)
{
    struct buffer *out = context;

    assert_true(plain.size > 0);
    return buffer_append(out, plain.data, plain.size);
}

/* What stands before `cut`, then the rest; `cut` SIZE_MAX: byte by byte. */
static enum content_result decode(const struct coded *coded, size_t cut, struct buffer *out, bool *is_whole)
{
    struct content_decoder *decoder = content_decoder_new(bytes_of_string(coded->name));
    enum content_result result = CONTENT_OK;
    size_t at = 0;

    assert_non_null(decoder);
    buffer_clear(out);
    while (at < coded->size && result == CONTENT_OK) {
        size_t stop = cut == SIZE_MAX ? at + 1 : at < cut ? cut : coded->size;
        result = content_decoder_write(decoder, bytes_of(coded->data + at, stop - at), take, out);
        at = stop;
    }
    *is_whole = content_decoder_is_whole(decoder);
    content_decoder_free(&decoder);
    assert_null(decoder);
    return result;
}

static void expect_plain(const struct coded *coded, const char *plain)
{
    struct buffer out;
    bool is_whole;

    buffer_init(&out, 1000);
    for (size_t cut = 1; cut <= coded->size + 1; cut++) {
        size_t at = cut <= coded->size ? cut : SIZE_MAX;
        assert_int_equal(decode(coded, at, &out, &is_whole), CONTENT_OK);
        assert_true(is_whole);
        assert_string_equal(buffer_string(&out), plain);
    }
    buffer_finish(&out);
}

/* Each cut-off end is seen, and no damage does harm. */
static void expect_damage_is_seen(struct coded *coded)
{
    struct buffer out;
    bool is_whole;
    size_t size = coded->size;

    buffer_init(&out, 100000);
    for (coded->size = 1; coded->size < size; coded->size++) {
        assert_int_equal(decode(coded, SIZE_MAX, &out, &is_whole), CONTENT_OK);
        assert_false(is_whole);
    }
    coded->size = size;
    for (size_t i = 0; i < size * 8; i++) {
        coded->data[i / 8] ^= (uint8_t)(1u << i % 8);
        (void)!decode(coded, SIZE_MAX, &out, &is_whole);
        coded->data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    buffer_finish(&out);
}

static void each_coding_is_undone(void **state)
{
    static struct coded coded;

    (void)state;
    deflate_as(&coded, "gzip", 15 + 16, bytes_of_string(PLAIN));
    expect_plain(&coded, PLAIN);
    expect_damage_is_seen(&coded);
    deflate_as(&coded, "X-Gzip", 15 + 16, bytes_of_string(PLAIN));
    expect_plain(&coded, PLAIN);
    deflate_as(&coded, "deflate", 15, bytes_of_string(PLAIN));
    expect_plain(&coded, PLAIN);
    expect_damage_is_seen(&coded);
    deflate_as(&coded, "deflate", -15, bytes_of_string(PLAIN));
    expect_plain(&coded, PLAIN);
    expect_damage_is_seen(&coded);
    zstd_as(&coded, bytes_of_string(PLAIN));
    expect_plain(&coded, PLAIN);
    expect_damage_is_seen(&coded);
    brotli_as(&coded);
    expect_plain(&coded, "hello");
    expect_damage_is_seen(&coded);
}

static void other_codings_are_left_alone(void **state)
{
    static const char *const names[] = {"", "identity", "compress", "gzip, br", "gzip ", "zstandard", NULL};

    (void)state;
    for (size_t i = 0; names[i] != NULL; i++) {
        assert_null(content_decoder_new(bytes_of_string(names[i])));
    }
}

static void members_and_frames_follow_each_other(void **state)
{
    static struct coded coded;

    (void)state;
    deflate_as(&coded, "gzip", 15 + 16, bytes_of_string("one "));
    memcpy(coded.data + coded.size, coded.data, coded.size);
    coded.size *= 2;
    expect_plain(&coded, "one one ");
    zstd_as(&coded, bytes_of_string("two "));
    memcpy(coded.data + coded.size, coded.data, coded.size);
    coded.size *= 2;
    expect_plain(&coded, "two two ");
}

static void nothing_is_a_whole_body(void **state)
{
    static struct coded coded;
    static const char *const names[] = {"gzip", "deflate", "br", "zstd"};
    struct buffer out;
    bool is_whole;

    (void)state;
    buffer_init(&out, 10);
    for (size_t i = 0; i < 4; i++) {
        coded = (struct coded){.name = names[i]};
        assert_int_equal(decode(&coded, 0, &out, &is_whole), CONTENT_OK);
        assert_true(is_whole);
    }
    buffer_finish(&out);
}

static void garbage_is_refused(void **state)
{
    static struct coded coded;
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"gzip", "this is plain text"},           {"deflate", "\377\377\377\377 no"},
        {"br", "\377\377\377\377\377\377"},       {"zstd", "this is plain text"},
        {"zstd", "\047\265\057\375\040\142\006"}, /* a format of old that the library knows */
    };
    struct buffer out;
    bool is_whole;

    (void)state;
    buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        coded.name = rows[i].name;
        coded.size = strlen(rows[i].text);
        memcpy(coded.data, rows[i].text, coded.size);
        assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_MALFORMED);
        assert_int_equal(decode(&coded, SIZE_MAX, &out, &is_whole), CONTENT_MALFORMED);
    }
    deflate_as(&coded, "gzip", 15 + 16, bytes_of_string("one"));
    coded.data[coded.size - 6] ^= 1; /* the checksum */
    assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_MALFORMED);
    /* After a body that is whole as well. */
    deflate_as(&coded, "gzip", 15 + 16, bytes_of_string("one"));
    memcpy(coded.data + coded.size, "garbage", 7);
    coded.size += 7;
    assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_MALFORMED);
    brotli_as(&coded);
    coded.data[coded.size++] = 'x';
    assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_MALFORMED);
    buffer_finish(&out);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    static struct coded coded;
    size_t size = 32u << 20;
    uint8_t *plain = memory_new(size, 1);
    struct buffer out;
    bool is_whole;

    (void)state;
    buffer_init(&out, 100000);
    deflate_as(&coded, "gzip", 15 + 16, bytes_of(plain, size));
    assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_STOPPED);
    assert_in_range(out.size, 80000, 100000);
    zstd_as(&coded, bytes_of(plain, size));
    assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_STOPPED);
    assert_in_range(out.size, 80000, 100000);
    buffer_finish(&out);
    memory_free(plain);
}

/* Outputs that fill what is decoded at once exactly. */
static void sizes_around_a_block_are_whole(void **state)
{
    static struct coded coded;
    size_t size = 3 * 16384 + 1;
    uint8_t *plain = memory_new(size, 1);
    struct buffer out;
    bool is_whole;

    (void)state;
    buffer_init(&out, 1u << 20);
    for (size_t cut = 16383; cut <= size; cut += cut % 16384 == 1 ? 16382 : 1) {
        for (int zstd = 0; zstd < 2; zstd++) {
            if (zstd) {
                zstd_as(&coded, bytes_of(plain, cut));
            } else {
                deflate_as(&coded, "deflate", 15, bytes_of(plain, cut));
            }
            assert_int_equal(decode(&coded, coded.size, &out, &is_whole), CONTENT_OK);
            assert_true(is_whole);
            assert_int_equal(out.size, cut);
        }
    }
    buffer_finish(&out);
    memory_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_coding_is_undone),
        cmocka_unit_test(other_codings_are_left_alone),
        cmocka_unit_test(members_and_frames_follow_each_other),
        cmocka_unit_test(nothing_is_a_whole_body),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(sizes_around_a_block_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
