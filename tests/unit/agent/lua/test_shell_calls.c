/* What calls of a script become, and what outcomes become in a script. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include "common/clock.h"
#include "tests/unit/agent/http/rude_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One worker in one step; afterwards the campaign waits for the call. */
static void begin_body(struct shell *shell, const char *body)
{
    char script[4000];
    shell->options.workers = shell->options.workers == 2 ? 1 : shell->options.workers;
    snprintf(script, sizeof script,
             "local tutti = require 'tutti' local http = require 'tutti.http'\n"
             "local function log(...) tutti.set_var('log', table.concat({...}, ' ')) end\n"
             "tutti.scenario('s', function(worker)\n%s\nend)\n",
             body);
    shell_start(shell, script);
}

static void expect_call(struct shell *shell, enum operation_kind kind, const char *name, uint64_t step)
{
    shell_await_call(shell);
    assert_int_equal(shell->held->kind, kind);
    assert_true(bytes_equal_string(shell->held->name, name));
    assert_int_equal(shell->held->step, step);
}

static struct reply payload(const char *encoded, size_t size)
{
    return (struct reply){.value = bytes_of(encoded, size)};
}

static void a_reader_gets_the_payload(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "log(worker:notifier('pad'):wait_for_writer(1.5))");
    expect_call(shell, OPERATION_WAIT_WRITER, "pad", 1);
    assert_int_equal(shell->held->timeout_ms, 1500);
    assert_int_equal(shell->held->room, 0);
    shell_reply(shell, payload("s\0\0\0\4text", 9));
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "text\n");
}

static void the_counts_of_readers_come_back(void **state)
{
    struct shell *shell = *state;
    begin_body(shell,
               "log(worker:notifier('pad', { step = 9 }):wait_for_readers { timeout = 2, strict = true })");
    expect_call(shell, OPERATION_WAIT_READERS, "pad", 9);
    assert_true(shell->held->is_strict);
    assert_int_equal(shell->held->timeout_ms, 2000);
    shell_reply(shell, (struct reply){.count = 3, .total = 4});
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "3 4\n");
}

static void readers_are_declared_first(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "local pad = worker:notifier('pad', { readers = 2 }) log(tostring(pad:written()))");
    expect_call(shell, OPERATION_DECLARE, "pad", 1);
    assert_int_equal(shell->held->count, 2);
    shell_reply(shell, (struct reply){0});
    expect_call(shell, OPERATION_WRITTEN, "pad", 1);
    assert_int_equal(shell->held->value.size, 1);
    shell_reply(shell, (struct reply){.is_won = true});
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "true\n");
}

static void a_refused_declaration_raises(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "worker:notifier('pad', { readers = 2 })");
    shell_await_call(shell);
    shell_reply(shell,
                (struct reply){.outcome = OUTCOME_REFUSED, .text = bytes_of_string("it has 3 readers")});
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "pad.lua:4: it has 3 readers\n");
}

static void an_outcome_is_an_error_object(void **state)
{
    struct shell *shell = *state;
    struct reply reply = {.outcome = OUTCOME_SHORT, .text = bytes_of_string("nobody is left to write")};
    begin_body(shell,
               "local ok, why = pcall(function() return worker:notifier('pad'):wait_for_writer() end)\n"
               "log(tostring(ok), why.outcome, #why.missing, why.missing[2], why.message)\n"
               "assert(why.waited >= 0 and tostring(why) == 'pad.lua:4: nobody is left to write')\n"
               "assert('so: ' .. why == 'so: pad.lua:4: nobody is left to write')\n"
               "error(why)\n");
    shell_await_call(shell);
    worker_set_add(&reply.missing, 3);
    worker_set_add(&reply.missing, 8);
    shell_reply(shell, reply);
    worker_set_finish(&reply.missing);
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "false short 2 8 nobody is left to write\n");
    assert_string_equal(shell_errors(shell), "pad.lua:4: nobody is left to write\n");
    assert_int_equal(shell->totals.steps_failed, 1);
}

static void an_uncaught_stop_is_no_failure(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "worker:notifier('pad'):wait_for_writer()");
    shell_await_call(shell);
    shell_reply(shell, (struct reply){.outcome = OUTCOME_STOPPED});
    shell_finish(shell);
    assert_int_equal(shell->totals.steps_stopped, 1);
    assert_int_equal(shell->totals.steps_failed, 0);
}

static void a_barrier_gives_rank_and_arrived(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "log(worker:barrier('door', { parties = 3, timeout = 4, on_timeout = 'go' }))");
    expect_call(shell, OPERATION_BARRIER, "door", 1);
    assert_int_equal(shell->held->count, 3);
    assert_int_equal(shell->held->timeout_ms, 4000);
    assert_int_equal(shell->held->on_timeout, BARRIER_TIMEOUT_GO);
    shell_reply(shell, (struct reply){.rank = 2, .count = 3, .present = 1});
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "2 3 1\n");
}

static void a_barrier_that_timed_out_says_who_was_there(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "local _, e = pcall(worker.barrier, worker, 'door', { on_timeout = 'leave' })\n"
                      "log(e.outcome, e.arrived, e.parties, tostring(e.by_loss))");
    expect_call(shell, OPERATION_BARRIER, "door", 1);
    assert_int_equal(shell->held->on_timeout, BARRIER_TIMEOUT_LEAVE);
    shell_reply(shell, (struct reply){.outcome = OUTCOME_TIMEOUT, .count = 6, .total = 7});
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "timeout 6 7 nil\n");
}

static void a_release_waits_for_its_instant(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "worker:barrier('door', { at_once = true }) log(string.format('%.6f', tutti.now()))");
    expect_call(shell, OPERATION_BARRIER, "door", 1);
    assert_true(shell->held->is_at_once);
    uint64_t at_ns = clock_now_ns() + 30 * NS_PER_MS;
    shell_reply(shell, (struct reply){.rank = 1, .count = 1, .at_ns = (int64_t)at_ns});
    shell_finish(shell);
    double late_s = strtod(shell_log(shell), NULL) - (double)at_ns / 1e9;
    assert_true(late_s >= 0 && late_s < 1);
}

static void variables_have_two_scopes(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 3;
    shell->options.room_size = 2;
    begin_body(shell, "if worker.id ~= 2 then return end\n"
                      "local won, now = worker:cas('leader', nil, 5) log(tostring(won), now)\n"
                      "log(tutti.incr('n')) log(tostring(tutti.delete('n')))\n"
                      "log(tutti.wait_var('v', { changed_from = 'old', timeout = 1 }))");
    expect_call(shell, OPERATION_CAS, "leader", 1);
    assert_int_equal(shell->held->room, 1);
    assert_memory_equal(shell->held->expected.data, "n", 1);
    assert_memory_equal(shell->held->value.data, "i\0\0\0\0\0\0\0\5", 9);
    shell_reply(shell, payload("i\0\0\0\0\0\0\0\3", 9));
    expect_call(shell, OPERATION_INCR, "n", 1);
    assert_true(shell->held->room == ROOM_CAMPAIGN);
    shell_reply(shell, payload("i\0\0\0\0\0\0\0\7", 9));
    expect_call(shell, OPERATION_DELETE, "n", 1);
    shell_reply(shell, (struct reply){.is_won = true});
    expect_call(shell, OPERATION_WAIT_CHANGED, "v", 1);
    assert_int_equal(shell->held->expected.size, 8);
    shell_reply(shell, payload("s\0\0\0\3new", 8));
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    assert_string_equal(shell_log(shell), "false 3\n7\ntrue\nnew\n");
}

static void a_factory_runs_and_may_fail(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "log(tutti.get_var('a', function() tutti.sleep(0.001) return 'made' end))\n"
                      "assert(not pcall(tutti.get_var, 'b', function() error('x') end))\n"
                      "assert(not pcall(tutti.get_var, 'c', function() return print end))\n"
                      "assert(tutti.get_var('d') == nil)");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    assert_string_equal(shell_log(shell), "made\nmaking failed\nmaking failed\n");
}

static void values_travel_whole(void **state)
{
    struct shell *shell = *state;
    begin_body(
        shell,
        "local function same(value) local back = tutti.get_var('x', function() return value end) return back "
        "end\n"
        "local t = same { 1, 2.5, 'three', { a = { [true] = 'x', [-1] = false } }, [1.5] = 'half' }\n"
        "assert(#t == 4 and t[2] == 2.5 and t[4].a[true] == 'x' and t[4].a[-1] == false and t[1.5] == "
        "'half')\n"
        "assert(math.type(same(3)) == 'integer' and math.type(same(0.5)) == 'float')\n"
        "assert(same('\\0\\255') == '\\0\\255' and same('') == '' and next(same {}) == nil)\n"
        "assert(same(math.mininteger) == math.mininteger and same(1/0) == 1/0 and same(false) == false)\n"
        "local function refused(text, value) local ok, why = pcall(tutti.set_var, 'x', value)\n"
        "  assert(not ok and tostring(why):find(text, 1, true), tostring(why)) end\n"
        "local loop = {} loop[1] = loop refused('contains itself', loop)\n"
        "refused('a function cannot be shared', { print })\n"
        "refused('a table cannot be a key', { [{}] = 1 })\n"
        "refused('larger than 64 KiB', ('x'):rep(65536))\n"
        "local many = {} for i = 1, 30000 do many[i] = i end refused('larger than 64 KiB', many)");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
}

static void misuse_is_told_with_its_line(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "local function refused(text, f, ...) local ok, why = pcall(f, ...)\n"
                      "  assert(not ok and tostring(why):find(text, 1, true), tostring(why)) end\n"
                      "refused('unknown option partys', worker.barrier, worker, 'b', { partys = 2 })\n"
                      "refused('not negative', tutti.sleep, -1)\n"
                      "refused('not negative', worker.barrier, worker, 'b', { timeout = -1 })\n"
                      "refused('on_timeout is \"fail\", \"go\" or \"leave\"', worker.barrier, worker, 'b', { "
                      "on_timeout = 'stay' })\n"
                      "refused('step is a whole number from 1', worker.notifier, worker, 'b', { step = 0 })\n"
                      "refused('at least one character', worker.notifier, worker, '')\n"
                      "refused('only while the script loads', tutti.scenario, 'x', print)\n"
                      "refused('only while the script loads', tutti.options, {})\n"
                      "refused('signals belong to the current step', function() worker:notifier('n', { step "
                      "= 2 }):one_read() end)\n"
                      "refused('unknown option timeut', http.get, 'http://x', { timeut = 1 })\n"
                      "refused('line break', http.get, 'http://x', { headers = { a = 'x\\r\\ny' } })\n");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
}

static void a_request_refuses_what_it_does_not_understand(void **state)
{
    struct shell *shell = *state;
    begin_body(
        shell,
        "local function refused(what, f, ...) local ok, why = pcall(f, ...)\n"
        "  assert(not ok and tostring(why):find(what, 1, true), what .. ': ' .. tostring(why)) end\n"
        "local u = 'http://x'\n"
        "refused('unknown option tiemout', http.post, u, nil, { tiemout = 3 })\n"
        "refused('the body is a string, not a table', http.post, u, { a = 1 }, { name = 'x' })\n"
        "refused('a table of options, not a number', http.post, u, 3)\n"
        "refused('a table of options, not a boolean', http.put, u, true, {})\n"
        "refused('the options are a table, not a string', http.post, u, 'body', 'options')\n"
        "refused('the options are a table, not a string', http.request, 'POST', u, nil, 'options')\n"
        "refused('the URL is a string, not a number', http.get, 3)\n"
        "refused('the method is a string, not a table', http.request, {}, u)\n"
        "refused('body and json are both given', http.post, u, { body = 'x', json = {} })\n"
        "refused('as an argument, and by the option json', http.post, u, 'x', { json = {} })\n"
        "refused('as an argument, and by the option body', http.post, u, 'x', { body = 'x' })\n"
        "refused('json and multipart are both given', http.post, u, { json = {}, multipart = {} })\n"
        "refused('form.a is a string, a number', http.post, u, { form = { a = u.find } })\n"
        "refused('multipart is a list of parts, not a string', http.post, u, { multipart = 'x' })\n"
        "refused('neither a base nor a target', http.get, '/x')\n"
        "refused('base is a string, not a table', http.get, '/x', { base = {} })\n"
        "refused('query is a table, not a string', http.get, u, { query = 'x' })\n"
        "refused('unknown option bse', http.session, { bse = u })\n"
        "refused('unknown option x', http.session { timeout = 1 }.get, http.session {}, u, { x = 1 })\n"
        "refused('follow is true or false, not a number', http.get, u, { follow = 1 })\n"
        "refused('tls is a table, not a boolean', http.get, u, { tls = true })\n"
        "refused('http: tls: unknown option verfy', http.get, u, { tls = { verfy = false } })\n"
        "refused('tls.verify is true or false', http.get, u, { tls = { verify = 0 } })\n"
        "refused('tls.ca is PEM text or the name of a file: no.pem: ', http.get, u, { tls = { ca = 'no.pem' "
        "} })\n"
        "refused('tls.key is PEM text or the name of a file, not a number', http.get, u, { tls = { key = 1 } "
        "})\n"
        "refused('tls.ca holds no line', http.get, u, { tls = { ca = '-----BEGIN PRIVATE KEY-----\\n' } })\n"
        "local cert, key = '-----BEGIN CERTIFICATE-----\\n', '-----BEGIN PRIVATE KEY-----\\n'\n"
        "refused('tls.key holds no line', http.get, u, { tls = { certificate = cert, key = cert } })\n"
        "refused('tls.key is given without tls.certificate', http.get, u, { tls = { key = key } })\n"
        "refused('tls.certificate is given without tls.key', http.get, u, { tls = { certificate = cert } "
        "})\n");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
}

static void an_error_table_shows_its_message(void **state)
{
    struct shell *shell = *state;
    begin_body(shell, "error { code = 7, message = 'the basket is empty' }");
    shell_finish(shell);
    assert_non_null(strstr(shell_errors(shell), "the basket is empty"));
    assert_null(strstr(shell_errors(shell), "table: 0x"));
}

static void expect_shown(const char *error, const char *shown)
{
    void *state = NULL;
    char body[400];
    assert_int_equal(shell_set_up(&state), 0);
    struct shell *shell = state;
    snprintf(body, sizeof body, "error(%s)", error);
    begin_body(shell, body);
    shell_finish(shell);
    char expected[400];
    snprintf(expected, sizeof expected, "%s\n", shown);
    assert_string_equal(shell_errors(shell), expected);
    assert_int_equal(shell_tear_down(&state), 0);
}

static void an_error_table_without_a_message_shows_its_fields(void **state)
{
    (void)state;
    expect_shown("{ code = 7, reason = 'no stock', ok = false, rate = 1.5 }",
                 "{ code = 7, ok = false, rate = 1.5, reason = \"no stock\" }");
    expect_shown("{ 'a', 2, deep = { 1 }, f = print }", "{ \"a\", 2, deep = {…}, f = a function }");
    expect_shown("{ message = 5 }", "{ message = 5 }");
    expect_shown("{}", "{}");
    expect_shown("{ a=1, b=1, c=1, d=1, e=1, f=1, g=1, h=1, i=1 }",
                 "{ a = 1, b = 1, c = 1, d = 1, e = 1, f = 1, g = 1, h = 1, … }");
    expect_shown("setmetatable({ message = 'no' }, { __tostring = function() return 'mine' end })", "mine");
    expect_shown("nil", "nil");
    expect_shown("7", "7");
}

static void options_come_after_a_nil_body_and_methods_in_any_case(void **state)
{
    struct shell *shell = *state;
    struct rude_server *server = rude_server_new(&shell->loop);
    char target[60];
    snprintf(target, sizeof target, "http://127.0.0.1:%d", rude_server_port(server));
    shell->options.target = bytes_of_string(target);
    begin_body(shell, "local u, o = tutti.target .. '/echo', { headers = { ['X-Token'] = 't' } }\n"
                      "local function sent(what, response)\n"
                      "  assert(response.body:find(what), what .. ': ' .. response.body) end\n"
                      "for _, name in ipairs { 'post', 'put', 'patch', 'delete', 'get' } do\n"
                      "  sent('^' .. name:upper() .. ' .*X%-Token: t', http[name](u, nil, o))\n"
                      "  sent('^' .. name:upper() .. ' .*X%-Token: t', http[name](u, o))\n"
                      "end\n"
                      "sent('^POST .*X%-Token: t.*\\r\\n\\r\\nx$', http.request('POST', u, 'x', o))\n"
                      "sent('^GET ', http.request('get', u))\n"
                      "sent('^POST .*\\r\\n\\r\\nx$', http.request('Post', u, 'x'))\n"
                      "sent('^purge ', http.request('purge', u))\n"
                      "assert(http.request('head', tutti.target .. '/ok').body == '')\n");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    rude_server_close(&server);
}

static void requests_are_made_and_counted(void **state)
{
    struct shell *shell = *state;
    struct rude_server *server = rude_server_new(&shell->loop);
    char target[60];
    snprintf(target, sizeof target, "http://127.0.0.1:%d", rude_server_port(server));
    shell->options.target = bytes_of_string(target);
    begin_body(
        shell,
        "local one = http.get(tutti.target .. '/ok?x=1')\n"
        "assert(one.status == 200 and one.body == '1' and one.url:find('x=1') and one.timings.total > 0)\n"
        "local two = http.put(tutti.target .. '/echo', 'text', { headers = { ['X-N'] = 3 } })\n"
        "assert(two.body:find('\\r\\n\\r\\ntext$') and two.body:find('X%-N: 3'))\n"
        "assert(two.headers['x-TWICE'] == 'a, b' and two.headers.nothing == nil)\n"
        "local three = http.post(tutti.target .. '/echo', { json = { a = 1 } })\n"
        "assert(three.body:find('{\"a\":1}', 1, true) and three.body:find('application/json', 1, true))\n"
        "assert(http.get(tutti.target .. '/status/404').status == 404)\n"
        "local ok, why = pcall(http.get, tutti.target .. '/empty')\n"
        "assert(not ok and why.kind == 'reset' and why.message:find('/empty'), why.kind)\n"
        "ok, why = pcall(function() return one:json() + {} end) assert(not ok)\n");
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->requests, 5);
    assert_int_equal(shell->failed_requests, 2);
    rude_server_close(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reader_gets_the_payload),
        TEST(the_counts_of_readers_come_back),
        TEST(readers_are_declared_first),
        TEST(a_refused_declaration_raises),
        TEST(an_outcome_is_an_error_object),
        TEST(an_uncaught_stop_is_no_failure),
        TEST(a_barrier_gives_rank_and_arrived),
        TEST(a_barrier_that_timed_out_says_who_was_there),
        TEST(a_release_waits_for_its_instant),
        TEST(variables_have_two_scopes),
        TEST(a_factory_runs_and_may_fail),
        TEST(values_travel_whole),
        TEST(misuse_is_told_with_its_line),
        TEST(requests_are_made_and_counted),
        TEST(an_error_table_shows_its_message),
        TEST(an_error_table_without_a_message_shows_its_fields),
        TEST(a_request_refuses_what_it_does_not_understand),
        TEST(options_come_after_a_nil_body_and_methods_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
