/* Keys and allow-lists as text: what is accepted, and what is refused with which error. */
#include "proto/keys/allow_list.h"
#include "proto/keys/keys.h"

#include "tests/unit/common/check.h"

#define PUBLIC "8(kF[vxlwyicaBKF]PXS{04ot4[O$JN4SFI.Hq&m"
#define SECRET ")*5ykOnecygaIJ/B8Q$BA@$e1Z%[oM:?IWU1)o!F"
#define OTHER "ca<fBnd#yvb]Y{ouNcQNoaylHOH1#(h4b]?@j7J9"

struct broken {
    const char *text;
    const char *says;
};

/* `takes` refuses each of them with its error, which reveals no secret. */
static void expect_refusals(const struct broken *rows, size_t count,
                            bool (*takes)(struct bytes text, struct error *error))
{
    for (size_t i = 0; i < count; i++) {
        struct error error;
        assert_false(takes(TEXT(rows[i].text), &error));
        assert_non_null(strstr(error.text, rows[i].says));
        assert_null(strstr(error.text, SECRET));
    }
}

static void what_a_key_is(void **state)
{
    (void)state;
    assert_true(key_is_valid(TEXT(PUBLIC)));
    assert_true(key_is_valid(TEXT("0000000000000000000000000000000000000000")));
    assert_false(key_is_valid(TEXT("")));
    assert_false(key_is_valid(bytes_of(PUBLIC, 39)));
    assert_false(key_is_valid(TEXT(PUBLIC "0")));
    assert_false(key_is_valid(TEXT("~(kF[vxlwyicaBKF]PXS{04ot4[O$JN4SFI.Hq&m")));
    assert_false(key_is_valid(TEXT("#####00000000000000000000000000000000000"))); /* above 32 bits */
    assert_true(key_is_valid(TEXT("%nSc000000000000000000000000000000000000")));  /* 32 ones */
    assert_false(key_is_valid(TEXT("%nSc100000000000000000000000000000000000")));
    assert_false(key_is_valid(bytes_of("\0(kF[vxlwyicaBKF]PXS{04ot4[O$JN4SFI.Hq&m", 40)));
}

static void what_a_name_is(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"a", "host-7", "A.b_c-d", "0"};
    static const char *const BAD[] = {"", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "ä", "a\\b", "~"};
    struct error error;
    char longest[KEY_NAME_BYTES + 2];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        assert_true(key_name_check(TEXT(GOOD[i]), &error));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_false(key_name_check(TEXT(BAD[i]), &error));
    }
    memset(longest, 'x', sizeof longest);
    assert_true(key_name_check(bytes_of(longest, KEY_NAME_BYTES), &error));
    assert_false(key_name_check(bytes_of(longest, KEY_NAME_BYTES + 1), &error));
}

static void a_pair_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct key_pair pair = {.public_key = PUBLIC, .secret_key = SECRET};
    struct key_pair read = {0};
    struct error error;
    struct buffer text;
    buffer_init(&text, KEY_FILE_MAX_BYTES);
    key_pair_format(&pair, &text);
    assert_true(key_pair_parse(buffer_bytes(&text), &read, &error));
    assert_memory_equal(&pair, &read, sizeof pair);
    key_pair_wipe(&read);
    assert_string_equal(read.secret_key, "");
    buffer_finish(&text);
}

/* `text` is the file in between; the caller finishes it. */
static void write_and_read(const struct agent_key *key, struct buffer *text, struct agent_key *read)
{
    struct error error;
    buffer_init(text, KEY_FILE_MAX_BYTES);
    agent_key_format(key, text);
    assert_true(agent_key_parse(buffer_bytes(text), read, &error));
}

static void an_agents_key_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct agent_key key = {
        .name = "host-7", .pair = {.public_key = PUBLIC, .secret_key = SECRET}, .coordinator = OTHER};
    struct agent_key read = {0};
    struct buffer text;
    write_and_read(&key, &text, &read);
    assert_string_equal(read.name, "host-7");
    assert_string_equal(read.pair.public_key, PUBLIC);
    assert_string_equal(read.pair.secret_key, SECRET);
    assert_string_equal(read.coordinator, OTHER);
    buffer_finish(&text);
}

static void a_token_stands_alone(void **state)
{
    (void)state;
    struct agent_key key = {.name = "agent-1", .token = SECRET};
    struct agent_key read = {0};
    struct error error;
    struct buffer text;
    write_and_read(&key, &text, &read);
    assert_string_equal(read.token, SECRET);
    assert_string_equal(read.pair.public_key, "");
    buffer_append_string(&text, "public " PUBLIC "\n");
    assert_false(agent_key_parse(buffer_bytes(&text), &read, &error));
    assert_non_null(strstr(error.text, "or only token"));
    assert_false(agent_key_parse(TEXT("name a\npublic " PUBLIC "\n"), &read, &error));
    assert_false(agent_key_parse(TEXT("name a\n"), &read, &error));
    agent_key_wipe(&read);
    assert_string_equal(read.token, "");
    buffer_finish(&text);
}

static bool takes_a_pair(struct bytes text, struct error *error)
{
    struct key_pair pair = {.public_key = "as it was"};
    bool is_taken = key_pair_parse(text, &pair, error);
    assert_true(is_taken || strcmp(pair.public_key, "as it was") == 0);
    return is_taken;
}

static void broken_key_files_are_refused(void **state)
{
    (void)state;
    static const struct broken ROWS[] = {
        {"", "the line \"public …\" is missing"},
        {"public " PUBLIC "\n", "the line \"secret …\" is missing"},
        {"public " PUBLIC "\npublic " PUBLIC "\n", "line 2: \"public\" is a duplicate"},
        {"# a\n\npublic\n", "line 3 is not of the form"},
        {"public \n", "line 1 is not of the form"},
        {" public " PUBLIC "\n", "line 1 is not of the form"},
        {"public " PUBLIC "\r\n", "line 1 is not of the form"},
        {"public " PUBLIC " \n", "line 1: \"public\" is not a key"},
        {"public  " PUBLIC "\n", "line 1: \"public\" is not a key"},
        {"public short\n", "line 1: \"public\" is not a key"},
        {"name a\n", "line 1 begins with an unknown word"},
        {"secret " SECRET "\nname a\n", "line 2 begins with an unknown word"},
    };
    expect_refusals(ROWS, sizeof ROWS / sizeof *ROWS, takes_a_pair);
    struct agent_key key;
    struct error error;
    assert_false(agent_key_parse(TEXT("name ../etc\n"), &key, &error));
    assert_non_null(strstr(error.text, "line 1: the name of an agent"));
}

static void a_list_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct error error;
    struct buffer text;
    struct allow_list *list = allow_list_new();
    buffer_init(&text, ALLOW_LIST_MAX_BYTES);
    assert_true(allow_list_add(list, TEXT("a"), TEXT(PUBLIC), &error));
    assert_true(allow_list_add(list, TEXT("b"), TEXT(OTHER), &error));
    allow_list_format(list, &text);
    allow_list_free(&list);
    list = allow_list_parse(buffer_bytes(&text), &error);
    assert_non_null(list);
    assert_int_equal(allow_list_size(list), 2);
    assert_string_equal(allow_list_name(list, PUBLIC), "a");
    assert_string_equal(allow_list_name(list, OTHER), "b");
    assert_null(allow_list_name(list, SECRET));
    assert_true(allow_list_has(list, TEXT("a")));
    assert_true(allow_list_remove(list, TEXT("a")));
    assert_false(allow_list_remove(list, TEXT("a")));
    assert_null(allow_list_name(list, PUBLIC));
    assert_string_equal(allow_list_name(list, OTHER), "b");
    assert_true(allow_list_add(list, TEXT("a"), TEXT(PUBLIC), &error)); /* and added again */
    allow_list_free(&list);
    allow_list_free(&list);
    buffer_finish(&text);
}

static bool takes_a_list(struct bytes text, struct error *error)
{
    struct allow_list *list = allow_list_parse(text, error);
    bool is_taken = list != NULL;
    allow_list_free(&list);
    return is_taken;
}

static void broken_lists_are_refused(void **state)
{
    (void)state;
    static const struct broken ROWS[] = {
        {"agent a\n", "line 1: not of the form agent NAME KEY"},
        {"agent\n", "line 1 is not of the form"},
        {"name a " PUBLIC "\n", "line 1: not of the form agent"},
        {"agent a short\n", "line 1: the text after a is not a key"},
        {"agent ../a " PUBLIC "\n", "line 1: the name of an agent"},
        {"agent a " PUBLIC "\nagent a " OTHER "\n", "line 2: there is already an agent a"},
        {"agent a " PUBLIC "\n# b\nagent b " PUBLIC "\n", "line 3: b has the key of a"},
        {"agent a " PUBLIC " more\n", "line 1: the text after a"},
    };
    expect_refusals(ROWS, sizeof ROWS / sizeof *ROWS, takes_a_list);
    struct error error;
    struct allow_list *empty = allow_list_parse(TEXT("# nobody\n\n"), &error);
    assert_non_null(empty);
    assert_int_equal(allow_list_size(empty), 0);
    allow_list_free(&empty);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(what_a_key_is),
        cmocka_unit_test(what_a_name_is),
        cmocka_unit_test(a_pair_comes_back_as_it_was_written),
        cmocka_unit_test(an_agents_key_comes_back_as_it_was_written),
        cmocka_unit_test(a_token_stands_alone),
        cmocka_unit_test(broken_key_files_are_refused),
        cmocka_unit_test(a_list_comes_back_as_it_was_written),
        cmocka_unit_test(broken_lists_are_refused),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
