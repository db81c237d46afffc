/* Waits in words, for messages to users. */
#include "coordinator/core/rooms/wait_text.h"
#include "common/escape.h"
#include "coordinator/core/rooms/rooms_inside.h"

#define WORKERS_MAX_BYTES 160

struct wait_target wait_target(const struct wait *wait)
{
    const struct meeting *meeting;
    if (wait_is_for_variable(wait)) {
        return (struct wait_target){.name = wait->variable->name.bytes};
    }
    meeting = wait->kind == OPERATION_BARRIER ? &wait->barrier->meeting : &wait->notifier->meeting;
    return (struct wait_target){.name = meeting->name.bytes, .step = meeting->at->step, .nth = meeting->nth};
}

void wait_text_name(struct buffer *text, struct bytes name, uint64_t step, uint32_t nth)
{
    escape_text(text, name);
    buffer_append_format(text, "@%llu", (unsigned long long)step);
    if (nth > 0) {
        buffer_append_format(text, " (call %u)", nth + 1);
    }
}

void wait_text_target(struct buffer *text, const struct wait *wait)
{
    struct wait_target target = wait_target(wait);
    if (wait_is_for_variable(wait)) {
        buffer_append_string(text, "variable ");
        escape_text(text, target.name);
        buffer_append_string(text, wait->kind == OPERATION_GET_OR_MAKE ? " to be made"
                                   : wait->kind == OPERATION_WAIT_SET  ? " to be set"
                                                                       : " to change");
        return;
    }
    buffer_append_string(text, wait->kind == OPERATION_BARRIER       ? "barrier "
                               : wait->kind == OPERATION_WAIT_WRITER ? "the writer of "
                                                                     : "the readers of ");
    wait_text_name(text, target.name, target.step, target.nth);
}

void wait_text_workers(struct buffer *text, const struct worker_set *workers)
{
    char words[WORKERS_MAX_BYTES];
    worker_set_describe(workers, words, sizeof words);
    buffer_append_string(text, words);
}

uint64_t wait_text_readers_total(const struct room *room, const struct notifier *notifier, uint32_t seat)
{
    if (notifier->is_declared) {
        return notifier->declared;
    }
    const uint64_t *past = notifier->meeting.at->past;
    uint64_t total = notifier->read + bitset_count_outside(past, notifier->readers, room->size);
    total -= !bitset_has(past, seat) && !bitset_has(notifier->readers, seat) ? 1 : 0;
    /* Workers past the step that have not read could have read only if they were in it. */
    for (uint32_t other = bitset_next_only_in(past, notifier->readers, 0, room->size); other < room->size;
         other = bitset_next_only_in(past, notifier->readers, other + 1, room->size)) {
        bool could_read = other != seat && other != notifier->writer;
        total += could_read && room_has_begun(room, other, notifier->meeting.at->step) ? 1 : 0;
    }
    return total;
}

uint64_t wait_text_parties(const struct room *room, const struct barrier *barrier)
{
    if (barrier->parties > 0) {
        return barrier->parties;
    }
    return barrier->arrived + bitset_count_outside(barrier->meeting.at->past, barrier->arrivals, room->size);
}

bool wait_text_progress(struct buffer *text, const struct rooms *rooms, const struct wait *wait)
{
    if (wait_is_for_variable(wait)) {
        if (wait->kind != OPERATION_GET_OR_MAKE || !wait->variable->is_being_made) {
            return false;
        }
        buffer_append_format(text, "worker %u is making it", wait->variable->maker);
        return true;
    }
    const struct room *room = rooms_room_of(rooms, wait->worker);
    if (wait->kind == OPERATION_BARRIER) {
        buffer_append_format(text, "%u of %llu have arrived", wait->barrier->arrived,
                             (unsigned long long)wait_text_parties(room, wait->barrier));
        return true;
    }
    if (wait->kind == OPERATION_WAIT_READERS) {
        uint32_t seat = wait->worker - room->first;
        buffer_append_format(text, "%u of %llu have read", wait->notifier->read,
                             (unsigned long long)wait_text_readers_total(room, wait->notifier, seat));
        return true;
    }
    return false;
}
