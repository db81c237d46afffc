/* tutti.crypto: codings and digests against known values, and what repeats with the seed. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <stdio.h>
#include <string.h>

static void play_crypto(struct shell *shell, const char *body)
{
    char script[6000];
    shell->options.workers = 1;
    snprintf(
        script, sizeof script,
        "local tutti, crypto = require 'tutti', require 'tutti.crypto'\n"
        "local function same(got, want) if got ~= want then error(tostring(got) .. ' is not ' .. want) end "
        "end\n"
        "local function refused(says, f, ...)\n"
        "  local ok, why = pcall(f, ...)\n"
        "  if ok or not tostring(why):find(says, 1, true) then error(says .. ': ' .. tostring(why)) end\n"
        "end\n"
        "tutti.scenario('s', function()\n%s\nend)\n",
        body);
    shell_play(shell, script);
}

static void codings_go_both_ways(void **state)
{
    play_crypto(
        *state,
        "same(crypto.base64_encode 'any carnal pleas', 'YW55IGNhcm5hbCBwbGVhcw==')\n"
        "same(crypto.base64_encode '\\xfb\\xff', '+/8=') same(crypto.base64url_encode '\\xfb\\xff', '-_8')\n"
        "same(crypto.base64url_decode '-_8', '\\xfb\\xff') same(crypto.base64url_decode '-_8=', "
        "'\\xfb\\xff')\n"
        "same(crypto.hex_encode '\\0\\xaf', '00af') same(crypto.hex_decode '00aF', '\\0\\xaf')\n"
        "local all = {} for i = 0, 255 do all[i + 1] = string.char(i) end\n"
        "for size = 0, 256 do local data = table.concat(all, '', 1, size)\n"
        "  same(crypto.base64_decode(crypto.base64_encode(data)), data)\n"
        "  same(crypto.base64url_decode(crypto.base64url_encode(data)), data)\n"
        "  same(crypto.hex_decode(crypto.hex_encode(data)), data) end");
    assert_string_equal(shell_errors(*state), "");
}

static void what_is_not_coded_is_refused(void **state)
{
    play_crypto(
        *state,
        "for _, text in ipairs { 'a', 'ab==c', 'YQ', 'YR==', 'Y Q=', '-_8=', 'Y===', '\\0\\0\\0\\0' } do\n"
        "  refused('not base64', crypto.base64_decode, text) end\n"
        "for _, text in ipairs { 'a', '+/8', 'YR', 'Y Q', '-_8==', '\\0\\0\\0\\0' } do\n"
        "  refused('not base64', crypto.base64url_decode, text) end\n"
        "refused('odd number', crypto.hex_decode, 'abc') refused('byte 3', crypto.hex_decode, '00g0')\n"
        "refused('byte 4', crypto.hex_decode, '000 ') refused('is a string, not a number', "
        "crypto.hex_encode, 7)\n"
        "refused('is a string, not a no value', crypto.base64_encode)\n"
        "refused('is a string, not a table', crypto.sha1, {}) refused('invalid option', crypto.sha1, '', "
        "'octal')\n"
        "refused('invalid option', crypto.hmac, 'sha3', '', '') refused('the key', crypto.hmac, 'sha1', nil, "
        "'')\n"
        "refused('0 to', crypto.random_bytes, -1) refused('0 to', crypto.random_bytes, 1048577)");
    assert_string_equal(shell_errors(*state), "");
}

/* RFC 1321, RFC 3174, FIPS 180-2, RFC 2202 and RFC 4231. */
static void digests_are_those_of_the_standards(void **state)
{
    play_crypto(
        *state,
        "same(crypto.md5 'abc', '900150983cd24fb0d6963f7d28e17f72')\n"
        "same(crypto.sha1 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d')\n"
        "same(crypto.sha256 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')\n"
        "same(crypto.sha512 'abc', 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' ..\n"
        "  '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f')\n"
        "same(crypto.sha256 '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')\n"
        "same(crypto.sha1('abc', 'base64'), 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0=')\n"
        "same(crypto.sha1('abc', 'base64url'), 'qZk-NkcGgWq6PiVxeFDCbJzQ2J0')\n"
        "same(crypto.hex_encode(crypto.sha1('abc', 'raw')), crypto.sha1 'abc')\n"
        "same(crypto.hmac('md5', 'Jefe', 'what do ya want for nothing?'), "
        "'750c783e6ab0b503eaa86e310a5db738')\n"
        "same(crypto.hmac('sha1', 'Jefe', 'what do ya want for nothing?'), "
        "'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79')\n"
        "same(crypto.hmac('sha256', 'Jefe', 'what do ya want for nothing?'),\n"
        "  '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')\n"
        "same(crypto.hmac('sha256', ('\\xaa'):rep(131), 'Test Using Larger Than Block-Size Key - Hash Key "
        "First'),\n"
        "  '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')\n"
        "same(#crypto.hmac('sha512', '', '', 'raw'), 64)");
    assert_string_equal(shell_errors(*state), "");
}

static void random_bytes_are_all_different(void **state)
{
    play_crypto(*state,
                "local seen = {}\n"
                "for _ = 1, 500 do local id = crypto.uuid()\n"
                "  assert(id:match "
                "'^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$', id)\n"
                "  assert(not seen[id]) seen[id] = true end\n"
                "for size = 0, 100 do same(#crypto.random_bytes(size), size) end\n"
                "local counts, data = {}, crypto.random_bytes(40000)\n"
                "for i = 1, #data do local byte = data:byte(i) counts[byte] = (counts[byte] or 0) + 1 end\n"
                "for byte = 0, 255 do assert(counts[byte] > 80 and counts[byte] < 250, counts[byte]) end");
    assert_string_equal(shell_errors(*state), "");
}

static void what_is_random_repeats_with_the_seed(void **state)
{
    static const char script[] =
        "local tutti, crypto = require 'tutti', require 'tutti.crypto'\n"
        "tutti.scenario('s', function(worker)\n"
        "  error(worker.id .. ' ' .. crypto.uuid() .. ' ' .. crypto.hex_encode(crypto.random_bytes(40)))\n"
        "end)\n";
    struct shell *shell = *state;
    char first[4000];

    shell->options.workers = 2;
    shell->options.seed = 42;
    shell_play(shell, script);
    snprintf(first, sizeof first, "%s", shell_errors(shell));
    assert_non_null(strstr(first, "pad.lua:3: 0 "));
    for (uint64_t seed = 42; seed < 44; seed++) {
        void *again = NULL;
        assert_int_equal(shell_set_up(&again), 0);
        struct shell *other = again;
        other->options.workers = 2;
        other->options.seed = seed;
        shell_play(other, script);
        assert_int_equal(strcmp(first, shell_errors(other)) == 0, seed == 42);
        assert_int_equal(shell_tear_down(&again), 0);
    }
}

static void what_is_long_is_charged_to_the_turn(void **state)
{
    play_crypto(*state, "local long = (' '):rep(20 << 20) while true do crypto.sha256(long) end");
    assert_non_null(strstr(shell_errors(*state), "without waiting"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(codings_go_both_ways),
        TEST(what_is_not_coded_is_refused),
        TEST(digests_are_those_of_the_standards),
        TEST(random_bytes_are_all_different),
        TEST(what_is_random_repeats_with_the_seed),
        TEST(what_is_long_is_charged_to_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
