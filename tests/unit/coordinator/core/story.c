/* Messages of the coordinator as lines that a test can expect. */
#include "tests/unit/coordinator/core/story.h"

#include "proto/codec/codec.h"

#include <stdio.h>

static const char *describe(const struct worker_set *set, char text[200])
{
    worker_set_describe(set, text, 200);
    return text;
}

static void tell_assignments(struct buffer *story, const struct message *message)
{
    char text[200];
    for (size_t i = 0; i < message->assign.count; i++) {
        (void)buffer_append_format(story, " %s from step %llu",
                                   describe(&message->assign.items[i].workers, text),
                                   (unsigned long long)message->assign.items[i].first_step);
    }
    (void)buffer_append_string(story, message->assign.is_answer ? ", as wanted" : "");
}

static void tell_replies(struct buffer *story, const struct message *message)
{
    char text[200];
    for (size_t i = 0; i < message->replies.count; i++) {
        const struct reply *reply = &message->replies.items[i];
        (void)buffer_append_format(story, "%s %s %s to %s", i > 0 ? ";" : "", operation_name(reply->kind),
                                   outcome_name(reply->outcome), describe(&reply->workers, text));
        if (reply->rank > 0) {
            (void)buffer_append_format(story, " from rank %llu", (unsigned long long)reply->rank);
        }
        if (reply->at_ns > 0) {
            (void)buffer_append_format(story, " at %llu ms", (unsigned long long)reply->at_ns / 1000000u);
        }
    }
}

static void tell_rooms(struct buffer *story, const struct worker_set *rooms)
{
    struct worker_cursor cursor = {0};
    while (worker_set_next(rooms, &cursor)) {
        (void)buffer_append_format(story, " %u", cursor.worker);
    }
}

static void tell_body(struct buffer *story, const struct message *message)
{
    char text[200];
    switch (message->kind) {
    case MESSAGE_REFUSED:
        (void)buffer_append_format(story, "%s: %.*s", message->refused.is_final ? " for good" : "",
                                   BYTES_FORMAT(message->refused.text));
        break;
    case MESSAGE_STOP:
        (void)buffer_append_format(story, ": %.*s", BYTES_FORMAT(message->stop.text));
        break;
    case MESSAGE_DEPLOY:
        (void)buffer_append_format(story, " %s", describe(&message->deploy.workers, text));
        break;
    case MESSAGE_BUNDLE_CHUNK:
        (void)buffer_append_format(story, " at %llu: %zu bytes",
                                   (unsigned long long)message->bundle_chunk.offset,
                                   message->bundle_chunk.content.size);
        break;
    case MESSAGE_GLOBAL:
        (void)buffer_append_format(story, " %s",
                                   message->global.phase == GLOBAL_SETUP ? "setup" : "teardown");
        break;
    case MESSAGE_BEGIN:
        (void)buffer_append_format(story, " at %llu ms", (unsigned long long)message->begin.at_ns / 1000000u);
        if (message->begin.from_plan_ns > 0) {
            (void)buffer_append_format(story, ", from %llu ms of the plan",
                                       (unsigned long long)message->begin.from_plan_ns / 1000000u);
        }
        break;
    case MESSAGE_ASSIGN:
        tell_assignments(story, message);
        break;
    case MESSAGE_REPLIES:
        tell_replies(story, message);
        break;
    case MESSAGE_SYNCHRONISE:
    case MESSAGE_ROOMS_DONE:
        tell_rooms(story, &message->rooms);
        break;
    case MESSAGE_SCALE:
        (void)buffer_append_format(story, " to %u", message->scale.workers);
        if (message->scale.load > 0) {
            (void)buffer_append_format(story, " of load %u", message->scale.load);
        }
        for (size_t i = 0; i < message->scale.room_count; i++) {
            (void)buffer_append_format(story, " %u:%llu", message->scale.rooms[i].room,
                                       (unsigned long long)message->scale.rooms[i].step);
        }
        break;
    case MESSAGE_PACE:
        (void)buffer_append_format(story, "%s%llu ms",
                                   message->pace.is_paused ? " paused at " : " shifted by ",
                                   (unsigned long long)(message->pace.is_paused ? message->pace.paused_at_ns
                                                                                : message->pace.shift_ns) /
                                       1000000u);
        if (message->pace.has_rate) {
            (void)buffer_append_format(story, ", %g/s from %llu ms after %g", message->pace.rate_per_s,
                                       (unsigned long long)message->pace.rate_at_ns / 1000000u,
                                       message->pace.before);
        }
        if (message->pace.slots > 0) {
            (void)buffer_append_format(story, ", split over %u from %llu ms", message->pace.slots,
                                       (unsigned long long)message->pace.slots_at_ns / 1000000u);
        }
        if (message->pace.load > 0) {
            (void)buffer_append_format(story, " of load %u", message->pace.load);
        }
        for (size_t i = 0; i < message->pace.start_count; i++) {
            (void)buffer_append_format(story, ", room %u from step %llu", message->pace.starts[i].room,
                                       (unsigned long long)message->pace.starts[i].step);
        }
        for (size_t i = 0; i < message->pace.room_count; i++) {
            (void)buffer_append_format(story, " %u:%llu", message->pace.rooms[i].room,
                                       (unsigned long long)message->pace.rooms[i].step);
        }
        break;
    case MESSAGE_RUN_UNTIL:
        for (size_t i = 0; i < message->room_steps.count; i++) {
            (void)buffer_append_format(story, " %u:%llu", message->room_steps.items[i].room,
                                       (unsigned long long)message->room_steps.items[i].step);
        }
        break;
    default:
        break;
    }
}

void story_tell_message(struct buffer *story, const char *to, const struct message *message)
{
    (void)buffer_append_format(story, "%s: %s", to, message_kind_name(message->kind));
    tell_body(story, message);
    (void)buffer_append_string(story, "\n");
}
