/* Two link ends, and the transcript of what they send and how they judge what arrives. */
#pragma once
#include "common/buffer.h"
#include "proto/link/link.h"

#define MS 1000000ull
#define START_NS (1000 * MS)
#define HEARTBEAT_NS (1000 * MS)
#define INCARNATION 77u
#define EPOCH 5u

struct frame {
    struct envelope envelope;
    char text[32];
    size_t size;
};

struct fixture {
    struct link *left;
    struct link *right;
    uint64_t now_ns;
    struct buffer transcript;
};

/* cmocka's set-up and tear-down: the state of a test is a fixture. */
int set_up(void **state);
int tear_down(void **state);
#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* `messages` short ones. */
void send_many(struct link *link, size_t messages);
void send_text(struct link *link, const char *text);
void send_bytes(struct link *link, size_t size, uint8_t fill);

/* The only frame that `link` has to send now. */
bool take(struct fixture *fixture, struct link *link, struct frame *frame);
/* All that `link` has to send now, recorded as "12:text/3" for sequence 12 with 3 acknowledged; the first
 * `capacity` are kept in `frames`. Returns how many. */
size_t drain(struct fixture *fixture, struct link *link, struct frame *frames, size_t capacity);
/* What `link` sends when no frame has come to carry its acknowledgement. */
size_t drain_acknowledgement(struct fixture *fixture, struct link *link, struct frame *frames,
                             size_t capacity);
/* `frame` arrives at `link`; the verdict is recorded. */
void receive(struct fixture *fixture, struct link *link, const struct frame *frame);

/* Compares the transcript and empties it. */
void expect(struct fixture *fixture, const char *transcript);
