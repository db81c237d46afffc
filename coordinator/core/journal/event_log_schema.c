/* A number that identifies the structure of a journal's records. */
#include "coordinator/core/journal/event_log_schema.h"

#include "coordinator/core/campaign/campaign_inside.h"
#include "coordinator/core/coordinator_inside.h"
#include "coordinator/core/report/statistics_inside.h"
#include "coordinator/core/rooms/rooms_inside.h"
#include "coordinator/core/rooms/sightings_inside.h"
#include "coordinator/core/series/series_inside.h"
#include "proto/codec/codec.h"

static const uint64_t PARTS[] = {
    PROTOCOL_VERSION,
    EVENT_RESTORED,
    OPERATION_KIND_COUNT,
    OUTCOME_COUNT,
    CAMPAIGN_STATE_COUNT,
    VERDICT_DEADLOCKED,
    ARTIFACT_KINDS,
    BROWSER_KINDS,
    sizeof(struct coordinator_event),
    sizeof(struct campaign_options),
    sizeof(struct coordinator_settings),
    sizeof(struct coordinator),
    sizeof(struct agent_overview),
    sizeof(struct member),
    sizeof(struct campaign) - sizeof(struct campaign_report),
    sizeof(struct campaign_agent),
    sizeof(struct artifacts),
    sizeof(struct rooms),
    sizeof(struct room),
    sizeof(struct seat),
    sizeof(struct step_state),
    sizeof(struct notifier),
    sizeof(struct barrier),
    sizeof(struct variable),
    sizeof(struct wait),
    sizeof(struct sighting),
    sizeof(struct seen_total),
    sizeof(struct last_report) + sizeof(struct latecomer),
    sizeof(struct campaign_statistics),
    sizeof(struct series),
    SERIES_GROUP_COUNT,
    sizeof(struct request_report),
    sizeof(struct scenario_report),
    sizeof(struct wait_report),
    sizeof(struct error_report),
    sizeof(struct websocket_report),
    sizeof(struct error_total),
    sizeof(struct check_report),
    sizeof(struct slice_report),
    SLICE_KINDS,
    sizeof(struct threshold_result),
    THRESHOLD_COUNTS,
    THRESHOLD_WINDOW_SLOTS,
};

uint64_t event_log_schema(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        sum = (sum ^ PARTS[i]) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return sum;
}
