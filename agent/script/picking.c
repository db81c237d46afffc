/* Draws scenarios by weight from a stateless generator, so that the choice is repeatable. */
#include "agent/script/picking.h"

#include "common/memory.h"
#include "common/random.h"
#include "proto/message/load.h"

#include <string.h>

static bool pick_by_weight(const struct script *script, double drawn, uint32_t *scenario)
{
    double sum = 0;
    bool is_found = false;

    for (uint32_t i = 0; i < script->scenario_count; i++) {
        if (!(script->scenarios[i].weight > 0)) {
            continue;
        }
        /* Rounding may leave the sum slightly below the total. */
        *scenario = i;
        is_found = true;
        sum += script->scenarios[i].weight;
        if (drawn < sum) {
            break;
        }
    }
    return is_found;
}

bool pick_scenario(const struct script *script, const struct campaign_options *options,
                   const struct picking *picking, uint32_t *scenario)
{
    struct random random;

    if (script->loads != NULL) {
        struct bytes name = script->loads->items[picking->load].scenario;
        const struct scenario *own = script_find_scenario(script, (const char *)name.data, name.size);
        *scenario = own != NULL ? (uint32_t)(own - script->scenarios) : 0;
        return own != NULL;
    }
    if (options->single_mode.size > 0) {
        const struct scenario *only =
            script_find_scenario(script, (const char *)options->single_mode.data, options->single_mode.size);
        *scenario = only != NULL ? (uint32_t)(only - script->scenarios) : 0;
        return only != NULL;
    }
    if (options->is_single_run) {
        *scenario = (uint32_t)((picking->step - 1) % script->scenario_count);
        return true;
    }
    if (script->scenario_count == 1 && script->total_weight > 0) {
        *scenario = 0;
        return true;
    }
    random_seed(&random, options->seed + picking->worker * 0x9e3779b97f4a7c15ull +
                             picking->step * 0xd1b54a32d192ed03ull);
    return pick_by_weight(script, random_unit(&random) * script->total_weight, scenario);
}

bool picking_take_loads(struct script *script, const struct campaign_options *options, struct error *error)
{
    if (options->load.size == 0) {
        return true;
    }
    script->loads = MEMORY_NEW(struct loads);
    loads_of(options, script->loads);
    for (size_t i = 0; i < script->loads->count; i++) {
        struct bytes name = script->loads->items[i].scenario;
        if (script_find_scenario(script, (const char *)name.data, name.size) == NULL) {
            return error_set(error, "load: there is no scenario \"%.*s\"", BYTES_FORMAT(name));
        }
    }
    return true;
}
