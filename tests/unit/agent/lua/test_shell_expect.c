/* How a script judges responses: expectations, what it says of them itself, and batches. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include "tests/unit/agent/http/rude_server.h"

#include <stdio.h>
#include <string.h>

/* One worker in one step, against a server. */
static void play_body(struct shell *shell, const char *body)
{
    char script[6000];
    char target[60];
    struct rude_server *server = rude_server_new(&shell->loop);
    (void)snprintf(target, sizeof target, "http://127.0.0.1:%d", rude_server_port(server));
    shell->options.target = bytes_of_string(target);
    shell->options.workers = 1;
    (void)snprintf(script, sizeof script,
                   "local tutti = require 'tutti' local http = require 'tutti.http'\n"
                   "local function says(words, good, why)\n"
                   "  if words then assert(good == false and why == words, tostring(why))\n"
                   "  else assert(good == true and why == nil, tostring(why)) end\n"
                   "end\n"
                   "local function misuse(words, f, ...)\n"
                   "  local good, why = pcall(f, ...)\n"
                   "  assert(not good and tostring(why):find(words, 1, true), tostring(why))\n"
                   "end\n"
                   "tutti.scenario('s', function(worker)\n%s\nend)\n",
                   body);
    shell_play(shell, script);
    rude_server_close(&server);
}

static void expectations_are_met_or_say_what_there_was(void **state)
{
    struct shell *shell = *state;
    play_body(shell,
              "local r = http.get('/ok', { name = 'ok' })\n"
              "says(nil, r:expect { status = 200 }) says(nil, r:expect { status = '2xx' })\n"
              "says(nil, r:expect { status = { 404, '20x' } })\n"
              "says('ok: status 404: got 200', r:expect { status = 404 })\n"
              "says('ok: status 4xx: got 200', r:expect { status = '4xx' })\n"
              "says('ok: status: got 200', r:expect { status = { 404, '3xx' } })\n"
              "says(nil, r:expect { body = '^1$', json = { ['$'] = 1 }, max = 60 })\n"
              "says('ok: body has \"2\": got \"1\"', r:expect { body = '2' })\n"
              "says('ok: json $: got 1', r:expect { json = { ['$'] = 2 } })\n"
              "says(nil, r:expect { json = { ['$'] = function(v) return v == 1 end } })\n"
              "says('ok: json $: got 1', r:expect { json = { ['$'] = function(v) return v > 1 end } })\n"
              "says('ok: json $.a: got nil', r:expect { json = { ['$.a'] = 1 } })\n"
              "local good, why = r:expect { max = 1e-9 }\n"
              "assert(good == false and why:find('^ok: within 1e%-09 s: took [0-9.e-]+ s$'), why)\n"
              "says('mine: status 404: got 200', r:expect { status = 404, name = 'mine', fail = false })\n"
              "local e = http.get('/echo', { name = 'echo' })\n"
              "says(nil, e:expect { header = { ['X-Twice'] = '^a, b$' } })\n"
              "says(nil, e:expect { header = { ['x-twice'] = true } })\n"
              "says('echo: header x-twice: got \"a, b\"', e:expect { header = { ['x-twice'] = 'c' } })\n"
              "says('echo: header x-none: it is not there', e:expect { header = { ['x-none'] = true } })\n"
              "good, why = e:expect { json = { ['$'] = 1 } }\n"
              "assert(good == false and why:find('^echo: json %$: ') and #why > 20, why)\n"
              "good, why = r:expect { json = { ['$'] = function() error('cannot judge') end } }\n"
              "assert(good == false and why:find('cannot judge', 1, true), why)\n");
    assert_string_equal(shell_errors(shell), "");
}

static void what_is_no_expectation_is_misuse(void **state)
{
    struct shell *shell = *state;
    play_body(shell, "local r = http.get('/ok')\n"
                     "misuse('nothing is expected', r.expect, r, {})\n"
                     "misuse('status is a number', r.expect, r, { status = '2x' })\n"
                     "misuse('status is a number', r.expect, r, { status = true })\n"
                     "misuse('body is a pattern', r.expect, r, { body = 5 })\n"
                     "misuse('max is a number of seconds', r.expect, r, { max = 0 })\n"
                     "misuse('header is a table', r.expect, r, { header = 'a' })\n"
                     "misuse('header is a table of names', r.expect, r, { header = { a = 5 } })\n"
                     "misuse('json is a table of paths', r.expect, r, { json = { ['$'] = {} } })\n"
                     "misuse('name is printable text', r.expect, r, { status = 200, name = '' })\n"
                     "misuse('name is printable text', r.expect, r, { status = 200, name = 'a\\nb' })\n"
                     "misuse('fail is true or false', r.expect, r, { status = 200, fail = 1 })\n");
    assert_string_equal(shell_errors(shell), "");
}

/* Only if it is not met, and only if it is asked for. */
static void fail_makes_the_step_fail(void **state)
{
    struct shell *shell = *state;
    shell->options.runs = 3;
    play_body(shell, "local r = http.get('/ok', { name = 'ok' })\n"
                     "if worker.step == 1 then r:expect { status = 200, fail = true } end\n"
                     "if worker.step == 2 then r:expect { status = 404 } end\n"
                     "if worker.step == 3 then r:expect { status = 404, fail = true } end\n");
    assert_int_equal(shell->totals.steps_ok, 2);
    assert_int_equal(shell->totals.steps_failed, 1);
    assert_non_null(strstr(shell_errors(shell), "check \"ok: status 404\" failed: got 200"));
}

static void a_script_may_know_better(void **state)
{
    struct shell *shell = *state;
    play_body(shell, "http.get('/status/404'):ok()\n"
                     "local page = http.get('/ok', { name = 'home' })\n"
                     "page:fail('it is empty')\n"
                     "misuse('judged already', page.ok, page)\n"
                     "http.get('/ok'):ok()\n"
                     "misuse('expected why', page.fail, page, 5)\n");
    assert_int_equal(shell->requests, 3);
    assert_int_equal(shell->failed_requests, 1);
    assert_string_equal(shell_errors(shell), "home: it is empty\n");
}

static void a_batch_gives_each_its_response(void **state)
{
    struct shell *shell = *state;
    play_body(shell,
              "local r = http.batch {\n"
              "  { url = '/status/404', name = 'no' },\n"
              "  { method = 'PUT', url = '/echo', body = 'twelve bytes', headers = { ['X-N'] = 3 } },\n"
              "  { url = '/empty' } }\n"
              "assert(#r == 3 and r[1].status == 404, r[1].status)\n"
              "assert(r[2].body:find('^PUT .*X%-N: 3.*\\r\\n\\r\\ntwelve bytes$'), r[2].body)\n"
              "assert(r[3].status == nil and r[3].kind == 'reset', tostring(r[3].kind))\n"
              "misuse('request 2 is a table', http.batch, { { url = '/ok' }, 5 })\n"
              "misuse('the URL is a string', http.batch, { { method = 'GET' } })\n"
              "misuse('nonsense', http.batch, { { url = '/ok', nonsense = 1 } })\n");
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->requests, 3);
    assert_int_equal(shell->failed_requests, 2);
}

/* Before the fragment, after a query that is there. */
static void a_query_is_added_to_the_url(void **state)
{
    struct shell *shell = *state;
    play_body(shell, "local function asked(url, query)\n"
                     "  return http.get(url, { query = query }).body:match('^GET (%S+) ')\n"
                     "end\n"
                     "local function same(want, got) assert(want == got, tostring(got)) end\n"
                     "same('/echo?b=2', asked('/echo', { b = 2 }))\n"
                     "same('/echo?b=2', asked('/echo?', { b = 2 }))\n"
                     "same('/echo?a=1&b=2', asked('/echo?a=1', { b = 2 }))\n"
                     "same('/echo?a=1&b=2', asked('/echo?a=1&', { b = 2 }))\n"
                     "same('/echo?a=1&b=2', asked('/echo?a=1#x?y', { b = 2 }))\n"
                     "same('/echo?b=2', asked('/echo#x', { b = 2 }))\n"
                     "same('/echo?a=1', asked('/echo?a=1#x', {}))\n"
                     "same('/echo?q=a%20b%26c', asked('/echo', { q = 'a b&c' }))\n"
                     "misuse('auth[2] is a string', http.get, '/ok', { auth = { 'me', {} } })\n"
                     "misuse('auth[2] must not hold a line break', http.get, '/ok',\n"
                     "  { auth = { 'me', 'a\\nb' } })\n");
    assert_string_equal(shell_errors(shell), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(expectations_are_met_or_say_what_there_was),
        TEST(what_is_no_expectation_is_misuse),
        TEST(fail_makes_the_step_fail),
        TEST(a_script_may_know_better),
        TEST(a_batch_gives_each_its_response),
        TEST(a_query_is_added_to_the_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
