/* Whose turn it is on a shard, and when: workers one after the other, timers, and what is posted meanwhile.
 */
#include "agent/shard/shard_inside.h"
#include "agent/shard/watchdog.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

/* What may wait for the agent's thread before workers pause. */
#define NOTICES_MAX_WAITING 100000u
/* A turn of the loop gives way to the sockets after this long, and after this long at the end of a round:
 * what was queued meanwhile mostly follows at once, so that few messages tell of it. */
#define TURN_NS (2 * NS_PER_MS)
#define ROUNDS_NS (NS_PER_MS / 2)
/* While there are turns to give, what the workers did waits so long for others: thousands that arrive at a
 * barrier take several turns. */
#define POSTS_NS (10 * NS_PER_MS)
#define RETRY_MS 20
/* Of several campaigns one has turns for this long, then the next. */
#define SERVED_NS (NS_PER_MS / 2)
/* A turn of a campaign that took longer in one piece is followed by so many times that for the others. */
#define LONG_PIECE_NS (25 * NS_PER_MS)
#define RESTS 9u
#define LOOP_LAG_PERIOD_NS NS_PER_S

static void shard_turns_on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void add_ready(struct shard *shard, struct shard_campaign *campaign)
{
    campaign->is_ready = true;
    campaign->next_ready = NULL;
    if (shard->last_ready != NULL) {
        shard->last_ready->next_ready = campaign;
    } else {
        shard->first_ready = campaign;
    }
    shard->last_ready = campaign;
    shard->queued += campaign->queued;
}

static void drop_ready(struct shard *shard, struct shard_campaign *campaign)
{
    struct shard_campaign *before = NULL;

    for (struct shard_campaign *at = shard->first_ready; at != campaign; at = at->next_ready) {
        before = at;
    }
    if (before != NULL) {
        before->next_ready = campaign->next_ready;
    } else {
        shard->first_ready = campaign->next_ready;
    }
    if (shard->last_ready == campaign) {
        shard->last_ready = before;
    }
    campaign->is_ready = false;
    shard->queued -= campaign->queued;
}

static void begin_turns(struct shard *shard)
{
    if (!uv_is_active((uv_handle_t *)&shard->busy) && !uv_is_active((uv_handle_t *)&shard->retry)) {
        uv_idle_start(&shard->busy, shard_turns_on_idle);
    }
}

void shard_queue(struct shard *shard, struct vu *vu)
{
    struct shard_campaign *campaign = vu->campaign;

    if (vu->is_queued) {
        return;
    }
    if (shard->first_ready == NULL) {
        shard->now_ns = clock_now_ns();
    }
    vu->queued_ns = shard->now_ns;
    vu->is_queued = true;
    vu->next = NULL;
    if (campaign->last != NULL) {
        campaign->last->next = vu;
    } else {
        campaign->first = vu;
    }
    campaign->last = vu;
    campaign->queued++;
    if (campaign->is_resting) {
        return;
    }
    if (campaign->is_ready) {
        shard->queued++;
    } else {
        add_ready(shard, campaign);
    }
    begin_turns(shard);
}

uint64_t shard_turn_ns(const struct shard *shard)
{
    return shard->turn_ns;
}

bool shard_is_queued(const struct shard *shard)
{
    return shard->first_ready;
}

void shard_unqueue(struct shard *shard, struct vu *vu)
{
    struct shard_campaign *campaign = vu->campaign;
    struct vu *before = NULL;

    if (!vu->is_queued) {
        return;
    }
    for (struct vu *at = campaign->first; at != vu; at = at->next) {
        before = at;
    }
    if (before != NULL) {
        before->next = vu->next;
    } else {
        campaign->first = vu->next;
    }
    if (campaign->last == vu) {
        campaign->last = before;
    }
    vu->is_queued = false;
    campaign->queued--;
    if (!campaign->is_ready) {
        return;
    }
    shard->queued--;
    if (campaign->queued == 0) {
        drop_ready(shard, campaign);
    }
}

/* The campaign in front has had turns for so long; the others come before its next one. */
static void charge_turn(struct shard *shard, struct shard_campaign *campaign, uint64_t turn_ns)
{
    campaign->served_ns += turn_ns;
    /* What the others did has waited for long enough. */
    if (turn_ns >= SERVED_NS) {
        shard->is_hurried = true;
    }
    if (campaign->served_ns < SERVED_NS) {
        return;
    }
    campaign->served_ns = 0;
    if (campaign->is_ready && campaign != shard->last_ready) {
        drop_ready(shard, campaign);
        add_ready(shard, campaign);
    }
}

static void on_rested(struct alarm *alarm, uint64_t now_ns)
{
    struct shard_campaign *campaign = CONTAINER_OF(alarm, struct shard_campaign, rest_alarm);

    (void)now_ns;
    campaign->is_resting = false;
    if (campaign->queued > 0) {
        add_ready(campaign->shard, campaign);
        begin_turns(campaign->shard);
    }
}

void shard_init_campaign(struct shard_campaign *campaign)
{
    alarm_init(&campaign->rest_alarm, on_rested);
}

/* A worker that has kept the thread for long, where nothing can interrupt it: while there are campaigns
 * beside its own, they have most of the time. */
static void shard_turns_rest(struct shard *shard, struct shard_campaign *campaign)
{
    uint64_t piece_ns = campaign->script->limits.spent_ns;

    campaign->script->limits.spent_ns = 0;
    if (piece_ns < LONG_PIECE_NS || campaign->is_resting ||
        (shard->campaigns == campaign && campaign->next == NULL)) {
        return;
    }
    if (campaign->is_ready) {
        drop_ready(shard, campaign);
    }
    campaign->is_resting = true;
    shard_set_alarm(shard, &campaign->rest_alarm, clock_now_ns() + piece_ns * RESTS);
}

void shard_post(struct shard *shard, struct notice **notice)
{
    shard->posts =
        memory_reserve(shard->posts, &shard->post_capacity, shard->post_count + 1, sizeof *shard->posts);
    shard->posts[shard->post_count++] = *notice;
    *notice = NULL;
}

void shard_hurry(struct shard *shard)
{
    shard->is_hurried = true;
}

/* Others are about to have their turns, and what they do may join. */
static bool may_wait(struct shard *shard)
{
    if (shard->first_ready == NULL || !uv_is_active((const uv_handle_t *)&shard->busy) || shard->is_hurried) {
        return false;
    }
    for (const struct shard_campaign *campaign = shard->campaigns; campaign != NULL;
         campaign = campaign->next) {
        if (shard_campaign_is_urgent(campaign)) {
            return false;
        }
    }
    uint64_t now_ns = clock_now_ns();
    if (shard->waiting_ns == 0) {
        shard->waiting_ns = now_ns;
    }
    return now_ns < shard->waiting_ns + POSTS_NS;
}

void shard_send_posts(struct shard *shard)
{
    if (may_wait(shard)) {
        return;
    }
    for (struct shard_campaign *campaign = shard->campaigns; campaign != NULL; campaign = campaign->next) {
        shard_campaign_post_gathered(campaign);
    }
    if (shard->post_count > 0) {
        mailbox_put_all(shard->settings.notices, shard->settings.index, shard->posts, shard->post_count);
    }
    shard->post_count = 0;
    shard->waiting_ns = 0;
    shard->is_hurried = false;
}

static void shard_turns_on_prepare(uv_prepare_t *prepare)
{
    struct shard *shard = prepare->data;

    shard_send_posts(shard);
    shard->now_ns = clock_now_ns();
    loop_lag_end_turn(&shard->lag, shard->now_ns);
    pulse_sleep(shard->settings.pulse);
}

bool shard_may_act(const struct shard *shard)
{
    return lease_is_held(&shard->lease, clock_now_ns());
}

static void on_retry(uv_timer_t *retry)
{
    struct shard *shard = retry->data;

    uv_idle_start(&shard->busy, shard_turns_on_idle);
}

static void pause_turns(struct shard *shard)
{
    uv_idle_stop(&shard->busy);
    uv_timer_start(&shard->retry, on_retry, RETRY_MS, 0);
}

static void give_turns(struct shard *shard)
{
    size_t round = shard->queued;

    if (shard->first_ready == NULL || uv_is_active((uv_handle_t *)&shard->retry)) {
        return;
    }
    /* The agent's thread cannot keep up with what they did. */
    if (mailbox_waiting(shard->settings.notices) > NOTICES_MAX_WAITING) {
        pause_turns(shard);
        return;
    }
    uint64_t begin_ns = clock_now_ns();
    uint64_t now_ns = begin_ns;
    uint64_t ready_ns = shard->first_ready->first->queued_ns;
    loop_lag_queued(&shard->lag, ready_ns > shard->refused_ns ? ready_ns : shard->refused_ns, now_ns);
    while (shard->first_ready != NULL && now_ns - begin_ns < TURN_NS) {
        shard->now_ns = now_ns;
        if (!lease_is_held(&shard->lease, now_ns)) {
            shard->refused_ns = now_ns;
            pause_turns(shard);
            return;
        }
        struct shard_campaign *campaign = shard->first_ready;
        struct vu *vu = campaign->first;
        bool is_last = --round == 0;
        shard_unqueue(shard, vu);
        shard->turn_ns = now_ns;
        pulse_begin_turn(shard->settings.pulse, campaign->id, vu->id, vu->step);
        vu_turn(vu); /* which may be its end */
        pulse_end_turn(shard->settings.pulse);
        shard_turns_rest(shard, campaign);
        now_ns = clock_now_ns();
        charge_turn(shard, campaign, now_ns - shard->turn_ns);
        if (is_last && now_ns - begin_ns >= ROUNDS_NS) {
            break;
        }
        round = is_last ? shard->queued : round;
    }
    if (shard->first_ready == NULL) {
        uv_idle_stop(&shard->busy);
    }
}

/* After the sockets had theirs. */
static void on_check(uv_check_t *check)
{
    struct shard *shard = check->data;

    pulse_wake(shard->settings.pulse);
    give_turns(shard);
    shard_send_posts(shard);
}

static void arm(struct shard *shard);

static void shard_turns_on_wakeup(uv_timer_t *wakeup)
{
    struct shard *shard = wakeup->data;
    uint64_t now_ns = clock_now_ns();
    struct timer *timer;

    if (timers_next_ns(shard->timers) <= now_ns) {
        loop_lag_woken(&shard->lag, timers_next_ns(shard->timers), now_ns);
    }
    while ((timer = timers_take_due(shard->timers, now_ns)) != NULL) {
        struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
        alarm->on_due(alarm, now_ns);
    }
    arm(shard);
}

/* libuv counts whole milliseconds from a clock that it reads once a turn, so a timer may be early: then it
 * comes again. */
static void arm(struct shard *shard)
{
    uint64_t next_ns = timers_next_ns(shard->timers);

    if (next_ns == TIMERS_NEVER) {
        return;
    }
    uint64_t now_ns = clock_now_ns();
    uint64_t in_ms = next_ns > now_ns ? (next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
    if (uv_is_active((uv_handle_t *)&shard->wakeup) && uv_timer_get_due_in(&shard->wakeup) <= in_ms) {
        return;
    }
    uv_timer_start(&shard->wakeup, shard_turns_on_wakeup, in_ms, 0);
}

void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *alarm, uint64_t now_ns))
{
    timer_init(&alarm->timer);
    alarm->on_due = on_due;
}

void shard_set_alarm(struct shard *shard, struct alarm *alarm, uint64_t due_ns)
{
    timers_set(shard->timers, &alarm->timer, due_ns);
    if (timers_next_ns(shard->timers) == due_ns) {
        arm(shard);
    }
}

void shard_unset_alarm(struct shard *shard, struct alarm *alarm)
{
    timers_unset(shard->timers, &alarm->timer);
}

void shard_post_loop(struct shard *shard, uint64_t campaign)
{
    struct notice *notice = notice_new(NOTICE_LOOP, campaign);

    notice->lag_us = loop_lag_take(&shard->lag, clock_now_ns(), &notice->loop);
    shard_post(shard, &notice);
}

static void on_lag_due(struct alarm *alarm, uint64_t now_ns)
{
    struct shard *shard = CONTAINER_OF(alarm, struct shard, lag_alarm);

    shard_post_loop(shard, 0);
    shard_set_alarm(shard, alarm, now_ns + LOOP_LAG_PERIOD_NS);
}

void shard_resume_turns(struct shard *shard)
{
    uv_timer_stop(&shard->retry);
    if (shard->first_ready != NULL) {
        uv_idle_start(&shard->busy, shard_turns_on_idle);
    }
}

void shard_open_turns(struct shard *shard)
{
    uv_timer_init(shard->loop, &shard->wakeup);
    uv_timer_init(shard->loop, &shard->retry);
    uv_idle_init(shard->loop, &shard->busy);
    uv_check_init(shard->loop, &shard->turns);
    uv_prepare_init(shard->loop, &shard->parting);
    shard->wakeup.data = shard->retry.data = shard->busy.data = shard->turns.data = shard->parting.data =
        shard;
    shard->now_ns = clock_now_ns();
    loop_lag_init(&shard->lag, shard->loop, shard->now_ns);
    alarm_init(&shard->lag_alarm, on_lag_due);
    shard_set_alarm(shard, &shard->lag_alarm, shard->now_ns + LOOP_LAG_PERIOD_NS);
    uv_check_start(&shard->turns, on_check);
    uv_prepare_start(&shard->parting, shard_turns_on_prepare);
}

void shard_close_turns(struct shard *shard, uv_close_cb on_closed)
{
    uv_close((uv_handle_t *)&shard->wakeup, on_closed);
    uv_close((uv_handle_t *)&shard->retry, on_closed);
    uv_close((uv_handle_t *)&shard->busy, on_closed);
    uv_close((uv_handle_t *)&shard->turns, on_closed);
    uv_close((uv_handle_t *)&shard->parting, on_closed);
}
