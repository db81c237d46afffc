/* Things to be called at an instant on a shard's loop, more exactly than the loop's own timers. */
#pragma once
#include "common/timers.h"

#include <stdint.h>
#include <uv.h>

struct loop_lag;

struct alarm {
    struct timer timer;
    void (*on_due)(struct alarm *alarm, uint64_t now_ns);
};

struct alarms {
    struct timers *timers;
    struct loop_lag *lag; /* told when the loop is late for one */
    uv_timer_t wakeup;
};

#define ALARMS_HANDLES 1u

void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *alarm, uint64_t now_ns));

/* `lag` is borrowed. */
void alarms_open(struct alarms *alarms, uv_loop_t *loop, struct loop_lag *lag);
/* on_closed comes for each of ALARMS_HANDLES, with `data` as the handle's; then alarms_finish frees. */
void alarms_close(struct alarms *alarms, uv_close_cb on_closed, void *data);
void alarms_finish(struct alarms *alarms);
/* Sets it, or sets it to another instant. */
void alarms_set(struct alarms *alarms, struct alarm *alarm, uint64_t due_ns);
void alarms_unset(struct alarms *alarms, struct alarm *alarm);
