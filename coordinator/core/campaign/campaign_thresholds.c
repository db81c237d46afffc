/* The thresholds of a campaign: judged while its workers run, and at its end. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/compose.h"
#include "common/duration.h"
#include "coordinator/core/thresholds/threshold_look.h"

#define NS_OF_MS 1000000u
#define DURATION_BYTES 40
#define THRESHOLD_REASON_BYTES 600

uint64_t campaign_elapsed_ms(const struct campaign *campaign, uint64_t now_ns)
{
    uint64_t until_ns = campaign->ended_ns != 0 ? campaign->ended_ns : now_ns;
    return until_ns > campaign->begun_ns ? (until_ns - campaign->begun_ns) / NS_OF_MS : 0;
}

void campaign_thresholds_begin(struct campaign *campaign, uint64_t now_ns)
{
    if (campaign->thresholds == NULL) {
        return;
    }
    uint64_t interval_ms = thresholds_interval_ms(campaign->thresholds);
    uint64_t elapsed_ms = campaign_elapsed_ms(campaign, now_ns);
    uint64_t next_ms = (elapsed_ms / interval_ms + 1) * interval_ms;
    deadline_set(campaign->home.timers, &campaign->judge_due, due_after_ms(campaign->begun_ns, next_ms));
}

struct threshold_inputs campaign_threshold_inputs(struct campaign *campaign)
{
    struct sightings *sightings =
        campaign->rooms != NULL ? rooms_sightings(campaign->rooms) : campaign->sightings;
    if (sightings != NULL) {
        sightings_report(sightings, &campaign->report);
    }
    return (struct threshold_inputs){.statistics = campaign->statistics,
                                     .seen = campaign->report.seen,
                                     .seen_count = campaign->report.seen_count};
}

/* "http.p95 < 200ms: 312 ms after 41 s" */
static void campaign_describe_missed(const struct threshold_result *result, char text[THRESHOLD_REASON_BYTES])
{
    char value[THRESHOLD_VALUE_BYTES] = "nothing was measured";
    char after[DURATION_BYTES];
    duration_describe(result->missed_ms, after, sizeof after);
    if (result->has_value) {
        threshold_describe(&result->threshold, result->value, value);
    }
    bool is_momentary = threshold_result_has_moment(result);
    compose(text, THRESHOLD_REASON_BYTES, "%.*s: %s%s%s", BYTES_FORMAT(result->threshold.text), value,
            is_momentary ? " after " : "", is_momentary ? after : "");
}

void campaign_thresholds_due(struct campaign *campaign, uint64_t now_ns)
{
    /* The last steps of a campaign that is ending are not what it is judged by. */
    if (campaign->state != CAMPAIGN_RUNNING || campaign->is_draining) {
        return;
    }
    struct threshold_inputs inputs SCOPED(threshold_inputs_finish) = campaign_threshold_inputs(campaign);
    const struct threshold_source source = {.look = threshold_look, .context = &inputs};
    const struct threshold_result *missed =
        thresholds_judge(campaign->thresholds, campaign_elapsed_ms(campaign, now_ns), &source);
    if (missed == NULL) {
        campaign_thresholds_begin(campaign, now_ns);
        return;
    }
    char text[THRESHOLD_REASON_BYTES];
    char reason[THRESHOLD_REASON_BYTES + 40];
    campaign_describe_missed(missed, text);
    compose(reason, sizeof reason, "threshold %s (abort)", text);
    (void)campaign_happen(campaign, now_ns, campaign_judge_stop(campaign, VERDICT_FAILED, reason));
}

void campaign_judge_thresholds(struct campaign *campaign)
{
    size_t count = 0;
    size_t missed = 0;
    const struct threshold_result *first = NULL;
    if (campaign->thresholds == NULL || campaign->begun_ns == 0) {
        return;
    }
    struct threshold_inputs inputs SCOPED(threshold_inputs_finish) = campaign_threshold_inputs(campaign);
    const struct threshold_source source = {.look = threshold_look, .context = &inputs};
    thresholds_finish(campaign->thresholds, campaign_elapsed_ms(campaign, campaign->ended_ns), &source);
    const struct threshold_result *results = thresholds_results(campaign->thresholds, &count);
    for (size_t i = 0; i < count; i++) {
        if (results[i].outcome == THRESHOLD_MISSED) {
            first = first == NULL ? &results[i] : first;
            missed++;
        }
    }
    if (missed > 0) {
        char text[THRESHOLD_REASON_BYTES];
        char more[DURATION_BYTES] = "";
        campaign_describe_missed(first, text);
        if (missed > 1) {
            compose(more, sizeof more, "; and %zu more", missed - 1);
        }
        judgement_raise(&campaign->judgement, VERDICT_FAILED, "threshold %s%s", text, more);
    }
}
