/* SHA-256 against its published test vectors. */
#include "common/attributes.h"
#include "common/digest.h"
#include "tests/unit/common/check.h"

static void test_known_vectors(void **state)
{
    (void)state;
    char text[DIGEST_TEXT_BYTES];
    SCOPED(digest_free) struct digest *digest = digest_new();
    digest_text(digest, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_add(digest, TEXT("abc"));
    digest_text(digest, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_pieces_count_as_one_run_of_bytes(void **state)
{
    (void)state;
    char whole[DIGEST_TEXT_BYTES];
    char pieces[DIGEST_TEXT_BYTES];
    SCOPED(digest_free) struct digest *first = digest_new();
    SCOPED(digest_free) struct digest *second = digest_new();
    digest_add(first, bytes_of("pad\0lua", 7));
    digest_add(second, bytes_of("pad\0", 4));
    digest_text(second, pieces);
    digest_add(second, bytes_of(NULL, 0));
    digest_add(second, TEXT("lua"));
    digest_text(first, whole);
    digest_text(second, pieces);
    assert_string_equal(whole, pieces);
}

static void test_free_tolerates_null(void **state)
{
    (void)state;
    struct digest *digest = NULL;
    digest_free(&digest);
    assert_null(digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_vectors),
        cmocka_unit_test(test_pieces_count_as_one_run_of_bytes),
        cmocka_unit_test(test_free_tolerates_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
