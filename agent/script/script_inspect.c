/* Loads a script from its folder and returns the facts about it. */
#include "agent/script/script_facts.h"
#include "agent/script/script_state.h"
#include "common/memory.h"

#include <string.h>

#define PLACEHOLDER_TARGET "http://target.invalid"

static void copy_options(struct script_facts *facts, const struct script *script)
{
    facts->options = memory_new(script->option_count + 1, sizeof *facts->options);
    facts->option_count = script->option_count;
    for (size_t i = 0; i < script->option_count; i++) {
        facts->options[i].name = memory_copy_string(script->options[i].name);
        facts->options[i].text = memory_copy_string(script->options[i].text);
    }
}

static void copy_scenarios(struct script_facts *facts, const struct script *script)
{
    facts->scenarios = memory_new(script->scenario_count, sizeof *facts->scenarios);
    facts->scenario_count = script->scenario_count;
    for (size_t i = 0; i < script->scenario_count; i++) {
        facts->scenarios[i] = (struct script_scenario){.name = memory_copy_string(script->scenarios[i].name),
                                                       .weight = script->scenarios[i].weight,
                                                       .delay_s = script->scenarios[i].delay_s};
    }
}

static void list_fixtures(struct script_facts *facts, const struct script *script)
{
    facts->fixtures = memory_new(FIXTURE_COUNT, sizeof *facts->fixtures);
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        if (script->fixtures[i] != LUA_NOREF) {
            facts->fixtures[facts->fixture_count++] = fixture_name((enum fixture)i);
        }
    }
}

/* Not every error has a location: "not enough memory". */
static void name_script(struct error *error, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (error != NULL && strstr(error->text, slash != NULL ? slash + 1 : path) == NULL) {
        error_wrap(error, "%s: ", path);
    }
}

struct script_facts *script_inspect_here(const struct script_inspection *inspection, struct error *error)
{
    struct memory_account memory = {.limit_bytes = LIMITS_DEFAULT_MEMORY_BYTES};
    struct script_files *files = script_files_of_folder(inspection->path, error);

    if (files == NULL) {
        return NULL;
    }
    struct script_settings settings = {
        .memory = &memory,
        .is_system_allowed = inspection->is_system_allowed,
        .is_quiet = true,
        .files = files,
        .target = inspection->target,
        .environment = inspection->environment,
        .library = inspection->library,
    };
    struct script *script = script_new(&settings);
    if (script->target == NULL) {
        script->target = memory_copy_string(PLACEHOLDER_TARGET);
    }
    struct script_facts *facts = NULL;
    if (script_load(script, error)) {
        facts = MEMORY_NEW(struct script_facts);
        copy_options(facts, script);
        copy_scenarios(facts, script);
        list_fixtures(facts, script);
        facts->uses_browser = script->uses_browser;
        script_files_take_bundle(script->files, &facts->files);
        facts->bundle = facts->files.bundle;
    } else {
        name_script(error, inspection->path);
    }
    script_free(&script);
    return facts;
}

void script_facts_free(struct script_facts **pointer)
{
    struct script_facts *facts = *pointer;

    if (facts == NULL) {
        return;
    }
    owned_bundle_finish(&facts->files);
    for (size_t i = 0; i < facts->option_count; i++) {
        memory_free(facts->options[i].name);
        memory_free(facts->options[i].text);
    }
    memory_free(facts->options);
    for (size_t i = 0; i < facts->scenario_count; i++) {
        memory_free(facts->scenarios[i].name);
    }
    memory_free(facts->scenarios);
    memory_free(facts->fixtures);
    memory_free(facts);
    *pointer = NULL;
}
