/* Challenges and answers of RFC 7616, RFC 2617 and RFC 2069, and what servers make of them. */
#include "agent/http/message/digest_auth.h"

#include "tests/unit/common/check.h"

#include <stdio.h>

#define SECRET "Circle of Life"

struct example {
    const char *challenge; /* a head */
    const char *user;
    const char *password;
    const char *client_nonce;
    uint32_t count;
    const char *answer; /* NULL: it cannot be answered */
};

#define RFC_7616                                                                                             \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                               \
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define RFC_2617 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""

/* All are of GET /dir/index.html. */
static const struct example examples[] = {
    /* RFC 7616 §3.9.1, the one with SHA-256, which comes first there. */
    {"WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
     "algorithm=SHA-256, " RFC_7616 "\r\nWWW-Authenticate: Digest realm=\"http-auth@example.org\", "
     "qop=\"auth, auth-int\", algorithm=MD5, " RFC_7616 "\r\n",
     "Mufasa", SECRET, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1,
     "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
     "algorithm=SHA-256, "
     "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
     "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
     "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", "
     "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""},
    /* The one with MD5, where the first is of a kind that is not known. */
    {"Date: now\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\", algorithm=SHA-3\r\n"
     "www-authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
     "algorithm=MD5, " RFC_7616 "\r\n",
     "Mufasa", SECRET, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1,
     "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=MD5, "
     "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
     "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
     "response=\"8ca523f5e9506fed4657c9700eebdbec\", "
     "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""},
    /* RFC 7616 §3.9.2, with the hash of the user by SHA-512/256 itself (the text of the RFC has
     * cut SHA-512 short). Of another target, so its response was calculated by other means. */
    {"WWW-Authenticate: Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
     "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
     "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, "
     "userhash=true\r\n",
     "J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm", 1,
     "Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", "
     "realm=\"api@example.org\", uri=\"/dir/index.html\", "
     "algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", nc=00000001, "
     "cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm\", qop=auth, "
     "response=\"5a52427c5b06a68c65ea09f7dd957234a5f06f1dcc2c888fd9115f5c4db2e181\", "
     "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", userhash=true"},
    /* RFC 2617 §3.5: no algorithm is named. */
    {"WWW-Authenticate: Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", " RFC_2617
     ", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"\r\n",
     "Mufasa", "Circle Of Life", "0a4f113b", 1,
     "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", uri=\"/dir/index.html\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", nc=00000001, cnonce=\"0a4f113b\", qop=auth, "
     "response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""},
    /* RFC 2069 §2.4 (with the erratum's response): no qop. */
    {"WWW-Authenticate: Digest realm=\"testrealm@host.com\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"\r\n",
     "Mufasa", "CircleOfLife", "x", 7,
     "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", uri=\"/dir/index.html\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", response=\"1949323746fe6a43ef61f9606e7febea\""},
};

/* The answer to `head`, in `answer`; false if there is none. */
static bool answer_of(const struct example *example, struct buffer *answer)
{
    struct digest_challenge challenge = {0};
    struct digest_request request = {.user = bytes_of_string(example->user),
                                     .password = bytes_of_string(example->password),
                                     .method = bytes_of_string("GET"),
                                     .target = bytes_of_string("/dir/index.html"),
                                     .client_nonce = bytes_of_string(example->client_nonce),
                                     .count = example->count};

    if (!digest_challenge_read(bytes_of_string(example->challenge), &challenge)) {
        return false;
    }
    assert_true(digest_write(&challenge, &request, answer));
    digest_challenge_finish(&challenge);
    return true;
}

static void the_examples_of_the_standards_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct buffer answer;
        buffer_init(&answer, 10000);
        assert_true(answer_of(&examples[i], &answer));
        assert_string_equal(buffer_string(&answer), examples[i].answer);
        buffer_finish(&answer);
    }
}

/* The hashes were computed with another implementation. */
static void sessions_users_and_counts_are_hashed(void **state)
{
    static const struct {
        const char *parameters;
        const char *part;
    } rows[] = {
        {"qop=auth, algorithm=MD5-sess", "algorithm=MD5-sess"},
        {"qop=auth, algorithm=MD5-sess", "response=\"451ce8e122b573b47ba119da60bb5b1d\""},
        {"qop=auth, algorithm=SHA-256-sess",
         "b75c7ebe54ac752ce08019abfa5aaf4c81e53a264c962347fae88a6576f46b9b"},
        {"qop=auth, algorithm=SHA-512-256, userhash=true",
         "username=\"e10b2db8450593ef40b1efc0887ec9672419cbd17988ba6356aa70338779f2e6\""},
        {"qop=auth, algorithm=SHA-512-256, userhash=true",
         "0e380f26c1150ebb907f4d0f7a09c8aeded2d9fc9f76b1b2e4063c435b57d71b"},
        {"qop=auth, algorithm=SHA-256-sess", "algorithm=SHA-256-sess"},
        {"qop=auth, algorithm=SHA-512-256, userhash=true", "userhash=true"},
        {"algorithm=\"md5\"", "algorithm=MD5"},
        {"qop=\"auth-int,auth\"", "nc=0000002a, cnonce=\"abc\", qop=auth"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char head[300];
        struct buffer answer;
        struct example example = {
            .challenge = head, .user = "a\"b\\", .password = "p", .client_nonce = "abc", .count = 42};
        buffer_init(&answer, 10000);
        snprintf(head, sizeof head, "WWW-Authenticate: digest Realm=\"r\", NONCE=n , %s\r\n",
                 rows[i].parameters);
        assert_true(answer_of(&example, &answer));
        if (strstr(buffer_string(&answer), rows[i].part) == NULL) {
            fail_msg("%s: %s", rows[i].parameters, buffer_string(&answer));
        }
        bool is_plain = strstr(buffer_string(&answer), "username=\"a\\\"b\\\\\"") != NULL;
        assert_int_equal(is_plain, strstr(rows[i].parameters, "userhash") == NULL);
        buffer_finish(&answer);
    }
}

static void challenges_are_found_among_others(void **state)
{
    static const struct {
        const char *head;
        const char *realm; /* NULL: there is none that can be answered */
    } rows[] = {
        {"WWW-Authenticate: Basic realm=\"b, Digest\", Digest realm=\"d\", nonce=\"n\"\r\n", "d"},
        {"WWW-Authenticate: Negotiate abc==, Digest realm=\"d\", nonce=\"n\", Basic realm=\"b\"\r\n", "d"},
        {"WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Digest nonce = n, realm = \"d \\\"e\\\"\"\r\n",
         "d \"e\""},
        {"WWW-Authenticate: Digest nonce=\"n\", realm=\"\"\r\n", ""},
        {"WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\", Digest realm=\"b\", "
         "nonce=\"n\"\r\n",
         "b"},
        {"WWW-Authenticate: Digest realm=\"a\"\r\n", NULL},
        {"WWW-Authenticate: Digest nonce=\"a\"\r\n", NULL},
        {"WWW-Authenticate: Basic realm=\"b\", nonce=\"n\"\r\n", NULL},
        {"WWW-Authenticate: Digest\r\n", NULL},
        {"WWW-Authenticate: \r\n", NULL},
        {"WWW-Authenticate: Digest realm=\"open, nonce=\r\n", NULL},
        {"WWW-Authenticate: Digest realm=\"a\\\r\n", NULL},
        {"Proxy-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct digest_challenge challenge = {0};
        bool is_found = digest_challenge_read(bytes_of_string(rows[i].head), &challenge);
        if (is_found != (rows[i].realm != NULL)) {
            fail_msg("%s", rows[i].head);
        }
        if (is_found) {
            assert_string_equal(challenge.realm, rows[i].realm);
            digest_challenge_finish(&challenge);
        }
    }
}

static void a_stale_nonce_is_told_from_a_wrong_password(void **state)
{
    struct digest_challenge challenge = {0};

    (void)state;
    assert_true(digest_challenge_read(
        bytes_of_string("WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", stale=TRUE\r\n"), &challenge));
    assert_true(challenge.is_stale);
    digest_challenge_finish(&challenge);
    assert_true(digest_challenge_read(
        bytes_of_string("WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", stale=false\r\n"), &challenge));
    assert_false(challenge.is_stale);
    digest_challenge_finish(&challenge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standards_are_answered),
        cmocka_unit_test(sessions_users_and_counts_are_hashed),
        cmocka_unit_test(challenges_are_found_among_others),
        cmocka_unit_test(a_stale_nonce_is_told_from_a_wrong_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
