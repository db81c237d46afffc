/* Writing on a thread of its own: in order, bounded, and never blocking. */
#include "cli/base/writer.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_BYTES 100000u

static int open_pipe(void **state)
{
    int *ends = memory_new(2, sizeof(int));
    *state = ends;
    return pipe2(ends, O_CLOEXEC);
}

static int close_pipe(void **state)
{
    int *ends = *state;
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            (void)close(ends[i]);
        }
    }
    memory_free(ends);
    return 0;
}

static void writes_in_order(void **state)
{
    int *ends = *state;
    struct writer *writer = writer_new();
    for (int i = 0; i < 1000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d,", i);
        assert_true(writer_put(writer, ends[1], bytes_of_string(text), false));
    }
    writer_free(&writer);
    assert_null(writer);
    char all[8192] = "";
    ssize_t size = read(ends[0], all, sizeof all - 1);
    assert_int_equal(size, 10 * 2 + 90 * 3 + 900 * 4);
    char *at = all;
    for (long i = 0; i < 1000; i++) {
        assert_int_equal(strtol(at, &at, 10), i);
        at++;
    }
}

static void takes_no_more_than_its_bound_while_nobody_reads(void **state)
{
    int *ends = *state;
    struct writer *writer = writer_new();
    uint8_t *data = memory_new(PIECE_BYTES, 1);
    size_t taken = 0;
    while (writer_put(writer, ends[1], bytes_of(data, PIECE_BYTES), false)) {
        taken++;
        assert_true(taken * PIECE_BYTES <= WRITER_MAX_BYTES + 2 * PIECE_BYTES);
    }
    assert_true((taken + 1) * PIECE_BYTES > WRITER_MAX_BYTES);
    assert_true(writer_put(writer, ends[1], bytes_of(data, PIECE_BYTES), true));
    assert_false(writer_is_idle(writer));
    /* The reader goes away: what is queued is dropped instead of waited for. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)close(ends[0]);
    ends[0] = -1;
    writer_free(&writer);
    memory_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_in_order, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(takes_no_more_than_its_bound_while_nobody_reads, open_pipe,
                                        close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
