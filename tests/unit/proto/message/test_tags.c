/* Which tags a campaign tells apart, and what a measurement is tagged with. */
#include "proto/message/tags.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

static struct tag_id note(struct tag_table *table, const char *name, const char *value)
{
    return tag_table_note(table, bytes_of_string(name), bytes_of_string(value));
}

static void assert_tag(const struct tag_table *table, struct tag_id tag, const char *text)
{
    struct bytes found = tag_table_text(table, tag);
    if (!bytes_equal_string(found, text)) {
        fail_msg("%.*s is not %s", BYTES_FORMAT(found), text);
    }
}

static void a_tag_keeps_its_number(void **state)
{
    (void)state;
    struct tag_table *table = tag_table_new();
    struct tag_id gold = note(table, "tier", "gold");
    struct tag_id iron = note(table, "tier", "iron");
    struct tag_id shop = note(table, "app", "gold");
    struct tag_id again = note(table, "tier", "gold");
    assert_true(gold.slot == iron.slot && gold.value != iron.value && shop.slot != gold.slot);
    assert_true(again.slot == gold.slot && again.value == gold.value);
    assert_tag(table, gold, "tier=gold");
    assert_tag(table, iron, "tier=iron");
    assert_tag(table, shop, "app=gold");
    tag_table_free(&table);
    assert_null(table);
    tag_table_free(&table);
}

static void further_values_of_a_name_are_one(void **state)
{
    (void)state;
    struct tag_table *table = tag_table_new();
    char value[20];
    struct tag_id first = note(table, "user", "0");
    for (unsigned i = 1; i < TAG_VALUES; i++) {
        snprintf(value, sizeof value, "%u", i);
        assert_int_equal(note(table, "user", value).value, i + 1);
    }
    struct tag_id other = note(table, "user", "one more");
    assert_tag(table, other, "user=(other)");
    assert_int_equal(note(table, "user", "and another").value, other.value);
    assert_int_equal(note(table, "user", "0").value, first.value);
    assert_tag(table, note(table, "tier", "one more"), "tier=one more");
    assert_tag(table, note(table, "tier", TAG_OTHER), "tier=(other)");
    tag_table_free(&table);
}

static void further_names_are_one(void **state)
{
    (void)state;
    struct tag_table *table = tag_table_new();
    char name[20];
    for (unsigned i = 0; i < TAG_NAMES; i++) {
        snprintf(name, sizeof name, "name-%u", i);
        assert_int_equal(note(table, name, "a").slot, i);
    }
    struct tag_id other = note(table, "one-more", "a");
    assert_tag(table, other, "(other)=(other)");
    assert_int_equal(note(table, "another", "b").value, other.value);
    assert_tag(table, note(table, "name-7", "b"), "name-7=b");
    tag_table_free(&table);
}

static void a_set_has_one_value_of_each_name(void **state)
{
    (void)state;
    struct tag_table *table = tag_table_new();
    struct tag_set set = {0};
    struct tag_set over = {0};
    struct tag_id tag = {0};
    assert_true(tag_set_is_empty(&set) && !tag_set_next(&set, &tag));
    tag_set_put(&set, note(table, "tier", "gold"));
    tag_set_put(&set, note(table, "app", "shop"));
    tag_set_put(&over, note(table, "tier", "iron"));
    tag_set_put(&over, note(table, "seat", "1"));
    tag_set_overlay(&set, &over);
    assert_false(tag_set_is_empty(&set));
    assert_true(tag_set_next(&set, &tag));
    assert_tag(table, tag, "tier=iron");
    assert_true(tag_set_next(&set, &tag));
    assert_tag(table, tag, "app=shop");
    assert_true(tag_set_next(&set, &tag));
    assert_tag(table, tag, "seat=1");
    assert_false(tag_set_next(&set, &tag));
    tag_table_remove(table, bytes_of_string("tier"), &set);
    tag_table_remove(table, bytes_of_string("unknown"), &set);
    tag = (struct tag_id){0};
    assert_true(tag_set_next(&set, &tag));
    assert_tag(table, tag, "app=shop");
    tag_table_free(&table);
}

static void names_and_values_have_a_form(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "tier", "A-b_c.9"};
    static const char *const bad[] = {"", "a b", "a=b", "(other)", "\xc3\xa4", "a\n"};
    char long_name[TAG_NAME_BYTES + 1] = "";
    struct bytes name;
    struct bytes value;
    memset(long_name, 'a', sizeof long_name);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(tag_name_is_good(bytes_of_string(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(tag_name_is_good(bytes_of_string(bad[i])));
    }
    assert_true(tag_name_is_good(bytes_of(long_name, TAG_NAME_BYTES)));
    assert_false(tag_name_is_good(bytes_of(long_name, TAG_NAME_BYTES + 1)));
    assert_true(tag_value_is_good(bytes_of_string("any \xc3\xa4 =}")));
    assert_false(tag_value_is_good(bytes_of_string("")) || tag_value_is_good(bytes_of_string("a\tb")));
    assert_true(tag_split(bytes_of_string("a=b=c"), &name, &value));
    assert_true(bytes_equal_string(name, "a") && bytes_equal_string(value, "b=c"));
    assert_false(tag_split(bytes_of_string("ab"), &name, &value) ||
                 tag_split(bytes_of("", 0), &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_keeps_its_number),       cmocka_unit_test(further_values_of_a_name_are_one),
        cmocka_unit_test(further_names_are_one),        cmocka_unit_test(a_set_has_one_value_of_each_name),
        cmocka_unit_test(names_and_values_have_a_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
