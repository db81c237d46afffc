/* What of one campaign has been sent to the outputs, and what is new. */
#include "coordinator/live/live_campaign.h"

#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/live/influx_lines.h"
#include "coordinator/live/otlp_json.h"
#include "coordinator/live/remote_write.h"
#include "coordinator/live/statsd_lines.h"

#include <string.h>

#define BATCH_BYTES ((size_t)8 * 1024 * 1024)

struct live_campaign *live_campaign_new(uint64_t campaign)
{
    struct live_campaign *live = MEMORY_NEW(struct live_campaign);
    live->campaign = campaign;
    return live;
}

void live_campaign_free(struct live_campaign **at)
{
    for (size_t i = 0; i < SERIES_OPEN_S; i++) {
        series_view_free(&(*at)->sent[i].view);
    }
    memory_free(*at);
    *at = NULL;
}

/* The seconds that have changed since they were sent, with what is to be sent of each. */
struct live_news {
    const struct report_view *report;
    uint64_t wall_ns;
    struct live_second seconds[SERIES_OPEN_S];
    size_t count;
};

static void live_take_second(struct live_campaign *live, const struct series *series, uint64_t second,
                             struct live_news *news)
{
    uint64_t revision = series_second_revision(series, second);
    size_t place = second % SERIES_OPEN_S;
    bool is_known = live->sent[place].view != NULL && live->sent[place].second == second;
    if (is_known && live->sent[place].revision == revision) {
        return;
    }
    struct live_second *next = &news->seconds[news->count++];
    *next = (struct live_second){.report = news->report,
                                 .now = series_view_of_second(series, second),
                                 .before = is_known ? live->sent[place].view : NULL,
                                 .wall_ns = live->begun_wall_ns + second * (uint64_t)NS_PER_S};
    if (!is_known) {
        series_view_free(&live->sent[place].view);
    }
    live->sent[place].second = second;
    live->sent[place].revision = revision;
    live->sent[place].view = NULL; /* `next` has both until live_keep_news */
}

static void live_find_news(struct live_campaign *live, const struct series *series, struct live_news *news)
{
    struct series_seconds seconds = series_settled_seconds(series, news->report->running_ns, live->has_ended);
    for (uint64_t second = seconds.first; second < seconds.end; second++) {
        live_take_second(live, series, second, news);
    }
    if (news->count > 0) {
        news->seconds[news->count - 1].is_latest = true;
    }
}

/* What was sent is what later changes are compared with. */
static void live_keep_news(struct live_campaign *live, const struct live_news *news)
{
    for (size_t i = 0; i < news->count; i++) {
        const struct live_second *second = &news->seconds[i];
        uint64_t number = (second->wall_ns - live->begun_wall_ns) / (uint64_t)NS_PER_S;
        struct series_view *before = (struct series_view *)(uintptr_t)second->before;
        series_view_free(&before);
        live->sent[number % SERIES_OPEN_S].view = (struct series_view *)(uintptr_t)second->now;
    }
}

/* False if there is nothing to send. */
static bool live_write(const struct live_campaign *live, const struct live_news *news,
                       const struct output_target *target, struct buffer *into)
{
    switch (target->kind) {
    case OUTPUT_STATSD:
        for (size_t i = 0; i < news->count && !live->is_resumed; i++) {
            statsd_lines_second(&news->seconds[i], target->prefix, into);
        }
        statsd_lines_thresholds(news->report, target->prefix, into);
        break;
    case OUTPUT_INFLUXDB:
        for (size_t i = 0; i < news->count; i++) {
            influx_lines_second(&news->seconds[i], into);
        }
        influx_lines_thresholds(news->report, news->wall_ns, into);
        break;
    case OUTPUT_OTLP: {
        SCOPED(memory_free_at) char *text = otlp_json(news->report, news->wall_ns);
        buffer_append_string(into, text);
        break;
    }
    case OUTPUT_PROMETHEUS:
        into->has_overflowed = !remote_write(news->report, news->wall_ns / (uint64_t)NS_PER_MS, into);
        break;
    case OUTPUT_KIND_COUNT:
        break;
    }
    return into->size > 0 || into->has_overflowed;
}

static void live_put(const struct live_campaign *live, const struct live_news *news,
                     struct output_sender *sender)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, BATCH_BYTES);
    if (!live_write(live, news, output_sender_target(sender), &text)) {
        return;
    }
    if (text.has_overflowed) {
        output_sender_miss(sender, live->campaign, "it is too large");
        return;
    }
    size_t size = 0;
    uint8_t *data = buffer_take(&text, &size);
    output_sender_put(sender, live->campaign, &data, size);
}

void live_campaign_send(struct live_campaign *live, struct server *server,
                        struct output_sender *const *senders, size_t count)
{
    const struct report_view *report = server_report(server, live->campaign);
    const struct series *series = server_series_inside(server, live->campaign);
    if (report == NULL || series == NULL || report->begun_wall_ns == 0) {
        return;
    }
    if (live->begun_wall_ns == 0) {
        live->begun_wall_ns = report->begun_wall_ns - report->begun_wall_ns % (uint64_t)NS_PER_MS;
        live->is_resumed = report->running_ns / (uint64_t)NS_PER_S >= SERIES_OPEN_S;
    }
    struct live_news news = {.report = report, .wall_ns = clock_wall_ns()};
    live_find_news(live, series, &news);
    for (size_t i = 0; i < count; i++) {
        live_put(live, &news, senders[i]);
    }
    live_keep_news(live, &news);
    live->is_resumed = false;
}
