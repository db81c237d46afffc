/* The cookies of one user (RFC 6265bis). Pure: the time is given. Domains that anybody can register below
 * ("co.uk") get none, as the public suffix list says. */
#pragma once
#include "agent/http/message/url.h"
#include "common/attributes.h"
#include "common/buffer.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed is an empty jar. */
struct cookie_jar {
    struct cookie *cookies;
    size_t count;
    size_t capacity;
    uint64_t order; /* of the next one that comes */
};

#define COOKIE_MAX_BYTES 4096u
#define COOKIE_JAR_MAX 300u /* the one that was sent longest ago gives way */

void cookie_jar_finish(struct cookie_jar *jar);
void cookie_jar_clear(struct cookie_jar *jar);
/* Takes in a Set-Cookie field that came with an answer to `url`. `wall_s` is in seconds since 1970. False for
 * one that is not to be kept: malformed, too large, or of a domain that it may not speak for. */
bool cookie_jar_take(struct cookie_jar *jar, const struct url *url, struct bytes field, int64_t wall_s);
/* Appends "name=value; name=value" of those that go to `url`, the longest path first; nothing if there is
 * none. Forgets those that have expired. */
void cookie_jar_append(struct cookie_jar *jar, const struct url *url, int64_t wall_s, struct buffer *out);

/* One after the other, with `at` from 0; for scripts that look. Borrows until the jar changes. */
struct cookie_view {
    struct bytes name;
    struct bytes value;
    struct bytes domain;
    struct bytes path;
    int64_t expires_s; /* INT64_MAX: with the session */
    bool is_host_only;
    bool is_secure;
    bool is_http_only;
};
/* Those that cookie_jar_append would write, in its order. Returns how many. */
size_t cookie_jar_find(struct cookie_jar *jar, const struct url *url, int64_t wall_s,
                       struct cookie_view found[COOKIE_JAR_MAX]);
/* Takes one in that was in a jar before: without a check, and beside one of the same name. */
void cookie_jar_add(struct cookie_jar *jar, const struct cookie_view *view);
bool cookie_jar_next(const struct cookie_jar *jar, size_t *at, struct cookie_view *view);
/* Seconds since 1970 of a cookie's date (RFC 6265 §5.1.1); false if it is none. */
MUST_CHECK bool cookie_date_parse(struct bytes text, int64_t *wall_s);
