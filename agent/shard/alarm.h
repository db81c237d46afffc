/* Something to be called at an instant on a shard's loop. */
#pragma once
#include "common/timers.h"

struct alarm {
    struct timer timer;
    void (*on_due)(struct alarm *alarm, uint64_t now_ns);
};
void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *alarm, uint64_t now_ns));
