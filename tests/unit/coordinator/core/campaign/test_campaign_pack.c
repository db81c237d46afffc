/* A campaign as bytes that were cut or damaged: refused, or read as another campaign, without a leak or a
 * wrong access. */
#include "coordinator/core/coordinator_pack.h"
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PACK_BYTES 100000u

static const char HALF[] = "the first half of it";

static void begin_artifact(struct stand *stand)
{
    struct message piece = {.kind = MESSAGE_ARTIFACT,
                            .campaign = 1,
                            .artifact = {.kind = ARTIFACT_SOURCE,
                                         .worker = 1,
                                         .step = 1,
                                         .size_bytes = 40,
                                         .content = bytes_of_string(HALF)}};
    stand_send(stand, &stand->agents[1], &piece);
}

/* Something of each kind that a campaign remembers while it runs. */
static void fill(struct stand *stand)
{
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_REPLACE;
    stand_run(stand, &options, 2);
    struct operation operations[] = {
        {.kind = OPERATION_DECLARE, .name = bytes_of_string("pad"), .step = 1, .count = 1},
        {.kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1},
        {.kind = OPERATION_SET, .name = bytes_of_string("x"), .value = bytes_of("t", 1)},
        {.kind = OPERATION_GET_OR_MAKE, .room = ROOM_CAMPAIGN, .name = bytes_of_string("token")},
    };
    for (uint32_t i = 0; i < 4; i++) {
        stand_operation(stand, &stand->agents[i % 2], operations[i], &i, 1);
    }
    struct error_statistics error = {.text = bytes_of_string("no page"), .count = 2};
    struct message statistics = {
        .kind = MESSAGE_STATISTICS,
        .campaign = 1,
        .statistics = {.steps_ok = 1, .steps_failed = 2, .errors = &error, .error_count = 1}};
    stand_send(stand, &stand->agents[0], &statistics);
    begin_artifact(stand);
    stand_forget_story(stand);
}

static void pack_filled(void **state, struct buffer *packed)
{
    struct stand *stand = (struct stand *)*state;
    fill(stand);
    buffer_init(packed, PACK_BYTES);
    coordinator_pack(stand->coordinator, packed);
    assert_non_null(memmem(packed->data, packed->size, HALF, sizeof HALF - 1));
    struct coordinator *copy = coordinator_unpack(buffer_bytes(packed), NULL);
    assert_non_null(copy);
    coordinator_free(&copy);
}

static void what_is_cut_off_is_refused(void **state)
{
    SCOPED(buffer_finish) struct buffer packed;
    pack_filled(state, &packed);
    for (size_t size = 0; size < packed.size; size++) {
        assert_null(coordinator_unpack(bytes_of(packed.data, size), NULL));
    }
}

/* Of 40 bytes, 20 have come. */
static void an_artifact_has_to_be_under_way(void **state)
{
    SCOPED(buffer_finish) struct buffer packed;
    static const uint8_t HEAD[] = {40, 1, sizeof HALF - 1, 't', 'h', 'e'};
    const struct {
        uint8_t size;
        bool is_read;
    } rows[] = {{19, false}, {20, false}, {21, true}, {40, true}};
    pack_filled(state, &packed);
    uint8_t *size = memmem(packed.data, packed.size, HEAD, sizeof HEAD);
    assert_non_null(size);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *size = rows[i].size;
        struct coordinator *copy = coordinator_unpack(buffer_bytes(&packed), NULL);
        assert_int_equal(copy != NULL, rows[i].is_read);
        coordinator_free(&copy);
    }
}

static void a_wrong_bit_does_no_harm(void **state)
{
    SCOPED(buffer_finish) struct buffer packed;
    pack_filled(state, &packed);
    for (size_t bit = 0; bit < packed.size * 8; bit++) {
        uint8_t flipped = (uint8_t)(1u << (bit % 8));
        packed.data[bit / 8] ^= flipped;
        struct coordinator *copy = coordinator_unpack(buffer_bytes(&packed), NULL);
        coordinator_free(&copy);
        packed.data[bit / 8] ^= flipped;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(what_is_cut_off_is_refused),
        STORY(an_artifact_has_to_be_under_way),
        STORY(a_wrong_bit_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
