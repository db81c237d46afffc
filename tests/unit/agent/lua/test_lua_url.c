/* tutti.url: what a script takes apart and puts together, and what it is refused. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <stdio.h>
#include <string.h>

/* One worker runs this once, with `url`, `same`, which compares two tables or texts, and `refused`. */
static void play_url(struct shell *shell, const char *body)
{
    char script[6000];
    shell->options.workers = 1;
    snprintf(script, sizeof script,
             "local tutti, url, json = require 'tutti', require 'tutti.url', require 'tutti.json'\n"
             "local function text(x)\n"
             "  if type(x) ~= 'table' then return tostring(x) end\n"
             "  local names, out = {}, {}\n"
             "  for name in pairs(x) do names[#names + 1] = name end\n"
             "  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)\n"
             "  for i, name in ipairs(names) do out[i] = tostring(name) .. '=' .. text(x[name]) end\n"
             "  return '{' .. table.concat(out, ' ') .. '}'\n"
             "end\n"
             "local function same(got, want) if text(got) ~= want then error(text(got) .. ' is not ' .. "
             "want) end end\n"
             "local function refused(says, f, ...)\n"
             "  local ok, why = pcall(f, ...)\n"
             "  if ok or not tostring(why):find(says, 1, true) then error(says .. ': ' .. text(why)) end\n"
             "end\n"
             "tutti.scenario('s', function()\n%s\nend)\n",
             body);
    shell_play(shell, script);
    assert_string_equal(shell_errors(shell), "");
}

static void a_url_is_taken_apart(void **state)
{
    play_url(
        *state,
        "same(url.parse 'http://example.com', '{host=example.com path=/ port=80 scheme=http}')\n"
        "same(url.parse 'HTTPS://Ann:p%40ss@EXAMPLE.com:8443/a b/../c?x=1&y=%20#top',\n"
        "  '{fragment=top host=example.com password=p@ss path=/c port=8443 query=x=1&y=%20 scheme=https "
        "user=Ann}')\n"
        "same(url.parse 'http://[::1]:81/?', '{host=::1 path=/ port=81 query= scheme=http}')\n"
        "assert(math.type(url.parse('http://a/').port) == 'integer')\n"
        "refused('must begin with http', url.parse, '/a') refused('neither http nor https', url.parse, "
        "'ftp://a/')\n"
        "refused('no host', url.parse, 'http://') refused('1 to 65535', url.parse, 'http://a:70000/')\n"
        "refused('zero byte', url.parse, 'http://a/\\0') refused('longer than', url.parse, 'http://a/' .. "
        "('x'):rep(70000))\n"
        "refused('is a string, not a number', url.parse, 7) refused('is a string, not a no value', "
        "url.parse)");
}

static void parts_are_put_together(void **state)
{
    play_url(
        *state,
        "same(url.build { scheme = 'http', host = 'a' }, 'http://a/')\n"
        "same(url.build { scheme = 'https', host = '::1', port = 8443, user = 'a:b', password = 'c/d', path "
        "= '/x y?',\n"
        "  query = { b = 2, a = { '1', true, 'c&d' } }, fragment = 'e#f' },\n"
        "  'https://a%3Ab:c%2Fd@[::1]:8443/x%20y%3F?a=1&a=true&a=c%26d&b=2#e%23f')\n"
        "same(url.build { path = '/a', query = 'x=%20&y=#' }, '/a?x=%20&y=%23') same(url.build {}, '')\n"
        "local whole = 'https://u:p@h.example:444/a%2Fb?c=d#e'\n"
        "same(url.build(url.parse(whole)), whole)\n"
        "same(url.build(url.parse 'http://a/b'), 'http://a/b') same(url.build(url.parse 'https://a/b'), "
        "'https://a/b')\n"
        "refused('no part of a URL is called hots', url.build, { hots = 'a' })\n"
        "refused('a host needs a scheme', url.build, { host = 'a' })\n"
        "refused('without a host', url.build, { scheme = 'http' }) refused('without a host', url.build, { "
        "port = 1 })\n"
        "refused('neither http nor https', url.build, { scheme = 'ftp', host = 'a' })\n"
        "refused('a password needs a user', url.build, { scheme = 'http', host = 'a', password = 'b' })\n"
        "for _, host in ipairs { 'a/b', 'a@b', 'a?b', 'a#b', 'a b', 'a\\0b', '' } do\n"
        "  refused('host', url.build, { scheme = 'http', host = host }) end\n"
        "refused('path begins with /', url.build, { scheme = 'http', host = 'a', path = 'b' })\n"
        "refused('port is an integer', url.build, { scheme = 'http', host = 'a', port = '80' })\n"
        "refused('port is an integer', url.build, { scheme = 'http', host = 'a', port = 0 })\n"
        "refused('path is a string, not a number', url.build, { path = 7 })\n"
        "refused('plain fields', url.build, setmetatable({}, { __index = { host = 'a' } }))");
}

static void text_is_encoded_and_decoded(void **state)
{
    play_url(
        *state,
        "same(url.encode 'a b&c=ä/%', 'a%20b%26c%3D%C3%A4%2F%25') same(url.decode 'a%20b+%C3%A4', 'a b+ä')\n"
        "local all = {} for i = 0, 255 do all[i + 1] = string.char(i) end all = table.concat(all)\n"
        "assert(url.decode(url.encode(all)) == all and url.encode '' == '')\n"
        "refused('two hexadecimal digits', url.decode, '%4') refused('is a string, not a table', url.encode, "
        "{})");
}

static void queries_are_written_and_read(void **state)
{
    play_url(*state,
             "same(url.query { b = 'x y', a = 1, ['c&'] = false, d = { 2, 1.5 } }, "
             "'a=1&b=x%20y&c%26=false&d=2&d=1.5')\n"
             "same(url.query { { 'z', 1 }, { 'a', 2 }, { 'z', 3 } }, 'z=1&a=2&z=3') same(url.query {}, '')\n"
             "same(url.query { a = {} }, '')\n"
             "same(url.query '?a=1&b=x+y%20z&a=2&c&a=3&=e', '{=e a={1=1 2=2 3=3} b=x y z c=}')\n"
             "same(url.query '', '{}') same(url.query(url.query { a = { '1', '2' }, b = '&=%' }), '{a={1=1 "
             "2=2} b=&=%}')\n"
             "refused('two hexadecimal digits', url.query, 'a=%') refused('not a number', url.query, 1)\n"
             "refused('the name of a pair is a string', url.query, { [true] = 1 })\n"
             "refused('pair 2 is { name, value }', url.query, { { 'a', 1 }, 'b' })\n"
             "refused('a is a string, a number or a boolean, not a nil', url.query, { { 'a' } })\n"
             "refused('the values of a are a list', url.query, { a = { x = 1 } })\n"
             "refused('not a function', url.query, { a = print })");
}

static void references_are_joined_to_a_base(void **state)
{
    play_url(*state, "same(url.join('http://a/b/c?d', 'e'), 'http://a/b/e') same(url.join('http://a/b/c', "
                     "'../x#y'), 'http://a/x#y')\n"
                     "same(url.join('https://a/b', '//c/d'), 'https://c/d') same(url.join('http://a/b', "
                     "'https://c'), 'https://c/')\n"
                     "same(url.join('http://a/b?c', ''), 'http://a/b?c') same(url.join('http://a/b?c', "
                     "'?d'), 'http://a/b?d')\n"
                     "refused('must begin with http', url.join, '/a', 'b') refused('the reference is a "
                     "string', url.join, 'http://a', {})");
}

static void what_is_long_is_charged_to_the_turn(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 1;
    shell_play(shell, "local tutti, url = require 'tutti', require 'tutti.url'\n"
                      "tutti.scenario('s', function()\n"
                      "  local long = (' '):rep(20 << 20) while true do url.encode(long) end\n"
                      "end)\n");
    assert_non_null(strstr(shell_errors(shell), "without waiting"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_url_is_taken_apart),
        TEST(parts_are_put_together),
        TEST(text_is_encoded_and_decoded),
        TEST(queries_are_written_and_read),
        TEST(references_are_joined_to_a_base),
        TEST(what_is_long_is_charged_to_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
