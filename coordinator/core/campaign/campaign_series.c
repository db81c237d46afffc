/* What is counted of a campaign second by second, since its workers began. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/time_units.h"

/* What comes before the beginning is of the first second; nothing is of a second that has not begun. */
uint64_t campaign_second(const struct campaign *campaign, uint64_t now_ns, int64_t at_ns)
{
    uint64_t instant_ns = at_ns > 0 && (uint64_t)at_ns < now_ns ? (uint64_t)at_ns : now_ns;
    bool has_begun = campaign->begun_ns != 0 && instant_ns > campaign->begun_ns;
    return has_begun ? (instant_ns - campaign->begun_ns) / NS_PER_S : 0;
}

const struct series *campaign_series(const struct campaign *campaign)
{
    return campaign->series;
}

void campaign_series_statistics(struct campaign *campaign, uint64_t now_ns,
                                const struct statistics *statistics)
{
    uint64_t second = campaign_second(campaign, now_ns, statistics->at_ns);
    series_add_statistics(campaign->series, second, statistics);
    for (size_t i = 0; i < statistics->slice_count; i++) {
        const struct slice_statistics *slice = &statistics->slices[i];
        struct bytes tag = campaign_statistics_tag(campaign->statistics, slice->tag);
        if (slice->kind == SLICE_REQUEST && tag.size > 0) {
            series_add_tagged(campaign->series, second, tag, slice);
        }
    }
    series_add_workers(campaign->series, second, campaign->workers_running);
}

/* They are of the time before they were sent. */
void campaign_series_gauges(struct campaign *campaign, uint64_t now_ns, const struct gauges *gauges)
{
    int64_t at_ns = (int64_t)(now_ns - gauges->interval_us * NS_PER_US / 2);
    uint64_t second = campaign_second(campaign, now_ns, at_ns);
    series_add_gauges(campaign->series, second, gauges);
    series_add_workers(campaign->series, second, campaign->workers_running);
}

void campaign_series_lost(struct campaign *campaign, uint64_t now_ns, uint64_t steps)
{
    if (steps > 0) {
        series_add_lost(campaign->series, campaign_second(campaign, now_ns, 0), steps);
    }
}

void campaign_series_seen(struct campaign *campaign, uint64_t now_ns)
{
    size_t count = 0;
    struct sightings *sightings = campaign->rooms != NULL ? rooms_sightings(campaign->rooms) : NULL;
    const struct seen_note *notes = sightings != NULL ? sightings_take_notes(sightings, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        series_add_seen(campaign->series, campaign_second(campaign, now_ns, notes[i].at_ns),
                        notes[i].seen_us);
    }
}
