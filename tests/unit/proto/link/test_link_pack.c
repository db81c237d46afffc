/* A link as bytes: one in the middle of an exchange continues, one that cannot be is refused. */
#include "tests/unit/proto/link/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What decides whether a packed link is possible. */
struct packed {
    uint64_t heartbeat_ns;
    uint64_t oldest;
    uint64_t next;
    uint64_t end; /* messages of one byte from `oldest` on */
    uint64_t highest_sent;
    uint64_t last_sent_ns;
    uint64_t expected;
    bool is_acknowledgement_owed;
    uint64_t unacknowledged_count;
    uint64_t newest_echo_ns;
};

static void pack(const struct packed *packed, struct buffer *into)
{
    const uint64_t before[] = {packed->heartbeat_ns, START_NS,    packed->oldest,
                               packed->next,         packed->end, packed->highest_sent};
    buffer_init(into, 1000);
    pack_fixed(into, INCARNATION);
    pack_fixed(into, EPOCH);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        pack_number(into, before[i]);
    }
    for (uint64_t i = packed->oldest; i < packed->end; i++) {
        pack_bytes(into, bytes_of("m", 1));
    }
    pack_number(into, 0); /* backoff */
    pack_flag(into, false);
    pack_number(into, START_NS); /* timer */
    pack_number(into, packed->last_sent_ns);
    pack_number(into, START_NS); /* heartbeat */
    pack_number(into, packed->expected);
    pack_flag(into, packed->is_acknowledgement_owed);
    pack_number(into, 0);
    pack_number(into, packed->unacknowledged_count);
    pack_number(into, START_NS); /* heard */
    pack_number(into, 0);
    pack_number(into, 0);
    pack_number(into, packed->newest_echo_ns);
    pack_number(into, START_NS); /* progress */
}

static bool is_taken(const struct packed *packed)
{
    struct buffer buffer;
    pack(packed, &buffer);
    struct unpack from = unpack_of(buffer_bytes(&buffer));
    struct link *link = link_unpack(&from);
    bool is_good = link != NULL;
    assert_int_equal(from.is_broken, !is_good);
    link_free(&link);
    buffer_finish(&buffer);
    return is_good;
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    /* Three messages, of which two are in flight again after all had been sent. */
    const struct packed possible = {.heartbeat_ns = HEARTBEAT_NS,
                                    .oldest = 5,
                                    .next = 7,
                                    .end = 8,
                                    .highest_sent = 7,
                                    .last_sent_ns = START_NS + 9,
                                    .expected = 3,
                                    .is_acknowledgement_owed = true,
                                    .unacknowledged_count = 2,
                                    .newest_echo_ns = START_NS + 9};
    assert_true(is_taken(&possible));
    struct packed cases[10];
    for (size_t i = 0; i < 10; i++) {
        cases[i] = possible;
    }
    cases[0].heartbeat_ns = 0;
    cases[1].oldest = 0;
    cases[2].next = 4;                        /* below the oldest */
    cases[3].next = 9;                        /* behind the end */
    cases[4].highest_sent = 8;                /* sent, and not queued */
    cases[5].highest_sent = 5;                /* 6 is in flight, and was never sent */
    cases[6].highest_sent = UINT64_MAX;       /* plus one is none */
    cases[7].expected = 0;                    /* everything would be acknowledged */
    cases[8].is_acknowledgement_owed = false; /* of two messages */
    cases[9].newest_echo_ns = START_NS + 10;  /* of what was not sent */
    for (size_t i = 0; i < 10; i++) {
        assert_false(is_taken(&cases[i]));
    }
}

static void one_in_the_middle_of_an_exchange_continues(void **state)
{
    struct fixture *fixture = *state;
    struct frame frames[2];
    struct buffer once;
    struct buffer twice;
    send_text(fixture->left, "a");
    send_text(fixture->left, "b");
    assert_int_equal(drain(fixture, fixture->left, frames, 2), 2);
    receive(fixture, fixture->right, &frames[0]);
    buffer_init(&once, 1000);
    buffer_init(&twice, 1000);
    link_pack(fixture->right, &once);
    link_free(&fixture->right);
    struct unpack from = unpack_of(buffer_bytes(&once));
    fixture->right = link_unpack(&from);
    assert_non_null(fixture->right);
    link_pack(fixture->right, &twice);
    assert_true(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    receive(fixture, fixture->right, &frames[0]);
    receive(fixture, fixture->right, &frames[1]);
    expect(fixture, "1:a/0 2:b/0 deliver repeated deliver ");
    buffer_finish(&once);
    buffer_finish(&twice);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(what_cannot_be_is_refused),
        LINK_TEST(one_in_the_middle_of_an_exchange_continues),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
