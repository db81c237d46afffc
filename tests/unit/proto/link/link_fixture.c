/* Two link ends, and the transcript of what they send and how they judge what arrives. */
#include "tests/unit/proto/link/link_fixture.h"

#include "common/memory.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    fixture->now_ns = START_NS;
    fixture->left = link_new(INCARNATION, EPOCH, HEARTBEAT_NS, START_NS);
    fixture->right = link_new(INCARNATION, EPOCH, HEARTBEAT_NS, START_NS);
    buffer_init(&fixture->transcript, 100000);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    link_free(&fixture->left);
    link_free(&fixture->right);
    buffer_finish(&fixture->transcript);
    memory_free(fixture);
    return 0;
}

void send_bytes(struct link *link, size_t size, uint8_t fill)
{
    struct buffer message;
    buffer_init(&message, size);
    uint8_t *data = memory_new(1, size);
    memset(data, fill, size);
    assert_true(buffer_append(&message, data, size));
    memory_free(data);
    link_send(link, &message);
    buffer_finish(&message);
}

void send_text(struct link *link, const char *text)
{
    struct buffer message;
    buffer_init(&message, 100);
    assert_true(buffer_append_string(&message, text));
    link_send(link, &message);
    buffer_finish(&message);
}

void send_many(struct link *link, size_t messages)
{
    for (size_t i = 0; i < messages; i++) {
        send_text(link, "m");
    }
}

bool take(struct fixture *fixture, struct link *link, struct frame *frame)
{
    struct shared *message;
    if (!link_next_frame(link, fixture->now_ns, &frame->envelope, &message)) {
        return false;
    }
    frame->size = shared_bytes(message).size;
    size_t kept = shared_bytes(message).size < sizeof frame->text - 1 ? shared_bytes(message).size
                                                                      : sizeof frame->text - 1;
    memset(frame->text, 0, sizeof frame->text);
    if (kept > 0) {
        memcpy(frame->text, shared_bytes(message).data, kept);
    }
    return true;
}

size_t drain(struct fixture *fixture, struct link *link, struct frame *frames, size_t capacity)
{
    size_t count = 0;
    struct frame frame;
    while (take(fixture, link, &frame)) {
        buffer_append_format(&fixture->transcript, "%" PRIu64 ":%s/%" PRIu64 " ", frame.envelope.sequence,
                             frame.text, frame.envelope.acknowledged);
        if (count < capacity) {
            frames[count] = frame;
        }
        count++;
    }
    return count;
}

size_t drain_acknowledgement(struct fixture *fixture, struct link *link, struct frame *frames,
                             size_t capacity)
{
    assert_int_equal(drain(fixture, link, frames, capacity), 0);
    assert_int_equal(link_due_ns(link), fixture->now_ns + LINK_ACKNOWLEDGE_NS);
    fixture->now_ns += LINK_ACKNOWLEDGE_NS;
    return drain(fixture, link, frames, capacity);
}

void receive(struct fixture *fixture, struct link *link, const struct frame *frame)
{
    static const char *const NAMES[] = {"deliver", "repeated", "gap", "none", "foreign"};
    enum link_verdict verdict = link_receive(link, fixture->now_ns, &frame->envelope, frame->size > 0);
    buffer_append_format(&fixture->transcript, "%s ", NAMES[verdict]);
}

void expect(struct fixture *fixture, const char *transcript)
{
    assert_string_equal(buffer_string(&fixture->transcript), transcript);
    buffer_clear(&fixture->transcript);
}
