/* The dry look at a script that every campaign begins with. */
#include "cli/options/campaign_script.h"
#include "agent/lua/lua_api.h"
#include "cli/options/campaign_tls.h"
#include "cli/options/command_words.h"

#include "agent/browser/kind.h"
#include "proto/message/load.h"

#include <string.h>

bool campaign_target_is_builtin(const struct run_options *options)
{
    return bytes_equal_string(options->campaign.target, "builtin");
}

static bool has_scenario(const struct script_facts *facts, struct bytes name)
{
    for (size_t i = 0; i < facts->scenario_count; i++) {
        if (bytes_equal_string(name, facts->scenarios[i].name)) {
            return true;
        }
    }
    return false;
}

bool campaign_script_read(const struct command_words *words, const char *script, struct run_options *options,
                          struct script_facts **facts, struct error *error)
{
    const struct script_inspection inspection = {
        .library = &lua_api_library,
        .path = script,
        .is_system_allowed = options->may_use_system,
        .environment = buffer_bytes(&words->environment),
        .target = campaign_target_is_builtin(options) ? NULL : (const char *)options->campaign.target.data,
    };
    *facts = script_inspect(&inspection, error);
    if (*facts == NULL || !run_options_merge(words, *facts, options, error)) {
        return false;
    }
    struct bytes only = options->campaign.single_mode;
    if (only.size > 0 && !has_scenario(*facts, only)) {
        return error_set(error, "%s has no scenario \"%.80s\" (see tutti check %s)", script,
                         (const char *)only.data, script);
    }
    struct loads loads = {0};
    loads_of(&options->campaign, &loads);
    for (size_t i = 0; i < loads.count; i++) {
        struct bytes name = loads.items[i].scenario;
        if (name.size > 0 && !has_scenario(*facts, name)) {
            return error_set(error, "%s has no scenario \"%.*s\", which a load is to run", script,
                             BYTES_FORMAT(name));
        }
    }
    return campaign_tls_add(options, *facts, error);
}

bool campaign_script_has_driver(const char *script, const struct run_options *options,
                                const struct script_facts *facts, struct error *error)
{
    struct browser_mix mix;
    browser_mix_of(&options->campaign, &mix);
    return !facts->uses_browser || browser_find_drivers(&mix, error) || error_wrap(error, "%s: ", script);
}
