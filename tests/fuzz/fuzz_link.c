/* The bytes say what happens at one end of a link: messages queued, time passing, any frames coming in,
 * reconnects. Whatever it is, the end keeps its promises. */
#include "fuzz.h"

#include "common/buffer.h"
#include "common/memory.h"
#include "proto/link/link.h"

#include <string.h>

#define INCARNATION 3u
#define HEARTBEAT_NS 1000000000ull
#define START_NS 1000000000ull

struct world {
    struct link *link;
    uint64_t now_ns;
    uint64_t queued;
    uint64_t highest_sent;
    uint64_t acknowledged;
    uint64_t delivered;
    uint64_t newest_sent_ns;
    uint64_t confirmed_ns;
    uint64_t newest_received_ns;
};

static void queue_message(struct world *world, size_t size)
{
    struct buffer message;
    uint8_t filler[256] = {0};
    world->queued++;
    buffer_init(&message, 1u << 20);
    FUZZ_CHECK(buffer_append(&message, &world->queued, sizeof world->queued));
    for (size_t i = 0; i < size; i++) {
        FUZZ_CHECK(buffer_append(&message, filler, sizeof filler));
    }
    link_send(world->link, &message);
    FUZZ_CHECK(message.size == 0);
    buffer_finish(&message);
}

static void check_frame(struct world *world, const struct envelope *envelope, struct bytes message)
{
    FUZZ_CHECK((envelope->sequence != 0) == (message.size > 0));
    FUZZ_CHECK(envelope->incarnation == INCARNATION && envelope->epoch == link_epoch(world->link));
    FUZZ_CHECK(envelope->acknowledged == world->delivered && envelope->sent_ns == world->now_ns);
    FUZZ_CHECK(envelope->echoed_sent_ns == world->newest_received_ns);
    if (envelope->sequence != 0) {
        uint64_t number;
        memcpy(&number, message.data, sizeof number);
        FUZZ_CHECK(number == envelope->sequence);
        FUZZ_CHECK(envelope->sequence > world->acknowledged && envelope->sequence <= world->queued);
        FUZZ_CHECK(envelope->sequence <= world->acknowledged + LINK_WINDOW_MESSAGES);
        FUZZ_CHECK(envelope->sequence <= world->highest_sent + 1);
        if (envelope->sequence > world->highest_sent) {
            world->highest_sent = envelope->sequence;
        }
    }
    world->newest_sent_ns = world->now_ns;
}

static void drain(struct world *world)
{
    struct envelope envelope;
    struct shared *message;
    unsigned frames = 0;
    while (link_next_frame(world->link, world->now_ns, &envelope, &message)) {
        check_frame(world, &envelope, shared_bytes(message));
        FUZZ_CHECK(++frames <= LINK_WINDOW_MESSAGES + 1);
    }
    FUZZ_CHECK(link_due_ns(world->link) > world->now_ns);
}

/* Mostly near what would be right. */
static uint64_t near(struct bytes *input, uint64_t right)
{
    uint8_t choice = (uint8_t)fuzz_number(input, 1);
    return choice == 255 ? fuzz_number(input, 8) : right + choice - (choice > 127 ? 256 : 0);
}

static void check_verdict(struct world *world, const struct envelope *envelope, bool has_message,
                          enum link_verdict verdict)
{
    bool is_foreign = envelope->incarnation != INCARNATION || envelope->acknowledged > world->highest_sent ||
                      (envelope->sequence != 0 && !has_message);
    if (is_foreign) {
        FUZZ_CHECK(verdict == LINK_FOREIGN);
    }
    if (verdict == LINK_FOREIGN) {
        return;
    }
    if (envelope->acknowledged > world->acknowledged) {
        world->acknowledged = envelope->acknowledged;
    }
    if (envelope->sent_ns > world->newest_received_ns) {
        world->newest_received_ns = envelope->sent_ns;
    }
    if (verdict == LINK_DELIVER) {
        FUZZ_CHECK(envelope->sequence == ++world->delivered);
    } else {
        FUZZ_CHECK(envelope->sequence != world->delivered + 1);
    }
}

static void receive(struct world *world, struct bytes *input)
{
    uint64_t epoch = link_epoch(world->link);
    struct envelope envelope = {
        .incarnation = near(input, INCARNATION),
        .epoch = near(input, epoch == 0 ? 7 : epoch),
        .sequence = near(input, world->delivered + 1),
        .acknowledged = near(input, world->acknowledged),
        .sent_ns = near(input, world->now_ns + 5),
        .echoed_sent_ns = near(input, world->newest_sent_ns),
        .echo_delay_ns = near(input, 0),
    };
    bool has_message = fuzz_number(input, 1) < 224;
    enum link_verdict verdict = link_receive(world->link, world->now_ns, &envelope, has_message);
    if (epoch != 0 && envelope.epoch != epoch) {
        FUZZ_CHECK(verdict == LINK_FOREIGN && link_epoch(world->link) == epoch);
    }
    check_verdict(world, &envelope, has_message, verdict);
}

static void check_state(struct world *world)
{
    uint64_t confirmed_ns = link_confirmed_ns(world->link);
    struct link_sample sample;
    FUZZ_CHECK(link_backlog(world->link) == world->queued - world->acknowledged);
    FUZZ_CHECK(confirmed_ns >= world->confirmed_ns);
    FUZZ_CHECK(confirmed_ns == START_NS || confirmed_ns <= world->newest_sent_ns);
    FUZZ_CHECK(link_heard_ns(world->link) <= world->now_ns);
    world->confirmed_ns = confirmed_ns;
    if (link_take_sample(world->link, &sample)) {
        FUZZ_CHECK(sample.round_trip_ns <= world->now_ns - sample.our_sent_ns);
    }
}

static void act(struct world *world, struct bytes *input)
{
    switch (fuzz_number(input, 1) % 8) {
    case 0:
        queue_message(world, fuzz_number(input, 1) % 8);
        break;
    case 1:
        for (uint64_t count = fuzz_number(input, 1); count > 0; count--) {
            queue_message(world, 0);
        }
        break;
    case 2:
        world->now_ns += fuzz_number(input, 4);
        break;
    case 3:
        world->now_ns = link_due_ns(world->link) > world->now_ns ? link_due_ns(world->link) : world->now_ns;
        break;
    case 4:
        drain(world);
        break;
    case 5:
        link_reconnected(world->link);
        break;
    default:
        receive(world, input);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    uint64_t epoch = fuzz_number(&input, 1) % 2 == 0 ? 7 : 0;
    struct world world = {.now_ns = START_NS, .confirmed_ns = START_NS};
    world.link = link_new(INCARNATION, epoch, HEARTBEAT_NS, START_NS);
    while (input.size > 0) {
        act(&world, &input);
        check_state(&world);
    }
    link_free(&world.link);
    return 0;
}
