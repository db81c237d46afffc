/* tutti.data as a script sees it: its rows, and which worker gets which. */
#include "tests/unit/agent/shard/test_shell_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The script has nothing but `body` in its main chunk, and a scenario that does nothing. */
static void load(struct shell *shell, const char *body)
{
    char script[4000];
    snprintf(script, sizeof script,
             "local tutti = require 'tutti'\n%s\ntutti.scenario('s', function(worker) end)\n", body);
    if (!shell_deploy(shell, script)) {
        fail_msg("%s", shell->text);
    }
}

static void play(struct shell *shell, const char *data, const char *body)
{
    char script[4000];
    snprintf(script, sizeof script,
             "local tutti = require 'tutti'\nlocal data = %s\n"
             "local function log(...) tutti.set_var('log', table.concat({...}, ' ')) end\n"
             "tutti.scenario('s', function(worker)\n%s\nend)\n",
             data, body);
    shell_play(shell, script);
}

static void rows_of_every_kind_of_file(void **state)
{
    struct shell *shell = *state;
    load(shell, "local users = tutti.data('users.csv')\n"
                "assert(#users == 3 and users[1].name == 'ann' and users[1].note == 'says \"hi\"')\n"
                "assert(users[2].note == 'two\\nlines' and users[3].name == 'cid' and users[3].note == '')\n"
                "assert(users[0] == nil and users[4] == nil)\n"
                "local lines = tutti.data('users.jsonl')\n"
                "assert(#lines == 2 and lines[1].n == 1 and lines[2].deep[2] == 'x')\n"
                "local array = tutti.data('users.json', { mode = 'room' })\n"
                "assert(#array == 2 and array[2].n == 2)\n"
                "local marked = tutti.data('marked.jsonl')\n"
                "assert(#marked == 2 and marked[1].n == 1 and marked[2].n == 2)\n"
                "assert(tutti.data('marked.json')[1].n == 1 and getmetatable(marked) == false)\n"
                "local rows = { { n = 1, deep = { { 7 } } } }\n"
                "local inline = tutti.data(rows)\n"
                "assert(#inline == 1 and inline[1].deep[1][1] == 7 and inline[1] ~= inline[1])\n"
                "inline[1].deep[1][1] = 8 assert(inline[1].deep[1][1] == 7)");
}

static void json_means_the_same_in_rows(void **state)
{
    struct shell *shell = *state;
    load(shell,
         "local json = require 'tutti.json'\n"
         "local function check(row)\n"
         "  assert(row.id == 9007199254740993 and math.type(row.id) == 'integer' and row.low == "
         "math.mininteger)\n"
         "  assert(row.third == 0.1 + 0.2 and math.type(row.whole) == 'float' and row.none == json.null)\n"
         "  assert(json.encode(row.list) == '[]' and json.encode(row.object) == '{}' and row.twice == 2)\n"
         "end\n"
         "check(tutti.data('numbers.jsonl')[1]) check(tutti.data('numbers.json')[1])\n"
         "check(tutti.data({ tutti.data('numbers.json')[1] })[1])");
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    struct shell *shell = *state;
    load(shell,
         "local function refused(text, ...) local ok, why = pcall(tutti.data, ...)\n"
         "  assert(not ok and tostring(why):find(text, 1, true), tostring(why)) end\n"
         "refused('broken.csv:3: 1 fields, the header has 2', 'broken.csv')\n"
         "refused('more.csv:2: 3 fields, the header has 2', 'more.csv')\n"
         "refused('nameless.csv:1: field 2 of the header has no name', 'nameless.csv')\n"
         "refused('tiny.json: expected an array', 'tiny.json')\n"
         "refused('cut.json:1: Expected', 'cut.json')\n"
         "refused('.csv: expected a file that ends with .csv', '.csv')\n"
         "refused('twice.csv:1: two fields have the name \"a\"', 'twice.csv')\n"
         "refused('words.txt: expected a file that ends with .csv', 'words.txt')\n"
         "refused('none.csv: no such file in the bundle', 'none.csv')\n"
         "refused('header.csv: no rows', 'header.csv')\n"
         "refused('broken.jsonl:4: Expected', 'broken.jsonl')\n"
         "refused('number.jsonl:2: expected an object', 'number.jsonl')\n"
         "refused('broken.json:3: Expected', 'broken.json')\n"
         "refused('row 2: expected an object', { { a = 1 }, 5 })\n"
         "refused('row 1: expected an object', { { 1, 2 } })\n"
         "refused('no rows', {})\n"
         "refused('expected the name of a file or a list of rows, got a nil')\n"
         "refused('expected unique, round_robin, random or room, got uniq', { { a = 1 } }, { mode = "
         "'uniq' })\n"
         "refused('unknown option mod', { { a = 1 } }, { mod = 'unique' })\n"
         "refused('wrap is for mode', { { a = 1 } }, { mode = 'room', wrap = true })\n"
         "refused('wrap: expected true or false', { { a = 1 } }, { wrap = 1 })\n"
         "local function nest(n) local t = {} for i = 1, n do t = { a = t } end return t end\n"
         "assert(tutti.data({ nest(199) })[1].a.a)\n"
         "assert(select(2, pcall(function() return tutti.data({ nest(200) })[1] end)):find('200 levels'))\n"
         "local loop = { a = {} } loop.a.a = loop.a\n"
         "assert(select(2, pcall(function() return tutti.data({ loop })[1] end)):find('200 levels'))\n"
         "assert(not pcall(function() return tutti.data({ { a = 1 } }).nxt end))\n"
         "assert(select(2, pcall(function() tutti.data({ { a = 1 } }):next() end)):find('next'))");
}

/* Long operations are charged to the budget, as if the script had done the work. */
static void expect_too_much(const char *body)
{
    char script[1000];
    void *again = NULL;
    (void)shell_set_up(&again);
    struct shell *shell = again;
    shell->settings.instruction_limit = 200000;
    snprintf(script, sizeof script,
             "local tutti = require 'tutti'\n%s\ntutti.scenario('s', function(worker) end)\n", body);
    assert_false(shell_deploy(shell, script));
    assert_non_null(strstr(shell->text, "ran 200,000 instructions"));
    (void)shell_tear_down(&again);
}

static void reading_costs_what_it_costs(void **state)
{
    struct shell *shell = *state;
    load(shell, "assert(tutti.data('large.json')[1].n == 1)"); /* with a budget that is large enough */
    expect_too_much("tutti.data('large.csv')");
    expect_too_much("tutti.data('large.jsonl')");
    expect_too_much("tutti.data('large.json')");
    expect_too_much("local t = {} for i = 1, 5000 do t['f' .. i] = i end\n"
                    "local data = tutti.data({ t }) for i = 1, 50 do local row = data[1] end");
}

static void a_row_for_each_worker_and_step(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 3;
    shell->options.runs = 2;
    play(shell, "tutti.data({ { n = 0 }, { n = 1 }, { n = 2 }, { n = 3 } }, { mode = 'round_robin' })",
         "local expected = ((worker.step - 1) * 3 + worker.id) % 4\n"
         "assert(data:next(worker).n == expected and data:next().n == expected)\n"
         "local ok, why = pcall(tutti.data, { { n = 1 } })\n"
         "assert(not ok and why:find('only while the script loads'))\n"
         "end)\n"
         "tutti.setup_session(function(worker)\n" /* before the first step, its row */
         "assert(data:next().n == worker.id % 4, 'of another step')");
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->totals.steps_ok, 6);
}

static void a_row_for_each_room(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 5;
    shell->options.room_size = 2;
    shell->options.runs = 2;
    play(shell, "tutti.data({ { n = 0 }, { n = 1 }, { n = 2 }, { n = 3 } }, { mode = 'room' })",
         "assert(data:next(worker).n == ((worker.step - 1) * 3 + worker.room.id) % 4)");
    assert_string_equal(shell_errors(shell), "");
    assert_int_equal(shell->totals.steps_ok, 10);
}

static void chance_repeats_with_the_seed(void **state)
{
    char first[200] = "";
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        void *fresh = NULL;
        (void)shell_set_up(&fresh);
        struct shell *shell = fresh;
        shell->options.workers = 1;
        shell->options.seed = seed == 3 ? 2 : seed;
        shell->options.runs = 2;
        char body[300]; /* calls in other steps do not matter */
        snprintf(body, sizeof body,
                 "if worker.step == 1 then for i = 1, %d do data:next() end return end\n"
                 "log(data:next().n, data:next().n, data:next(worker).n)",
                 (int)seed);
        play(shell,
             "(function() local t = {} for i = 1, 1000 do t[i] = { n = i } end return t end)()\n"
             "data = tutti.data(data, { mode = 'random' })",
             body);
        assert_string_equal(shell_errors(shell), "");
        if (seed == 3) {
            assert_string_equal(shell_log(shell), first);
        } else {
            assert_string_not_equal(shell_log(shell), first);
        }
        snprintf(first, sizeof first, "%s", shell_log(shell));
        (void)shell_tear_down(&fresh);
    }
}

/* Of a thousand rows hardly any is drawn twice. */
static void each_draw_is_another(void **state)
{
    struct shell *shell = *state;
    shell->options.workers = 2;
    shell->options.runs = 2;
    shell->options.seed = 5;
    play(shell,
         "(function() local t = {} for i = 1, 1000 do t[i] = { n = i } end return t end)()\n"
         "local other = tutti.data(data, { mode = 'random' })\n"
         "data = tutti.data(data, { mode = 'random' })\n"
         "local two = tutti.data({ { n = 1 }, { n = 2 } }, { mode = 'random' })\n"
         "local one = tutti.data({ { n = 1 } }, { mode = 'random' })",
         "log(data:next().n, other:next().n, data:next().n, other:next().n)\n"
         "local seen = {} for i = 1, 50 do seen[two:next().n] = true end\n"
         "assert(seen[1] and seen[2] and one:next().n == 1)");
    assert_string_equal(shell_errors(shell), "");
    unsigned long numbers[16];
    char *at = (char *)shell_log(shell);
    for (size_t i = 0; i < 16; i++) {
        numbers[i] = strtoul(at, &at, 10);
        assert_in_range(numbers[i], 1, 1000);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(numbers[i], numbers[j]);
        }
    }
}

static void reply_number(struct shell *shell, uint8_t number)
{
    uint8_t value[9] = {'i', 0, 0, 0, 0, 0, 0, 0, number};
    shell_await_call(shell);
    assert_int_equal(shell->held->kind, OPERATION_INCR);
    assert_int_equal(shell->held->room, ROOM_CAMPAIGN);
    shell_reply(shell, (struct reply){.value = bytes_of(value, sizeof value)});
}

static void begin_unique(struct shell *shell, const char *options, const char *body)
{
    char script[2000];
    shell->options.workers = 1;
    snprintf(script, sizeof script,
             "local tutti = require 'tutti'\nlocal other = tutti.data { { n = 1 } }\n"
             "local data = tutti.data('users.csv'%s)\n"
             "local function log(...) tutti.set_var('log', table.concat({...}, ' ')) end\n"
             "tutti.scenario('s', function(worker)\n%s\nend)\n",
             options, body);
    shell_start(shell, script);
}

static void a_variable_of_the_campaign_counts(void **state)
{
    struct shell *shell = *state;
    begin_unique(shell, "", "log(data:next().name, data:next(worker).name)");
    shell_await_call(shell);
    assert_true(bytes_equal_string(shell->held->name, "tutti.data:2:users.csv"));
    reply_number(shell, 3);
    reply_number(shell, 1);
    shell_finish(shell);
    assert_string_equal(shell_errors(shell), "");
    assert_string_equal(shell_log(shell), "cid ann\n");
}

static void when_all_are_given_out_it_says_so(void **state)
{
    struct shell *shell = *state;
    begin_unique(shell, "",
                 "local ok, why = pcall(data.next, data)\n"
                 "log(tostring(ok), why.outcome, why.kind)\nerror(why)");
    reply_number(shell, 4);
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "false short exhausted\n");
    assert_string_equal(shell_errors(shell), "pad.lua:6: users.csv: all 3 rows have been given out\n");
}

static void a_counter_that_counts_nothing(void **state)
{
    struct shell *shell = *state;
    begin_unique(shell, "", "data:next()");
    reply_number(shell, 0);
    shell_finish(shell);
    assert_non_null(strstr(shell_errors(shell), "the variable that counts the rows is none of ours"));
}

static void or_begins_again(void **state)
{
    struct shell *shell = *state;
    begin_unique(shell, ", { wrap = true }", "log(data:next().name, data:next().name, data:next().name)");
    reply_number(shell, 4);
    reply_number(shell, 6);
    reply_number(shell, 8);
    shell_finish(shell);
    assert_string_equal(shell_log(shell), "ann cid bob\n");
}

static void the_counter_is_not_for_scripts(void **state)
{
    struct shell *shell = *state;
    play(shell, "tutti.data { { n = 1 } }",
         "local ok, why = pcall(tutti.set_var, 'tutti.data:1:a table', 0)\n"
         "assert(not ok and why:find('are those of tutti.data'), why)\n"
         "ok, why = pcall(worker.incr, worker, 'tutti.data:9:x') assert(not ok)\n"
         "ok, why = pcall(data.next, data, 5) assert(not ok)");
    assert_string_equal(shell_errors(shell), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_set_up, shell_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reading_costs_what_it_costs),       TEST(each_draw_is_another),
        TEST(a_counter_that_counts_nothing),     TEST(rows_of_every_kind_of_file),
        TEST(json_means_the_same_in_rows),       TEST(what_is_wrong_is_told_with_its_place),
        TEST(a_row_for_each_worker_and_step),    TEST(a_row_for_each_room),
        TEST(chance_repeats_with_the_seed),      TEST(a_variable_of_the_campaign_counts),
        TEST(when_all_are_given_out_it_says_so), TEST(or_begins_again),
        TEST(the_counter_is_not_for_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
