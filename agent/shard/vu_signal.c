/* Wakes tasks of a worker by a number that they wait for. */
#include "agent/shard/vu_signal.h"

#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
#include "agent/shard/vu_task.h"

uint64_t vu_signal_new(struct vu *vu)
{
    return ++vu->campaign->serials;
}

void vu_signal_await(struct vu *vu, uint64_t signal, uint64_t due_ns)
{
    vu->awaited_signal = signal;
    if (due_ns > 0) {
        alarms_set(shard_alarms(vu->campaign->shard), &vu->alarm, due_ns);
    }
}

void vu_signal_give(const struct vu *vu, uint64_t signal)
{
    for (struct vu *at = vu->shared->main; at != NULL; at = vu_tasks_after(at)) {
        if (at->wait == WAIT_SIGNAL && at->awaited_signal == signal && !at->is_queued) {
            alarms_unset(shard_alarms(at->campaign->shard), &at->alarm);
            vu_wake(at, WAKE_DONE);
        }
    }
}
