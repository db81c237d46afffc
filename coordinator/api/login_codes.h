/* Codes that are good for one login each, soon after they were drawn. Pure: times are milliseconds of any
 * clock, and the caller draws. */
#pragma once
#include "common/attributes.h"
#include "common/digest.h"

#include <stdbool.h>
#include <stdint.h>

#define LOGIN_CODE_MS 60000u
/* At once: one more takes the place of the oldest. */
#define LOGIN_CODES 16u
/* Wrong codes at once, and how long until there may be one more. */
#define LOGIN_WRONG_MOST 10u
#define LOGIN_WRONG_MS 6000u

enum login_result { LOGIN_DONE, LOGIN_WRONG, LOGIN_TOO_OFTEN };

struct login_code {
    uint64_t until_ms; /* 0: there is none in this place */
    char digest[DIGEST_TEXT_BYTES];
};

/* Zeroed to begin with. */
struct login_codes {
    struct login_code codes[LOGIN_CODES];
    uint64_t calm_ms; /* when all wrong ones are forgotten */
};

/* From now on this code is good. */
void login_codes_add(struct login_codes *codes, uint64_t now_ms, const char *code);
/* Whether it is good: not again from now on. Takes a time that does not reveal how near one comes. While
 * there were too many wrong ones, not even a good one is looked at. */
MUST_CHECK enum login_result login_codes_take(struct login_codes *codes, uint64_t now_ms, const char *code);
