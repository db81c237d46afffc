/* The life cycle of workers on a shard: fixtures in order, picking, failures, lease, stop. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include "agent/lua/lua_api.h"
#include "agent/script/script_library.h"
#include "agent/shard/vu_api.h"
#include "common/clock.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG                                                                                                  \
    "local tutti = require 'tutti' local function log(...) tutti.set_var('log', table.concat({...}, ' ')) "  \
    "end\n"

static void runs_the_fixtures_in_order(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.runs = 2;
    assert_true(shell_deploy(shell,
                             LOG "tutti.global_setup(function() log('global_setup') end)\n"
                                 "tutti.setup(function(w) log('setup', w.id, w.step) end)\n"
                                 "tutti.setup_session(function(w) log('setup_session') end)\n"
                                 "tutti.scenario('s', function(w) log('step', w.step, w.count, w.agent, "
                                 "w.room.id, w.room.size, w.seat) end)\n"
                                 "tutti.teardown_session(function(w) log('teardown_session', w.step) end)\n"
                                 "tutti.teardown(function(w) log('teardown') end)\n"
                                 "tutti.global_teardown(function() log('global_teardown') end)\n"));
    shell_global(shell, GLOBAL_SETUP);
    assert_true(shell->is_global_ok);
    shell_begin(shell);
    shell_finish(shell);
    shell_global(shell, GLOBAL_TEARDOWN);
    assert_true(shell->is_global_ok);
    assert_string_equal(shell_log(shell),
                        "global_setup\nsetup 0 0\nsetup_session\nstep 1 1 a1 0 1 0\nstep 2 1 a1 0 1 0\n"
                        "teardown_session 2\nteardown\nglobal_teardown\n");
    assert_int_equal(shell->totals.steps_ok, 2);
}

static void says_why_a_global_fixture_failed(void **state)
{
    struct shell *shell = *state;
    assert_true(shell_deploy(shell, "local tutti = require 'tutti'\n"
                                    "tutti.global_setup(function() error('no luck') end)\n"
                                    "tutti.scenario('s', function() end)\n"));
    shell_global(shell, GLOBAL_SETUP);
    assert_false(shell->is_global_ok);
    assert_string_equal(shell->text, "global_setup: pad.lua:2: no luck");
}

static void fails_only_the_step_that_fails(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 3;
    shell_play(shell, "local tutti = require 'tutti'\n"
                      "tutti.scenario('s', function(w)\n"
                      "  if w.id == 1 and w.step == 2 then error('bad round') end\n"
                      "end)\n");
    assert_int_equal(shell->totals.steps_ok, 5);
    assert_int_equal(shell->totals.steps_failed, 1);
    assert_string_equal(shell_errors(shell), "pad.lua:3: bad round\n");
}

#define TOO_LONG "did not end within 100 ms (--setup-timeout)\n"

/* The other worker does its work, and what was begun is torn down. */
static void expect_cut_short(struct shell *shell, const char *error)
{
    assert_int_equal(shell->totals.steps_ok, 1);
    assert_int_equal(shell->totals.steps_failed, 1);
    assert_string_equal(shell_errors(shell), error);
    assert_non_null(strstr(shell_log(shell), "teardown 0"));
    assert_null(strstr(shell_log(shell), "too far"));
}

static void ends_a_setup_that_sleeps_too_long(void **state)
{
    struct shell *shell = *state;
    shell->options.setup_timeout_ms = 100;
    shell_play(shell, LOG
               "tutti.setup(function(w) log('setup', w.id) end)\n"
               "tutti.setup_session(function(w) if w.id == 0 then tutti.sleep(600) log('too far') end end)\n"
               "tutti.teardown(function(w) tutti.sleep(0.2) log('teardown', w.id) end)\n"
               "tutti.scenario('s', function(w) tutti.sleep(0.2) end)\n");
    expect_cut_short(shell, "setup_session: " TOO_LONG);
}

static void ends_a_setup_that_catches_everything(void **state)
{
    struct shell *shell = *state;
    shell->options.setup_timeout_ms = 100;
    shell_play(shell, LOG "tutti.setup(function(w)\n"
                          "  while w.id == 0 do pcall(tutti.sleep, 0.001) end\n"
                          "end)\n"
                          "tutti.teardown(function(w) log('teardown', w.id) end)\n"
                          "tutti.scenario('s', function(w) end)\n");
    expect_cut_short(shell, "setup: " TOO_LONG);
}

static void ends_a_setup_that_waits_for_a_value(void **state)
{
    struct shell *shell = *state;
    shell->options.setup_timeout_ms = 100;
    shell_play(shell,
               LOG "tutti.setup(function(w) if w.id == 0 then w:wait_var('held') log('too far') end end)\n"
                   "tutti.teardown(function(w) log('teardown', w.id) end)\n"
                   "tutti.scenario('s', function(w) end)\n");
    expect_cut_short(shell, "setup: " TOO_LONG);
}

/* It accepts the connection and never answers. */
static void ends_a_setup_that_waits_for_a_server(void **state)
{
    struct shell *shell = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    shell->options.setup_timeout_ms = 100;
    SCOPED(memory_free_at)
    char *script = memory_format(
        LOG
        "local http = require 'tutti.http'\n"
        "tutti.setup(function(w) if w.id == 0 then http.get('http://127.0.0.1:%u/') log('too far') end end)\n"
        "tutti.teardown(function(w) log('teardown', w.id) end)\n"
        "tutti.scenario('s', function(w) end)\n",
        ntohs(address.sin_port));
    shell_play(shell, script);
    expect_cut_short(shell, "setup: " TOO_LONG);
    (void)close(listener);
}

static void ends_a_worker_whose_setup_fails(void **state)
{
    struct shell *shell = *state;
    shell_play(shell, LOG "tutti.setup(function(w) if w.id == 0 then error('no browser') end end)\n"
                          "tutti.setup_session(function(w) log('session', w.id) end)\n"
                          "tutti.teardown(function(w) log('teardown', w.id) end)\n"
                          "tutti.scenario('s', function(w) end)\n");
    assert_int_equal(shell->totals.steps_ok, 1);
    assert_non_null(strstr(shell_errors(shell), "setup: pad.lua:2: no browser\n"));
    assert_null(strstr(shell_log(shell), "session 0"));
    assert_non_null(strstr(shell_log(shell), "teardown 0"));
}

static void refuses_scripts_that_cannot_run(void **state)
{
    struct shell *shell = *state;
    assert_false(shell_deploy(shell, "local x = \n"));
    assert_string_equal(shell->text, "pad.lua:2: unexpected symbol near <eof>");
}

static void refuses_a_single_mode_that_is_not_there(void **state)
{
    struct shell *shell = *state;
    shell->options.single_mode = bytes_of_string("other");
    assert_false(shell_deploy(shell, "require('tutti').scenario('s', function() end)"));
    assert_string_equal(shell->text, "there is no scenario \"other\"");
}

#define THREE                                                                                                \
    LOG "for name, weight in pairs { a = 3, b = 1, never = 0 } do\n"                                         \
        "  tutti.scenario(name, { weight = weight }, function(w) log(name) end)\n"                           \
        "end\n"

static unsigned count_lines(const char *text, const char *line)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, line)); at++) {
        count++;
    }
    return count;
}

static void picks_by_weight(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 4;
    shell->options.runs = 250;
    shell_play(shell, THREE);
    unsigned often = count_lines(shell_log(shell), "a\n");
    unsigned seldom = count_lines(shell_log(shell), "b\n");
    assert_int_equal(often + seldom, 1000);
    assert_in_range(often, 700, 800);
}

static void runs_every_scenario_once_in_the_order_of_names(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.is_single_run = true;
    shell_play(shell, THREE);
    assert_string_equal(shell_log(shell), "a\nb\nnever\n");
}

static void runs_only_the_single_mode(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.runs = 3;
    shell->options.single_mode = bytes_of_string("never");
    shell_play(shell, THREE);
    assert_string_equal(shell_log(shell), "never\nnever\nnever\n");
}

static void asks_the_picker(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.runs = 3;
    shell_play(shell, THREE
               "tutti.scenario_picker(function(w, step) return ({ 'never', 'b', 'what' })[step] end)\n");
    assert_string_equal(shell_log(shell), "never\nb\n");
    assert_non_null(strstr(shell_errors(shell), "there is no scenario what"));
}

static void tells_the_listeners(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.runs = 2;
    shell_play(shell, LOG "tutti.events(function(event, info) log(event, info.scenario, info.step) end)\n"
                          "tutti.scenario('s', function(w) if w.step == 2 then error('oh') end end)\n");
    assert_string_equal(
        shell_log(shell),
        "scenario_start s 1\nscenario_success s 1\nscenario_start s 2\nscenario_failure s 2\n");
    assert_string_equal(shell_errors(shell), "pad.lua:3: oh\n");
}

static void keeps_what_the_script_puts_on_the_worker(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 2;
    shell_play(shell, LOG "local kept\n"
                          "tutti.setup(function(w) w.mine = w.id * 10 end)\n"
                          "tutti.scenario('s', function(w)\n"
                          "  assert(w.mine == w.id * 10)\n"
                          "  assert(not pcall(function() w.id = 3 end))\n"
                          "  assert(w.nothing == nil)\n"
                          "end)\n");
    assert_string_equal(shell_errors(shell), "");
}

static void pauses_without_a_lease(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    assert_true(shell_deploy(shell, LOG "tutti.scenario('s', function(w) log('acts') end)\n"));
    atomic_store(&shell->lease_until_ns, 0);
    shell_begin(shell);
    /* The global fixture is queued after the worker: neither may act. There is no event to wait for, so look
     * a few times. */
    for (int i = 0; i < 20; i++) {
        shard_nudge(shell->shard);
        uv_run(&shell->loop, UV_RUN_NOWAIT);
        uv_sleep(2);
    }
    assert_string_equal(shell_log(shell), "");
    assert_false(shell->is_finished);
    atomic_store(&shell->lease_until_ns, clock_now_ns() + 60 * NS_PER_S);
    shard_nudge(shell->shard);
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "acts\n");
}

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static bool is_readable(struct shell *shell, int file, uint64_t within_ms)
{
    struct pollfd descriptor = {.fd = file, .events = POLLIN};
    uint64_t until_ns = clock_now_ns() + within_ms * NS_PER_MS;
    bool is_there = false;
    while (!is_there && clock_now_ns() < until_ns) {
        uv_run(&shell->loop, UV_RUN_NOWAIT);
        is_there = poll(&descriptor, 1, 5) == 1;
    }
    return is_there;
}

/* As in a process that was frozen in the middle of a turn, and thaws. */
static void requests_nothing_when_the_lease_ends_within_a_turn(void **state)
{
    struct shell *shell = *state;
    char script[600];
    int port = 0;
    int listener = listen_anywhere(&port);
    snprintf(script, sizeof script,
             LOG "local http = require 'tutti.http'\n"
                 "tutti.scenario('s', function(w)\n"
                 "  local till = tutti.now() + 0.3\n"
                 "  while tutti.now() < till do end\n"
                 "  local ok, err = pcall(http.get, 'http://127.0.0.1:%d/', { timeout = 0.5 })\n"
                 "  log(tostring(ok), err.kind)\n"
                 "end)\n",
             port);
    shell->settings.instruction_limit = UINT64_C(10000000000);
    shell->options.workers = 1;
    assert_true(shell_deploy(shell, script));
    atomic_store(&shell->lease_until_ns, clock_now_ns() + 100 * NS_PER_MS);
    shell_begin(shell);
    assert_false(is_readable(shell, listener, 600));
    atomic_store(&shell->lease_until_ns, clock_now_ns() + 60 * NS_PER_S);
    assert_true(is_readable(shell, listener, 10000));
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "false timeout\n");
    close(listener);
}

static void prints_nothing_when_the_lease_ends_within_a_turn(void **state)
{
    struct shell *shell = *state;
    char line[40] = "";
    int ends[2];
    int shown = dup(STDOUT_FILENO);
    assert_int_equal(pipe(ends), 0);
    shell->settings.is_quiet = false;
    shell->settings.instruction_limit = UINT64_C(10000000000);
    shell->options.workers = 1;
    assert_true(shell_deploy(shell, LOG "tutti.scenario('s', function(w)\n"
                                        "  local till = tutti.now() + 0.3\n"
                                        "  while tutti.now() < till do end\n"
                                        "  print('here', 'I am')\n"
                                        "end)\n"));
    (void)fflush(stdout);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    atomic_store(&shell->lease_until_ns, clock_now_ns() + 100 * NS_PER_MS);
    shell_begin(shell);
    bool is_shown = is_readable(shell, ends[0], 600);
    atomic_store(&shell->lease_until_ns, clock_now_ns() + 60 * NS_PER_S);
    shell_finish(shell);
    (void)fflush(stdout);
    assert_true(dup2(shown, STDOUT_FILENO) >= 0);
    assert_false(is_shown);
    assert_int_equal(read(ends[0], line, sizeof line - 1), strlen("[0] here\tI am\n"));
    assert_string_equal(line, "[0] here\tI am\n");
    close(shown);
    close(ends[0]);
    close(ends[1]);
}

static void a_stop_ends_sleeps_and_waits_whatever_catches_them(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 4;
    assert_true(shell_deploy(shell, LOG "tutti.scenario('s', function(w)\n"
                                        "  if w.id == 0 then tutti.sleep(3600)\n"
                                        "  elseif w.id == 1 then while true do pcall(tutti.sleep, 3600) end\n"
                                        "  elseif w.id == 2 then tutti.wait_var('never')\n"
                                        "  else local co = coroutine.wrap(function() while true do "
                                        "pcall(tutti.sleep, 3600) end end) co() end\n"
                                        "end)\n"
                                        "tutti.teardown_session(function(w) tutti.sleep(0.001) end)\n"));
    shell_begin(shell);
    shell_await_call(shell);
    shell_stop(shell, "enough");
    shell_finish(shell);
    assert_int_equal(shell->totals.steps_stopped, 4);
    assert_int_equal(shell->totals.steps_failed, 0);
}

static void forgets_a_campaign_in_the_middle(void **state)
{
    struct shell *shell = *state;
    assert_true(shell_deploy(shell, "local tutti = require 'tutti'\n"
                                    "tutti.scenario('s', function(w) if w.id == 0 then tutti.sleep(3600) end "
                                    "tutti.wait_var('x') end)\n"));
    shell_begin(shell);
    shell_await_call(shell);
    shard_command(shell->shard, command_new(COMMAND_FORGET, CAMPAIGN));
    shell_reply(shell, (struct reply){0});
}

static void sleeps_the_delay_of_a_scenario_after_success_only(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell->options.runs = 2;
    uint64_t began_ns = clock_now_ns();
    shell_play(shell,
               "local tutti = require 'tutti'\n"
               "tutti.scenario('s', { delay = 0.1 }, function(w) if w.step == 2 then error('x') end end)\n");
    uint64_t took_ms = (clock_now_ns() - began_ns) / NS_PER_MS;
    assert_in_range(took_ms, 100, 5000);
    assert_int_equal(shell->totals.steps_ok, 1);
    assert_int_equal(shell->totals.steps_failed, 1);
}

/* keep(text): as the browser module does after a failed step. */
static int keep_source(lua_State *lua)
{
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    vu_keep_artifact(vu_current(lua, "keep"), ARTIFACT_SOURCE, bytes_of(text, size));
    return 0;
}

static int open_keep(lua_State *lua)
{
    lua_pushcfunction(lua, keep_source);
    return 1;
}

static void hands_on_as_many_artifacts_as_a_campaign_may_keep(void **state)
{
    struct shell *shell = *state;
    luaL_Reg modules[20] = {{"keep", open_keep}};
    for (size_t i = 0; lua_api_library.modules[i].name != NULL; i++) {
        assert_in_range(i, 0, 17);
        modules[i + 1] = lua_api_library.modules[i];
    }
    struct script_library library = {.modules = modules, .print = lua_api_library.print};
    SCOPED(memory_free_at)
    char *script = memory_format("local tutti, keep = require 'tutti', require 'keep'\n"
                                 "tutti.scenario('s', function(worker)\n"
                                 "  keep('') keep(('x'):rep(%u))\n"
                                 "  for i = 1, %u do keep('page ' .. i) end\n"
                                 "end)\n",
                                 LIMIT_ARTIFACT_BYTES + 1, LIMIT_ARTIFACTS - 5);
    shell->settings.library = &library;
    shell->options.workers = 1;
    shell->options.runs = 2;
    shell_play(shell, script);
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->artifacts, LIMIT_ARTIFACTS);
    shard_stop(&shell->shard); /* before the library goes */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_the_fixtures_in_order),
        TEST(says_why_a_global_fixture_failed),
        TEST(fails_only_the_step_that_fails),
        TEST(ends_a_worker_whose_setup_fails),
        TEST(ends_a_setup_that_sleeps_too_long),
        TEST(ends_a_setup_that_catches_everything),
        TEST(ends_a_setup_that_waits_for_a_value),
        TEST(ends_a_setup_that_waits_for_a_server),
        TEST(refuses_scripts_that_cannot_run),
        TEST(refuses_a_single_mode_that_is_not_there),
        TEST(picks_by_weight),
        TEST(runs_every_scenario_once_in_the_order_of_names),
        TEST(runs_only_the_single_mode),
        TEST(asks_the_picker),
        TEST(tells_the_listeners),
        TEST(keeps_what_the_script_puts_on_the_worker),
        TEST(pauses_without_a_lease),
        TEST(requests_nothing_when_the_lease_ends_within_a_turn),
        TEST(prints_nothing_when_the_lease_ends_within_a_turn),
        TEST(a_stop_ends_sleeps_and_waits_whatever_catches_them),
        TEST(forgets_a_campaign_in_the_middle),
        TEST(hands_on_as_many_artifacts_as_a_campaign_may_keep),
        TEST(sleeps_the_delay_of_a_scenario_after_success_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
