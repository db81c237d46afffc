/* JSON for scripts: what survives a round trip, what is refused and where, and what a script cannot do with
 * it. */
#include "agent/script/script_state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BUDGET 50000000

static void run(const char *code)
{
    static const char head[] =
        "local json, misses = ...\n"
        "local function same(text, want)\n"
        "  local got = json.encode(json.decode(text))\n"
        "  if got ~= (want or text) then error(text .. ' became ' .. got) end\n"
        "end\n"
        "local function refused(says, f, ...)\n"
        "  local ok, why = pcall(f, ...)\n"
        "  if ok or not tostring(why):find(says, 1, true) then error(tostring(why)) end\n"
        "end\n";
    struct memory_account account = {.limit_bytes = LIMITS_DEFAULT_MEMORY_BYTES};
    struct script script = {.limits = {.memory = &account,
                                       .instruction_limit = BUDGET,
                                       .instructions_left = BUDGET,
                                       .time_limit_ns = UINT64_MAX}};
    char text[6000];

    lua_State *lua = lua_newstate(limits_allocate, &script.limits);
    *(struct script **)lua_getextraspace(lua) = &script;
    luaL_openlibs(lua);
    snprintf(text, sizeof text, "%s%s", head, code);
    assert_int_equal(luaL_loadbuffer(lua, text, strlen(text), "=test"), LUA_OK);
    luaopen_tutti_json(lua);
    if (lua_pcall(lua, 1, 0, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(lua, -1));
    }
    lua_close(lua);
    block_cache_finish(&script.limits.blocks);
    assert_int_equal(account.used_bytes, 0);
}

static void what_is_read_is_written_the_same(void **state)
{
    (void)state;
    run("same '[1686041011364000000]' same '[9007199254740993]' same '[1700000000.123456]'\n"
        "same '[-9223372036854775808,9223372036854775807]' same '[0.1,-0.5,1e+100,4.94065645841247e-324]'\n"
        "same('[9223372036854775808]', '[9.223372036854776e+18]') same '[-0]' same('[-0.0]', '[-0]')\n"
        "assert(math.type(json.decode('10000')) == 'integer' and math.type(json.decode('1e4')) == 'float')\n"
        "same "
        "'[0.30000000000000004,4.94065645841247e-324,1.7976931348623157e+308,-1.7976931348623157e+308]'\n"
        "assert(json.encode(0.1 + 0.2) == '0.30000000000000004')\n"
        "for i = 1, 2000 do local x = math.random() * 10.0 ^ math.random(-300, 300)\n"
        "  assert(json.decode(json.encode(x)) == x) end\n"
        "same '[]' same '{}' same '[[],{}]' same '[null,true,false]' same [==[\"a\\u0000\\n\\\\\\\"\"]==]\n"
        "same(' [ 1 , { \"a\" : [ ] } ] ', '[1,{\"a\":[]}]') same('\\xef\\xbb\\xbf[1]', '[1]')\n"
        "assert(json.decode('\"\\\\u00e4\\\\u20ac\\\\ud83d\\\\ude00\\\\/\"') == 'ä€😀/')\n"
        "assert(json.decode('\"\\xff\"') == '\\xff' and json.decode('null') == json.null)\n"
        "assert(json.decode('{\"a\":1,\"a\":2}').a == 2)\n"
        "assert(json.decode(('[')  :rep(200) .. (']'):rep(200)))");
}

/* Values wait on the stack while a table is read, some at a time; strings are looked at in pieces. */
static void sizes_and_places_make_no_difference(void **state)
{
    (void)state;
    run("for _, count in ipairs { 1, 15, 16, 17, 31, 32, 33, 100 } do\n"
        "  local list, object = {}, {}\n"
        "  for i = 1, count do list[i], object['k' .. i] = i, { i } end\n"
        "  local got_list, got_object = json.decode(json.encode(list)), json.decode(json.encode(object))\n"
        "  assert(#got_list == count)\n"
        "  for i = 1, count do assert(got_list[i] == i and got_object['k' .. i][1] == i) end\n"
        "  local fields = {}\n"
        "  for i = 1, count do fields[i] = '\"a\":' .. i end\n"
        "  assert(json.decode('{' .. table.concat(fields, ',') .. '}').a == count)\n"
        "end\n");
    run("for size = 0, 100 do for at = 1, size do for _, byte in ipairs { '\"', '\\\\', '\\n', '\\127', "
        "'\\0' } do\n"
        "  local text = ('x'):rep(at - 1) .. byte .. ('y'):rep(size - at)\n"
        "  local written = json.encode(text)\n"
        "  assert(#written > size + 2 and json.decode(written) == text)\n"
        "end end end\n"
        "local long = ('ä/ ~'):rep(5000)\n"
        "assert(json.encode { long } == '[\"' .. long .. '\"]' and json.decode(json.encode(long)) == long)\n"
        "for _, number in ipairs { 0, -1, 9, 10, math.mininteger, math.maxinteger, -123456789012345678 } do\n"
        "  assert(json.encode(number) == tostring(number) and json.decode(tostring(number)) == number)\n"
        "end\n");
}

static void a_script_says_what_is_a_list(void **state)
{
    (void)state;
    run("assert(json.encode {} == '{}' and json.encode(json.array {}) == '[]')\n"
        "assert(json.encode(json.array()) == '[]' and json.encode { json.empty_array } == '[[]]')\n"
        "assert(json.encode(setmetatable({}, json.array_mt)) == '[]')\n"
        "assert(json.encode { 1, nil, 3 } == '[1,null,3]' and json.encode { [1e9 // 1 | 0] = 1 } ==\n"
        "  '{\"1000000000\":1}')\n"
        "assert(json.encode { [1] = 'a', x = 'b' }:find '\"1\":\"a\"')\n"
        "local list = json.decode '[1]' list[1] = nil assert(json.encode(list) == '[]')\n"
        "assert(getmetatable(list) == false and not pcall(setmetatable, list, {}))\n"
        "refused('already has a metatable', json.array, setmetatable({}, {}))");
}

static void says_where_a_text_is_wrong(void **state)
{
    (void)state;
    run("for _, case in ipairs {\n"
        "  { '', 'Expected a value, found the end (line 1, column 1)' },\n"
        "  { '[1,\\n 2,\\n x]', \"Expected a value, found 'x' (line 3, column 2)\" },\n"
        "  { '{\"a\":1,}', \"Expected a name in quotes, found '}' (line 1, column 8)\" },\n"
        "  { '{\"a\" 1}', \"Expected ':'\" }, { '[1 2]', \"Expected ',' or ']'\" }, { '[1] 2', 'Expected the "
        "end' },\n"
        "  { '\"abc', 'ends the string' }, { '\"a\\\\', 'ends the string' }, { '\"\\\\x\"', 'Expected an "
        "escape' },\n"
        "  { '\"\\\\u12\"', 'four hexadecimal' }, { '\"\\\\ud83d\"', 'half of one' },\n"
        "  { '\"\\\\ude00\"', 'half of one' }, { '\"\\\\ud83d\\\\n\"', 'second half' },\n"
        "  { '01', 'Expected the end' }, { '1.', 'Expected a digit' }, { '-', 'Expected a digit' },\n"
        "  { '[\\n1e309]', 'at most 1.8e308 (line 2, column 1)' }, { '-1e309', 'at most' },\n"
        "  { ('9'):rep(400), 'at most' },\n"
        "  { '1e+', 'Expected a digit' }, { 'NaN', 'Expected a value' }, { 'nul', 'Expected a value' },\n"
        "  { '[\\0]', 'found byte 0' }, { ('1'):rep(1001), '1000 digits' },\n"
        "  { ('['):rep(201) .. (']'):rep(201), 'deeper than 200' }, { ('{\"a\":'):rep(100000), 'deeper' },\n"
        "} do refused(case[2], json.decode, case[1]) end");
}

static void refuses_what_cannot_be_written(void **state)
{
    (void)state;
    run("refused('infinite', json.encode, 1 / 0) refused('NaN', json.encode, { 0 / 0 })\n"
        "refused('a function cannot', json.encode, { print }) refused('a key that is a table', json.encode,\n"
        "  { [{}] = 1 })\n"
        "local t = {} t.t = { t } refused('contains itself', json.encode, t)\n"
        "local deep = {} for i = 1, 300 do deep = { deep } end refused('deeper than 200', json.encode, "
        "deep)");
}

/* Each level contains the next one twice: 2^45 values, but only a few tables. */
static void a_table_that_shares_costs_what_it_is_long(void **state)
{
    (void)state;
    run("local t = { 1 } for i = 1, 45 do t = { t, t } end\n"
        "refused('ran 50,000,000 instructions', json.encode, t)");
    run("local t = ('x'):rep(1 << 20) for i = 1, 45 do t = { t, t } end\n"
        "refused('longer than 64 MiB', json.encode, t)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_the_same),
        cmocka_unit_test(sizes_and_places_make_no_difference),
        cmocka_unit_test(a_script_says_what_is_a_list),
        cmocka_unit_test(says_where_a_text_is_wrong),
        cmocka_unit_test(refuses_what_cannot_be_written),
        cmocka_unit_test(a_table_that_shares_costs_what_it_is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
