/* Packed rooms that make no sense are refused. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What was packed, with the last occurrence of `from` replaced by as many bytes. */
static void refused_with(const struct play *play, const void *from, const void *to, size_t size)
{
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, UINT32_MAX);
    rooms_pack(play->rooms, &packed);
    size_t at = packed.size - size;
    while (memcmp(packed.data + at, from, size) != 0) {
        assert_true(at > 0);
        at--;
    }
    memcpy(packed.data + at, to, size);
    struct unpack unpack = unpack_of(buffer_bytes(&packed));
    assert_null(rooms_unpack(&unpack));
    assert_true(unpack.is_broken);
}

static void test_a_variable_being_made_that_does_not_exist(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play_get_or_make(&play, 0, "token");
    play_settle(&play);
    refused_with(&play, "token", "broke", 5);
    play_finish(&play);
}

static void test_a_variable_twice(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play_variable(&play, OPERATION_SET, 0, "first", "1");
    play_variable(&play, OPERATION_SET, 0, "other", "1");
    play_settle(&play);
    refused_with(&play, "other", "first", 5);
    play_finish(&play);
}

/* Where the last room should be followed by none, the first one is announced again. */
static void test_a_room_twice(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 1);
    struct bytes value = play_value("1");
    struct operation set = {.kind = OPERATION_SET, .name = bytes_of_string("x"), .value = value};
    play_operation(&play, 0, 0, set);
    play_settle(&play);
    SCOPED(buffer_finish) struct buffer ending;
    buffer_init(&ending, 100);
    pack_bytes(&ending, set.name);
    pack_bytes(&ending, value);
    pack_number(&ending, 0); /* nobody waits for it */
    size_t size = ending.size + 1;
    pack_number(&ending, 0);
    uint8_t twice[100];
    memcpy(twice, ending.data, size);
    twice[size - 1] = 1;
    refused_with(&play, ending.data, twice, size);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_variable_being_made_that_does_not_exist),
        cmocka_unit_test(test_a_variable_twice),
        cmocka_unit_test(test_a_room_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
