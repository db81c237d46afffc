/* Gives workers their turns, one after the other. */
#include "agent/shard/turns.h"

#include "agent/base/lease.h"
#include "agent/net/net.h"
#include "agent/shard/loop_lag.h"
#include "agent/shard/mailbox.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
#include "agent/shard/watchdog.h"
#include "common/clock.h"
#include "common/container.h"

/* What may wait for the agent's thread before workers pause. */
#define NOTICES_MAX_WAITING 100000u
/* The sockets have their turn after this long; at the end of a round, when all that were queued have had
 * theirs, already after ROUNDS_NS, so that what they did leaves in few messages. */
#define TURN_NS (2 * NS_PER_MS)
#define ROUNDS_NS (NS_PER_MS / 2)
#define RETRY_MS 20
/* So long a request waits for those of the turns after its own, and to the end of the last of these. */
#define GATHER_NS (NS_PER_MS / 16)
/* And only where so many turns before were shorter than that: the next one is likely to be. */
#define GATHER_AFTER_TURNS 64u
/* Of several campaigns one has turns for this long, then the next. */
#define SERVED_NS (NS_PER_MS / 2)
/* After a turn that took longer than this in one piece, the other campaigns have RESTS times as long. */
#define LONG_PIECE_NS (25 * NS_PER_MS)
#define RESTS 9u

static void turns_on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void turns_add_ready(struct turns *turns, struct turn_queue *queue)
{
    queue->is_ready = true;
    queue->next_ready = NULL;
    if (turns->last_ready != NULL) {
        turns->last_ready->next_ready = queue;
    } else {
        turns->first_ready = queue;
    }
    turns->last_ready = queue;
    turns->queued += queue->queued;
}

static void turns_drop_ready(struct turns *turns, struct turn_queue *queue)
{
    struct turn_queue *before = NULL;

    for (struct turn_queue *at = turns->first_ready; at != queue; at = at->next_ready) {
        before = at;
    }
    if (before != NULL) {
        before->next_ready = queue->next_ready;
    } else {
        turns->first_ready = queue->next_ready;
    }
    if (turns->last_ready == queue) {
        turns->last_ready = before;
    }
    queue->is_ready = false;
    turns->queued -= queue->queued;
}

static void turns_begin(struct turns *turns)
{
    if (!uv_is_active((uv_handle_t *)&turns->busy) && !uv_is_active((uv_handle_t *)&turns->retry)) {
        uv_idle_start(&turns->busy, turns_on_idle);
    }
}

static void turns_on_rested(struct alarm *alarm, uint64_t now_ns)
{
    struct turn_queue *queue = CONTAINER_OF(alarm, struct turn_queue, rest_alarm);

    (void)now_ns;
    queue->is_resting = false;
    if (queue->queued > 0) {
        turns_add_ready(queue->turns, queue);
        turns_begin(queue->turns);
    }
}

void turn_queue_init(struct turn_queue *queue, struct turns *turns)
{
    *queue = (struct turn_queue){.turns = turns};
    alarm_init(&queue->rest_alarm, turns_on_rested);
    turns->queue_count++;
}

void turn_queue_finish(struct turn_queue *queue)
{
    alarms_unset(queue->turns->settings.alarms, &queue->rest_alarm);
    queue->turns->queue_count--;
}

void turn_queue_add(struct turn_queue *queue, struct vu *vu)
{
    struct turns *turns = queue->turns;

    if (vu->is_queued) {
        return;
    }
    if (turns->first_ready == NULL) {
        turns->now_ns = clock_now_ns();
    }
    vu->queued_ns = turns->now_ns;
    vu->is_queued = true;
    vu->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = vu;
    } else {
        queue->first = vu;
    }
    queue->last = vu;
    queue->queued++;
    if (queue->is_resting) {
        return;
    }
    if (queue->is_ready) {
        turns->queued++;
    } else {
        turns_add_ready(turns, queue);
    }
    turns_begin(turns);
}

void turn_queue_remove(struct turn_queue *queue, struct vu *vu)
{
    struct vu *before = NULL;

    if (!vu->is_queued) {
        return;
    }
    for (struct vu *at = queue->first; at != vu; at = at->next) {
        before = at;
    }
    if (before != NULL) {
        before->next = vu->next;
    } else {
        queue->first = vu->next;
    }
    if (queue->last == vu) {
        queue->last = before;
    }
    vu->is_queued = false;
    queue->queued--;
    if (!queue->is_ready) {
        return;
    }
    queue->turns->queued--;
    if (queue->queued == 0) {
        turns_drop_ready(queue->turns, queue);
    }
}

/* The queue in front has had turns for this long; the others come before its next one. */
static void turns_charge(struct turns *turns, struct turn_queue *queue, uint64_t turn_ns)
{
    queue->served_ns += turn_ns;
    if (queue->served_ns < SERVED_NS) {
        return;
    }
    queue->served_ns = 0;
    if (queue->is_ready && queue != turns->last_ready) {
        turns_drop_ready(turns, queue);
        turns_add_ready(turns, queue);
    }
}

/* A worker has kept the thread for `piece_ns` where nothing can interrupt it: while there are other
 * campaigns, they have most of the time. */
static void turns_rest(struct turns *turns, struct turn_queue *queue, uint64_t piece_ns)
{
    if (piece_ns < LONG_PIECE_NS || queue->is_resting || turns->queue_count == 1) {
        return;
    }
    if (queue->is_ready) {
        turns_drop_ready(turns, queue);
    }
    queue->is_resting = true;
    alarms_set(turns->settings.alarms, &queue->rest_alarm, clock_now_ns() + piece_ns * RESTS);
}

static void turns_on_retry(uv_timer_t *retry)
{
    struct turns *turns = retry->data;

    uv_idle_start(&turns->busy, turns_on_idle);
}

static void turns_pause(struct turns *turns)
{
    uv_idle_stop(&turns->busy);
    uv_timer_start(&turns->retry, turns_on_retry, RETRY_MS, 0);
}

/* One turn of the worker in front. Gives when it was over. */
static uint64_t turns_give_one(struct turns *turns)
{
    struct turn_queue *queue = turns->first_ready;
    struct vu *vu = queue->first;
    struct shard_campaign *campaign = vu->campaign;

    turn_queue_remove(queue, vu);
    turns->began_ns = turns->now_ns;
    turns->ended_ns = 0;
    pulse_begin_turn(turns->settings.pulse, campaign->id, vu->id, vu->step);
    vu_turn(vu); /* which may be its end */
    pulse_end_turn(turns->settings.pulse);
    turns_rest(turns, queue, shard_campaign_take_spent_ns(campaign));
    uint64_t now_ns = turns->ended_ns != 0 ? turns->ended_ns : clock_now_ns();
    turns_charge(turns, queue, now_ns - turns->began_ns);
    return now_ns;
}

/* False while no worker is queued, or none may act. */
static bool turns_may_be_given(struct turns *turns)
{
    if (turns->first_ready == NULL || uv_is_active((uv_handle_t *)&turns->retry)) {
        return false;
    }
    /* The agent's thread cannot keep up with what they did. */
    if (mailbox_waiting(turns->settings.notices) > NOTICES_MAX_WAITING) {
        turns_pause(turns);
        return false;
    }
    return true;
}

/* What has been gathered leaves when it has waited long enough. Gives what time it is. */
static uint64_t turns_send(struct turns *turns, uint64_t now_ns)
{
    if (now_ns - turns->began_ns >= GATHER_NS) {
        turns->short_turns = 0;
    } else if (turns->short_turns < GATHER_AFTER_TURNS) {
        turns->short_turns++;
    }
    if (turns->net == NULL || !net_has_gathered(turns->net)) {
        turns->gather_ns = 0;
        return now_ns;
    }
    if (turns->gather_ns == 0) {
        turns->gather_ns = turns->began_ns;
    }
    if (now_ns - turns->gather_ns < GATHER_NS && turns->short_turns == GATHER_AFTER_TURNS) {
        return now_ns;
    }
    net_send_gathered(turns->net);
    turns->gather_ns = 0;
    return clock_now_ns();
}

static bool turns_give_all(struct turns *turns)
{
    size_t round = turns->queued;
    bool is_long = false;

    if (!turns_may_be_given(turns)) {
        return false;
    }
    uint64_t begin_ns = clock_now_ns();
    uint64_t now_ns = begin_ns;
    uint64_t ready_ns = turns->first_ready->first->queued_ns;
    loop_lag_queued(turns->settings.lag, ready_ns > turns->refused_ns ? ready_ns : turns->refused_ns, now_ns);
    while (turns->first_ready != NULL && now_ns - begin_ns < TURN_NS) {
        turns->now_ns = now_ns;
        if (!lease_is_held(turns->settings.lease, now_ns)) {
            turns->refused_ns = now_ns;
            turns_pause(turns);
            return is_long;
        }
        bool is_last = --round == 0;
        now_ns = turns_give_one(turns);
        is_long = is_long || now_ns - turns->began_ns >= SERVED_NS;
        now_ns = turns_send(turns, now_ns);
        if (is_last && now_ns - begin_ns >= ROUNDS_NS) {
            break;
        }
        round = is_last ? turns->queued : round;
    }
    if (turns->first_ready == NULL) {
        uv_idle_stop(&turns->busy);
    }
    return is_long;
}

bool turns_give(struct turns *turns)
{
    struct net *net = turns->net;

    if (net == NULL) {
        return turns_give_all(turns);
    }
    net_gather(net, true);
    bool is_long = turns_give_all(turns);
    net_gather(net, false);
    turns->gather_ns = 0;
    return is_long;
}

void turns_resume(struct turns *turns)
{
    uv_timer_stop(&turns->retry);
    if (turns->first_ready != NULL) {
        uv_idle_start(&turns->busy, turns_on_idle);
    }
}

void turns_note_time(struct turns *turns, uint64_t now_ns)
{
    turns->now_ns = now_ns;
}

void turns_note_end(struct turns *turns, uint64_t now_ns)
{
    turns->now_ns = turns->ended_ns = now_ns;
}

uint64_t turns_now_ns(const struct turns *turns)
{
    return turns->now_ns;
}

bool turns_any(const struct turns *turns)
{
    return turns->first_ready != NULL;
}

bool turns_are_given(const struct turns *turns)
{
    return turns->first_ready != NULL && uv_is_active((const uv_handle_t *)&turns->busy);
}

uint64_t turns_began_ns(const struct turns *turns)
{
    return turns->began_ns;
}

void turns_set_net(struct turns *turns, struct net *net)
{
    turns->net = net;
}

void turns_open(struct turns *turns, const struct turns_settings *settings)
{
    turns->settings = *settings;
    turns->now_ns = clock_now_ns();
    uv_timer_init(settings->loop, &turns->retry);
    uv_idle_init(settings->loop, &turns->busy);
    turns->retry.data = turns->busy.data = turns;
}

void turns_close(struct turns *turns, uv_close_cb on_closed, void *data)
{
    turns->retry.data = turns->busy.data = data;
    uv_close((uv_handle_t *)&turns->retry, on_closed);
    uv_close((uv_handle_t *)&turns->busy, on_closed);
}
