/* Outputs that are sent points while campaigns run. */
#include "coordinator/live/live.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/live/live_campaign.h"
#include "coordinator/live/output_sender.h"

#include <assert.h>
#include <curl/curl.h>

#define TICK_MS 1000u

struct live {
    struct live_settings settings;
    uv_timer_t tick;
    uv_async_t wake;
    unsigned open_parts;
    struct output_sender *senders[OUTPUT_TARGETS];
    size_t count;
    struct live_campaign *campaigns; /* that have not ended, or are not settled */
};

static struct live_campaign **live_find(const struct live *live, uint64_t campaign)
{
    struct live_campaign **at = (struct live_campaign **)(uintptr_t)&live->campaigns;
    while (*at != NULL && (*at)->campaign != campaign) {
        at = &(*at)->next;
    }
    return at;
}

/* At its first failure: the load goes on without it. */
static void live_tell_failures(const struct live *live, struct live_campaign *campaign)
{
    for (size_t i = 0; i < live->count; i++) {
        struct output_account account;
        if (!campaign->is_told[i] && output_sender_account(live->senders[i], campaign->campaign, &account) &&
            account.reason[0] != '\0') {
            campaign->is_told[i] = true;
            SCOPED(memory_free_at)
            char *text = memory_format("%s does not take points: %s",
                                       output_sender_target(live->senders[i])->name, account.reason);
            live->settings.on_failing(live->settings.context, campaign->campaign, text);
        }
    }
}

static void live_tell_lost(const struct live *live, uint64_t campaign)
{
    for (size_t i = 0; i < live->count && live->settings.on_lost != NULL; i++) {
        struct output_account account;
        if (output_sender_account(live->senders[i], campaign, &account) && account.lost > 0) {
            SCOPED(memory_free_at)
            char *text = memory_format(
                "%s: %llu of %llu points were not taken: %s", output_sender_target(live->senders[i])->name,
                (unsigned long long)account.lost, (unsigned long long)account.points, account.reason);
            live->settings.on_lost(live->settings.context, campaign, text);
        }
    }
}

static bool live_has_sent(const struct live *live, uint64_t campaign)
{
    for (size_t i = 0; i < live->count; i++) {
        struct output_account account;
        if (output_sender_account(live->senders[i], campaign, &account) &&
            !output_account_is_settled(&account)) {
            return false;
        }
    }
    return true;
}

/* One whose last points have been sent, or for whom it is too late; NULL: none. */
static struct live_campaign **live_find_settled(struct live *live)
{
    for (struct live_campaign **at = &live->campaigns; *at != NULL; at = &(*at)->next) {
        if (!(*at)->has_ended) {
            continue;
        }
        if (!live_has_sent(live, (*at)->campaign) && uv_hrtime() >= (*at)->give_up_ns) {
            for (size_t i = 0; i < live->count; i++) {
                output_sender_give_up(live->senders[i], (*at)->campaign);
            }
        }
        if (live_has_sent(live, (*at)->campaign)) {
            return at;
        }
    }
    return NULL;
}

/* `on_settled` may close us, so it is called last; for another one the clock comes round again. */
static void live_settle(struct live *live)
{
    struct live_campaign **at = live_find_settled(live);
    if (at == NULL) {
        return;
    }
    struct live_campaign *settled = *at;
    uint64_t campaign = settled->campaign;
    *at = settled->next;
    live_campaign_free(&settled);
    live_tell_lost(live, campaign);
    (void)uv_async_send(&live->wake);
    live->settings.on_settled(live->settings.context, campaign);
}

static void live_on_wake(uv_async_t *wake)
{
    struct live *live = wake->data;
    for (struct live_campaign *campaign = live->campaigns; campaign != NULL; campaign = campaign->next) {
        live_tell_failures(live, campaign);
    }
    live_settle(live);
}

static struct live_campaign *live_need(struct live *live, uint64_t campaign)
{
    struct live_campaign **at = live_find(live, campaign);
    if (*at == NULL) {
        *at = live_campaign_new(campaign);
    }
    return *at;
}

static void live_look(struct live *live)
{
    const struct coordinator_overview *overview = server_overview(live->settings.server);
    size_t count = 0;
    SCOPED(memory_free_at)
    uint64_t *campaigns = memory_new(overview->live_campaign_count + 1, sizeof *campaigns);
    for (size_t i = 0; i < overview->campaign_count; i++) {
        if (overview->campaigns[i].state != CAMPAIGN_ENDED) {
            campaigns[count++] = overview->campaigns[i].campaign;
        }
    }
    for (size_t i = 0; i < count; i++) {
        live_campaign_send(live_need(live, campaigns[i]), live->settings.server, live->senders, live->count);
    }
}

static void live_on_tick(uv_timer_t *timer)
{
    struct live *live = timer->data;
    live_look(live);
    live_settle(live);
}

static bool live_open_senders(struct live *live, const struct output_list *outputs, struct error *error)
{
    for (size_t i = 0; i < outputs->count; i++) {
        struct output_target target;
        if (!output_target_parse(outputs->texts[i], &target, error)) {
            return false;
        }
        live->senders[i] = output_sender_new(&target, &live->wake, error);
        if (live->senders[i] == NULL) {
            return false;
        }
        live->count = i + 1;
    }
    return true;
}

static void live_close_senders(struct live *live)
{
    for (size_t i = 0; i < live->count; i++) {
        output_sender_free(&live->senders[i]);
    }
    live->count = 0;
}

struct live *live_new(uv_loop_t *loop, const struct live_settings *settings, struct error *error)
{
    struct live *live = MEMORY_NEW(struct live);
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    (void)code;
    live->settings = *settings;
    live->open_parts = 2;
    (void)uv_async_init(loop, &live->wake, live_on_wake);
    (void)uv_timer_init(loop, &live->tick);
    live->wake.data = live;
    live->tick.data = live;
    if (!live_open_senders(live, settings->outputs, error)) {
        (void)error_wrap(error, "--out: ");
        live_close(&live);
        return NULL;
    }
    (void)uv_timer_start(&live->tick, live_on_tick, TICK_MS, TICK_MS);
    return live;
}

void live_campaign_ended(struct live *live, uint64_t campaign)
{
    struct live_campaign *ended = live_need(live, campaign);
    ended->has_ended = true;
    ended->give_up_ns = uv_hrtime() + LIVE_LAST_MS * (uint64_t)NS_PER_MS;
    live_campaign_send(ended, live->settings.server, live->senders, live->count);
    (void)uv_async_send(&live->wake);
}

bool live_is_settled(const struct live *live, uint64_t campaign)
{
    return *live_find(live, campaign) == NULL;
}

bool live_is_quiet(const struct live *live)
{
    return live->campaigns == NULL;
}

void live_describe(const struct live *live, struct report_view *report)
{
    struct output_view *outputs = report_view_array(report, live->count, sizeof *outputs);
    for (size_t i = 0; i < live->count; i++) {
        struct output_account account;
        if (!output_sender_account(live->senders[i], report->campaign, &account)) {
            account = (struct output_account){0};
        }
        outputs[i] = (struct output_view){
            .name = report_view_text(report, bytes_of_string(output_sender_target(live->senders[i])->name)),
            .points = account.points,
            .lost = account.lost,
            .error = report_view_text(report, bytes_of_string(account.reason))};
    }
    report->outputs = outputs;
    report->output_count = live->count;
}

static void live_on_closed(uv_handle_t *handle)
{
    struct live *live = handle->data;
    if (--live->open_parts == 0) {
        curl_global_cleanup();
        memory_free(live);
    }
}

void live_close(struct live **at)
{
    struct live *live = *at;
    *at = NULL;
    if (live == NULL) {
        return;
    }
    live_close_senders(live);
    while (live->campaigns != NULL) {
        struct live_campaign *campaign = live->campaigns;
        live->campaigns = campaign->next;
        live_campaign_free(&campaign);
    }
    uv_close((uv_handle_t *)&live->wake, live_on_closed);
    uv_close((uv_handle_t *)&live->tick, live_on_closed);
}
