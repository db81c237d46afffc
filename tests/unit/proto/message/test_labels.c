/* Labels: which are valid, and which agents have the requested ones. */
#include "proto/message/labels.h"
#include "tests/unit/common/check.h"

#include <string.h>

static void expect(const char *labels, const char *refusal)
{
    struct error error;
    bool is_good = labels_check(bytes_of_string(labels), &error);
    assert_true(is_good == (refusal == NULL));
    if (refusal != NULL && strstr(error.text, refusal) == NULL) {
        fail_msg("\"%s\" of \"%s\"", error.text, labels);
    }
}

static void pairs_of_words_are_labels(void **state)
{
    (void)state;
    expect("", NULL);
    expect("zone=a", NULL);
    expect("zone=a,disk=ssd,node.example.org/kind=x-9_Z", NULL);
    expect("zone", "must be pairs");
    expect("zone=", "must be pairs");
    expect("=a", "must be pairs");
    expect("zone=a,", "end with a comma");
    expect(",zone=a", "must be pairs");
    expect("zone=a,,disk=b", "must be pairs");
    expect("zone=a=b", "must be pairs");
    expect("zone=a b", "must be pairs");
    expect("zone=\xc3\xa4", "must be pairs");
    expect("zone=a,disk=b,zone=c", "label zone is given twice");
    char longest[LABEL_MAX_BYTES + 4] = "z=";
    memset(longest + 2, 'a', LABEL_MAX_BYTES);
    expect(longest, NULL);
    longest[2 + LABEL_MAX_BYTES] = 'a';
    expect(longest, "must be pairs");
    assert_false(labels_check(bytes_of("a=\0", 3), NULL));
}

static bool have(const char *labels, const char *wanted)
{
    return labels_have(bytes_of_string(labels), bytes_of_string(wanted));
}

static void all_that_are_wanted_have_to_be_there(void **state)
{
    (void)state;
    assert_true(have("", ""));
    assert_true(have("zone=a", ""));
    assert_true(have("zone=a,disk=ssd", "disk=ssd,zone=a"));
    assert_false(have("zone=a", "zone=b"));
    assert_false(have("zone=a", "zone=a,disk=ssd"));
    assert_false(have("zone=ab", "zone=a"));
    assert_false(have("", "zone=a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_words_are_labels),
        cmocka_unit_test(all_that_are_wanted_have_to_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
