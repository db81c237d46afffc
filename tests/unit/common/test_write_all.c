/* Everything is written, however little the file accepts at a time. */
#include "common/memory.h"
#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY_BYTES ((size_t)1 << 20)

struct reader {
    int file;
    size_t count;
    bool is_wrong;
};

static uint8_t byte_at(size_t place)
{
    return (uint8_t)(place * 31 + place / 251);
}

static void *read_slowly(void *context)
{
    struct reader *reader = (struct reader *)context;
    uint8_t piece[5000];
    ssize_t size;
    while ((size = read(reader->file, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < size; i++) {
            reader->is_wrong |= piece[i] != byte_at(reader->count++);
        }
    }
    return NULL;
}

/* A pipe takes 64 KiB and then waits for its reader. */
static void test_more_than_fits_at_once(void **state)
{
    (void)state;
    int ends[2];
    pthread_t thread;
    uint8_t *bytes = memory_new(MANY_BYTES, 1);
    for (size_t i = 0; i < MANY_BYTES; i++) {
        bytes[i] = byte_at(i);
    }
    assert_int_equal(pipe(ends), 0);
    struct reader reader = {.file = ends[0]};
    assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
    assert_true(write_all(ends[1], bytes_of(bytes, MANY_BYTES)));
    (void)close(ends[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(reader.count, MANY_BYTES);
    assert_false(reader.is_wrong);
    (void)close(ends[0]);
    memory_free(bytes);
}

/* Only part of it is accepted. */
static void test_a_file_that_takes_no_more(void **state)
{
    (void)state;
    int ends[2];
    uint8_t *bytes = memory_new(MANY_BYTES, 1);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_false(write_all(ends[1], bytes_of(bytes, MANY_BYTES)));
    assert_int_equal(errno, EAGAIN);
    (void)close(ends[0]);
    (void)signal(SIGPIPE, SIG_IGN);
    assert_false(write_all(ends[1], bytes_of(bytes, 1)));
    assert_int_equal(errno, EPIPE);
    (void)close(ends[1]);
    assert_false(write_all(-1, bytes_of(bytes, 1)));
    assert_int_equal(errno, EBADF);
    assert_true(write_all(-1, bytes_of(NULL, 0)));
    memory_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_fits_at_once),
        cmocka_unit_test(test_a_file_that_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
