/* Many threads put, one loop takes: nothing is lost, repeated or out of order with respect to its sender. */
#include "agent/shard/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THREADS 3u
#define PIECES 20000u

struct reader {
    struct mailbox *mailbox;
    uintptr_t last[THREADS];
    unsigned count;
    unsigned batches;
    int is_ordered;
};

struct writer {
    uv_thread_t thread;
    struct mailbox *mailbox;
    uint32_t tag;
};

static void on_mail(void *context, struct mail mail)
{
    struct reader *reader = context;

    if ((uintptr_t)mail.item != reader->last[mail.tag] + 1) {
        reader->is_ordered = 0;
    }
    reader->last[mail.tag] = (uintptr_t)mail.item;
    reader->count++;
}

static void on_batch_end(void *context)
{
    struct reader *reader = context;

    reader->batches++;
}

static void write_all(void *context)
{
    struct writer *writer = context;

    for (uintptr_t i = 1; i <= PIECES; i++) {
        mailbox_put(writer->mailbox, writer->tag, (void *)i);
    }
}

static void hands_over_everything_in_order(void **state)
{
    struct reader reader = {.is_ordered = 1};
    struct mailbox_callbacks callbacks = {
        .on_mail = on_mail, .on_batch_end = on_batch_end, .context = &reader};
    struct writer writers[THREADS];
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    reader.mailbox = mailbox_new(&loop, &callbacks);
    for (uint32_t i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.mailbox = reader.mailbox, .tag = i};
        assert_int_equal(uv_thread_create(&writers[i].thread, write_all, &writers[i]), 0);
    }
    while (reader.count < THREADS * PIECES) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        uv_thread_join(&writers[i].thread);
    }
    assert_true(reader.batches < reader.count); /* they arrive in batches */
    mailbox_close(&reader.mailbox);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(reader.count, THREADS * PIECES);
    assert_true(reader.is_ordered);
}

#define LOCAL_PIECES 5u

struct echo {
    struct reader reader;
    uintptr_t put;
};

/* Puts the next piece while the last one is being taken. */
static void on_mail_of_echo(void *context, struct mail mail)
{
    struct echo *echo = context;

    on_mail(&echo->reader, mail);
    if (echo->put < LOCAL_PIECES) {
        mailbox_put(echo->reader.mailbox, 0, (void *)++echo->put);
    }
}

static void on_batch_end_of_echo(void *context)
{
    on_batch_end(&((struct echo *)context)->reader);
}

static void a_loop_hands_over_to_itself_when_it_comes_round(void **state)
{
    struct echo echo = {.reader = {.is_ordered = 1}, .put = 2};
    struct mailbox_callbacks callbacks = {
        .on_mail = on_mail_of_echo, .on_batch_end = on_batch_end_of_echo, .context = &echo};
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    echo.reader.mailbox = mailbox_new_local(&loop, &callbacks);
    mailbox_put(echo.reader.mailbox, 0, (void *)1);
    mailbox_put(echo.reader.mailbox, 0, (void *)2);
    assert_int_equal(echo.reader.count, 0); /* never within the call */
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(echo.reader.count, 2);
    assert_int_equal(echo.reader.batches, 1);
    uv_run(&loop, UV_RUN_DEFAULT); /* returns: an idle mailbox does not keep the loop alive */
    assert_int_equal(echo.reader.count, LOCAL_PIECES);
    assert_int_equal(mailbox_waiting(echo.reader.mailbox), 0);

    echo.reader.last[0] = 0;
    mailbox_put(echo.reader.mailbox, 0, (void *)1);
    mailbox_close(&echo.reader.mailbox);
    assert_int_equal(echo.reader.count, LOCAL_PIECES + 1); /* the rest is delivered at the end */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_true(echo.reader.is_ordered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hands_over_everything_in_order),
                                       cmocka_unit_test(a_loop_hands_over_to_itself_when_it_comes_round)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
