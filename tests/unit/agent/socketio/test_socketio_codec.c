/* Packets of Socket.IO and payloads of Engine.IO, by the examples of their specifications. Each story is a
 * function of lua/codec.lua, which sees the sources of the module. */
#include "agent/lua/lua_api.h"
#include "agent/lua/lua_crypto.h"
#include "agent/lua/lua_sources.h"
#include "agent/lua/lua_tutti.h"
#include "agent/script/script_library.h"
#include "agent/socketio/sources.h"
#include "common/memory.h"
#include "tests/unit/agent/shard/test_shell_support.h"
#include "tests/unit/agent/socketio/sources.h"

#include <lauxlib.h>
#include <string.h>

#define MAX_SOURCES 20u

static void codec_add_imports(lua_State *lua)
{
    lua_pushcfunction(lua, luaopen_tutti_crypto);
    lua_call(lua, 0, 1);
    lua_setfield(lua, -2, "crypto");
}

static void codec_push_native(lua_State *lua)
{
    lua_newtable(lua);
}

static const struct embedded_source *test_source(const char *name)
{
    for (size_t i = 0; i < socketio_test_source_count; i++) {
        if (strcmp(socketio_test_sources[i].name, name) == 0) {
            return &socketio_test_sources[i];
        }
    }
    fail();
    return NULL;
}

static int open_probe(lua_State *lua)
{
    static struct embedded_source sources[MAX_SOURCES];
    static size_t count;
    static const struct lua_sources module = {.module = "tutti.socketio",
                                              .first = "probe",
                                              .sources = sources,
                                              .count = &count,
                                              .add_imports = codec_add_imports,
                                              .push_native = codec_push_native};

    assert_true(socketio_source_count < MAX_SOURCES);
    memcpy(sources, socketio_sources, socketio_source_count * sizeof *sources);
    count = socketio_source_count;
    sources[count++] = *test_source("probe.lua");
    return lua_sources_open(lua, &module);
}

static const luaL_Reg codec_modules[] = {{"tutti", luaopen_tutti}, {"probe", open_probe}, {NULL, NULL}};
static const struct script_library codec_library = {.modules = codec_modules, .print = lua_print};

/* One worker runs the function of that name. */
static void play_codec(void **state, const char *name)
{
    struct shell *shell = *state;
    const struct embedded_source *source = test_source("codec.lua");
    SCOPED(memory_free_at)
    char *script =
        memory_format("local STORY = '%s'\n%.*s", name, (int)source->size, (const char *)source->text);

    shell->options.workers = 1;
    shell->settings.library = &codec_library;
    shell_play(shell, script);
    assert_string_equal(shell_errors(shell), "");
}

#define STORY(name)                                                                                          \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        play_codec(state, #name);                                                                            \
    }
#define STORIES(WITH)                                                                                        \
    WITH(packets_are_written_as_the_specification_has_them)                                                  \
    WITH(packets_are_read_as_the_specification_has_them)                                                     \
    WITH(bytes_become_attachments_and_come_back)                                                             \
    WITH(what_a_script_emits_is_bounded_and_left_as_it_is)                                                   \
    WITH(packets_that_break_a_rule_are_named)                                                                \
    WITH(damaged_packets_are_no_surprise)                                                                    \
    WITH(payloads_of_version_4_are_separated)                                                                \
    WITH(payloads_of_version_3_have_lengths_in_units_of_utf_16)                                              \
    WITH(payloads_that_break_a_rule_are_named)                                                               \
    WITH(a_session_begins_with_an_open_packet)                                                               \
    WITH(the_queue_keeps_order_and_its_policy)

STORIES(STORY)

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down),

int main(void)
{
    const struct CMUnitTest tests[] = {STORIES(TEST)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
