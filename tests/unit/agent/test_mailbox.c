/* Many threads put, one loop takes: nothing is lost, repeated or out of its sender's order. */
#include "agent/mailbox.h"

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

    if ((uintptr_t)mail.item != reader->last[mail.tag] + 1)
        reader->is_ordered = 0;
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

    for (uintptr_t i = 1; i <= PIECES; i++)
        mailbox_put(writer->mailbox, writer->tag, (void *)i);
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
    while (reader.count < THREADS * PIECES)
        uv_run(&loop, UV_RUN_ONCE);
    for (uint32_t i = 0; i < THREADS; i++)
        uv_thread_join(&writers[i].thread);
    assert_true(reader.batches < reader.count); /* they come in batches */
    mailbox_close(&reader.mailbox);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(reader.count, THREADS * PIECES);
    assert_true(reader.is_ordered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hands_over_everything_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
