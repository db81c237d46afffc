/* Packed rooms that make no sense are refused. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What was packed, with the last occurrence of `from` replaced by as many bytes. */
static void refused_with(const struct play *play, const char *from, const char *to, size_t size)
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

static void test_a_room_twice(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 1);
    for (uint32_t room = 0; room < 2; room++) {
        struct operation set = {.kind = OPERATION_SET,
                                .room = room,
                                .name = bytes_of_string(room == 0 ? "first" : "other"),
                                .value = play_value("1")};
        play_operation(&play, room, room, set);
    }
    play_settle(&play);
    /* Its number from 1 on, four flags, one variable, the size of its name. */
    refused_with(&play, "\2\0\0\0\0\1\5other", "\1\0\0\0\0\1\5other", 12);
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
