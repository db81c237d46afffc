/* The network between the hosts and the coordinator: it delays, loses, repeats, reorders and can be cut. */
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <string.h>

struct frame *frame_new(struct world *world, const struct envelope *envelope, struct bytes message)
{
    struct frame *frame = world->free_frames;
    if (frame == NULL) {
        frame = MEMORY_NEW(struct frame);
    } else {
        world->free_frames = frame->next;
    }
    frame->envelope = *envelope;
    frame->size = message.size;
    if (message.size > 0) {
        frame->data = memory_reserve(frame->data, &frame->capacity, message.size, 1);
        memcpy(frame->data, message.data, message.size);
    }
    return frame;
}

void frame_done(struct world *world, struct frame *frame)
{
    frame->next = world->free_frames;
    world->free_frames = frame;
}

static void put(struct world *world, struct host *host, enum happening happening, struct frame *frame)
{
    const struct plan *plan = world->plan;
    uint64_t delay_ns = world_between(world, plan->least_delay_ns, plan->most_delay_ns);
    uint64_t due_ns = world->now_ns + delay_ns;
    uint64_t *last_ns = &host->last_arrival_ns[happening == HAPPENING_FRAME_UP ? 0 : 1];
    due_ns = plan->is_ordered && due_ns < *last_ns ? *last_ns : due_ns;
    *last_ns = due_ns;
    queue_put(&world->queue, (struct event){.due_ns = due_ns,
                                            .happening = happening,
                                            .host = (uint8_t)host_index(world, host),
                                            .life = host->life,
                                            .frame = frame});
}

static void note_sent(struct flow *flow, const struct envelope *envelope)
{
    if (flow->incarnation != envelope->incarnation) {
        *flow = (struct flow){.incarnation = envelope->incarnation};
    }
    if (envelope->sequence > flow->sent) {
        flow->sent = envelope->sequence;
    }
}

/* A link delivers messages only in order. */
void network_note_arrival(struct flow *flow, const struct envelope *envelope)
{
    if (flow->incarnation == envelope->incarnation && envelope->sequence == flow->arrived + 1) {
        flow->arrived++;
    }
}

static void say_operations(struct buffer *line, const struct message *message)
{
    for (size_t i = 0; i < message->operations.count; i++) {
        const struct operation *operation = &message->operations.items[i];
        char workers[80];
        worker_set_describe(&operation->workers, workers, sizeof workers);
        buffer_append_format(line, " [%s %.*s@%" PRIu64 " %s]", operation_name(operation->kind),
                             BYTES_FORMAT(operation->name), operation->step, workers);
    }
}

static void say_replies(struct buffer *line, const struct message *message)
{
    for (size_t i = 0; i < message->replies.count; i++) {
        const struct reply *reply = &message->replies.items[i];
        char workers[80];
        worker_set_describe(&reply->workers, workers, sizeof workers);
        buffer_append_format(line, " [%s %.*s@%" PRIu64 " is %s for %s]", operation_name(reply->kind),
                             BYTES_FORMAT(reply->name), reply->step, outcome_name(reply->outcome), workers);
    }
}

static void say_frame(struct world *world, const struct host *host, const char *what,
                      const struct envelope *envelope, struct bytes bytes)
{
    if (world->transcript == NULL || !world->transcript->has_frames) {
        return;
    }
    struct buffer line SCOPED(buffer_finish);
    buffer_init(&line, 1500);
    struct message message;
    struct error error;
    if (bytes.size > 0 && message_decode(bytes, &message, &error)) {
        buffer_append_format(&line, " %s", message_kind_name(message.kind));
        if (message.kind == MESSAGE_OPERATIONS) {
            say_operations(&line, &message);
        } else if (message.kind == MESSAGE_REPLIES) {
            say_replies(&line, &message);
        }
        message_finish(&message);
    }
    transcript_say(world->transcript, world->now_ns - world->created_ns,
                   "    %s %s %" PRIu64 " (acknowledges %" PRIu64 ")%s", host->name, what, envelope->sequence,
                   envelope->acknowledged, buffer_string(&line));
}

static void carry(struct world *world, struct host *host, enum happening happening,
                  const struct envelope *envelope, struct bytes message)
{
    const struct plan *plan = world->plan;
    bool is_up = happening == HAPPENING_FRAME_UP;
    if (message.size > 0) {
        world->data_frames++;
    }
    bool is_troubled = world->now_ns < world->created_ns + plan->troubled_ns;
    bool is_cut = world->now_ns < host->cut_until_ns[is_up ? 0 : 1];
    if (is_cut || (is_troubled && world_chance(world, plan->loss))) {
        world->last_trouble_ns = world->now_ns;
        say_frame(world, host, is_up ? "->  lost" : "<-  lost", envelope, message);
        return;
    }
    say_frame(world, host, is_up ? "-> " : "<- ", envelope, message);
    put(world, host, happening, frame_new(world, envelope, message));
    if (is_troubled && world_chance(world, plan->repeat)) {
        put(world, host, happening, frame_new(world, envelope, message));
    }
}

void network_send_up(struct world *world, struct host *host, const struct envelope *envelope,
                     struct bytes message)
{
    note_sent(&host->up, envelope);
    carry(world, host, HAPPENING_FRAME_UP, envelope, message);
}

void network_send_down(struct world *world, struct host *host, const struct envelope *envelope,
                       struct bytes message)
{
    if (!host->is_up) {
        return;
    }
    if (host->is_unanswered && envelope->incarnation == host->up.incarnation) {
        host->is_unanswered = false;
        host->up.arrived = envelope->acknowledged;
    }
    note_sent(&host->down, envelope);
    carry(world, host, HAPPENING_FRAME_DOWN, envelope, message);
}

/* It holds back what is meant for an agent that it has not heard for a while. */
static bool has_coordinator_said_all(const struct world *world)
{
    const struct coordinator_overview *overview = coordinator_overview(world->coordinator);
    for (size_t i = 0; i < overview->agent_count; i++) {
        if (overview->agents[i].link_backlog > 0) {
            return false;
        }
    }
    return true;
}

bool network_is_quiet(const struct world *world)
{
    if (world->recovery.is_down) {
        return false;
    }
    for (uint32_t i = 0; i < world->plan->hosts; i++) {
        const struct host *host = &world->hosts[i];
        if (host->unheard_incarnation != 0) {
            return false;
        }
        if (!host->is_up || host->is_declared_lost) {
            continue;
        }
        if (host->is_unanswered || host->up.sent != host->up.arrived ||
            host->down.sent != host->down.arrived || host->notices.count > 0 || host->is_deafened ||
            host->frozen_until_ns > world->now_ns) {
            return false;
        }
        for (uint32_t shard = 0; shard < world->plan->shards; shard++) {
            if (host->shards[shard].commands.count > 0) {
                return false;
            }
        }
    }
    return has_coordinator_said_all(world);
}
