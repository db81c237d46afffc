/* Loads the script of a campaign. */
#include "agent/shard/shard_script.h"

#include "agent/browser/kind.h"
#include "agent/script/picking.h"
#include "agent/script/script_state.h"
#include "agent/shard/shard.h"
#include "agent/shard/step_wrapper.h"
#include "agent/shard/vu_api.h"
#include "agent/shard/watchdog.h"

static void shard_script_tell_place(void *context, const char *place)
{
    const struct shard_campaign *campaign = context;

    pulse_set_place(shard_settings(campaign->shard)->pulse, place);
}

static const struct script_thread script_thread = {.give_way = vu_give_way,
                                                   .tell_place = shard_script_tell_place};

bool shard_script_load(struct shard_campaign *campaign, struct error *error)
{
    const struct shard_settings *settings = shard_settings(campaign->shard);
    char target[2048];
    struct browser_mix mix;

    bytes_to_text(campaign->options->target, target, sizeof target);
    struct script_settings script_settings = {
        .memory = shard_memory(campaign->shard),
        .instruction_limit = settings->instruction_limit,
        .turn_limit_ms = settings->turn_limit_ms,
        .is_system_allowed = settings->is_system_allowed,
        .is_quiet = settings->is_quiet,
        .files = script_files_of_bundle(deployment_bundle(campaign->deployment)),
        .target = target[0] ? target : NULL,
        .environment = campaign->options->env,
        .campaign_options = campaign->options,
        .thread = &script_thread,
        .thread_context = campaign,
        .library = settings->library,
    };
    campaign->script = script_new(&script_settings);
    if (!script_load(campaign->script, error)) {
        return false;
    }
    struct bytes only = campaign->options->single_mode;
    if (only.size > 0 && script_find_scenario(campaign->script, (const char *)only.data, only.size) == NULL) {
        return error_set(error, "there is no scenario \"%.*s\"", BYTES_FORMAT(only));
    }
    if (!picking_take_loads(campaign->script, campaign->options, error)) {
        return false;
    }
    browser_mix_of(campaign->options, &mix);
    if (campaign->script->uses_browser && !browser_find_drivers(&mix, error)) {
        return false;
    }
    if (step_wrapper_is_needed(campaign->script)) {
        step_wrapper_open(campaign->script);
    }
    return true;
}
