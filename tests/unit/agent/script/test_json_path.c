/* Paths into JSON: the examples of RFC 9535, and what is refused. */
#include "agent/script/lua_json.h"
#include "agent/script/lua_json_path.h"
#include "agent/script/script_state.h"
#include "tests/unit/common/check.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

#define BUDGET 50000000

/* find(text, path) → what the path names, as JSON */
static int find(lua_State *lua)
{
    struct json_problem problem;
    struct json_path path;
    struct error error;
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    assert_true(lua_json_read(lua, bytes_of(text, size), &problem));
    text = luaL_checklstring(lua, 2, &size);
    if (!json_path_parse(bytes_of(text, size), &path, &error)) {
        return luaL_error(lua, "%s", error.text);
    }
    int before = lua_gettop(lua);
    lua_json_path_find(lua, &path);
    assert_int_equal(lua_gettop(lua), before);
    if (lua_isnil(lua, -1)) {
        lua_pushliteral(lua, "nothing");
    } else {
        lua_json_write(lua, -1);
    }
    return 1;
}

static void run(const char *code)
{
    static const char head[] =
        "local find = ...\n"
        "local function is(text, path, want)\n"
        "  local got = find(text, path)\n"
        "  if got ~= want then error(path .. ' gives ' .. got .. ', not ' .. want, 2) end\n"
        "end\n"
        /* In any order: single characters and numbers. */
        "local function are(text, path, want)\n"
        "  local got = {} for one in find(text, path):gmatch '[%w.]+' do got[#got + 1] = one end\n"
        "  table.sort(got) got = table.concat(got, ' ')\n"
        "  if got ~= want then error(path .. ' gives ' .. got .. ', not ' .. want, 2) end\n"
        "end\n";
    struct memory_account account = {.limit_bytes = LIMITS_DEFAULT_MEMORY_BYTES};
    struct script script = {.limits = {.memory = &account,
                                       .instruction_limit = BUDGET,
                                       .instructions_left = BUDGET,
                                       .time_limit_ns = UINT64_MAX}};
    char text[8000];

    lua_State *lua = lua_newstate(limits_allocate, &script.limits);
    *(struct script **)lua_getextraspace(lua) = &script;
    luaL_openlibs(lua);
    snprintf(text, sizeof text, "%s%s", head, code);
    if (luaL_loadbuffer(lua, text, strlen(text), "=test") != LUA_OK) {
        fail_msg("%s", lua_tostring(lua, -1));
    }
    luaopen_tutti_json(lua);
    lua_pop(lua, 1);
    lua_pushcfunction(lua, find);
    if (lua_pcall(lua, 1, 0, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(lua, -1));
    }
    lua_close(lua);
    block_cache_finish(&script.limits.blocks);
    assert_int_equal(account.used_bytes, 0);
}

static void the_bookstore_of_the_rfc(void **state)
{
    (void)state;
    run("local store = [=[{ \"store\": { \"book\": [\n"
        "  { \"category\": \"reference\", \"author\": \"Rees\", \"title\": \"Sayings\", \"price\": 8.95 },\n"
        "  { \"category\": \"fiction\", \"author\": \"Waugh\", \"title\": \"Sword\", \"price\": 12.99 },\n"
        "  { \"category\": \"fiction\", \"author\": \"Melville\", \"title\": \"Moby\", \"isbn\": \"0-553\", "
        "\"price\": 8.99 },\n"
        "  { \"category\": \"fiction\", \"author\": \"Tolkien\", \"title\": \"Lord\", \"isbn\": \"0-395\", "
        "\"price\": 22.99 } ],\n"
        "  \"bicycle\": { \"color\": \"red\", \"price\": 399 } } }]=]\n"
        "is(store, '$.store.book[*].author', '[\"Rees\",\"Waugh\",\"Melville\",\"Tolkien\"]')\n"
        "are(store, '$..author', 'Melville Rees Tolkien Waugh')\n"
        "are(store, '$.store..price', '12.99 22.99 399 8.95 8.99')\n"
        "is(store, '$..book[2].author', '[\"Melville\"]') is(store, '$..book[2].publisher', '[]')\n"
        "is(store, '$..book[-1].title', '[\"Lord\"]') is(store, '$..book[0,1].title', "
        "'[\"Sayings\",\"Sword\"]')\n"
        "is(store, '$..book[:2].title', '[\"Sayings\",\"Sword\"]')\n"
        "is(store, '$.store.book[3].isbn', '\"0-395\"') is(store, 'store.book[3].isbn', '\"0-395\"')\n"
        "are(store, '$.store.*.price', '399') are(store, '$.store.bicycle.*', '399 red')");
}

static void names_and_wildcards(void **state)
{
    (void)state;
    run("local a = [=[{\"o\": {\"j j\": {\"k.k\": 3}}, \"'\": {\"@\": 2}}]=]\n"
        "is(a, [=[$.o['j j']['k.k']]=], '3') is(a, [=[$.o[\"j j\"][\"k.k\"]]=], '3')\n"
        "is(a, [=[$[\"'\"][\"@\"]]=], '2') is(a, [=[$['\\'']['\\u0040']]=], '2')\n"
        "is(a, \"$.o['j j']\", '{\"k.k\":3}') is(a, '$.p', 'nothing') is(a, '$.o[0]', 'nothing')\n"
        "local b = [=[{\"o\": {\"j\": 1, \"k\": 2}, \"a\": [5, 3]}]=]\n"
        "are(b, '$.o[*]', '1 2') are(b, '$.o[*, *]', '1 1 2 2') is(b, '$.a[*]', '[5,3]') are(b, '$[*][*]', "
        "'1 2 3 5')\n"
        "is(b, '$', find(b, '$')) is(b, '$.a.x', 'nothing') is(b, '$.a.*', '[5,3]')\n"
        "is([=[{\"\\u00e9\\ud83d\\ude00\": 7}]=], [=[$['\\u00e9\\ud83d\\ude00']]=], '7')\n"
        "is([=[{\"\\u00e9\": 7}]=], '$.é', '7') is([=[{\"a\\tb\\/\": 7}]=], [=[$['a\\tb\\/']]=], '7')\n"
        "local c = [=[{\"a\": null, \"b\": [null], \"c\": [{}], \"null\": 1}]=]\n"
        "is(c, '$.a', 'null') is(c, '$.a[0]', 'nothing') is(c, '$.a.d', 'nothing') is(c, '$.b[0]', 'null')\n"
        "is(c, '$.b[*]', '[null]') is(c, '$.null', '1') is(c, '$.c[0]', '{}')");
}

static void indices_and_slices(void **state)
{
    (void)state;
    run("local a = [=[[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]]=]\n"
        "is('[\"a\",\"b\"]', '$[1]', '\"b\"') is('[\"a\",\"b\"]', '$[-2]', '\"a\"')\n"
        "is('[\"a\",\"b\"]', '$[-3]', 'nothing') is('[\"a\",\"b\"]', '$[2]', 'nothing')\n"
        "is(a, '$[1:3]', '[\"b\",\"c\"]') is(a, '$[5:]', '[\"f\",\"g\"]') is(a, '$[1:5:2]', "
        "'[\"b\",\"d\"]')\n"
        "is(a, '$[5:1:-2]', '[\"f\",\"d\"]') is(a, '$[::-1]', "
        "'[\"g\",\"f\",\"e\",\"d\",\"c\",\"b\",\"a\"]')\n"
        "is(a, '$[100::-3]', '[\"g\",\"d\",\"a\"]') is(a, '$[:100:-1]', '[]')\n"
        "is('{\"a9\":1,\"a0\":2,\"Z_z\":3}', '$.a9', '1') is('{\"a0\":2}', '$.a0', '2')\n"
        "is('{\"Z_z\":3}', '$.Z_z', '3')\n"
        "is(a, '$[::0]', '[]') is(a, '$[-2:]', '[\"f\",\"g\"]') is(a, '$[:-5]', '[\"a\",\"b\"]')\n"
        "is(a, '$[:-5:-1]', '[\"g\",\"f\",\"e\",\"d\"]') is(a, '$[-100:2]', '[\"a\",\"b\"]') is(a, "
        "'$[5:100]', '[\"f\",\"g\"]')\n"
        "is(a, '$[0, 3]', '[\"a\",\"d\"]') is(a, '$[0:2, 5]', '[\"a\",\"b\",\"f\"]') is(a, '$[0, 0]', "
        "'[\"a\",\"a\"]')\n"
        "is(a, '$[ 1 : 3 ]', '[\"b\",\"c\"]') is('{\"a\":1}', '$[0:2]', '[]')");
}

static void descendants(void **state)
{
    (void)state;
    run("local a = [=[{\"o\": {\"j\": 1, \"k\": 2}, \"a\": [5, 3, [{\"j\": 4}, {\"k\": 6}]]}]=]\n"
        "are(a, '$..j', '1 4') are(a, '$..[0]', '4 5 j') is(a, '$.a..[0, 1]', '[5,3,{\"j\":4},{\"k\":6}]')\n"
        "are(a, '$..o', '1 2 j k') are(a, '$.o..[*, *]', '1 1 2 2') is(a, '$.a[2]..j', '[4]')\n"
        "local count = 0 for _ in find('[[[[]]],[]]', '$..*'):gmatch '%[' do count = count + 1 end\n"
        "assert(count == 1 + 3 + 2 + 1 + 1, count)\n"
        "is('1', '$..*', '[]') is('[' .. ('['):rep(150) .. (']'):rep(150) .. ']', '$..a', '[]')");
}

#define FILTERED                                                                                             \
    "local a = [=[{\"a\": [3, 5, 1, 2, 4, 6, {\"b\": \"j\"}, {\"b\": \"k\"}, {\"b\": {}}, {\"b\": "          \
    "\"kilo\"}],"                                                                                            \
    "\"o\": {\"p\": 1, \"q\": 2, \"r\": 3, \"s\": 5, \"t\": {\"u\": 6}}, \"e\": \"f\"}]=]\n"

static void filters(void **state)
{
    (void)state;
    run(FILTERED "is(a, \"$.a[?@.b == 'kilo']\", '[{\"b\":\"kilo\"}]')\n"
                 "is(a, \"$.a[?(@.b == 'kilo')]\", '[{\"b\":\"kilo\"}]')\n"
                 "is(a, '$.a[?@>3.5]', '[5,4,6]') is(a, '$.a[?@ > 3.5 && @<6]', '[5,4]')\n"
                 "is(a, '$.a[?@.b]', '[{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":{}},{\"b\":\"kilo\"}]')\n"
                 "assert(#find(a, '$[?@.*]') == 3 + #find(a, '$.a') + #find(a, '$.o'))\n"
                 "is(a, '$[?@[?@.b]]', '[' .. find(a, '$.a') .. ']')\n"
                 "are(a, '$.o[?@<3, ?@<3]', '1 1 2 2')\n"
                 "is(a, '$.a[?@<2 || @.b == \"k\"]', '[1,{\"b\":\"k\"}]')\n"
                 "are(a, '$.o[?@>1 && @<4]', '2 3') is(a, '$.o[?@.u || @.x]', '[{\"u\":6}]')\n"
                 "is(a, '$.a[?@.b == $.x]', '[3,5,1,2,4,6]') is(a, '$.a[?@ == @]', find(a, '$.a'))\n"
                 "is(a, '$..[?@.u == 6].u', '[6]') is(a, '$.a[? ! @.b && (@ == 1 || !(@ < 6)) ]', '[1,6]')\n"
                 "is(a, '$.a[?@.b > \"j\", 0].b', '[\"k\",\"kilo\"]') is(a, '$.e[?@ == 1]', '[]')");
}

/* The table of comparisons in section 2.3.5.3.1 of the RFC. */
static void comparisons(void **state)
{
    (void)state;
    run("local a = '[{\"obj\": {\"x\": \"y\"}, \"arr\": [2, 3]}]'\n"
        "local function holds(text, want)\n"
        "  local got = find(a, '$[?' .. text .. ']') ~= '[]'\n"
        "  if got ~= want then error(text, 2) end\n"
        "end\n"
        "for text in ([[$.absent1 == $.absent2|$.absent1 <= $.absent2|$.absent != 'g'|1 <= 2|'a' <= 'b'|"
        "@.obj == @.obj|@.arr == @.arr|@.obj <= @.obj|@.arr <= @.arr|1 != @.arr|@.obj != @.arr|true <= true|"
        "1 == 1.0|-0 == 0|1e2 == 100|null == null|'\\u00e9' > 'z'|2 >= 2|'b' > 'a'|true != false|"
        "length('\\u00e9\\ud83d\\ude00') == 2|length(@.arr) == 2|length(@.obj) == 1|count(@.arr.*) == 2|"
        "count(@.*) == 2|value(@.arr[1:]) == 3|value(@..x) == 'y'|value(@.arr.*) == $.nothing|"
        "length(value(@..x)) == 1|length(1) == $.nothing|length(@.nothing) == @.nothing|@.arr != @.obj.x]])\n"
        "  :gmatch '[^|]+' do holds(text, true) end\n"
        "for text in ([[$.absent == 'g'|1 > 2|13 == '13'|'a' > 'b'|@.obj != @.obj|@.obj == @.arr|1 == @.arr|"
        "@.obj < @.arr|@.obj <= @.arr|1 <= @.arr|1 >= @.arr|1 > @.arr|1 < @.arr|true > true|true < false|"
        "null == false|$.absent1 < $.absent2|'a' == 'A'|null < 1|length(1) > 0]])\n"
        "  :gmatch '[^|]+' do holds(text, false) end\n"
        "local b = '{\"d\":{\"a\":[1,{\"b\":null}],\"c\":1},\"list\":[{\"c\":1,\"a\":[1,{\"b\":null}]},'\n"
        "  .. "
        "'{\"a\":[1,{\"b\":null}]},{\"c\":1,\"a\":[1,{\"b\":0}]},{\"c\":1,\"a\":[1,{\"b\":null},2]},[],{}]}'"
        "\n"
        "is(b, '$.list[?@ == $.d].c', '[1]') is(b, '$.list[?@.a[1].b == null].c', '[1,1]')\n"
        "is(b, '$.list[?length(@) == 0]', '[[],{}]') is(b, '$.list[?@ == $.list[4]]', '[[]]')");
}

/* Deep values are compared without recursion, and all of it is paid by the script's budget. */
static void filters_are_bounded(void **state)
{
    (void)state;
    run("local deep = ('['):rep(150) .. (']'):rep(150)\n"
        "is('[' .. deep .. ',' .. deep .. ']', '$[?@ == $[0]][0][0][0][1]', '[]')\n"
        "local ok, why = pcall(find, '[' .. ('1,'):rep(3000) .. '1]', '$[?count($..*) > 1 && @ == 2]')\n"
        "assert(not ok)");
}

static void what_is_no_path_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *why;
    } rows[] = {
        {"", "a path has 1 to 1000 bytes"},
        {"$.", "column 3: expected a name"},
        {"$..", "column 4: expected a name"},
        {"$...a", "column 4: expected a name"},
        {"$a", "column 2: expected . or ["},
        {"$.1a", "column 3: expected a name"},
        {"$[a]", "column 3: expected a quoted name, an index, a slice or *"},
        {"$[]", "column 3: expected a quoted name"},
        {"$[1", "column 4: expected , or ]"},
        {"$[1,]", "column 5: expected a quoted name"},
        {"$['a", "column 3: the quote is not closed"},
        {"$['\\x']", "column 5: no such escape"},
        {"$['\\\"']", "column 5: no such escape"},
        {"$['\\u12']", "four hexadecimal digits are missing"},
        {"$['\\ud800']", "a surrogate without its other half"},
        {"$['\\ud800\\u0041']", "a surrogate without its other half"},
        {"$['\\udc00']", "a surrogate without its other half"},
        {"$[01]", "column 3: expected a whole number"},
        {"$[-0]", "column 3: expected a whole number"},
        {"$[-]", "column 3: expected a whole number"},
        {"$[9007199254740992]", "column 3: expected a whole number"},
        {"$[99999999999999999999999999]", "column 3: expected a whole number"},
        {"$[?]", "column 4: expected @, $, a number"},
        {"$[?@.a", "column 7: expected , or ]"},
        {"$[?@.a ==]", "column 10: expected @, $"},
        {"$[?@.a = 1]", "column 8: expected , or ]"},
        {"$[?1]", "column 5: expected a comparison"},
        {"$[?true]", "column 8: expected a comparison"},
        {"$[?length(@)]", "column 13: expected a comparison"},
        {"$[?@.* == 1]", "column 4: only what is one value at most can be compared"},
        {"$[?1 == @..a]", "column 9: only what is one value at most"},
        {"$[?!@.a == 1]", "column 5: a comparison after ! needs parentheses"},
        {"$[?(@.a]", "column 8: expected )"},
        {"$[?@.a && ]", "column 11: expected @"},
        {"$[?@.a == 01]", "column 11: expected a number"},
        {"$[?@.a == 1.]", "column 11: expected a number"},
        {"$[?@.a == -]", "column 11: expected a number"},
        {"$[?@.a == 1e]", "column 11: expected a number"},
        {"$[?@.a == 'b]", "column 11: the quote is not closed"},
        {"$[?length @ == 1]", "column 10: expected ("},
        {"$[?length(@.*) == 1]", "length takes one value at most"},
        {"$[?count(1) == 1]", "this function takes a query"},
        {"$[?value(@.a == 1]", "column 14: expected )"},
        {"$[?match(@.a, 'x')]", "column 4: match and search are not supported"},
        {"$[?size(@.a) == 1]", "column 4: expected @, $"},
        {"$[?((((((((@.a))))))))]", "it is nested too deep"},
        {"$.a ", "column 4: space at the end"},
        {"$.a b", "column 5: expected . or ["},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_path path;
        struct error error = {""};
        if (json_path_parse(bytes_of_string(rows[i].path), &path, &error) ||
            strstr(error.text, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].path, error.text);
        }
    }
}

static void a_path_is_bounded(void **state)
{
    (void)state;
    struct json_path path;
    struct error error;
    char text[JSON_PATH_MAX_BYTES + 2] = "$";
    for (size_t i = 0; i < JSON_PATH_SEGMENTS; i++) {
        assert_true(json_path_parse(bytes_of_string(text), &path, &error) && path.is_singular);
        memcpy(text + 1 + 2 * i, ".a", 3);
    }
    assert_true(json_path_parse(bytes_of_string(text), &path, &error));
    memcpy(text + 1 + 2 * JSON_PATH_SEGMENTS, ".a", 3);
    assert_false(json_path_parse(bytes_of_string(text), &path, &error));
    assert_non_null(strstr(error.text, "too many parts"));
    memcpy(text, "$[0", 4);
    for (size_t i = 0; i < JSON_PATH_SELECTORS; i++) {
        memcpy(text + 3 + 2 * i, ",0", 3);
    }
    memcpy(text + 3 + 2 * JSON_PATH_SELECTORS, "]", 2);
    assert_false(json_path_parse(bytes_of_string(text), &path, &error));
    memset(text, 'a', sizeof text);
    assert_true(json_path_parse(bytes_of(text, JSON_PATH_MAX_BYTES), &path, &error));
    assert_false(json_path_parse(bytes_of(text, JSON_PATH_MAX_BYTES + 1), &path, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bookstore_of_the_rfc),
        cmocka_unit_test(names_and_wildcards),
        cmocka_unit_test(indices_and_slices),
        cmocka_unit_test(descendants),
        cmocka_unit_test(filters),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(filters_are_bounded),
        cmocka_unit_test(what_is_no_path_is_refused),
        cmocka_unit_test(a_path_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
