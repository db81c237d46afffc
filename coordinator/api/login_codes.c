/* Codes that are good for one login each. */
#include "coordinator/api/login_codes.h"

#include <string.h>

static void login_code_digest(const char *code, char digest[DIGEST_TEXT_BYTES])
{
    struct digest *sum = digest_new();
    digest_add(sum, bytes_of_string(code));
    digest_text(sum, digest);
    digest_free(&sum);
}

void login_codes_add(struct login_codes *codes, uint64_t now_ms, const char *code)
{
    struct login_code *oldest = &codes->codes[0];
    for (size_t i = 1; i < LOGIN_CODES; i++) {
        oldest = codes->codes[i].until_ms < oldest->until_ms ? &codes->codes[i] : oldest;
    }
    oldest->until_ms = now_ms + LOGIN_CODE_MS;
    login_code_digest(code, oldest->digest);
}

enum login_result login_codes_take(struct login_codes *codes, uint64_t now_ms, const char *code)
{
    char digest[DIGEST_TEXT_BYTES];
    struct login_code *found = NULL;
    uint64_t calm_ms = codes->calm_ms > now_ms ? codes->calm_ms : now_ms;
    if (calm_ms + LOGIN_WRONG_MS > now_ms + (uint64_t)LOGIN_WRONG_MOST * LOGIN_WRONG_MS) {
        return LOGIN_TOO_OFTEN;
    }
    login_code_digest(code, digest);
    for (size_t i = 0; i < LOGIN_CODES; i++) {
        struct login_code *one = &codes->codes[i];
        bool is_this = digest_text_equal(digest, one->digest);
        found = is_this && one->until_ms > now_ms ? one : found;
    }
    if (found == NULL) {
        codes->calm_ms = calm_ms + LOGIN_WRONG_MS;
        return LOGIN_WRONG;
    }
    *found = (struct login_code){0};
    return LOGIN_DONE;
}
