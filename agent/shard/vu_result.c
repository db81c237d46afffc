/* Counts how steps, fixtures and what follows them have ended. */
#include "agent/shard/vu_result.h"

#include "agent/script/script_state.h"
#include "agent/shard/shard_campaign.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/message/limits.h"

static bool wants_witness(const struct vu *vu)
{
    const struct shard_campaign *campaign = vu->campaign;

    return vu->shared->witness_reference != LUA_NOREF && !campaign->is_stopping &&
           campaign->artifacts < LIMIT_ARTIFACTS;
}

double vu_result_delay_s(const struct vu *vu)
{
    return vu->campaign->script->scenarios[vu->scenario].delay_s;
}

/* Errors of two scenarios are two, even where they have a line of the script in common. */
static void vu_result_count_error(const struct vu *vu, const char *text)
{
    const char *key = vu->failure_key != NULL ? vu->failure_key : text;
    const char *scenario = vu->phase == VU_STEP && vu->failure_key != NULL
                               ? vu->campaign->script->scenarios[vu->scenario].name
                               : "";
    SCOPED(memory_free_at) char *whole = memory_format("%s\n%s", scenario, key);
    struct error_sample sample = {.key = bytes_of_string(whole),
                                  .text = bytes_of_string(text),
                                  .scenario = bytes_of_string(scenario),
                                  .worker = vu->id,
                                  .step = vu->step};

    meter_error(vu->campaign->meter, &sample);
}

/* Counts the step, and finds out what comes after it. */
static enum vu_event vu_result_of_step(struct vu *vu)
{
    struct shard_campaign *campaign = vu->campaign;

    uint64_t now_ns = clock_now_ns();

    const struct scenario *scenario = &campaign->script->scenarios[vu->scenario];
    struct scenario_sample sample = {.name = bytes_of_string(scenario->name),
                                     .weight = scenario->weight,
                                     .result = vu->result,
                                     .duration_us = (now_ns - vu->step_began_ns) / 1000};
    meter_step(campaign->meter, vu->result, sample.duration_us);
    if (vu->result == STEP_FAILED && vu->is_failure_by_loss) {
        meter_failed_by_loss(campaign->meter);
    }
    meter_scenario(campaign->meter, &sample);
    if (vu->intended_ns != 0) {
        meter_response(campaign->meter, now_ns > vu->intended_ns ? (now_ns - vu->intended_ns) / 1000 : 0);
    }
    if (vu->result == STEP_OK) {
        turns_note_end(campaign->queue.turns, now_ns);
    } else { /* a witness may look into a failure */
        turns_note_time(campaign->queue.turns, now_ns);
    }
    switch ((enum step_result)vu->result) {
    case STEP_FAILED:
        vu_result_count_error(vu, vu->failure_text);
        if (campaign->options->verbosity > 0) {
            shard_campaign_complain_of_failure(campaign, vu, vu->failure_text);
        }
        return wants_witness(vu) ? VU_FAILED_WITNESSED : VU_FAILED;
    case STEP_STOPPED:
        return VU_STOPPED;
    case STEP_OK:
        break;
    }
    if (vu_result_delay_s(vu) > 0 && !campaign->is_stopping) {
        return VU_OK_DELAYED;
    }
    /* Others may have been released together with this one: they go on before the runner does its part. */
    bool are_others_released = runner_is_synchronising(campaign->runner) && turns_any(campaign->queue.turns);
    return are_others_released ? VU_OK_OTHERS_QUEUED : VU_OK;
}

static enum vu_event event_of_result(enum step_result result)
{
    return result == STEP_OK ? VU_OK : result == STEP_FAILED ? VU_FAILED : VU_STOPPED;
}

/* A worker that cannot begin counts as a failed step, so that --fail judges it too. */
static enum vu_event vu_result_of_setup(struct vu *vu)
{
    if (vu->failure_text != NULL) {
        vu_result_count_error(vu, vu->failure_text);
        if (vu->campaign->options->verbosity > 0) {
            shard_campaign_complain_of_failure(vu->campaign, vu, vu->failure_text);
        }
    }
    if (vu->result == STEP_FAILED) {
        meter_step(vu->campaign->meter, STEP_FAILED, 0);
    }
    return event_of_result(vu->result);
}

/* A witness and a teardown change nothing of what is reported. */
static enum vu_event vu_result_of_phase(struct vu *vu, enum step_result result, char *text)
{
    struct shard_campaign *campaign = vu->campaign;

    switch ((enum vu_phase)vu->phase) {
    case VU_STEP:
    case VU_SETUP:
    case VU_SETUP_SESSION:
        vu->result = (uint8_t)result;
        vu->failure_text = text;
        return vu->phase == VU_STEP ? vu_result_of_step(vu) : vu_result_of_setup(vu);
    case VU_GLOBAL_SETUP:
    case VU_GLOBAL_TEARDOWN:
        vu->failure_text = text;
        if (text != NULL && campaign->options->verbosity > 0) {
            shard_campaign_complain_of_failure(campaign, vu, text);
        }
        break;
    case VU_TASK: /* the step that it runs in counts it */
        vu->result = (uint8_t)result;
        vu->failure_text = text;
        break;
    case VU_WITNESS:
        if (result == STEP_FAILED) {
            shard_campaign_complain_of_failure(campaign, vu, text);
        }
        memory_free(text);
        break;
    default:
        if (text != NULL) {
            shard_campaign_complain_of_failure(campaign, vu, text);
            vu_result_count_error(vu, text);
        }
        memory_free(text);
        break;
    }
    return event_of_result(result);
}

enum vu_event vu_result_count(struct vu *vu, enum step_result result, char *text)
{
    enum vu_event event = vu_result_of_phase(vu, result, text);

    if (vu->slot != VU_NO_SLOT) {
        return event;
    }
    if (vu->failure_key != NULL) {
        memory_free(vu->failure_key);
        memory_free(vu->failure_trace); /* a failure of something else than Lua has none */
        vu->failure_key = NULL;
        vu->failure_trace = NULL;
    }
    return event;
}
