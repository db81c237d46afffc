/* Packs the facts about a script, and checks what is unpacked. */
#include "agent/script/script_facts.h"

#include "agent/script/script_options.h"
#include "agent/script/script_state.h"
#include "common/memory.h"
#include "common/pack.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MAX_OPTIONS 64u
#define MAX_SCENARIOS 100000u

static void pack_double(struct buffer *into, double number)
{
    uint64_t bits;

    static_assert(sizeof bits == sizeof number, "a double is packed whole");
    memcpy(&bits, &number, sizeof bits);
    pack_fixed(into, bits);
}

static double unpack_double(struct unpack *from)
{
    uint64_t bits = unpack_fixed(from);
    double number;

    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number) || number < 0) {
        from->is_broken = true;
        return 0;
    }
    return number;
}

static char *unpack_text(struct unpack *from)
{
    struct bytes text = unpack_bytes(from);

    if (text.size > 0 && memchr(text.data, 0, text.size) != NULL) {
        from->is_broken = true;
        text.size = 0;
    }
    return text.size > 0 ? memory_copy(text.data, text.size) : memory_copy_string("");
}

void script_facts_pack(const struct script_facts *facts, struct buffer *into)
{
    pack_flag(into, facts->uses_browser);
    pack_number(into, facts->bundle.file_count);
    for (size_t i = 0; i < facts->bundle.file_count; i++) {
        pack_bytes(into, facts->bundle.files[i].path);
        pack_bytes(into, facts->bundle.files[i].content);
    }
    pack_number(into, facts->option_count);
    for (size_t i = 0; i < facts->option_count; i++) {
        pack_bytes(into, bytes_of_string(facts->options[i].name));
        pack_bytes(into, bytes_of_string(facts->options[i].text));
    }
    pack_number(into, facts->scenario_count);
    for (size_t i = 0; i < facts->scenario_count; i++) {
        pack_bytes(into, bytes_of_string(facts->scenarios[i].name));
        pack_double(into, facts->scenarios[i].weight);
        pack_double(into, facts->scenarios[i].delay_s);
    }
    pack_number(into, facts->fixture_count);
    for (size_t i = 0; i < facts->fixture_count; i++) {
        pack_bytes(into, bytes_of_string(facts->fixtures[i]));
    }
}

static void unpack_bundle(struct unpack *from, struct owned_bundle *bundle, struct error *error)
{
    size_t count = unpack_bounded(from, LIMIT_BUNDLE_FILES);

    for (size_t i = 0; i < count && !from->is_broken; i++) {
        struct bytes path = unpack_bytes(from);
        struct bytes content = unpack_bytes(from);
        owned_bundle_add(bundle, text_copy(path), text_copy(content));
    }
    owned_bundle_seal(bundle);
    from->is_broken = from->is_broken || !bundle_check(&bundle->bundle, error);
}

static void unpack_options(struct unpack *from, struct script_facts *facts)
{
    size_t count = unpack_bounded(from, MAX_OPTIONS);

    facts->options = memory_new(count + 1, sizeof *facts->options);
    for (size_t i = 0; i < count && !from->is_broken; i++) {
        struct script_option *option = &facts->options[facts->option_count++];
        option->name = unpack_text(from);
        option->text = unpack_text(from);
        from->is_broken = from->is_broken || !script_option_exists(option->name);
    }
}

static void unpack_scenarios(struct unpack *from, struct script_facts *facts)
{
    size_t count = unpack_bounded(from, MAX_SCENARIOS);

    from->is_broken = from->is_broken || count == 0;
    facts->scenarios = memory_new(count + 1, sizeof *facts->scenarios);
    for (size_t i = 0; i < count && !from->is_broken; i++) {
        struct script_scenario *scenario = &facts->scenarios[facts->scenario_count++];
        scenario->name = unpack_text(from);
        scenario->weight = unpack_double(from);
        scenario->delay_s = unpack_double(from);
    }
}

/* Our static names, not copies of the received ones. */
static const char *find_fixture(struct bytes name)
{
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        if (bytes_equal_string(name, fixture_name((enum fixture)i))) {
            return fixture_name((enum fixture)i);
        }
    }
    return NULL;
}

static void unpack_fixtures(struct unpack *from, struct script_facts *facts)
{
    size_t count = unpack_bounded(from, FIXTURE_COUNT);

    facts->fixtures = memory_new(FIXTURE_COUNT, sizeof *facts->fixtures);
    for (size_t i = 0; i < count && !from->is_broken; i++) {
        const char *name = find_fixture(unpack_bytes(from));
        from->is_broken = from->is_broken || name == NULL;
        facts->fixtures[facts->fixture_count++] = name;
    }
}

bool script_facts_add_file(struct script_facts *facts, const char *path, struct text content,
                           struct error *error)
{
    owned_bundle_unseal(&facts->files);
    owned_bundle_add(&facts->files, text_copy_string(path), content);
    owned_bundle_seal(&facts->files);
    facts->bundle = facts->files.bundle;
    return bundle_check(&facts->bundle, error);
}

struct script_facts *script_facts_unpack(struct bytes packed, struct error *error)
{
    struct unpack from = unpack_of(packed);
    struct script_facts *facts = MEMORY_NEW(struct script_facts);

    error_set(error, "the result of inspecting it is invalid");
    facts->uses_browser = unpack_flag(&from);
    unpack_bundle(&from, &facts->files, error);
    facts->bundle = facts->files.bundle;
    unpack_options(&from, facts);
    unpack_scenarios(&from, facts);
    unpack_fixtures(&from, facts);
    if (!unpack_is_done(&from)) {
        script_facts_free(&facts);
    }
    return facts;
}
